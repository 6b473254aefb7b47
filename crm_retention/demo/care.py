"""What else happens with customers: calls and mails, complaints and requests, warranty claims, contracts."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from typing import Any

import frappe

from crm_retention.demo.customers import Customer, at
from crm_retention.demo.items import create
from crm_retention.demo.kinds import Kind
from crm_retention.demo.origin import REMARKS
from crm_retention.demo.pattern import Bulk, Pattern, follow, new_name
from crm_retention.demo.products import PRODUCTS
from crm_retention.demo.story import Buyer, draw

COMPLAINT = "Complaint"
REQUEST = "Request"
COMPLAINTS = (
	"Delivery came two days late and nobody called",
	"Beans taste stale, roast date is four months old",
	"Cups arrived broken for the second time",
	"Invoice charges the old price list",
	"Nobody answers the service line",
	"咖啡机漏水，维修一直没有人来",
	"Rechnung stimmt nicht mit der Bestellung überein",
)
REQUESTS = (
	"Please send the new price list",
	"Which descaler fits the filter brewer?",
	"Change of delivery address",
	"Bitte Termin für eine Verkostung",
)
CLAIMS = (
	"Grinder stops after ten minutes",
	"Boiler does not reach its temperature",
	"Pump of the machine is loud",
)
TALKS = (
	("Phone", "Received", "Call about the next delivery"),
	("Email", "Sent", "Recommendations for the season"),
	("Email", "Received", "Question about an order"),
	("Meeting", "Sent", "Visit: tasting and needs for the next quarter"),
	("Phone", "Sent", "Asked how the last order went"),
	("Chat", "Received", "Short question about an invoice"),
)

Customers = list[tuple[Buyer, Customer]]


def create_care(customers: Customers, company: str, as_of: datetime.date) -> Counter[str]:
	"""Communications, issues, warranty claims and contracts; returns how many of each DocType."""
	counts: Counter[str] = Counter()
	for name in (COMPLAINT, REQUEST):
		create("Issue Type", name, name=name)
	talks = []
	for number, (buyer, customer) in enumerate(customers):
		if not buyer.kind:
			continue
		rng = random.Random(f"care {number}")
		counts["Issue"] += create_issues(buyer.kind, customer, company, as_of, rng)
		counts["Warranty Claim"] += create_claims(buyer.kind, customer, company, as_of, rng)
		counts["Contract"] += create_contract(buyer.kind, customer, number, as_of, rng)
		talks += get_talks(buyer, customer, as_of, rng)
	counts["Communication"] = write_talks(talks)
	return counts


def create_issues(
	kind: Kind, customer: Customer, company: str, as_of: datetime.date, rng: random.Random
) -> int:
	"""Complaints of the last weeks, the latest still open, and now and then a request or an old complaint."""
	cases = [(draw((2, 80), rng), COMPLAINT) for _case in range(draw(kind.complaints, rng))]
	if rng.random() < 0.08 and kind.last[0] < 300:
		cases.append((draw((20, 300), rng), REQUEST))
	if rng.random() < 0.08:
		cases.append((draw((max(100, kind.last[0]), kind.last[0] + 300), rng), COMPLAINT))
	latest = min((ago for ago, _type in cases), default=None)
	for ago, issue_type in cases:
		subject = rng.choice(COMPLAINTS if issue_type == COMPLAINT else REQUESTS)
		still_open = issue_type == COMPLAINT and ago == latest and ago < 60
		create_issue(customer, company, subject, issue_type, as_of - datetime.timedelta(days=ago), still_open)
	return len(cases)


def create_issue(
	customer: Customer, company: str, subject: str, issue_type: str, day: datetime.date, still_open: bool
) -> None:
	"""An Issue, opened on a day and closed six days later at most."""
	issue = frappe.get_doc(
		{
			"doctype": "Issue",
			"subject": subject,
			"customer": customer.name,
			"company": company,
			"contact": customer.contact,
			"issue_type": issue_type,
			"opening_date": day,
			"opening_time": "10:00:00",
			"description": REMARKS,
			"status": "Open" if still_open else "Closed",
		}
	)
	issue.insert(ignore_permissions=True)
	values: dict[str, Any] = {"creation": at(day), "opening_date": day}
	if not still_open:
		closed = at(min(day + datetime.timedelta(days=6), frappe.utils.getdate()), 16)
		field = "sla_resolution_date" if issue.meta.has_field("sla_resolution_date") else "resolution_date"
		values[field] = closed
	issue.db_set(values, update_modified=False)


def create_claims(
	kind: Kind, customer: Customer, company: str, as_of: datetime.date, rng: random.Random
) -> int:
	"""A warranty claim for a machine, from one in twelve of those who bought in the last year."""
	if kind.last[0] > 300 or rng.random() > 1 / 12:
		return 0
	ago = draw((15, 250), rng)
	day, is_open = as_of - datetime.timedelta(days=ago), ago < 40
	machine = rng.choice([item for item in PRODUCTS if item.group == "Machines"])
	claim = {
		"doctype": "Warranty Claim",
		"customer": customer.name,
		"company": company,
		"complaint_date": day,
		"complaint": rng.choice(CLAIMS),
		"item_code": machine.code,
		"status": "Open" if is_open else "Closed",
		"warranty_amc_status": "Under Warranty",
	}
	if not is_open:
		claim |= {
			"resolution_date": at(day + datetime.timedelta(days=9), 16),
			"resolution_details": "Repaired",
		}
	frappe.get_doc(claim).insert(ignore_permissions=True)
	return 1


def create_contract(
	kind: Kind, customer: Customer, number: int, as_of: datetime.date, rng: random.Random
) -> int:
	"""A supply contract of a year or two that ends in the coming months."""
	if rng.random() >= kind.contract:
		return 0
	end = as_of + datetime.timedelta(days=15 + (number * 37) % 330)
	contract = frappe.get_doc(
		{
			"doctype": "Contract",
			"party_type": "Customer",
			"party_name": customer.name,
			"start_date": end - datetime.timedelta(days=rng.choice((365, 730)) - 1),
			"end_date": end,
			"is_signed": 1,
			"signee": customer.contact_display,
			"contract_terms": f"Supply of coffee and care of machines at fixed prices. {REMARKS}",
		}
	)
	contract.insert(ignore_permissions=True)
	contract.flags.ignore_permissions = True
	contract.submit()
	return 1


Talk = tuple[datetime.date, Customer, tuple[str, str, str]]


def get_talks(buyer: Buyer, customer: Customer, as_of: datetime.date, rng: random.Random) -> list[Talk]:
	"""What was said to and by a customer in the last year."""
	talks = []
	for _talk in range(draw(buyer.kind.contacts, rng)):
		day = as_of - datetime.timedelta(days=draw((1, 360), rng))
		if day >= buyer.known_since:
			talks.append((day, customer, rng.choice(TALKS)))
	return talks


def write_talks(talks: list[Talk]) -> int:
	"""Communications of each medium and direction after the first one, which Frappe inserts."""
	bulk, patterns = Bulk(), {}
	for day, customer, form in sorted(talks, key=lambda talk: (talk[0], talk[1].name)):
		if form not in patterns:
			patterns[form] = (day, customer, Pattern.of(make_talk(day, customer, form)))
		else:
			add_talk(bulk, patterns[form], day, customer)
	bulk.insert()
	return len(talks)


def make_talk(day: datetime.date, customer: Customer, form: tuple[str, str, str]) -> Any:
	"""A Communication with the contact of a customer."""
	medium, direction, subject = form
	email = customer.values[4]
	mail = {"sender": email} if direction == "Received" else {"sender": customer.owner, "recipients": email}
	talk = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": medium,
			"sent_or_received": direction,
			"subject": subject,
			"content": f"{subject}. {REMARKS}",
			"communication_date": at(day, 11),
			"reference_doctype": "Customer",
			"reference_name": customer.name,
			"status": "Linked",
			**mail,
		}
	)
	talk.insert(ignore_permissions=True)
	talk.db_set({"creation": at(day, 11), "modified": at(day, 11)}, update_modified=False)
	return talk


def add_talk(
	bulk: Bulk, pattern: tuple[datetime.date, Customer, Pattern], day: datetime.date, customer: Customer
) -> None:
	"""The rows of a further Communication."""
	first_day, first, rows = pattern
	name = new_name()
	swap = first.swap_for(customer) | {first.owner: customer.owner}
	swap |= {at(first_day, 11): at(day, 11), rows.first("Communication")["name"]: name}
	for table, found in rows.rows.items():
		for row in found:
			own = {"name": name if table == "Communication" else new_name()}
			stamps = {"creation": at(day, 11), "modified": at(day, 11)}
			bulk.add(table, follow(row, swap, **own, **stamps))

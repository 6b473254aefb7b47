"""Customers with their groups, territories, industries and contacts; leads; and the people who look after them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import frappe
from frappe.utils.nestedset import get_root_of

from crm_retention.demo.items import PRICE_LIST, create
from crm_retention.demo.names import SEGMENTS, TERRITORIES, Name
from crm_retention.demo.story import Buyer

STAFF = (
	("mei.lin@example.com", "Mei", "Lin", "Sales User"),
	("jonas.brandt@example.com", "Jonas", "Brandt", "Sales User"),
	("grace.shaw@example.com", "Grace", "Shaw", "Support Team"),
)
LEAD_STATUSES = ("Lead", "Open", "Replied", "Opportunity", "Interested")
# What documents copy from a customer: each differs from customer to customer.
COPIED = ("customer_name", "customer_group", "territory", "language", "email_id", "mobile_no")


@dataclass(frozen=True)
class Customer:
	"""What other documents say about a customer."""

	name: str
	contact: str
	contact_display: str
	values: tuple[str, ...]
	owner: str

	def swap_for(self, other: Customer) -> dict[str, str]:
		"""This customer's values to those of ``other``."""
		mine = (self.name, self.contact, self.contact_display, *self.values)
		return dict(zip(mine, (other.name, other.contact, other.contact_display, *other.values), strict=True))


def create_masters() -> None:
	"""Groups, territories, industries and staff."""
	for group, industry in SEGMENTS.values():
		root = get_root_of("Customer Group")
		create("Customer Group", group, customer_group_name=group, parent_customer_group=root)
		create("Industry Type", industry, industry=industry)
	for territory in TERRITORIES.values():
		root = get_root_of("Territory")
		create("Territory", territory, territory_name=territory, parent_territory=root)
	for email, first, last, role in STAFF:
		create_user(email, first, last, role)


def create_user(email: str, first: str, last: str, role: str) -> None:
	"""A colleague without a password: nobody can log in as one."""
	if frappe.db.exists("User", email):
		return
	user = frappe.get_doc(
		{"doctype": "User", "email": email, "first_name": first, "last_name": last, "send_welcome_email": 0}
	)
	user.flags.no_welcome_mail = True
	user.insert(ignore_permissions=True)
	user.add_roles(role, "Retention User")


def create_customers(buyers: Iterable[Buyer]) -> list[Customer]:
	"""A Customer with a Contact for each buyer, in the same order."""
	return [create_customer(buyer, number) for number, buyer in enumerate(buyers)]


def create_customer(buyer: Buyer, number: int) -> Customer:
	"""One customer, known since the day the story says."""
	name = buyer.name
	group, industry = SEGMENTS[name.segment]
	owner = STAFF[number % 2][0]
	doc = frappe.get_doc(
		{
			"doctype": "Customer",
			"customer_name": name.organisation,
			"customer_type": "Company",
			"customer_group": group,
			"territory": name.territory,
			"industry": industry,
			"language": name.language,
			"account_manager": owner,
			"default_price_list": PRICE_LIST,
		}
	)
	doc.insert(ignore_permissions=True)
	contact = create_contact(name, doc.name)
	main = {"customer_primary_contact": contact.name, "email_id": name.email, "mobile_no": name.phone}
	doc.db_set(main | {"creation": at(buyer.known_since)}, update_modified=False)
	display = contact.get("full_name") or " ".join(filter(None, (contact.first_name, contact.last_name)))
	return Customer(doc.name, contact.name, display, tuple(doc.get(field) for field in COPIED), owner)


def create_contact(name: Name, customer: str) -> frappe.model.document.Document:
	"""The person we talk to at a customer."""
	contact = frappe.get_doc(
		{
			"doctype": "Contact",
			"first_name": name.first_name,
			"last_name": name.last_name,
			"company_name": name.organisation,
			"is_primary_contact": 1,
			"email_ids": [{"email_id": name.email, "is_primary": 1}],
			"phone_nos": [{"phone": name.phone, "is_primary_mobile_no": 1}],
			"links": [{"link_doctype": "Customer", "link_name": customer}],
		}
	)
	return contact.insert(ignore_permissions=True)


def create_leads(names: Iterable[Name], as_of: datetime.date) -> list[str]:
	"""Leads that have not bought yet."""
	made = []
	for number, name in enumerate(names):
		lead = frappe.get_doc(
			{
				"doctype": "Lead",
				"first_name": name.first_name,
				"last_name": name.last_name,
				"company_name": name.organisation,
				"email_id": name.email,
				"mobile_no": name.phone,
				"status": LEAD_STATUSES[number % len(LEAD_STATUSES)],
				"territory": name.territory,
				"industry": SEGMENTS[name.segment][1],
				"language": name.language,
				"lead_owner": STAFF[number % 2][0],
			}
		)
		lead.insert(ignore_permissions=True)
		since = as_of - datetime.timedelta(days=4 + 9 * number)
		lead.db_set("creation", at(since), update_modified=False)
		made.append(lead.name)
	return made


def at(day: datetime.date, hour: int = 10) -> datetime.datetime:
	"""A moment of a day."""
	return datetime.datetime.combine(day, datetime.time(hour))

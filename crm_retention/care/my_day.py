"""What is to be done, today and this week, by one person: read in one query whatever the number of parties."""

from __future__ import annotations

import datetime
from typing import Any, TypedDict
from urllib.parse import quote

import frappe
from frappe import _
from frappe.query_builder.functions import Coalesce
from frappe.utils import cint, get_datetime
from pypika.terms import LiteralValue, NullValue

from crm_retention.bounds import to_day
from crm_retention.permissions import get_readable_query, hides_nothing, only_where, touchpoint_query
from crm_retention.readable import may_read_field

DAYS_AHEAD = 6
MOST_CARDS = 500
FIELDS = (
	"name",
	"party_type",
	"party",
	"party_name",
	"title",
	"touchpoint_type",
	"channel",
	"status",
	"due_date",
	"service_date",
	"starts_at",
	"duration",
	"location",
	"why",
	"instructions",
	"tier",
	"minutes",
	"is_promise",
	"assigned_to",
	"times_rescheduled",
	"message_status",
	"message_error",
	"modified",
)


class Card(TypedDict, total=False):
	"""One touchpoint as My Day shows it; empty text where nothing is known."""

	name: str
	party_type: str
	party: str
	party_name: str
	title: str
	touchpoint_type: str
	channel: str
	due_date: str
	late_days: int
	when: str
	starts_at: str
	duration: int
	why: str
	instructions: str
	tier: str
	tier_rank: int
	tier_colour: str
	minutes: int
	is_promise: int
	phone: str
	email: str
	address: str
	city: str
	pincode: str
	map_url: str
	message_status: str
	message_error: str


class Day(TypedDict):
	"""``cards`` in the order of work; ``counts`` by when: overdue, today, week, promises."""

	user: str
	full_name: str
	as_of: str
	cards: list[Card]
	counts: dict[str, int]
	minutes_today: int
	more: bool


def get_my_day(user: str, as_of: datetime.date, limit: int = MOST_CARDS) -> Day:
	"""Everything open of ``user`` that is overdue or due within a week of ``as_of``, and every promise.

	An empty ``user`` is nobody: what has no responsible person. Rows of parties that the session's user may not
	read are left out. ``when`` of a card is overdue, today, week or later (only promises are).
	"""
	rows = get_rows(user, as_of, limit + 1)
	more, rows = len(rows) > limit, rows[:limit]
	contacts = get_contacts(rows)
	cards = [make_card(row, contacts.get((row.party_type, row.party), {}), as_of) for row in rows]
	cards.sort(key=in_order_of_work)
	counts = {when: sum(card["when"] == when for card in cards) for when in ("overdue", "today", "week")}
	counts["promises"] = sum(card["is_promise"] for card in cards)
	due = [card["minutes"] for card in cards if card["when"] in ("overdue", "today")]
	return {
		"user": user,
		"full_name": frappe.utils.get_fullname(user) if user else "",
		"as_of": str(as_of),
		"cards": cards,
		"counts": counts,
		"minutes_today": sum(due),
		"more": more,
	}


def get_rows(user: str, as_of: datetime.date, limit: int) -> list[frappe._dict]:
	"""The touchpoints with tier and the party's own phone, mail and address, in one query."""
	t, customer, lead, address, tier = (
		frappe.qb.DocType(name) for name in ("Touchpoint", "Customer", "Lead", "Address", "Customer Tier")
	)
	is_customer, is_lead = t.party_type == "Customer", t.party_type == "Lead"
	week = as_of + datetime.timedelta(days=DAYS_AHEAD)
	query = (
		frappe.qb.from_(t)
		.left_join(customer)
		.on(is_customer & (customer.name == t.party))
		.left_join(lead)
		.on(is_lead & (lead.name == t.party))
		.left_join(address)
		.on((address.name == customer.customer_primary_address) & is_listed(address, "Address"))
		.left_join(tier)
		.on(tier.name == t.tier)
		.select(*(t[field] for field in FIELDS))
		.select(
			first_shown(customer.mobile_no, lead.mobile_no, lead.phone).as_("phone"),
			first_shown(customer.email_id, lead.email_id).as_("email"),
			first_shown(address.address_line1).as_("address_line1"),
			first_shown(address.city, lead.city).as_("city"),
			first_shown(address.pincode).as_("pincode"),
			tier.rank.as_("tier_rank"),
			tier.colour.as_("tier_colour"),
		)
		.where(t.status == "Open")
		.where((t.due_date <= week) | t.due_date.isnull() | (t.is_promise == 1))
		.orderby(t.due_date)
		.orderby(t.name)
		.limit(limit)
	)
	query = query.where(t.assigned_to == user if user else Coalesce(t.assigned_to, "") == "")
	return only_where(query, touchpoint_query()).run(as_dict=True)


def get_contacts(rows: list[frappe._dict]) -> dict[tuple[str, str], dict[str, str]]:
	"""Phone, mail and address from the Contacts of parties whose own record has none; primary ones first."""
	wanting = [row for row in rows if not (row.phone and row.email and row.city)]
	if not wanting:
		return {}
	link, contact, address = (frappe.qb.DocType(name) for name in ("Dynamic Link", "Contact", "Address"))
	of_contact = (link.parenttype == "Contact") & (contact.name == link.parent)
	of_address = (link.parenttype == "Address") & (address.name == link.parent)
	query = (
		frappe.qb.from_(link)
		.left_join(contact)
		.on(of_contact & is_listed(contact, "Contact"))
		.left_join(address)
		.on(of_address & is_listed(address, "Address"))
		.select(link.link_doctype, link.link_name, first_shown(contact.email_id).as_("email"))
		.select(first_shown(contact.mobile_no, contact.phone).as_("phone"))
		.select(*(first_shown(address[name]).as_(name) for name in ("address_line1", "city", "pincode")))
		.where(link.parenttype.isin(["Contact", "Address"]))
		.where(link.link_doctype.isin(sorted({row.party_type for row in wanting})))
		.where(link.link_name.isin(sorted({row.party for row in wanting})))
		.orderby(contact.is_primary_contact, order=frappe.qb.desc)
		.orderby(address.is_primary_address, order=frappe.qb.desc)
		.orderby(link.parent)
	)
	found: dict[tuple[str, str], dict[str, str]] = {}
	for row in query.run(as_dict=True):
		known = found.setdefault((row.link_doctype, row.link_name), {})
		if row.city and "city" not in known:
			known |= {key: row[key] for key in ("address_line1", "city", "pincode")}
		for key in ("phone", "email"):
			if row[key]:
				known.setdefault(key, row[key])
	return found


def is_listed(table: Any, doctype: str) -> Any:
	"""Whether the list of the session's user has a row of ``table``."""
	query = get_readable_query(doctype)
	if query is None:
		return LiteralValue("1 = 0")
	if hides_nothing(query):
		return table.name.isnotnull()
	return table.name.isin(LiteralValue(f"({query.replace('%', '%%')})"))


def first_shown(*fields: Any) -> Any:
	"""The first of these columns that is not null, of those that the session's user is shown."""
	shown = [field for field in fields if may_read_field(get_doctype(field.table), field.name)]
	if len(shown) < 2:  # COALESCE of one is an error to SQLite
		return shown[0] if shown else NullValue()
	return Coalesce(*shown)


def get_doctype(table: Any) -> str:
	return str(table._table_name).removeprefix("tab")


def make_card(row: frappe._dict, contact: dict[str, str], as_of: datetime.date) -> Card:
	"""A touchpoint with everything that a person on the way needs."""
	own_address = row if row.city and row.address_line1 else contact
	lines = (
		own_address.get("address_line1"),
		own_address.get("pincode"),
		own_address.get("city") or row.city,
	)
	place = row.location or ", ".join(line for line in lines if line)
	due = to_day(row.due_date)
	late = (as_of - due).days if due else 0
	starts = get_datetime(row.starts_at) if row.starts_at and to_day(row.starts_at, "Datetime") else None
	card = {field: row[field] if row[field] is not None else "" for field in FIELDS}
	card |= {
		"due_date": str(due or as_of),
		"why": row.why or "" if due else _("Its date cannot be read: please reschedule it."),
		"starts_at": str(starts) if starts else "",
		"late_days": max(late, 0),
		"when": get_when(late),
		"tier_rank": cint(row.tier_rank),
		"tier_colour": row.tier_colour or "",
		"minutes": cint(row.minutes),
		"phone": row.phone or contact.get("phone") or "",
		"email": row.email or contact.get("email") or "",
		"address": place,
		"city": own_address.get("city") or row.city or "",
		"pincode": own_address.get("pincode") or "",
		"map_url": f"https://www.openstreetmap.org/search?query={quote(place)}" if place else "",
	}
	card["modified"] = str(row.modified)
	return card


def get_when(late_days: int) -> str:
	"""overdue, today, week, or later for what is further ahead."""
	if late_days > 0:
		return "overdue"
	if late_days == 0:
		return "today"
	return "week" if -late_days <= DAYS_AHEAD else "later"


def in_order_of_work(card: Card) -> tuple[Any, ...]:
	"""Overdue first, then by day; on a day the appointments by their time, then the higher tier."""
	day = card["due_date"] if card["when"] in ("week", "later") else ""
	rank = ("overdue", "today", "week", "later").index(card["when"])
	timed = card["starts_at"] if card["when"] != "overdue" else ""
	return (
		rank,
		day,
		not timed,
		timed,
		-card["tier_rank"],
		card["due_date"],
		card["party_name"],
		card["name"],
	)

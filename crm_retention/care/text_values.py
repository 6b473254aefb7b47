"""What texts can say: the variables, and their values for one touchpoint as its responsible person may read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model import get_permitted_fields, no_value_fields, table_fields
from frappe.utils import getdate, nowdate

from crm_retention.care.people import may_tell
from crm_retention.care.rules import OWNER_FIELDS
from crm_retention.care.texts import Known, Plain, TextError, Values, as_plain
from crm_retention.parties import PARTY_TYPES
from crm_retention.readable import hides_field, may_read_field

# of the touchpoint itself; the rest of its fields are the app's business
TOUCHPOINT_FIELDS = (
	"party_type", "party", "party_name", "touchpoint_type", "title", "due_date", "service_date", "occurrence", "channel",
	"department", "why", "instructions", "tier", "priority", "is_promise", "starts_at", "duration", "location", "note",
	"next_step", "next_date", "outcome", "plan", "version_number", "step_name", "assigned_to",
)  # fmt: skip
STANDARD_FIELDS = ("name", "creation")
LEFT_OUT = (*no_value_fields, *table_fields, "Password", "Signature", "Barcode", "Geolocation", "JSON")
PLAIN_NAMES = (
	"party_name", "first_name", "last_name", "company", "responsible", "account_manager", "due_date", "today", "tier",
	"stage", "plan", "step", "why",
)  # fmt: skip


def get_known(party_types: Iterable[str] = PARTY_TYPES, user: str | None = None) -> Known:
	"""The variables that ``user`` may write for parties of these types: no field that they may not read themselves."""
	fields = get_party_fields(tuple(party_types), user)
	plain: Known = dict.fromkeys(PLAIN_NAMES)
	touchpoint = frozenset(get_touchpoint_fields(user))
	return {**plain, "party": fields, "doc": fields | {"party_name"}, "touchpoint": touchpoint}


def get_party_fields(party_types: tuple[str, ...], user: str | None = None) -> frozenset[str]:
	"""Fields that texts for parties of these types may use: one that any of the types hides from the user is not among them.

	A text is filled in by what its responsible person may read, who may be shown more than its author.
	"""
	found = {name for party_type in party_types for name in get_fields(party_type, user)}
	hidden = {
		name
		for party_type in party_types
		for name in found
		if frappe.get_meta(party_type).has_field(name) and hides_field(party_type, name, user)
	}
	return frozenset(found - hidden)


def get_fields(doctype: str, user: str | None = None) -> list[str]:
	"""Fields of a DocType with plain values that a user may read, custom ones included."""
	permitted = set(get_permitted_fields(doctype, user=user or frappe.session.user, permission_type="read"))
	fields = [
		df.fieldname
		for df in frappe.get_meta(doctype).fields
		if df.fieldtype not in LEFT_OUT and not df.get("is_virtual")
	]
	return [
		name
		for name in (*STANDARD_FIELDS, *fields)
		if name in permitted and may_read_field(doctype, name, user)
	]


def get_touchpoint_fields(user: str | None = None) -> list[str]:
	"""Fields of a touchpoint that texts may use. One that a site hides by its level is for whoever has that level."""
	meta, permitted = frappe.get_meta("Touchpoint"), None
	names = [name for name in TOUCHPOINT_FIELDS if meta.has_field(name)]
	if any(meta.get_field(name).permlevel for name in names):
		permitted = set(get_fields("Touchpoint", user))
	return [name for name in names if not meta.get_field(name).permlevel or name in (permitted or ())]


def get_values(doc: Any, user: str) -> Values:
	"""Values of a touchpoint's message, with what ``user`` may read. Raises TextError if that is not even the party."""
	if not may_tell(user, doc.party_type, doc.party):
		message = _("{0} is disabled or may not read {1} {2}")
		raise TextError(message.format(user, _(doc.party_type), doc.party))
	party = get_row(doc.party_type, doc.party, get_fields(doc.party_type, user))
	touchpoint = {name: as_plain(doc.get(name)) for name in get_touchpoint_fields(user)}
	return {
		**get_names(doc, party, user),
		**get_contact(doc, party, user),
		"party": party,
		"doc": {"party_name": get_party_name(doc), **party},
		"touchpoint": touchpoint,
	}


def get_row(doctype: str, name: str, fields: list[str]) -> dict[str, Plain]:
	"""Plain values of a document's fields."""
	row = frappe.db.get_value(doctype, name, fields, as_dict=True) if fields else None
	return {field: as_plain(value) for field, value in (row or {}).items()}


def get_party_name(doc: Any) -> str:
	return doc.party_name or doc.party


def get_names(doc: Any, party: dict[str, Plain], user: str) -> dict[str, Plain]:
	"""The variables that are no document's fields; without the stage if the profile is not the user's to read."""
	profile = frappe.db.get_value("Retention Profile", {"party_type": doc.party_type, "party": doc.party})
	manager = party.get(OWNER_FIELDS.get(doc.party_type, ""))
	company = frappe.defaults.get_user_default("Company", user)
	values = {
		"party_name": get_party_name(doc),
		"company": company or frappe.defaults.get_global_default("company"),
		"responsible": get_full_name(doc.assigned_to),
		"account_manager": get_full_name(manager),
		"due_date": getdate(doc.due_date),
		"today": getdate(nowdate()),
		"tier": doc.tier,
		"plan": frappe.db.get_value("Maintenance Plan", doc.plan, "title") if doc.plan else None,
		"step": doc.step_name,
		"why": doc.why,
	}
	if not profile or may_tell(user, "Retention Profile", profile):
		values["stage"] = frappe.db.get_value("Retention Profile", profile, "stage") if profile else None
	return {name: as_plain(value) for name, value in values.items()}


def get_full_name(user: Any) -> str:
	return frappe.utils.get_fullname(user) if user else ""


def get_contact(doc: Any, party: dict[str, Plain], user: str) -> dict[str, Plain]:
	"""First and last name of the person to write to, as far as the user may read them: contact, or lead itself."""
	fields = ("first_name", "last_name")
	if doc.party_type == "Lead":
		return {field: party[field] for field in fields if field in party}
	contact = frappe.db.get_value("Customer", doc.party, "customer_primary_contact")
	if not contact:
		return dict.fromkeys(fields, "")
	seen = get_fields("Contact", user) if may_tell(user, "Contact", contact) else []
	return get_row("Contact", contact, [field for field in fields if field in seen])

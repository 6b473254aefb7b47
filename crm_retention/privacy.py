"""The app's part in a Personal Data Deletion Request: what is on record of a person goes, and nothing else does.

Frappe replaces name and address in what the person wrote. What others wrote of the person is found here by the
address, before Frappe has made it unknown: rows of a lead or an individual customer with the address are deleted, and
rows of a company's contact lose what was said. A touchpoint keeps its keys, so that no plan makes it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe
from frappe import _

from crm_retention.capture import clearing
from crm_retention.departures import end_care
from crm_retention.parties import PARTY_TYPES

if TYPE_CHECKING:
	from frappe.model.document import Document

Party = tuple[str, str]
LOG = "Interaction Log"
REDACTED = "[REDACTED]"
# of a person alone; Touchpoint is emptied instead
DELETED = ("Contact Stop", "Plan Enrollment", "Tier Change")
SAID = {"subject": REDACTED, "note": None, "attachment": None, "latitude": 0, "longitude": 0}
PLANNED = dict.fromkeys(("why", "instructions", "location", "note", "next_step", "reason", "sms_text"))
TEXTS = {
	LOG: ("subject", "note"),
	"Touchpoint": ("title", "why", "instructions", "note", "reason", "location", "next_step"),
	"Retention Profile": ("override_reason",),
}


def on_request_update(request: Document, _method: str | None = None) -> None:
	"""The first save with steps is the beginning of the deletion."""
	before = request.get_doc_before_save()
	if request.deletion_steps and not (before and before.deletion_steps):
		forget(request.email, request.name)


def forget(email: str, anonymous: str) -> None:
	"""Delete or empty what is on record of the person with an address, which becomes ``anonymous``."""
	for party in get_parties(email):
		forget_party(*party)
	forget_departed(email)
	empty_rows_of_contacts(get_contacts(email))
	for doctype, fields in TEXTS.items():
		for field in fields:
			replace(doctype, field, email, anonymous)


def get_parties(email: str) -> list[Party]:
	"""Leads with the address, and customers that are a person with it."""
	leads = frappe.get_all("Lead", {"email_id": email}, pluck="name")
	individual = {"customer_type": "Individual"}
	customers = set(frappe.get_all("Customer", individual | {"email_id": email}, pluck="name"))
	contacts = get_contacts(email) or [""]
	of_contact = individual | {"customer_primary_contact": ("in", contacts)}
	customers.update(frappe.get_all("Customer", of_contact, pluck="name"))
	return [("Lead", name) for name in leads] + [("Customer", name) for name in sorted(customers)]


def get_contacts(email: str) -> list[str]:
	"""Contacts with the address, first or further."""
	names = set(frappe.get_all("Contact", or_filters={"email_id": email, "user": email}, pluck="name"))
	names.update(
		frappe.get_all("Contact Email", {"email_id": email, "parenttype": "Contact"}, pluck="parent")
	)
	return sorted(names)


def forget_party(party_type: str, party: str) -> None:
	"""End the plans of a party and delete what is on record of it, but for its No: nobody writes to it again."""
	end_care(party_type, party, _("Personal data was deleted"))
	delete_rows({"party_type": party_type, "party": party})
	say_no(party_type, party)


def say_no(party_type: str, party: str) -> None:
	"""The one answer of a party that is left: no to every channel and every nature but notices."""
	frappe.db.delete("Contact Preference", {"party_type": party_type, "party": party})
	answer = {"doctype": "Contact Preference", "party_type": party_type, "party": party, "answer": "No"}
	frappe.get_doc(answer).insert(ignore_permissions=True)


def forget_departed(email: str) -> None:
	"""Delete what is left of deleted parties that had the address, as far as Frappe remembers them."""
	filters = {"deleted_doctype": ("in", PARTY_TYPES), "data": ("like", f"%{email}%")}
	fields = ["deleted_doctype", "deleted_name", "data"]
	for row in frappe.get_all("Deleted Document", filters, fields, limit=0):
		party = frappe.parse_json(row.data)
		is_person = row.deleted_doctype == "Lead" or party.get("customer_type") == "Individual"
		if is_person and party.get("email_id") == email:
			of_party = {"party_type": row.deleted_doctype, "party": row.deleted_name}
			delete_rows(of_party | {"party_deleted": 1})


def delete_rows(filters: dict[str, object]) -> None:
	"""Rows of the past with their files; touchpoints are emptied."""
	if names := frappe.get_all(LOG, filters=filters, pluck="name", limit=0):
		clearing.delete(names)
	for doctype in DELETED:
		frappe.db.delete(doctype, filters)
	values = PLANNED | {"party_name": REDACTED, "title": REDACTED}
	for name in frappe.get_all("Touchpoint", filters=filters, pluck="name", limit=0):
		frappe.db.set_value("Touchpoint", name, values)


def empty_rows_of_contacts(contacts: list[str]) -> None:
	"""That there was an interaction stays on record of a company, and not what was said with the person."""
	filters = {"contact": ("in", contacts or [""])}
	names = frappe.get_all(LOG, filters=filters, pluck="name", limit=0)
	if names:
		clearing.delete_files(names)
		frappe.db.set_value(LOG, {"name": ("in", names)}, SAID)


def replace(doctype: str, field: str, old: str, new: str) -> None:
	"""Replace a text wherever it stands in a field."""
	for name, text in frappe.get_all(
		doctype, {field: ("like", f"%{old}%")}, ["name", field], as_list=True, limit=0
	):
		frappe.db.set_value(doctype, name, field, text.replace(old, new), update_modified=False)

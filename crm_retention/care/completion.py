"""What the end of a touchpoint leaves: a row in the interaction log, and a promise for the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, flt, now_datetime

from crm_retention.care.people import may_care
from crm_retention.documents import throw_field

if TYPE_CHECKING:
	from frappe.model.document import Document

FALLBACK_KIND = "Note"


def finish(doc: Document) -> None:
	"""Called in the save that ended the touchpoint: all of it, or nothing, is committed."""
	if doc.status != "Done":
		return
	if not doc.interaction:
		doc.db_set("interaction", create_interaction(doc).name, update_modified=False)
	if doc.next_step:
		create_promise(doc)


def get_interaction(doc: Document) -> dict[str, Any]:
	"""The row of Interaction Log that a done touchpoint leaves. Cost in the company's currency."""
	minutes, kind = cint(doc.minutes), get_kind(doc)
	rate = flt(frappe.db.get_single_value("Retention Settings", "hour_rate"))
	is_message = bool(doc.communication)
	return {
		"doctype": "Interaction Log",
		"party_type": doc.party_type,
		"party": doc.party,
		"party_name": doc.party_name,
		"occurred_on": doc.completed_on or now_datetime(),
		"kind": kind,
		"channel": doc.channel,
		"direction": "Out" if frappe.get_cached_value("Interaction Kind", kind, "is_contact") else "Internal",
		"department": doc.department,
		"user": doc.completed_by or frappe.session.user,
		"subject": cstr(doc.title)[:140],
		"note": doc.note,
		"outcome": doc.outcome,
		"minutes": minutes,
		"cost": flt(minutes / 60 * rate + flt(doc.cost), 2),
		"reference_doctype": "Communication" if is_message else "Touchpoint",
		"reference_name": doc.communication if is_message else doc.name,
		"reference_key": f"touchpoint|{doc.name}",
		"touchpoint": doc.name,
	}


def create_interaction(doc: Document) -> Document:
	"""Insert the row; a second one of the same touchpoint is refused by its key."""
	return frappe.get_doc(get_interaction(doc)).insert(ignore_permissions=True)


def get_kind(doc: Document) -> str:
	"""The kind of interaction: the type's own, else that of the channel, else a note."""
	own = frappe.get_cached_value("Touchpoint Type", doc.touchpoint_type, "interaction_kind")
	if own:
		return own
	of_channel = {"channel": doc.channel, "is_contact": 1, "enabled": 1}
	kinds = frappe.get_all("Interaction Kind", of_channel, pluck="name", order_by="creation", limit=1)
	if doc.channel and kinds:
		return kinds[0]
	if not frappe.db.exists("Interaction Kind", FALLBACK_KIND):
		message = _("Touchpoint Type {0}: Interaction Kind is needed to complete it.")
		frappe.throw(message.format(doc.touchpoint_type))
	return FALLBACK_KIND


def validate_facts(doc: Document) -> None:
	"""Ask for what the kind refuses to go without, and for no more. Raises MandatoryError naming the field."""
	kind = frappe.get_cached_doc("Interaction Kind", get_kind(doc))
	row = get_interaction(doc)
	for fact in kind.required_facts:
		if fact.refuse and fact.fact in row and not row[fact.fact]:
			message = _("needed for an interaction of the kind {0}.").format(_(kind.name))
			field = fact.fact if doc.meta.has_field(fact.fact) else "note"
			throw_field(doc, field, message, frappe.MandatoryError)


def create_promise(doc: Document) -> Document:
	"""The next step as a touchpoint of its own, of the same person; found again by its request_id."""
	promise = frappe.new_doc("Touchpoint")
	promise.update(
		{
			"party_type": doc.party_type,
			"party": doc.party,
			"touchpoint_type": doc.touchpoint_type,
			"channel": doc.channel,
			"department": doc.department,
			"due_date": doc.next_date,
			"assigned_to": doc.assigned_to or get_person(doc),
			"is_promise": 1,
			"why": cstr(doc.next_step)[:140],
			"instructions": doc.next_step,
			"request_id": promise_id(doc.name),
		}
	)
	promise.flags.by_app = True
	return promise.insert(ignore_permissions=True)


def get_person(doc: Document) -> str | None:
	"""Whoever completed it, if touchpoints of the party can be theirs."""
	user = frappe.session.user
	if user in ("Administrator", "Guest") or not may_care(user, doc.party_type, doc.party):
		return None
	return user


def promise_id(touchpoint: str) -> str:
	"""The request_id of the promise that a touchpoint left."""
	return f"next|{touchpoint}"

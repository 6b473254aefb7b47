"""What people do with touchpoints. Each is one transaction, safe to repeat with the same ``request_id``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.utils import cint, cstr

from crm_retention.care import rules
from crm_retention.care.completion import promise_id
from crm_retention.fingerprint import get_fingerprint
from crm_retention.views.access import get_document, is_readable

if TYPE_CHECKING:
	from frappe.model.document import Document

REFUSALS = (frappe.ValidationError, frappe.PermissionError)
# what an action answers with
RESULT = ("name", "title", "status", "due_date", "assigned_to", "outcome", "interaction", "completed_on")


def complete(
	name: str,
	outcome: str,
	note: str | None = None,
	minutes: int | None = None,
	next_step: str | None = None,
	next_date: str | None = None,
	request_id: str | None = None,
) -> dict[str, Any]:
	"""Done: writes the Interaction Log row, closes ToDos, and makes a promise of the next step.

	``minutes`` are those expected unless given. Returns the touchpoint with ``promise``, the name of the next
	step's touchpoint. Raises TouchpointEndedError (409), PermissionError (403), MandatoryError (417).
	"""
	values = {"outcome": outcome, "note": note, "next_step": next_step, "next_date": next_date}
	if minutes is not None:
		values["minutes"] = cint(minutes)
	return _change(name, values | {"status": "Done"}, request_id)


def skip(name: str, reason: str, request_id: str | None = None) -> dict[str, Any]:
	"""Not done this time; a plan goes on with the next occurrence. Errors as ``complete``."""
	return _change(name, {"status": "Skipped", "reason": reason}, request_id)


def cancel(name: str, reason: str, request_id: str | None = None) -> dict[str, Any]:
	"""No longer wanted. Errors as ``complete``."""
	return _change(name, {"status": "Cancelled", "reason": reason}, request_id)


def reschedule(
	name: str, due_date: str, reason: str, starts_at: str | None = None, request_id: str | None = None
) -> dict[str, Any]:
	"""Another day, not before today and only while it is to be done. Errors as ``complete``."""
	values = {"due_date": due_date, "reason": reason}
	if starts_at:
		values["starts_at"] = starts_at
	return _change(name, values, request_id)


def reassign(names: list[str], user: str) -> dict[str, Any]:
	"""Another person for a selection; see ``on_each`` for what it returns."""
	return on_each(names, lambda name: _change(name, {"assigned_to": user}, None))


def complete_each(names: list[str], outcome: str, note: str | None = None) -> dict[str, Any]:
	"""Done, for a selection."""
	return on_each(names, lambda name: complete(name, outcome, note))


def skip_each(names: list[str], reason: str) -> dict[str, Any]:
	"""Skipped, for a selection."""
	return on_each(names, lambda name: skip(name, reason))


def cancel_each(names: list[str], reason: str) -> dict[str, Any]:
	"""Cancelled, for a selection."""
	return on_each(names, lambda name: cancel(name, reason))


def reschedule_each(names: list[str], due_date: str, reason: str) -> dict[str, Any]:
	"""Another day, for a selection."""
	return on_each(names, lambda name: reschedule(name, due_date, reason))


def on_each(names: list[str], action: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
	"""Do it to each: {done: [names], failed: [{name, title, error}]}. What one row refuses, the others do.

	``title`` is the name itself where the user may not read the touchpoint.
	"""
	done: list[str] = []
	failed: list[dict[str, str]] = []
	for name in dict.fromkeys(names):
		frappe.db.savepoint("touchpoint_row")
		messages = list(frappe.local.message_log)
		try:
			done.append(action(name)["name"])
			frappe.db.release_savepoint("touchpoint_row")
		except REFUSALS as error:
			frappe.db.rollback(save_point="touchpoint_row")
			frappe.local.message_log = messages
			failed.append({"name": name, "title": get_title(name), "error": cstr(error)})
	return {"done": done, "failed": failed}


def get_title(name: str) -> str:
	"""What a touchpoint is called, for whoever may read it."""
	title = frappe.db.get_value("Touchpoint", name, "title") if is_readable("Touchpoint", name) else None
	return title or name


def _change(name: str, values: dict[str, Any], request_id: str | None) -> dict[str, Any]:
	"""Change under a lock on the row: of two at once the second sees what the first did.

	The same request again is answered. Another one under its identity is a request of its own, and what has ended stays.
	"""
	doc = get_document("Touchpoint", name, for_update=True)
	fingerprint = get_fingerprint("touchpoint", **values) if request_id else None
	if request_id and (doc.request_id, doc.request_fingerprint) == (request_id, fingerprint):
		return as_result(doc)
	rules.validate_may_act(doc)
	doc.check_permission("write")
	if doc.status in rules.ENDED:
		rules.throw_ended(doc)
	doc.update(values)
	if request_id:
		doc.request_id = request_id
	doc.flags.reason_given = bool(cstr(values.get("reason")).strip())
	doc.save()
	if request_id:
		doc.db_set("request_fingerprint", fingerprint, update_modified=False)
	return as_result(doc)


def as_result(doc: Document) -> dict[str, Any]:
	"""What a client needs to know of a touchpoint after an action."""
	result = {field: doc.get(field) for field in RESULT}
	promise = frappe.db.get_value("Touchpoint", {"request_id": promise_id(doc.name)})
	return result | {"promise": promise}


def retry_message(name: str) -> dict[str, Any]:
	"""A person decided that a message which failed shall be tried again. Raises ValidationError for any other."""
	doc = get_document("Touchpoint", name, for_update=True)
	rules.validate_may_act(doc)
	doc.check_permission("write")
	if doc.status != "Open" or doc.message_status != "Failed":
		frappe.throw(_("{0} has no message that failed.").format(doc.title or name))
	doc.db_set({"message_status": "Due", "message_error": None, "send_after": None})
	return as_result(doc)

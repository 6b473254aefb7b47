"""A touchpoint with a time stands in the person's calendar as an Event of the party."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.utils import add_to_date, cint, cstr, escape_html, get_datetime, get_url_to_form

from crm_retention.care import rules

if TYPE_CHECKING:
	from frappe.model.document import Document

ENDS = {"Done": "Completed"}


def keep_in_step(doc: Document) -> None:
	"""Make, move or end the event, as the touchpoint is."""
	if doc.status in rules.ENDED or not doc.starts_at:
		cancel(doc)
		return
	event = get_event(doc)
	wanted = get_values(doc)
	if event is None:
		create(doc, wanted)
	elif any(str(event.get(field) or "") != str(value or "") for field, value in wanted.items()):
		event.update(wanted)
		event.save(ignore_permissions=True)
	if event and doc.assigned_to and event.owner != doc.assigned_to:
		event.db_set("owner", doc.assigned_to, update_modified=False)


def get_event(doc: Document) -> Document | None:
	"""The event of a touchpoint, unless somebody deleted it."""
	return frappe.get_doc("Event", doc.event) if doc.event and frappe.db.exists("Event", doc.event) else None


def get_values(doc: Document) -> dict[str, Any]:
	"""What the event takes from the touchpoint. Its subject names nobody: Frappe shows the calendar of one user to all."""
	starts = get_datetime(doc.starts_at)
	minutes = cint(doc.duration) or rules.DEFAULT_MINUTES
	values = {
		"subject": get_subject(doc),
		"starts_on": starts,
		"ends_on": add_to_date(starts, minutes=minutes),
	}
	if frappe.get_meta("Event").has_field("location"):
		values["location"] = doc.location
	return values


def get_subject(doc: Any) -> str:
	"""What is to be done, and not with whom: Frappe 15 shows everybody's calendar to everybody who asks."""
	return cstr(_(doc.touchpoint_type, context="Touchpoint Type"))[:140]


def get_way(doc: Any) -> str:
	"""A link to the touchpoint, for those who may read it: it says with whom, and why."""
	url = escape_html(get_url_to_form("Touchpoint", doc.name))
	return f'<a href="{url}">{escape_html(doc.name)}</a>'


def create(doc: Document, values: dict[str, Any]) -> None:
	"""A private event of the responsible person with the party as participant."""
	event = frappe.new_doc("Event")
	event.update(values | {"event_type": "Private", "event_category": "Meeting", "description": get_way(doc)})
	event.add_participant(doc.party_type, doc.party)
	event.insert(ignore_permissions=True)
	if doc.assigned_to:
		event.db_set("owner", doc.assigned_to, update_modified=False)
	doc.db_set("event", event.name, update_modified=False)


def cancel(doc: Document) -> None:
	"""End the event with the touchpoint: Completed if it was done, Cancelled otherwise."""
	event = get_event(doc)
	if event and event.status == "Open":
		event.status = ENDS.get(doc.status, "Cancelled")
		event.save(ignore_permissions=True)


def close_left_open() -> int:
	"""End the events of touchpoints that the nightly run or a captured interaction ended; returns how many."""
	touchpoint, event = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("Event")
	query = (
		frappe.qb.from_(event)
		.join(touchpoint)
		.on(touchpoint.event == event.name)
		.select(event.name, touchpoint.status)
		.where((event.status == "Open") & touchpoint.status.isin(rules.ENDED))
	)
	found = query.run()
	for status in sorted({status for _name, status in found}):
		names = [name for name, ended in found if ended == status]
		frappe.db.set_value("Event", {"name": ("in", names)}, "status", ENDS.get(status, "Cancelled"))
	return len(found)

"""Calendars show the events of one user to all: those of touchpoints said in their subject whom they are with."""

import frappe
from frappe import _


def execute() -> None:
	touchpoint = frappe.qb.DocType("Touchpoint")
	query = frappe.qb.from_(touchpoint).select(touchpoint.touchpoint_type, touchpoint.event)
	names: dict[str, list[str]] = {}
	for kind, event in query.where(touchpoint.event.isnotnull() & (touchpoint.event != "")).run():
		names.setdefault(kind, []).append(event)
	for kind, events in names.items():
		subject = _(kind, context="Touchpoint Type")
		frappe.db.set_value("Event", {"name": ("in", events)}, "subject", subject, update_modified=False)

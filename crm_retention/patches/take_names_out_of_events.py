"""Open events said whom somebody meets, and Frappe 15 shows everybody's calendar to everybody."""

import frappe

from crm_retention.batches import read_in_batches
from crm_retention.care.meetings import get_subject, get_way


def execute() -> None:
	touchpoint, event = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("Event")
	query = (
		frappe.qb.from_(event)
		.join(touchpoint)
		.on(touchpoint.event == event.name)
		.select(touchpoint.name, touchpoint.touchpoint_type, touchpoint.event)
		.where((event.status == "Open") & (event.subject == touchpoint.title))
	)
	frappe.db.auto_commit_on_many_writes = True  # there may be more than one transaction takes
	for row in read_in_batches(query, touchpoint.name):
		values = {"subject": get_subject(row), "description": get_way(row)}
		frappe.db.set_value("Event", row.event, values, update_modified=False)

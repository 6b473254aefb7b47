"""A touchpoint to be done stands on its person's ToDo list too, so that it shows in the platform's own places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.desk.form.assign_to import notify_assignment
from frappe.utils import cstr, escape_html, getdate, now

from crm_retention.care import rules

if TYPE_CHECKING:
	from frappe.model.document import Document


def keep_in_step(doc: Document) -> None:
	"""One open ToDo of the responsible person with the day it is due; none once it has ended, and none while it waits."""
	if doc.status in rules.ENDED:
		close([doc.name], "Closed" if doc.status == "Done" else "Cancelled")
		return
	if doc.status == "Waiting":
		return
	rows = get_open(doc.name)
	others = [row.name for row in rows if row.allocated_to != doc.assigned_to]
	if others:
		frappe.db.set_value("ToDo", {"name": ("in", others)}, "status", "Cancelled")
	mine = [row for row in rows if row.allocated_to == doc.assigned_to]
	if doc.assigned_to and not mine:
		create(doc)
	elif mine and getdate(mine[0].date) != getdate(doc.due_date):
		frappe.db.set_value("ToDo", mine[0].name, "date", doc.due_date)
	if others and not doc.assigned_to:
		set_assigned([doc.name], None)


def get_open(touchpoint: str) -> list[frappe._dict]:
	"""name, allocated_to and date of the open ToDos of a touchpoint."""
	filters = {"reference_type": "Touchpoint", "reference_name": touchpoint, "status": "Open"}
	return frappe.get_all("ToDo", filters=filters, fields=["name", "allocated_to", "date"])


def create(doc: Document) -> None:
	"""Assign, and tell the person if somebody else did it."""
	todo = frappe.get_doc(
		{
			"doctype": "ToDo",
			"allocated_to": doc.assigned_to,
			"reference_type": "Touchpoint",
			"reference_name": doc.name,
			"description": get_description(doc.touchpoint_type, doc.why),
			"date": doc.due_date,
			"status": "Open",
			"assigned_by": frappe.session.user,
		}
	).insert(ignore_permissions=True)
	if not frappe.flags.in_import:
		notify_assignment(
			todo.assigned_by, todo.allocated_to, "Touchpoint", doc.name, "ASSIGN", todo.description
		)


def get_description(touchpoint_type: str | None, why: str | None) -> str:
	"""What is to be done and why, as HTML, and not with whom: a ToDo is shown without asking who may see the party.

	The nightly run says the same, see ``CareWriter.insert_todos``.
	"""
	what = cstr(touchpoint_type and _(touchpoint_type, context="Touchpoint Type"))
	return str(escape_html(f"{what} ({why})" if why else what))


def close(touchpoints: list[str], status: str) -> None:
	"""End the ToDos of touchpoints, in one statement; ``status`` is Closed or Cancelled."""
	if not touchpoints:
		return
	filters = {"reference_type": "Touchpoint", "reference_name": ("in", touchpoints), "status": "Open"}
	frappe.db.set_value("ToDo", filters, "status", status)
	set_assigned(touchpoints, None)


def set_assigned(touchpoints: list[str], user: str | None) -> None:
	"""What the desk's lists show as assigned to."""
	value = frappe.as_json([user], indent=None) if user else ""
	frappe.db.set_value("Touchpoint", {"name": ("in", touchpoints)}, "_assign", value, update_modified=False)


def hand_over(touchpoints: list[str], user: str) -> None:
	"""Move the open ToDos of touchpoints to another person, in a few statements."""
	if not touchpoints:
		return
	filters = {"reference_type": "Touchpoint", "reference_name": ("in", touchpoints), "status": "Open"}
	held = set(frappe.get_all("ToDo", filters=filters, pluck="reference_name"))
	frappe.db.set_value("ToDo", filters, {"allocated_to": user, "assigned_by": frappe.session.user})
	for name in touchpoints:
		if name not in held:
			create_row(name, user)
	set_assigned(touchpoints, user)


def create_row(touchpoint: str, user: str) -> None:
	"""A ToDo of a touchpoint that had none, without telling anybody."""
	kind, why, day = frappe.db.get_value("Touchpoint", touchpoint, ["touchpoint_type", "why", "due_date"])
	todo = frappe.new_doc("ToDo")
	todo.update(
		{
			"allocated_to": user,
			"reference_type": "Touchpoint",
			"reference_name": touchpoint,
			"description": get_description(kind, why),
			"date": day,
			"assigned_by": frappe.session.user,
		}
	)
	todo.set_new_name()
	todo.creation = todo.modified = now()
	todo.owner = todo.modified_by = frappe.session.user
	todo.status = "Open"
	todo.db_insert()


def delete(touchpoint: str) -> None:
	"""Leave no ToDo of a deleted touchpoint."""
	frappe.db.delete("ToDo", {"reference_type": "Touchpoint", "reference_name": touchpoint})

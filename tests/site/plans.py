"""Plans, members and touchpoints in few words, for site tests."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import add_days, today

from crm_retention.care import keys
from tests.site.desk import make_customer


def make_plan(title: str = "Trial", steps: list[dict] | None = None, **values: Any) -> Any:
	"""A plan, not inserted; one monthly call unless told otherwise."""
	rows = [make_step(**step) for step in steps or [{}]]
	return frappe.get_doc({"doctype": "Maintenance Plan", "title": title, "steps": rows, **values})


def make_step(**values: Any) -> dict[str, Any]:
	"""A row of steps: a monthly care call by the account manager, but for what is given."""
	given = {"step_name": "Call", "touchpoint_type": "Care Call", "owner_rule": "Account Manager"}
	return {**given, "timing": "Every", "every": 1, "unit": "Months", **values}


def enroll(plan: Any, customer: str, clock: str | None = None, **values: Any) -> Any:
	"""A running enrollment, as the nightly run makes it."""
	if not frappe.db.exists("Customer", customer):
		make_customer(customer)
	row = frappe.get_doc(
		{
			"doctype": "Plan Enrollment",
			"party_type": "Customer",
			"party": customer,
			"plan": plan.name,
			"plan_family": plan.plan_family,
			"version_number": plan.version_number,
			"arm": "Treated",
			"from_date": clock or today(),
			"clock_start": clock or today(),
			"open_key": keys.enrollment_key(plan.plan_family, customer),
			**values,
		}
	)
	return row.insert(ignore_permissions=True)


def make_due(
	plan: Any, step: Any, customer: str, occurrence: str, status: str = "Open", **values: Any
) -> str:
	"""A touchpoint as the nightly run makes it, with its ToDo while it is to be done; its name."""
	doc = frappe.new_doc("Touchpoint")
	doc.update(
		{
			"party_type": "Customer",
			"party": customer,
			"touchpoint_type": step.touchpoint_type,
			"status": status,
			"due_date": occurrence,
			"service_date": add_days(occurrence, 3),
			"plan": plan.name,
			"plan_family": plan.plan_family,
			"version_number": plan.version_number,
			"step_key": step.step_key,
			"occurrence": occurrence,
			"occurrence_key": keys.occurrence_key(plan.plan_family, step.step_key, str(occurrence), customer),
			**values,
		}
	)
	if status in ("Open", "Waiting"):
		doc.open_key = keys.open_key(plan.plan_family, step.step_key, customer)
	doc.set_new_name()
	doc.db_insert()
	if status in ("Open", "Waiting"):
		reference = {"reference_type": "Touchpoint", "reference_name": doc.name}
		todo = {"allocated_to": "Administrator", "date": occurrence, "description": "x", "status": "Open"}
		frappe.get_doc({"doctype": "ToDo", **reference, **todo}).insert(ignore_permissions=True)
	return doc.name


def get_touchpoint(name: str) -> Any:
	"""The touchpoint as stored, with the status and day of its ToDo as todo_status and todo_date."""
	row = frappe.db.get_value("Touchpoint", name, "*", as_dict=True)
	todo = {"reference_type": "Touchpoint", "reference_name": name}
	found = frappe.db.get_value("ToDo", todo, ["status", "date"], as_dict=True) or {}
	return frappe._dict(row, todo_status=found.get("status"), todo_date=found.get("date"))

"""The end of a plan or of a step: what is open of it is cancelled, set-based, with its assignments."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import now, today

from crm_retention.care import todos
from crm_retention.newest import get_newest_names

OPEN = ("Open", "Waiting")
ROWS_AT_ONCE = 1000


def end_plan(plan: Any, why: str) -> None:
	"""End the running version of a family: its members, and what is open of its touchpoints. ``why`` is for people."""
	plan.db_set({"status": "Ended", "paused_on": None})
	end_enrollments(plan.plan_family, why)
	cancel_touchpoints({"plan_family": plan.plan_family}, why)


def end_enrollments(family: str, why: str) -> None:
	"""Release every member of a family, those included who had still to move to its last version."""
	table = frappe.qb.DocType("Plan Enrollment")
	query = frappe.qb.update(table).set(table.to_date, today()).set(table.ended_why, why)
	query = query.set(table.open_key, None).set(table.next_plan, None)
	query.where((table.plan_family == family) & table.open_key.isnotnull()).run()


def cancel_touchpoints(conditions: dict[str, Any], why: str) -> int:
	"""Cancel the touchpoints that are still to be done, with their assignments; how many. Marks them with ``why``."""
	of = {**conditions, "status": ("in", OPEN)}
	names = get_newest_names("Touchpoint", of)
	for start in range(0, len(names), ROWS_AT_ONCE):
		_cancel(names[start : start + ROWS_AT_ONCE], why)
	return len(names)


def _cancel(names: list[str], why: str) -> None:
	table = frappe.qb.DocType("Touchpoint")
	query = frappe.qb.update(table).set(table.status, "Cancelled").set(table.open_key, None)
	query = query.set(table.reason, why).set(table.modified, now())
	query.set(table.modified_by, frappe.session.user).where(table.name.isin(names)).run()
	todos.close(names, "Cancelled")

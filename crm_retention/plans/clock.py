"""Pause and resume: a plan that rests creates nothing, and goes on where it stopped."""

from __future__ import annotations

import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_days, cint, date_diff, getdate, now

from crm_retention.plans.ending import OPEN

ROWS_AT_ONCE = 1000


def pause(plan: Any, on: datetime.date | str | None = None) -> None:
	"""Stop the plan's clock from a day on, today unless given. Raises ValidationError unless the plan is active."""
	day = getdate(on)
	if plan.docstatus != 1 or plan.status != "Active":
		frappe.throw(_("{0} is not active, so it cannot be paused.").format(plan.name))
	if day > getdate():
		frappe.throw(_("{0}: must not be in the future").format(_(plan.meta.get_label("paused_on"))))
	plan.db_set({"status": "Paused", "paused_on": day})
	plan.add_comment("Info", _("Paused from {0} on").format(frappe.format(day, "Date")))


def resume(plan: Any, on: datetime.date | str | None = None) -> int:
	"""Start the plan's clock again on a day, today unless given; how many days it stood still.

	Members' clocks and open touchpoints that were to come move by as many days.
	"""
	if plan.docstatus != 1 or plan.status != "Paused":
		frappe.throw(_("{0} is not paused.").format(plan.name))
	day = getdate(on)
	if not getdate(plan.paused_on) <= day <= getdate():
		message = _("A plan that was paused on {0} can resume from that day to today.")
		frappe.throw(message.format(frappe.format(plan.paused_on, "Date")))
	days = date_diff(day, plan.paused_on)
	if days:
		move_clocks(plan.plan_family, days)
		move_touchpoints(plan.plan_family, getdate(plan.paused_on), days)
	plan.db_set({"status": "Active", "paused_on": None, "paused_days": cint(plan.paused_days) + days})
	plan.add_comment("Info", _("Resumed after {0} days").format(days))
	return days


def move_clocks(family: str, days: int) -> None:
	"""Move the clocks of the running members, set-based: one statement for each day that clocks started on."""
	table = frappe.qb.DocType("Plan Enrollment")
	running = (table.plan_family == family) & table.open_key.isnotnull() & table.clock_start.isnotnull()
	starts = frappe.qb.from_(table).select(table.clock_start).distinct().where(running)
	# the latest first, so that no clock is moved into a day that is still to come and moved again
	for (start,) in sorted(starts.run(), reverse=True):
		query = frappe.qb.update(table).set(table.clock_start, add_days(getdate(start), days))
		query.where(running & (table.clock_start == start)).run()


def move_touchpoints(family: str, since: datetime.date, days: int) -> None:
	"""Move open touchpoints of the family that were due from ``since`` on, with their service dates and ToDos.

	The occurrence stays: it names the touchpoint for good.
	"""
	table = frappe.qb.DocType("Touchpoint")
	still_open = (table.plan_family == family) & table.status.isin(OPEN) & (table.due_date >= since)
	fields = (table.name, table.due_date, table.service_date)
	rows = frappe.qb.from_(table).select(*fields).where(still_open).run(as_dict=True)
	groups: dict[tuple[Any, Any], list[str]] = {}
	for row in rows:
		groups.setdefault((row.due_date, row.service_date), []).append(row.name)
	for (due, service), names in groups.items():
		for start in range(0, len(names), ROWS_AT_ONCE):
			part = names[start : start + ROWS_AT_ONCE]
			_move(part, add_days(getdate(due), days), add_days(getdate(service), days) if service else None)


def _move(names: list[str], due: datetime.date, service: datetime.date | None) -> None:
	table = frappe.qb.DocType("Touchpoint")
	query = frappe.qb.update(table).set(table.due_date, due).set(table.service_date, service)
	query.set(table.modified, now()).where(table.name.isin(names)).run()
	todo = frappe.qb.DocType("ToDo")
	of_them = (todo.reference_type == "Touchpoint") & todo.reference_name.isin(names)
	frappe.qb.update(todo).set(todo.date, due).where(of_them & (todo.status == "Open")).run()

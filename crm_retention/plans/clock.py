"""Pause and resume: a plan that rests creates nothing, and goes on where it stopped."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import frappe
from dateutil.relativedelta import relativedelta
from frappe import _
from frappe.query_builder.functions import Function
from frappe.utils import add_days, cint, date_diff, flt, getdate, now

from crm_retention.engine.occurrences import DAYS_A_MONTH
from crm_retention.newest import get_newest
from crm_retention.plans.ending import OPEN, cancel_touchpoints

ROWS_AT_ONCE = 1000
MONTHS = {"Months": 1, "Quarters": 3}
DAYS = {"Days": 1, "Weeks": 7}


class Act(NamedTuple):
	"""A touchpoint of a step that returns, with the clock of its member."""

	name: str
	step_key: str
	occurrence_key: str
	status: str
	due_date: datetime.date
	service_date: datetime.date | None
	clock_start: datetime.date
	phase: float
	spread: int


def pause(plan: Any, on: datetime.date | str | None = None) -> None:
	"""Stop the plan's clock from a day on, today unless given. Raises ValidationError unless the plan is active."""
	day = getdate(on)
	lock(plan)
	if plan.docstatus != 1 or plan.status != "Active":
		frappe.throw(_("{0} is not active, so it cannot be paused.").format(plan.name))
	if day > getdate():
		frappe.throw(_("{0}: must not be in the future").format(_(plan.meta.get_label("paused_on"))))
	plan.db_set({"status": "Paused", "paused_on": day})
	plan.add_comment("Info", _("Paused from {0} on").format(frappe.format(day, "Date")))


def resume(plan: Any, on: datetime.date | str | None = None) -> int:
	"""Start the plan's clock again on a day, today unless given; how many days it stood still.

	Members' clocks move by as many days, and with them what returns: touchpoints that are still to be done, and the
	keys of the last ones, so that what was done before the pause is not asked for again. Occasions do not move.
	"""
	day = getdate(on)
	lock(plan)
	if plan.docstatus != 1 or plan.status != "Paused":
		frappe.throw(_("{0} is not paused.").format(plan.name))
	if not getdate(plan.paused_on) <= day <= getdate():
		message = _("A plan that was paused on {0} can resume from that day to today.")
		frappe.throw(message.format(frappe.format(plan.paused_on, "Date")))
	paused_on = getdate(plan.paused_on)
	days = date_diff(day, paused_on)
	if days:
		move_returning(plan, paused_on, days)
		move_events(plan, paused_on, day)
		drop_occasions(plan, paused_on, day)
		move_clocks(plan.plan_family, days)
	total = cint(plan.paused_days) + days
	plan.db_set({"status": "Active", "paused_on": None, "paused_days": total, "since": day})
	plan.add_comment("Info", _("Resumed after {0} days").format(days))
	return days


def lock(plan: Any) -> None:
	"""Two people who press the button together move the clock once."""
	fields = ["status", "paused_on", "paused_days", "docstatus"]
	plan.update(frappe.db.get_value("Maintenance Plan", plan.name, fields, as_dict=True, for_update=True))


def move_clocks(family: str, days: int) -> None:
	"""Move the clocks of the members, in one statement."""
	table = frappe.qb.DocType("Plan Enrollment")
	running = (table.plan_family == family) & table.open_key.isnotnull() & table.clock_start.isnotnull()
	frappe.qb.update(table).set(table.clock_start, later(table.clock_start, days)).where(running).run()


def later(column: Any, days: int) -> Any:
	"""A date column, so many days later, as the site's database says it."""
	if frappe.db.db_type == "mariadb":
		return Function("ADDDATE", column, days)
	if frappe.db.db_type == "sqlite":
		return Function("DATE", column, f"{days:+d} days")
	return column + days


def move_returning(plan: Any, paused_on: datetime.date, days: int) -> None:
	"""Move the last and the coming touchpoints of steps that return, each to the day that the moved clock names."""
	steps = {step.step_key: step for step in plan.steps if step.timing == "Every"}
	if not steps:
		return
	moves: dict[tuple[str, datetime.date, datetime.date], list[Act]] = {}
	for act in get_acts(plan.plan_family, steps):
		step = steps[act.step_key]
		occurrence = get_occurrence(act, plan.plan_family)
		if occurrence >= paused_on - get_interval(step):
			moved = get_moved(occurrence, act, step, days)
			moves.setdefault((act.step_key, occurrence, moved), []).append(act)
	coming: list[str] = []
	# the latest first: no key takes the place of one that is still to move
	for (step_key, occurrence, moved), acts in sorted(
		moves.items(), key=lambda item: item[0][1], reverse=True
	):
		prefixes = [f"{plan.plan_family}|{step_key}|{day}|" for day in (occurrence, moved)]
		for part in in_parts([act.name for act in acts]):
			_rename_keys(part, *prefixes)
		still = [act for act in acts if act.status in OPEN]
		_set([act.name for act in still], occurrence=moved)
		coming += [act.name for act in still if getdate(act.due_date) >= paused_on]
	move_due(coming, days)


def get_acts(family: str, steps: Iterable[str]) -> Iterator[Act]:
	"""The touchpoints of steps of current members that a plan made, whatever became of them."""
	running = [["plan_family", "=", family], ["open_key", "is", "set"], ["clock_start", "is", "set"]]
	fields = ["party_type", "party", "clock_start", "phase", "spread"]
	clocks = {
		(row.party_type, row.party): (row.clock_start, row.phase, row.spread)
		for row in get_newest("Plan Enrollment", running, fields)
	}
	made = [["plan_family", "=", family], ["step_key", "in", list(steps)], ["occurrence_key", "is", "set"]]
	fields = [
		"party_type",
		"party",
		"name",
		"step_key",
		"occurrence_key",
		"status",
		"due_date",
		"service_date",
	]
	for row in get_newest("Touchpoint", made, fields):
		party_type, party, *act = (row[field] for field in fields)
		if clock := clocks.get((party_type, party)):
			yield Act(*act, *clock)


def get_occurrence(act: Act, family: str) -> datetime.date:
	"""The day in the key, which is the one that the engine compares."""
	start = len(f"{family}|{act.step_key}|")
	return datetime.date.fromisoformat(act.occurrence_key[start : start + 10])


def get_interval(step: Any) -> datetime.timedelta:
	"""The longest time from one occurrence to the next."""
	many = cint(step.every)
	return datetime.timedelta(
		days=many * DAYS[step.unit] if step.unit in DAYS else many * MONTHS[step.unit] * 31
	)


def get_moved(occurrence: datetime.date, act: Act, step: Any, days: int) -> datetime.date:
	"""Where an occurrence is once the clock has moved by ``days``: as far from the new start as it was from the old."""
	if step.unit in DAYS:
		return occurrence + datetime.timedelta(days=days)
	months = cint(step.every) * MONTHS[step.unit]
	delay = int(flt(act.phase) * cint(act.spread) * months * DAYS_A_MONTH)
	start = getdate(act.clock_start) + datetime.timedelta(days=delay)
	since = (occurrence.year - start.year) * 12 + occurrence.month - start.month
	return start + datetime.timedelta(days=days) + relativedelta(months=since)


def move_events(plan: Any, paused_on: datetime.date, day: datetime.date) -> None:
	"""What fell due after an event or rhythm while the plan rested is due when it goes on."""
	keys = [step.step_key for step in plan.steps if step.timing in ("Event", "Buying Rhythm")]
	for row in _get_due(plan.plan_family, keys, paused_on, day):
		_move(
			[row.name],
			day,
			add_days(row.service_date, date_diff(day, row.due_date)) if row.service_date else None,
		)


def drop_occasions(plan: Any, paused_on: datetime.date, day: datetime.date) -> None:
	"""An occasion that passed while the plan rested is over."""
	keys = [step.step_key for step in plan.steps if step.timing == "Occasion"]
	names = [row.name for row in _get_due(plan.plan_family, keys, paused_on, day)]
	if names:
		cancel_touchpoints({"name": ("in", names)}, _("The occasion passed while the plan was paused"))


def move_due(names: list[str], days: int) -> None:
	"""Move due dates and service dates, with their ToDos, set-based."""
	touchpoint, todo = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("ToDo")
	for part in in_parts(names):
		query = frappe.qb.update(touchpoint).set(touchpoint.due_date, later(touchpoint.due_date, days))
		query = query.set(touchpoint.service_date, later(touchpoint.service_date, days))
		query.set(touchpoint.modified, now()).where(touchpoint.name.isin(part)).run()
		of_them = (todo.reference_type == "Touchpoint") & todo.reference_name.isin(part)
		moved = frappe.qb.update(todo).set(todo.date, later(todo.date, days))
		moved.where(of_them & (todo.status == "Open")).run()


def in_parts(names: list[str]) -> Iterator[list[str]]:
	"""The names, so many that a statement can hold them."""
	for start in range(0, len(names), ROWS_AT_ONCE):
		yield names[start : start + ROWS_AT_ONCE]


def _get_due(family: str, keys: list[str], first: datetime.date, before: datetime.date) -> list[Any]:
	if not keys:
		return []
	conditions = [["plan_family", "=", family], ["step_key", "in", keys], ["status", "in", OPEN]]
	conditions += [["due_date", ">=", first], ["due_date", "<", before]]
	return get_newest("Touchpoint", conditions, ["name", "due_date", "service_date"])


def _rename_keys(names: list[str], old: str, new: str) -> None:
	table = frappe.qb.DocType("Touchpoint")
	moved = Function("REPLACE", table.occurrence_key, old, new)
	frappe.qb.update(table).set(table.occurrence_key, moved).where(table.name.isin(names)).run()


def _move(names: list[str], due: datetime.date, service: datetime.date | None) -> None:
	_set(names, due_date=due, service_date=service)
	todo = frappe.qb.DocType("ToDo")
	for part in in_parts(names):
		of_them = (todo.reference_type == "Touchpoint") & todo.reference_name.isin(part)
		frappe.qb.update(todo).set(todo.date, due).where(of_them & (todo.status == "Open")).run()


def _set(names: list[str], **values: Any) -> None:
	table = frappe.qb.DocType("Touchpoint")
	for part in in_parts(names):
		query = frappe.qb.update(table).set(table.modified, now())
		for field, value in values.items():
			query = query.set(table[field], value)
		query.where(table.name.isin(part)).run()

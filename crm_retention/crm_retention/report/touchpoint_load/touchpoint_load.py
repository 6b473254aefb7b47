"""What is to be done by whom in which week, against what each person has time for."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Count, Sum
from frappe.utils import add_days, cint, flt, getdate
from pypika.functions import NullIf

from crm_retention.arguments import read_filters
from crm_retention.jobs.runs import today
from crm_retention.plans.configuration import get_calendar_names, get_calendars, get_limit
from crm_retention.views.access import get_full_names, only_readable

TOUCHPOINT = "Touchpoint"
WEEKS, MOST_WEEKS = 4, 26
EQUAL = ("touchpoint_type", "channel", "department", "tier")
Limits = tuple[int | None, float | None]


def execute(filters: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
	"""Columns and rows by week and person. Filters: from_date, weeks, user, only_over and ``EQUAL``."""
	filters = read_filters(filters, ("from_date",), (*EQUAL, "user"))
	mondays = get_mondays(filters)
	rows = [
		row
		for row in with_capacity(get_loads(filters, mondays), mondays)
		if row["over"] or not cint(filters.only_over)
	]
	return get_columns(), rows


def get_mondays(filters: frappe._dict) -> list[datetime.date]:
	"""The Monday of the first week and those that follow."""
	first = getdate(filters.from_date) if filters.from_date else today()
	monday = getdate(add_days(first, -first.weekday()))
	weeks = min(max(cint(filters.weeks) or WEEKS, 1), MOST_WEEKS)
	return [getdate(add_days(monday, 7 * week)) for week in range(weeks)]


def get_loads(filters: frappe._dict, mondays: list[datetime.date]) -> list[dict[str, Any]]:
	"""week, user, touchpoints, late, promises and hours; what is late is to be done in the first week.

	Messages that leave by themselves ask nothing of anybody.
	"""
	t, kind, channel = (
		frappe.qb.DocType(name) for name in (TOUCHPOINT, "Touchpoint Type", "Contact Channel")
	)
	week, user = get_week(t, mondays), Coalesce(t.assigned_to, "")
	minutes = Coalesce(NullIf(t.minutes, 0), NullIf(kind.minutes, 0), channel.minutes, 0)
	query = (
		frappe.qb.from_(t)
		.left_join(kind)
		.on(kind.name == t.touchpoint_type)
		.left_join(channel)
		.on(channel.name == t.channel)
		.select(
			week.as_("week"), user.as_("user"), Count(t.name).as_("touchpoints"), Sum(minutes).as_("minutes")
		)
		.select(Sum(Case().when(t.due_date < today(), 1).else_(0)).as_("late"))
		.select(Sum(Case().when(t.is_promise == 1, 1).else_(0)).as_("promises"))
		.where((t.status == "Open") & (Coalesce(t.send_by_itself, 0) == 0))
		.where(t.due_date < getdate(add_days(mondays[-1], 7)))
		.groupby(week, user)
	)
	for field in EQUAL:
		if filters.get(field):
			query = query.where(t[field] == filters[field])
	if filters.user:
		query = query.where(t.assigned_to == filters.user)
	rows = only_readable(query, TOUCHPOINT).run(as_dict=True)
	return sorted(rows, key=lambda row: (row.week, row.user == "", -cint(row.touchpoints), row.user))


def get_week(t: Any, mondays: list[datetime.date]) -> Any:
	"""The Monday of the week that a touchpoint is due in, as text; every database compares dates alike."""
	case = Case()
	for monday, following in pairwise(mondays):
		case = case.when(t.due_date < following, str(monday))
	if len(mondays) == 1:
		return Case().when(t.due_date.isnotnull(), str(mondays[0]))
	return case.else_(str(mondays[-1]))


def with_capacity(rows: list[Any], mondays: list[datetime.date]) -> list[dict[str, Any]]:
	"""The rows with names, capacity of the week on its working days (None: no limit), use in percent, and over or not."""
	users = sorted({row.user for row in rows if row.user})
	names, limits = get_full_names(users), get_limits(users)
	working = get_working_days(users, mondays)
	found = []
	for row in rows:
		a_day, hours_a_week = limits.get(row.user, (None, None))
		days = working.get((row.user, row.week), 0)
		most = None if a_day is None else a_day * days
		hours = round(flt(row.minutes) / 60, 1)
		used = get_use(row.touchpoints, most, hours, hours_a_week)
		found.append(
			{
				"week": row.week,
				"user": row.user or None,
				"full_name": names.get(row.user) or _("Nobody"),
				"touchpoints": cint(row.touchpoints),
				"late": cint(row.late),
				"promises": cint(row.promises),
				"capacity": most,
				"hours": hours,
				"capacity_hours": hours_a_week,
				"used": used,
				"over": int(used is not None and used > 100),
			}
		)
	return found


def get_use(many: int, most: int | None, hours: float, most_hours: float | None) -> float | None:
	"""The greater of both shares of a capacity, in percent; None without a limit, 100 times the work where it is 0."""
	pairs = ((many, most), (hours, most_hours))
	shares = [100 * value / (limit or 0.01) for value, limit in pairs if limit is not None]
	return round(max(shares), 0) if shares else None


def get_limits(users: list[str]) -> Mapping[str, Limits]:
	"""Touchpoints a day and hours a week of each user; None is no limit."""
	settings = frappe.get_cached_doc("Retention Settings")
	general = (get_limit(settings.touchpoints_per_day), flt(settings.hours_per_week) or None)
	own = {row.user: row for row in settings.capacities}
	limits = dict.fromkeys(users, general)
	for user in own.keys() & set(users):
		a_day, hours = get_limit(own[user].touchpoints_per_day), flt(own[user].hours_per_week)
		limits[user] = (general[0] if a_day is None else a_day, hours or general[1])
	return limits


def get_working_days(users: list[str], mondays: list[datetime.date]) -> dict[tuple[str, str], int]:
	"""Working days of each user in the week of each Monday (as text), by the user's holiday list."""
	names = get_calendar_names(users)
	people = [frappe._dict(calendar=name) for name in names.values()]
	settings = frappe.get_cached_doc("Retention Settings")
	off = get_calendars(settings, people, mondays[0], getdate(add_days(mondays[-1], 6)))
	return {
		(user, str(monday)): sum(
			getdate(add_days(monday, day)) not in off[names.get(user, "")] for day in range(7)
		)
		for user in users
		for monday in mondays
	}


def get_columns() -> list[dict[str, Any]]:
	"""Typed columns."""
	return [
		column("week", _("Week From"), "Date"),
		column("user", _("Responsible", context="Touchpoint"), "Link", options="User", width=150),
		column("full_name", _("Name"), "Data", width=140),
		column("touchpoints", _("Touchpoints"), "Int"),
		column("late", _("Late", context="Touchpoint"), "Int", width=80),
		column("promises", _("Promises"), "Int", width=95),
		column("capacity", _("Capacity", context="Retention Capacity"), "Int", width=95),
		column("hours", _("Hours"), "Float", precision=1, width=80),
		column("capacity_hours", _("Hours of Capacity"), "Float", precision=1, width=150),
		column("used", _("Used", context="Retention Capacity"), "Percent"),
	]


def column(fieldname: str, label: str, fieldtype: str, width: int = 110, **values: Any) -> dict[str, Any]:
	"""A column of the report."""
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **values}

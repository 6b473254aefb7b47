"""What a plan will ask of whom in the next 13 weeks, against what people have time for. Nothing is written."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Count
from frappe.utils import cint, flt, getdate

from crm_retention.plans.rates import WEEKS, NotCounted, get_weekly
from crm_retention.plans.steps import describe
from crm_retention.plans.targets import Group, count_fitting, read_standing
from crm_retention.seen_parties import get_seen_parties
from crm_retention.site.memory import engine_of_request
from crm_retention.views.access import may_read_any, only_readable

WORKING_DAYS = 5
WEEKS_A_YEAR = 365.2425 / 7
NOBODY = ""


@dataclass
class Load:
	"""Touchpoints and hours of each week by person, ``""`` for whom nobody is responsible."""

	weeks: int = WEEKS
	touchpoints: dict[str, list[float]] = field(default_factory=dict)
	hours: dict[str, list[float]] = field(default_factory=dict)

	def add(self, user: str, counts: Sequence[float], minutes: float) -> None:
		"""Give a person so many touchpoints in each week, of so many minutes."""
		many = self.touchpoints.setdefault(user, [0.0] * self.weeks)
		hours = self.hours.setdefault(user, [0.0] * self.weeks)
		for week, count in enumerate(counts):
			many[week] += count
			hours[week] += count * minutes / 60

	def of(self, user: str) -> tuple[list[float], list[float]]:
		"""Touchpoints and hours of a person."""
		nothing = [0.0] * self.weeks
		return self.touchpoints.get(user, nothing), self.hours.get(user, nothing)


def forecast(plan: Any, as_of: datetime.date | None = None) -> dict[str, Any]:
	"""The load of a plan, a draft as it stands in the form, with that of all other running plans, for whoever asks.

	Returns ``weeks`` (13 Mondays, ISO), ``parties``, ``people`` (see ``get_people``), ``total`` [hours of the plan a
	week], ``other`` [hours of the other plans], ``capacity`` (hours a week of all people concerned, or None),
	``budget`` (see ``get_budget``) and ``not_counted`` [lines]. Only parties that the asker may read are counted. Raises
	ValidationError for conditions that nobody can decide.
	"""
	weeks = get_weeks(getdate(as_of))
	others = [frappe.get_doc("Maintenance Plan", name) for name in get_other_plans(plan)]
	own, other = Load(), Load()
	with engine_of_request() as backend:
		seen = get_seen_parties(backend)
		read_standing(backend, [plan, *others])
		groups = count_fitting(backend, plan, seen)
		lines = [] if seen is None else [_("customers and leads that you may not read")]
		add_plan(own, plan, groups, weeks, lines)
		for doc in others:
			add_plan(other, doc, count_fitting(backend, doc, seen), weeks, [])
	add_backlog(other, getdate(as_of))
	people = get_people(own, other)
	limits = [person["capacity_hours"] for person in people if person["user"]]
	return {
		"weeks": [week.isoformat() for week in weeks],
		"parties": sum(group.parties for group in groups),
		"people": people,
		"total": rounded(_sum(own.hours.values())),
		"other": rounded(_sum(other.of(person["user"])[1] for person in people)),
		"capacity": sum(limits) if limits and all(limits) else None,
		"budget": get_budget(plan, groups),
		"not_counted": lines,
	}


def get_weeks(day: datetime.date) -> list[datetime.date]:
	"""The Mondays of the week of a day and the 12 that follow."""
	monday = day - datetime.timedelta(days=day.weekday())
	return [monday + datetime.timedelta(weeks=week) for week in range(WEEKS)]


def get_other_plans(plan: Any) -> list[str]:
	"""Running plans of other families."""
	conditions = {
		"docstatus": 1,
		"status": "Active",
		"plan_family": ("!=", plan.plan_family or plan.title or ""),
	}
	return frappe.get_all("Maintenance Plan", conditions, pluck="name")


def add_plan(
	load: Load, plan: Any, groups: Sequence[Group], weeks: Sequence[datetime.date], not_counted: list[str]
) -> None:
	"""Add what the steps of a plan ask of people. What goes out by itself asks nothing."""
	treated = 1 - flt(plan.holdout_share) / 100
	parties = sum(group.parties for group in groups)
	for step in plan.steps:
		if cint(step.send_by_itself) or not parties:
			continue
		try:
			for user, share, count, purchases in get_shares(step, groups, parties):
				weekly = get_weekly(step, count, purchases, weeks)
				part = share if step.timing == "Event" else 1.0  # events are counted for all parties at once
				load.add(user, [value * part * treated for value in weekly], get_minutes(step))
		except NotCounted as reason:
			not_counted.append(_("{0}: {1}").format(describe(step), reason))


def get_shares(step: Any, groups: Sequence[Group], parties: int) -> Iterable[tuple[str, float, int, float]]:
	"""Who is responsible for a step: user, share of the parties, their number, and the purchases they promise a day."""
	purchases = sum(group.purchases_a_day for group in groups)
	if step.owner_rule == "User":
		return [(step.user or NOBODY, 1.0, parties, purchases)]
	if (step.owner_rule or "").startswith("Role"):
		users = get_role_users(step.role) or [NOBODY]
		part = 1 / len(users)
		return [(user, part, parties * part, purchases * part) for user in users]
	fallback = frappe.db.get_single_value("Retention Settings", "fallback_owner") or NOBODY
	return [
		(group.owner or fallback, group.parties / parties, group.parties, group.purchases_a_day)
		for group in groups
	]


def get_role_users(role: str | None) -> list[str]:
	"""Enabled users who have a role."""
	users = frappe.get_all("Has Role", {"role": role, "parenttype": "User"}, pluck="parent") if role else []
	enabled = {"name": ("in", [user for user in users if user != "Administrator"] or [""]), "enabled": 1}
	return sorted(frappe.get_all("User", enabled, pluck="name"))


def get_minutes(step: Any) -> float:
	"""Expected minutes of a step, those of its touchpoint type where it says none."""
	if cint(step.minutes):
		return cint(step.minutes)
	kind = (
		frappe.db.get_value("Touchpoint Type", step.touchpoint_type, ["minutes", "channel"], as_dict=True)
		or {}
	)
	channel = step.channel or kind.get("channel")
	return cint(kind.get("minutes")) or cint(
		frappe.db.get_value("Contact Channel", channel, "minutes") if channel else 0
	)


def add_backlog(load: Load, as_of: datetime.date) -> None:
	"""What is late already and the user may read is to be done in the first week."""
	if not may_read_any("Touchpoint"):
		return
	t = frappe.qb.DocType("Touchpoint")
	query = (
		frappe.qb.from_(t)
		.select(t.assigned_to, t.touchpoint_type, Count("*").as_("many"))
		.where((t.status == "Open") & (t.due_date < as_of) & (t.send_by_itself == 0))
		.groupby(t.assigned_to, t.touchpoint_type)
	)
	late = only_readable(query, "Touchpoint").run(as_dict=True)
	minutes = dict(frappe.get_all("Touchpoint Type", fields=["name", "minutes"], as_list=True))
	for row in late:
		counts = [float(row.many)] + [0.0] * (WEEKS - 1)
		load.add(row.assigned_to or NOBODY, counts, cint(minutes.get(row.touchpoint_type)))


def get_people(own: Load, other: Load) -> list[dict[str, Any]]:
	"""Whom the plan asks something of, the busiest first: user, name, touchpoints and hours a week (``own`` and
	``all``), capacity (None: no limit), and ``over``: the places of weeks beyond it.
	"""
	limits = get_capacities()
	people = []
	for user in own.hours:
		(own_many, own_hours), (other_many, other_hours) = own.of(user), other.of(user)
		many = [a + b for a, b in zip(own_many, other_many, strict=True)]
		hours = [a + b for a, b in zip(own_hours, other_hours, strict=True)]
		a_week, hours_a_week = limits.get(user, limits[NOBODY]) if user else (None, None)
		people.append(
			{
				"user": user,
				"name": frappe.utils.get_fullname(user) if user else _("Nobody"),
				"own_touchpoints": rounded(own_many),
				"own_hours": rounded(own_hours),
				"touchpoints": rounded(many),
				"hours": rounded(hours),
				"capacity_touchpoints": a_week,
				"capacity_hours": hours_a_week,
				"over": [
					week
					for week in range(len(many))
					if _beyond(many[week], a_week) or _beyond(hours[week], hours_a_week)
				],
			}
		)
	return sorted(people, key=lambda person: (-sum(person["hours"]), person["user"]))


def get_capacities() -> Mapping[str, tuple[float | None, float | None]]:
	"""Touchpoints and hours a week by user, under ``""`` those of everybody else; None is no limit."""
	settings = frappe.get_cached_doc("Retention Settings")
	general = (_a_week(settings.touchpoints_per_day), flt(settings.hours_per_week) or None)
	limits = defaultdict(lambda: general, {NOBODY: general})
	for row in settings.capacities:
		own = (row.touchpoints_per_day or "").strip()
		limits[row.user] = (_a_week(own) if own else general[0], flt(row.hours_per_week) or general[1])
	return limits


def get_budget(plan: Any, groups: Sequence[Group]) -> dict[str, float]:
	"""Expected hours and money a year and party against what the plan allows (0: nothing is said)."""
	parties = sum(group.parties for group in groups)
	purchases = sum(group.purchases_a_day for group in groups)
	hours = money = 0.0
	rate = flt(frappe.db.get_single_value("Retention Settings", "hour_rate"))
	for step in plan.steps:
		if step.timing in ("Every", "Buying Rhythm") and parties:
			a_week = get_weekly(step, parties, purchases, [getdate()])[0] / parties
		elif step.timing == "Occasion":
			a_week = 1 / WEEKS_A_YEAR
		else:
			a_week = 0.0
		spent = 0.0 if cint(step.send_by_itself) else get_minutes(step) / 60
		hours += a_week * WEEKS_A_YEAR * spent
		money += a_week * WEEKS_A_YEAR * (flt(step.cost) + spent * rate)
	return {
		"hours": round(hours, 2),
		"hours_allowed": flt(plan.hours_per_party),
		"money": round(money, 2),
		"money_allowed": flt(plan.money_per_party),
	}


def rounded(values: Iterable[float]) -> list[float]:
	"""Numbers for people."""
	return [round(value, 1) for value in values]


def _sum(rows: Iterable[Sequence[float]]) -> list[float]:
	total = [0.0] * WEEKS
	for row in rows:
		total = [a + b for a, b in zip(total, row, strict=True)]
	return total


def _a_week(per_day: Any) -> float | None:
	text = str("" if per_day is None else per_day).strip()
	return None if text == "" else float(cint(text) * WORKING_DAYS)


def _beyond(value: float, limit: float | None) -> bool:
	return limit is not None and value > limit + 0.05

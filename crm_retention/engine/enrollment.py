"""Who is in which plan: whom a plan's targets fit enters, whom they no longer fit leaves."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np

from .calendar import Columns, day_number, integers, number, texts
from .conditions import all_hold, fault
from .dates import literal
from .errors import Problem
from .plans import Care, Plan, draw
from .relations import completed
from .signals import Keep

if TYPE_CHECKING:
	from .cycle import Backend


def families(care: Care) -> dict[str, int]:
	"""A number for each family, in the order of the plans."""
	return {name: nr for nr, name in enumerate(dict.fromkeys(plan.family for plan in care.plans))}


def plans_table(care: Care, as_of: datetime.date) -> Columns:
	"""``plan_nr``, ``plan``, ``family``, ``family_nr`` and ``at_work`` (1 unless the plan is paused or over)."""
	numbers = families(care)
	return {
		"plan_nr": integers(range(len(care.plans))),
		"plan": texts(plan.name for plan in care.plans),
		"family": texts(plan.family for plan in care.plans),
		"family_nr": integers(numbers[plan.family] for plan in care.plans),
		"at_work": integers(int(plan.runs_on(as_of)) for plan in care.plans),
	}


def plan_problems(care: Care, schema: Mapping[str, object]) -> dict[str, list[Problem]]:
	"""Plans whose conditions this data cannot decide, by name; they stand still."""
	found: dict[str, list[Problem]] = {}
	for plan in care.plans:
		for index, condition in enumerate(plan.conditions, 1):
			if message := fault(condition, schema):
				place = f"{plan.name}, condition {index}"
				found.setdefault(plan.name, []).append(Problem("plans", place, condition.field, message))
	return found


def members(standing: ir.Table, care: Care, as_of: datetime.date, broken: Mapping[str, object]) -> ir.Table:
	"""nr, party, plan_nr, family_nr of every party that a plan at work is for."""
	numbers = families(care)
	parts = []
	for nr, plan in enumerate(care.plans):
		if plan.current and plan.runs_on(as_of) and plan.name not in broken:
			fitting = standing.filter(fits(standing, plan, care))
			places = {"plan_nr": ibis.literal(nr, "int64")}
			places["family_nr"] = ibis.literal(numbers[plan.family], "int64")
			parts.append(fitting.select("nr", "party", **places))
	if not parts:
		nobody = standing.filter(ibis.literal(False))
		return nobody.select("nr", "party", plan_nr=nobody.nr, family_nr=nobody.nr)
	return ibis.union(*parts) if len(parts) > 1 else parts[0]


def fits(standing: ir.Table, plan: Plan, care: Care) -> ir.BooleanValue:
	"""Whether a plan is for a party. No tiers or stages are all, those who have none included."""
	fitting = all_hold(standing, plan.conditions, care.trees)
	if plan.tiers:
		fitting = fitting & standing.tier.fill_null("").isin(plan.tiers)
	if plan.stages:
		fitting = fitting & standing.stage.fill_null("").isin(plan.stages)
	return fitting


def running(given: Mapping[str, ir.Table], names: ir.Table, plans: ir.Table) -> ir.Table:
	"""Enrollments of now: party, family, plan, plan_nr, family_nr, nr (null for who is no party any more),
	treated, clock (day number), phase, spread, next_plan, moved, at_work.
	"""
	table = completed(given["enrollments"], "enrollments").rename(its_family="family", its_plan="plan")
	joined = table.left_join(plans, table.its_plan == plans.plan)
	of_plan = joined.select(
		"party", "its_family", "its_plan", "plan_nr", "family_nr", "at_work", "next_plan", "phase", "moved",
		treated=(joined.arm != "Holdout").cast("int64"),
		clock=day_number(joined.clock),
		spread=joined.spread.fill_null(0),
	)  # fmt: skip
	people = names.select(who="party", nr="nr")
	found = of_plan.left_join(people, of_plan.party == people.who)
	return found.select(
		*(name for name in of_plan.columns if name not in ("its_family", "its_plan")),
		"nr", family="its_family", plan="its_plan",
	)  # fmt: skip


def leaving(current: ir.Table, fitting: ir.Table, held: list[int]) -> ir.Table:
	"""party, family and why (party or target) of enrollments that end; those of plans that stand still do not.

	``held`` are the numbers of families with a plan that stands still or cannot be decided.
	"""
	wanted = fitting.select(m_nr="nr", m_family="family_nr")
	joined = current.left_join(wanted, (current.nr == wanted.m_nr) & (current.family_nr == wanted.m_family))
	gone = joined.nr.isnull()
	still = joined.family_nr.isin(held) if held else ibis.literal(False)
	out = joined.filter(gone | (joined.m_nr.isnull() & ~still.fill_null(True)))
	why = ibis.ifelse(out.nr.isnull(), ibis.literal("party"), ibis.literal("target"))
	return out.select("party", "family", "nr", "family_nr", why=why)


def joining(backend: Backend, care: Care, fitting: ir.Table, current: ir.Table) -> ir.Table:
	"""nr, plan_nr, family_nr, treated, phase, spread of parties that enter.

	The arm is drawn for ever from party and family. Who enters in the first run of a family is spread over the first
	interval of each step; who enters later is attended to at once.
	"""
	known = current.select(c_nr="nr", c_family="family_nr")
	joined = fitting.left_join(known, (fitting.nr == known.c_nr) & (fitting.family_nr == known.c_family))
	fresh = joined.filter(joined.c_nr.isnull()).select("nr", "party", "plan_nr", "family_nr")
	rows = backend.fetch(fresh)
	plans = [care.plans[int(nr)] for nr in rows["plan_nr"]]
	drawn = [draw(str(who), plan.family) for who, plan in zip(rows["party"], plans, strict=True)]
	lots, phases = zip(*drawn, strict=True) if drawn else ((), ())
	columns: Columns = {
		"nr": integers(rows["nr"]),
		"plan_nr": integers(rows["plan_nr"]),
		"family_nr": integers(rows["family_nr"]),
		"treated": integers(int(lot >= plan.holdout) for lot, plan in zip(lots, plans, strict=True)),
		"phase": np.array(phases, dtype=float).round(6),
		"spread": integers(int(plan.family not in care.begun) for plan in plans),
	}
	return backend.load("care_joining", columns)


def enrolled(
	current: ir.Table, gone: ir.Table, entered: ir.Table, as_of: datetime.date, keep: Keep
) -> ir.Table:
	"""nr, plan_nr, family_nr, clock, phase, spread, moves of everyone treated by a plan at work.

	Who went over to the next version today had today's acts from the one before.
	"""
	joined = current.left_join(gone, (current.party == gone.g_party) & (current.family == gone.g_family))
	stay = joined.filter(joined.g_party.isnull() & (joined.treated == 1) & (joined.at_work == 1))
	stay = stay.filter(stay.moved.isnull() | (stay.moved < literal(as_of)))
	names = ("nr", "plan_nr", "family_nr", "clock", "phase", "spread", "moves")
	staying = stay.mutate(moves=stay.next_plan.notnull().cast("int64")).select(*names)
	new = entered.filter(entered.treated == 1)
	clock = ibis.literal(number(as_of), "int64")
	arrived = new.mutate(clock=clock, moves=ibis.literal(0, "int64")).select(*names)
	return keep("care_enrolled", staying.union(arrived))

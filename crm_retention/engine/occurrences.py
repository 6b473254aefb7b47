"""When each step of a plan falls due for each of its members: the last day that has come and the next one ahead.

Every timing gives rows of nr, step_nr, occ and n: ``occ`` is the day that names the occurrence for ever, ``n`` the day
on which it is due. Both are day numbers.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from .calendar import Columns, day_number, integers, month_of, number, texts
from .enrollment import families
from .plans import EVENTS, TIMINGS, Care, Plan, Step
from .relations import completed

LATE = 14  # days after which an occasion or event that was missed is history, and no longer an act of care
DAYS_A_MONTH = 30.4375


def all_steps(care: Care) -> list[tuple[int, Plan, Step]]:
	"""Every step of every plan, each with its plan and the plan's number, in the order of the step's number."""
	return [(nr, plan, step) for nr, plan in enumerate(care.plans) for step in plan.steps]


def steps_table(care: Care) -> Columns:
	"""One row a step: ``step_nr``, ``plan_nr``, ``line_nr`` (a step through all versions of its plan), its timing by
	number, its texts, and the version's priority before the step's own.
	"""
	rows = all_steps(care)
	numbers, lines = families(care), line_numbers(care)
	occasions = {occasion.name: nr for nr, occasion in enumerate(care.occasions)}
	return {
		"step_nr": integers(range(len(rows))),
		"plan_nr": integers(nr for nr, _plan, _step in rows),
		"family_nr": integers(numbers[plan.family] for _nr, plan, _step in rows),
		"line_nr": integers(lines[plan.family, step.key] for _nr, plan, step in rows),
		"line": texts(f"{plan.family}|{step.key}|" for _nr, plan, step in rows),
		"since": integers(number(plan.since) if plan.since else 0 for _nr, plan, _step in rows),
		"timing": integers(TIMINGS.index(step.timing) for *_, step in rows),
		"days": integers(step.days for *_, step in rows),
		"months": integers(step.months for *_, step in rows),
		"rhythm": integers(round(step.rhythm * 1000) for *_, step in rows),
		"occasion_nr": integers(occasions.get(step.occasion or "", -1) for *_, step in rows),
		"event_nr": integers(EVENTS.index(step.event) if step.event else -1 for *_, step in rows),
		"event_value": texts(step.event_value for *_, step in rows),
		"offset_days": integers(step.offset for *_, step in rows),
		"priority": integers(plan.priority * 1000 + step.priority for _nr, plan, step in rows),
		"touchpoint_type": texts(step.touchpoint_type for *_, step in rows),
		"channel": texts(step.channel for *_, step in rows),
		"nature": texts(step.nature for *_, step in rows),
		"sends": integers(int(step.sends) for *_, step in rows),
		"service_days": integers(step.service_days for *_, step in rows),
	}


def line_numbers(care: Care) -> dict[tuple[str, str], int]:
	"""A number for each step by family and key, the same in all versions."""
	pairs = dict.fromkeys((plan.family, step.key) for _nr, plan, step in all_steps(care))
	return {pair: nr for nr, pair in enumerate(pairs)}


class Falls:
	"""Occurrences around ``as_of`` for the enrolled: built once a run from its tables.

	``enrolled``: nr, plan_nr, clock, phase, spread. ``standing``: the profiles with nr. ``days``, ``months`` and
	``anniversaries`` are those of ``engine.calendar``.
	"""

	def __init__(
		self, enrolled: ir.Table, steps: ir.Table, standing: ir.Table, care: Care, as_of: datetime.date
	) -> None:
		self.steps = steps
		self.standing = standing
		self.care = care
		self.as_of = as_of
		self.as_of_n = number(as_of)
		chosen = steps.select(
			"step_nr", "line_nr", "timing", "days", "months", "rhythm", "occasion_nr", "event_nr", "event_value",
			"offset_days", "since", s_plan="plan_nr",
		)  # fmt: skip
		self.turns = enrolled.inner_join(chosen, enrolled.plan_nr == chosen.s_plan).drop("s_plan")

	def of(self, timing: str) -> ir.Table:
		"""Members with their steps of a timing."""
		return self.turns.filter(self.turns.timing == TIMINGS.index(timing))

	def used(self) -> set[str]:
		"""The timings that any step has."""
		return {step.timing for *_, step in all_steps(self.care)} | {
			"months" for *_, step in all_steps(self.care) if step.months
		}

	def every_days(self) -> ir.Table:
		"""A fixed interval in days from the clock, put off by the phase in the first run of a plan."""
		turns = self.of("every")
		turns = turns.filter(turns.days > 0)
		turns = turns.mutate(start=turns.clock + whole(turns.phase * turns.spread * turns.days))
		turns = turns.mutate(k=floor_div(self.as_of_n - turns.start, turns.days))
		found = [turns.mutate(n=turns.start + (turns.k + more) * turns.days) for more in (0, 1)]
		return rows(found, in_force)

	def every_months(self, days: ir.Table, months: ir.Table) -> ir.Table:
		"""Every so many months on the day of month of the first one, or the last day of a shorter month."""
		turns = self.of("every")
		turns = turns.filter(turns.months > 0)
		delay = whole(turns.phase * turns.spread * turns.months * DAYS_A_MONTH)
		turns = turns.mutate(start=turns.clock + delay)
		first = days.select(c_n="n", c_month="month", dom="dom")
		placed = turns.inner_join(first, turns.start == first.c_n)
		placed = placed.mutate(k=floor_div(month_of(self.as_of) - placed.c_month, placed.months))
		lengths, found = months.rename(m_month="month"), []
		for more in (-1, 0, 1):
			moved = placed.mutate(due_month=placed.c_month + (placed.k + more) * placed.months)
			joined = moved.inner_join(lengths, moved.due_month == lengths.m_month)
			last = ibis.least(joined.dom, joined.length)
			found.append(joined.mutate(n=joined["m_start"] + last - 1))
		return rows(found, in_force)

	def rhythm(self) -> ir.Table:
		"""Again and again after so much of the party's mean interval, counted from its last purchase."""
		turns = self.of("rhythm")
		table = self.standing
		known = table.select(
			p_nr="nr", last=day_number(table.last_purchase), gap=table.mean_interval_days.cast("float64")
		)
		joined = turns.inner_join(known, turns.nr == known.p_nr)
		joined = joined.filter(joined.last.notnull() & (joined.gap > 0))
		step = ibis.greatest(whole(joined.gap * joined.rhythm / 1000.0 + 0.5), ibis.literal(1, "int64"))
		joined = joined.mutate(step=step)
		joined = joined.mutate(k=floor_div(self.as_of_n - joined.last, joined.step))
		found = [joined.mutate(n=joined.last + (joined.k + more) * joined.step) for more in (0, 1)]
		return rows(found, lambda t: t.n > t.last)

	def occasions_for_all(self, days: ir.Table) -> ir.Table:
		"""Holidays and other dates that are the same for everybody; ``days``: o_nr and o_day."""
		turns = self.of("occasion")
		joined = turns.inner_join(days, turns.occasion_nr == days.o_nr)
		due = joined.mutate(occ=joined.o_day, n=joined.o_day + joined.offset_days)
		return self.timely(due)

	def occasions_of_each(
		self, dates: ir.Table, names: ir.Table, people: ir.Table, anniversaries: ir.Table
	) -> ir.Table:
		"""Dates that lie in the data, on their day or on each anniversary."""
		dates = completed(dates, "occasion_dates")
		known = dates.inner_join(names, dates.occasion == names.o_name)
		placed = known.inner_join(people, known.party == people.who)
		placed = placed.filter(placed.day.notnull()).mutate(md=placed.day.month() * 100 + placed.day.day())
		once = placed.filter(placed.yearly.fill_null(0) == 0)
		days = once.select(p_nr="p_nr", o_nr="o_nr", o_day=day_number(once.day))
		yearly = placed.filter(placed.yearly.fill_null(0) == 1)
		yearly = yearly.mutate(born=day_number(yearly.day))
		calendar = anniversaries.rename(a_md="md", a_policy="on_28th")
		again = yearly.inner_join(
			calendar, (yearly.md == calendar.a_md) & (yearly.policy == calendar.a_policy)
		)
		again = again.filter(again.n > again.born)
		days = days.union(again.select(p_nr="p_nr", o_nr="o_nr", o_day="n"))
		turns = self.of("occasion")
		joined = turns.inner_join(days, (turns.nr == days.p_nr) & (turns.occasion_nr == days.o_nr))
		return self.timely(joined.mutate(occ=joined.o_day, n=joined.o_day + joined.offset_days))

	def events(self, happened: ir.Table) -> ir.Table:
		"""``happened``: e_nr (party), e_event, e_value, e_day. What lies before the enrollment is not made up for,
		but for a silence that lasts and an end that is still to come: those are due at once.
		"""
		turns = self.of("event")
		match = (turns.nr == happened.e_nr) & (turns.event_nr == happened.e_event)
		joined = turns.inner_join(happened, match)
		wanted = joined.event_value.isnull() | (joined.event_value == joined.e_value)
		met = joined.filter(wanted)
		due = met.mutate(occ=met.e_day, n=met.e_day + met.offset_days)
		silent, ending = EVENTS.index("silent"), EVENTS.index("contract end")
		lasting = (due.event_nr == silent) | ((due.event_nr == ending) & (due.occ >= self.as_of_n))
		due = due.mutate(n=ibis.ifelse(lasting, ibis.greatest(due.n, due.clock), due.n))
		return self.timely(due.filter(due.n >= due.clock), lasting=silent)

	def timely(self, due: ir.Table, lasting: int | None = None) -> ir.Table:
		"""Those that are not over for so long that nobody would act on them any more."""
		fresh = (due.n >= self.as_of_n - LATE) | (due.occ >= self.as_of_n)
		if lasting is not None:
			fresh = fresh | (due.event_nr == lasting)
		return due.filter(fresh & (due.n >= due.clock)).select(
			"nr", "step_nr", "line_nr", "moves", "occ", "n"
		)


def in_force(t: ir.Table) -> ir.BooleanValue:
	"""Days of an interval that have begun, and not those from before the version that asks for them."""
	return (t.n >= t.start) & ((t.n > t.since) | (t.clock >= t.since))


def rows(found: list[ir.Table], valid: object) -> ir.Table:
	"""The valid rows of each table: nr, step_nr, line_nr, moves, occ (the day itself) and n."""
	parts = []
	for table in found:
		kept = table.filter(valid(table))  # type: ignore[operator]
		parts.append(kept.select("nr", "step_nr", "line_nr", "moves", occ="n", n="n"))
	return ibis.union(*parts)


def happenings(
	given: Mapping[str, ir.Table], standing: ir.Table, names: ir.Table, care: Care, as_of: datetime.date
) -> ir.Table | None:
	"""Events that any step waits for: e_nr, e_event, e_value, e_day (day number). None when no step waits."""
	wanted = {step.event for *_, step in all_steps(care) if step.timing == "event"}
	parts = [_changes(standing, kind) for kind in ("tier", "stage") if f"{kind} entered" in wanted]
	people = names.select(e_nr="nr", who="party")
	cases = given.get("cases")
	if cases is not None:
		complaints = cases.filter(cases.kind == "Complaint")
		if "complaint opened" in wanted:
			parts.append(_dated(complaints, complaints.opened, people, "complaint opened"))
		if "complaint closed" in wanted and "closed" in cases.columns:
			parts.append(_dated(complaints, complaints.closed, people, "complaint closed"))
	if "detractor feedback" in wanted and "feedback" in given:
		answers = given["feedback"]
		low = answers.filter((answers.kind == "NPS") & (answers.score <= 6))
		parts.append(_dated(low, low.day, people, "detractor feedback"))
	if "contract end" in wanted and "contracts" in given:
		contracts = given["contracts"]
		parts.append(_dated(contracts, contracts.end, people, "contract end"))
	if "first purchase" in wanted:
		parts.append(_standing_event(standing, standing.first_purchase, "first purchase"))
	if "silent" in wanted:
		parts.append(_standing_event(standing, last_sign(standing), "silent"))
	if not parts:
		return None
	found = ibis.union(*parts) if len(parts) > 1 else parts[0]
	return found.filter(found.e_day.notnull() & (found.e_day <= number(as_of) + 800))


def last_sign(standing: ir.Table) -> ir.DateValue:
	"""The day of the last purchase or contact, whichever came later."""
	bought, met = standing.last_purchase, standing.last_interaction
	return ibis.ifelse(met.isnull() | (bought > met), bought, met)


def _changes(standing: ir.Table, kind: str) -> ir.Table:
	"""Tier or stage entered; the first one that a party ever had was not entered, it was found."""
	moved = standing.filter(standing[f"previous_{kind}"].notnull() & standing[kind].notnull())
	return moved.select(
		e_nr="nr",
		e_event=ibis.literal(EVENTS.index(f"{kind} entered"), "int64"),
		e_value=moved[kind].cast("string"),
		e_day=day_number(moved[f"{kind}_since"]),
	)


def _standing_event(standing: ir.Table, day: ir.DateValue, event: str) -> ir.Table:
	return standing.select(
		e_nr="nr",
		e_event=ibis.literal(EVENTS.index(event), "int64"),
		e_value=ibis.null("string"),
		e_day=day_number(day),
	)


def _dated(table: ir.Table, day: ir.DateValue, people: ir.Table, event: str) -> ir.Table:
	dated = table.select(party="party", day=day)
	joined = dated.inner_join(people, dated.party == people.who)
	return joined.select(
		e_nr="e_nr",
		e_event=ibis.literal(EVENTS.index(event), "int64"),
		e_value=ibis.null("string"),
		e_day=day_number(joined.day),
	)


def nearest(falls: ir.Table, today: int, horizon: int) -> ir.Table:
	"""Of each line of each party the last occurrence that has come and the next one within the horizon: ``past`` 1, 0."""
	near = falls.filter(falls.n <= today + horizon)
	near = near.mutate(past=(near.n <= today).cast("int64"))
	order = [ibis.ifelse(near.past == 1, -near.n, near.n), ibis.ifelse(near.past == 1, -near.occ, near.occ)]
	window = ibis.window(group_by=["nr", "line_nr", "past"], order_by=[*order, near.step_nr])
	ranked = near.mutate(place=ibis.row_number().over(window))
	return ranked.filter(ranked.place == 0).drop("place")


def whole(value: ir.NumericValue) -> ir.IntegerValue:
	"""The whole part of a number that is not negative."""
	return value.cast("float64").floor().cast("int64")


def floor_div(value: ir.NumericValue, by: ir.NumericValue) -> ir.IntegerValue:
	"""How many whole times ``by`` goes into ``value``, rounded down also below 0."""
	return (value.cast("float64") / by.cast("float64")).floor().cast("int64")

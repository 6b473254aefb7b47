"""What care falls due: who enters and leaves plans, which touchpoints are to be made, and which are over.

A function of (data, configuration, ``as_of``) like the cycle, and run after it on its profiles. What is there already
is not made again: the occurrence's key decides, so a run that was killed is simply run again.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from . import contact, schedule
from .calendar import (
	anniversaries_table,
	day_number,
	day_of,
	days_table,
	integers,
	month_of,
	months_table,
	number,
	texts,
)
from .conditions import column_name
from .contact import Facts
from .dates import literal
from .enrollment import enrolled, families, joining, leaving, members, plan_problems, plans_table, running
from .errors import Problem
from .occurrences import LATE, Falls, happenings, nearest, steps_table
from .plans import Care
from .relations import RELATIONS, completed
from .signals import Keep

if TYPE_CHECKING:
	from .cycle import Backend

# What planning needs of the profiles, besides what the conditions of plans and rules ask for.
STANDING = (
	"nr", "party", "party_type", "tier", "tier_rank", "tier_since", "previous_tier",
	"stage", "stage_since", "previous_stage", "first_purchase", "last_purchase", "mean_interval_days",
	"last_interaction", "manager",
)  # fmt: skip


KNOWN_PAST = 30 * 366  # days back to which clocks and events are known
KNOWN_FUTURE = 1200  # more than the longest horizon and the longest time for a service together
TURNS = 3  # times that capacity and quiet days are brought together before the rest waits for another night


@dataclass(frozen=True)
class CareResult:
	"""What a run of the plans found; day columns are dates.

	``entered``: party, plan_nr, treated, phase, spread. ``left``: party, family, why (party or target).
	``touchpoints``: party, step_nr, key, open_key, occurrence, due, person (user or null), again (1: it was Waiting),
	status (Open, Waiting, Suppressed), rule_nr and moved_by (numbers of rules, or null), moves (1: the enrollment goes
	over to its next version) and service, the day by which it is to be done. ``over``: keys of touchpoints still to be done that end, with status (Missed or
	Cancelled) and why. ``steps``: the rows of ``occurrences.steps_table``. ``counts``: entered, left, due, waiting,
	suppressed, missed, cancelled, unplaced (for whom no day is free).
	"""

	entered: ir.Table
	left: ir.Table
	touchpoints: ir.Table
	over: ir.Table
	problems: list[Problem]
	counts: dict[str, int]


def standing_of(profiles: ir.Table, parties: ir.Table, wanted: set[str]) -> ir.Table:
	"""The columns that planning reads, with ``nr`` and the party's manager; unknown ones as nulls."""
	more = [name for name in wanted if name in profiles.columns and name not in STANDING]
	types = {"manager": "string"}
	manager = parties.manager if "manager" in parties.columns else ibis.null("string")
	owners = parties.select(o_party="party", manager=manager)
	joined = profiles.left_join(owners, profiles.party == owners.o_party)
	columns = {name: joined[name] for name in STANDING if name in joined.columns}
	columns |= {name: ibis.null(types.get(name, "date")) for name in STANDING if name not in joined.columns}
	return joined.select(**columns, **{name: joined[name] for name in more})


def wanted_columns(care: Care) -> set[str]:
	"""Columns that the conditions of plans and rules ask for."""
	groups = [plan.conditions for plan in care.plans] + [rule.conditions for rule in care.rules]
	return {column_name(condition.field) for group in groups for condition in group}


def plan_care(
	backend: Backend, care: Care, given: Mapping[str, ir.Table], standing: ir.Table, as_of: datetime.date
) -> CareResult:
	"""Evaluate the plans as of a day. ``standing``: one row a party with the columns of ``standing_of``."""

	keep = backend.materialise
	given = with_empty(backend, given)
	names = backend.materialise("care_names", standing.select("party", "nr"))
	broken = plan_problems(care, standing.schema())
	problems = [item for found in broken.values() for item in found]
	problems += contact.rule_problems(care, standing.schema())
	plans = backend.load("care_plans", plans_table(care, as_of))
	current = keep("care_current", running(given, names, plans))
	fitting = keep("care_fitting", members(standing, care, as_of, broken))
	left = keep("care_left", leaving(current, fitting, standing_still(care, broken)))
	gone = keep("care_gone", left.select(g_party="party", g_family="family", g_why="why"))
	entered = joining(backend, care, fitting, current)
	people = enrolled(current, gone, entered, as_of, keep)

	today = number(as_of)
	days = backend.load("care_calendar", days_table(today - KNOWN_PAST, today + KNOWN_FUTURE))
	due = candidates(backend, care, given, standing, names, people, days, as_of, keep)
	placed = placed_in_time(backend, care, given, standing, due, gone, as_of, keep)
	facts = Facts(given, standing, names, as_of)
	held = contact.stops(placed.mutate(day=placed.day), care, facts, keep)
	touchpoints = keep("care_touchpoints", judged(backend, care, placed, held, days))
	over = keep("care_over", ending(given, touchpoints, gone, as_of))
	counts = count(backend, entered, left, touchpoints, over, due)
	whom = standing.select(w_nr="nr", party="party")
	arrivals = entered.inner_join(whom, entered.nr == whom.w_nr)
	arrived = arrivals.select("party", "plan_nr", "treated", "phase", "spread")
	return CareResult(arrived, left.select("party", "family", "why"), touchpoints, over, problems, counts)


def with_empty(backend: Backend, given: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
	"""The relations, and those of planning that are missing as empty ones."""
	known = dict(given)
	for name in ("enrollments", "touchpoints"):
		if name not in known:
			columns = {column.name: texts([]) for column in RELATIONS[name]}
			empty = backend.load(f"care_no_{name}", columns)
			known[name] = empty.select(
				**{column.name: empty[column.name].cast(column.type) for column in RELATIONS[name]}
			)
	return known


def standing_still(care: Care, broken: Mapping[str, object]) -> list[int]:
	"""Numbers of the families whose members stay as they are: paused, or with conditions that nobody can decide."""
	numbers = families(care)
	return sorted(
		{numbers[plan.family] for plan in care.plans if plan.current and (plan.paused or plan.name in broken)}
	)


def candidates(
	backend: Backend,
	care: Care,
	given: Mapping[str, ir.Table],
	standing: ir.Table,
	names: ir.Table,
	people: ir.Table,
	days: ir.Table,
	as_of: datetime.date,
	keep: Keep,
) -> ir.Table:
	"""What is to be made or judged again: id, nr, party, step and its attributes, key, open_key, occ, ready, again,
	replaces (1: it takes the place of an open touchpoint that was missed), owner (who has what is judged again),
	tier_rank, phase, moves. A step of which a run as of the same day held something back waits for another day.
	"""
	today = number(as_of)
	steps = backend.load("care_steps", steps_table(care))
	falls = keep("care_falls", all_falls(backend, care, given, standing, names, people, steps, days, as_of))
	near = keep("care_near", nearest(falls, today, care.horizon))
	known = keep("care_asked", with_keys(near, steps, standing, people, days))
	done = completed(given["touchpoints"], "touchpoints")
	held_today = (done.judged == literal(as_of)) & done.status.isin(["Waiting", "Suppressed"])
	held_today = held_today.fill_null(False).cast("int64")
	made = done.filter(done.key.notnull()).select(t_key="key", t_today=held_today)
	still = done.filter(done.open_key.notnull()).select(
		u_open="open_key", u_key="key", u_status="status", u_due=day_number(done.due),
		u_occ=day_number(done.occurrence), owner="owner",
	)  # fmt: skip
	joined = known.left_join(made, known.key == made.t_key)
	joined = joined.left_join(still, joined.open_key == still.u_open)
	line = ibis.window(group_by=["nr", "line_nr"])
	joined = joined.mutate(dealt=joined.t_today.fill_null(0).max().over(line))
	joined = joined.filter(joined.dealt == 0)
	fresh, opened = joined.t_key.isnull(), joined.u_key.notnull()
	put_off = opened & (joined.u_status == "Open") & (joined.u_due > today)
	past = (joined.past == 1) & fresh & (~opened | ~put_off)
	ahead = (joined.past == 0) & fresh & ~opened
	again = opened & (joined.u_status == "Waiting") & (joined.u_key == joined.key)
	ready = ibis.greatest(ibis.ifelse(again, ibis.greatest(joined.n, joined.u_due), joined.n), today)
	kind = ibis.cases((past & (~opened | (joined.u_occ < joined.occ)), 0), (again, 1), (ahead, 2), else_=9)
	chosen = joined.mutate(
		kind=kind, ready=ready, again=again.cast("int64"), replaces=(past & opened).cast("int64")
	)
	chosen = chosen.filter(chosen.kind < 9)
	order = ibis.window(group_by=["nr", "line_nr"], order_by=[chosen.kind, chosen.n])
	first = chosen.mutate(place=ibis.row_number().over(order))
	one = first.filter(first.place == 0)
	names = [name for name in known.columns if name not in ("n", "past")]
	numbered = one.mutate(id=ibis.row_number().over(ibis.window(order_by=[one.nr, one.line_nr])))
	return keep("care_due", numbered.select("id", *names, "ready", "again", "replaces", "owner"))


def all_falls(
	backend: Backend,
	care: Care,
	given: Mapping[str, ir.Table],
	standing: ir.Table,
	names: ir.Table,
	people: ir.Table,
	steps: ir.Table,
	days: ir.Table,
	as_of: datetime.date,
) -> ir.Table:
	"""Occurrences of all timings around ``as_of``."""
	today = number(as_of)
	falls = Falls(people, steps, standing, care, as_of)
	used = falls.used()
	found = [falls.every_days()]
	if "months" in used:
		months = months_table(month_of(day_of(today - KNOWN_PAST)), month_of(day_of(today + KNOWN_FUTURE)))
		found.append(falls.every_months(days, backend.load("care_months", months)))
	if "rhythm" in used:
		found.append(falls.rhythm())
	if "occasion" in used:
		found += occasion_falls(backend, care, given, names, falls, today)
	events = happenings(given, standing, names, care, as_of) if "event" in used else None
	if events is not None:
		found.append(falls.events(backend.materialise("care_events", events)))
	return ibis.union(*found) if len(found) > 1 else found[0]


def occasion_falls(
	backend: Backend,
	care: Care,
	given: Mapping[str, ir.Table],
	names: ir.Table,
	falls: Falls,
	today: int,
) -> list[ir.Table]:
	"""Occurrences of occasions: those for everybody, and those whose dates lie in the data."""
	pairs = [(nr, number(day)) for nr, item in enumerate(care.occasions) for day in item.days]
	columns = {"o_nr": integers(nr for nr, _ in pairs), "o_day": integers(day for _, day in pairs)}
	found = [falls.occasions_for_all(backend.load("care_occasions", columns))]
	if "occasion_dates" in given:
		known = {
			"o_nr": integers(range(len(care.occasions))),
			"o_name": texts(item.name for item in care.occasions),
			"policy": integers(int(item.on_28th) for item in care.occasions),
		}
		window = anniversaries_table(today - 400, today + 800)
		found.append(
			falls.occasions_of_each(
				given["occasion_dates"],
				backend.load("care_occasion_names", known),
				names.select(p_nr="nr", who="party"),
				backend.load("care_anniversaries", window),
			)
		)
	return found


def with_keys(
	near: ir.Table, steps: ir.Table, standing: ir.Table, people: ir.Table, days: ir.Table
) -> ir.Table:
	"""Occurrences with their keys and the attributes of step and party."""
	attributes = steps.select(
		"line", "family_nr", "priority", "touchpoint_type", "channel", "nature", "sends", "service_days",
		a_step="step_nr", a_plan="plan_nr",
	)  # fmt: skip
	joined = near.inner_join(attributes, near.step_nr == attributes.a_step)
	names = standing.select("party", "party_type", "tier_rank", p_nr="nr")
	joined = joined.inner_join(names, joined.nr == names.p_nr)
	phases = people.select(z_nr="nr", z_plan="plan_nr", phase="phase")
	joined = joined.inner_join(phases, (joined.nr == phases.z_nr) & (joined.a_plan == phases.z_plan))
	calendar = days.select(i_n="n", iso="iso")
	dated = joined.inner_join(calendar, joined.occ == calendar.i_n)
	return dated.select(
		"nr", "party", "party_type", "step_nr", "line_nr", "family_nr", "occ", "n", "past", "moves", "priority",
		"touchpoint_type", "channel", "nature", "sends", "service_days", "tier_rank", "phase",
		key=dated.line + dated.iso + "|" + dated.party,
		open_key=dated.line + dated.party,
	)  # fmt: skip


def placed_in_time(
	backend: Backend,
	care: Care,
	given: Mapping[str, ir.Table],
	standing: ir.Table,
	due: ir.Table,
	gone: ir.Table,
	as_of: datetime.date,
	keep: Keep,
) -> ir.Table:
	"""Candidates with the responsible person and the day; those without a free day wait for another night."""
	booked, load = bookings(backend, given, due, gone, as_of, keep)
	dealt = dealt_today(backend, given, as_of)
	owned = keep("care_owned", schedule.owners(backend, due, care, standing, load, dealt))
	steps = steps_table(care)
	quiet = contact.load_quiet_days(backend, care, steps, as_of)
	places = schedule.load_places(backend, care, as_of, booked, contact.closed_days(care, steps))
	waiting = keep("care_allowed", contact.off_quiet_days(owned, quiet))
	for turn in range(TURNS):
		placed = keep("care_scheduled", schedule.scheduled(waiting, places, keep))
		clashes = keep("care_clashes", contact.on_quiet_days(placed, quiet))
		if not int(backend.fetch(clashes.aggregate(n=clashes.count()))["n"][0]):
			break
		if turn == TURNS - 1:
			return placed.anti_join(clashes, "id")
		waiting = keep(f"care_allowed_{turn}", contact.put_off(waiting, clashes))
	return placed


def bookings(
	backend: Backend,
	given: Mapping[str, ir.Table],
	due: ir.Table,
	gone: ir.Table,
	as_of: datetime.date,
	keep: Keep,
) -> tuple[dict[tuple[str, int], int], dict[str, int]]:
	"""Places taken by user and day number, and open touchpoints by user from before today.

	What is late counts today; what goes out by itself, and what this run would end, not at all. What a run as of the
	same day made takes the place that it found, whatever became of it: so a run that was killed and run again, or is
	run once more, finds the same places for the rest.
	"""
	today = number(as_of)
	table = completed(given["touchpoints"], "touchpoints")
	table = table.mutate(same_day=(table.judged == literal(as_of)).fill_null(False).cast("int64"))
	open_or_held = (table.status == "Open") | (
		(table.same_day == 1) & table.status.isin(["Waiting", "Suppressed"])
	)
	mine = table.filter(open_or_held & table.owner.notnull() & (table.sends.fill_null(0) == 0))
	missed = keep("care_replaced", due.filter(due.replaces == 1).select(m_open="open_key"))
	# joins and not NOT EXISTS: MariaDB looks the keys of a join up
	mine = mine.left_join(missed, mine.open_key == missed.m_open)
	mine = mine.filter(mine.m_open.isnull())
	mine = mine.left_join(gone, (mine.party == gone.g_party) & (mine.family == gone.g_family))
	mine = mine.filter(mine.g_party.isnull())
	# a touchpoint without a day that can be read is work of today, like what is late
	due_n = day_number(mine.due).fill_null(today)
	dated = mine.select("owner", "same_day", n=ibis.greatest(due_n, ibis.literal(today, "int64")))
	rows = backend.fetch(dated.group_by(["owner", "same_day", "n"]).aggregate(many=dated.count()))
	booked: dict[tuple[str, int], int] = {}
	load: dict[str, int] = {}
	for user, same_day, n, many in zip(rows["owner"], rows["same_day"], rows["n"], rows["many"], strict=True):
		booked[str(user), int(n)] = booked.get((str(user), int(n)), 0) + int(many)
		if not same_day:
			load[str(user)] = load.get(str(user), 0) + int(many)
	return booked, load


def dealt_today(backend: Backend, given: Mapping[str, ir.Table], as_of: datetime.date) -> list[str]:
	"""The keys of what runs as of the same day made or judged."""
	table = completed(given["touchpoints"], "touchpoints")
	mine = table.filter((table.judged == literal(as_of)) & table.key.notnull())
	return [str(key) for key in backend.fetch(mine.select("key"))["key"]]


def judged(backend: Backend, care: Care, placed: ir.Table, held: ir.Table, days: ir.Table) -> ir.Table:
	"""Candidates with their status, the rule that holds them back, and dates for day numbers."""
	users = schedule.users_of(care)
	people = backend.load("care_users", {"u_nr": integers(range(1, len(users) + 1)), "person": texts(users)})
	found = held.select(h_id="id", rule_nr="rule_nr")
	joined = placed.left_join(found, placed.id == found.h_id)
	joined = joined.left_join(people, joined.person_nr == people.u_nr)
	dropping = [nr for nr, rule in enumerate(care.rules) if rule.action == "drop"]
	dropped = joined.rule_nr.isin(dropping) if dropping else ibis.literal(False)
	status = ibis.cases(
		(joined.rule_nr.isnull(), "Open"), (dropped.fill_null(False), "Suppressed"), else_="Waiting"
	)
	dated = joined.mutate(status=status)
	occurred, due = days.select(x_n="n", x_iso="iso"), days.select(y_n="n", y_iso="iso")
	dated = dated.inner_join(occurred, dated.occ == occurred.x_n)
	dated = dated.inner_join(due, dated.day == due.y_n)
	served = days.select(v_n="n", v_iso="iso")
	dated = dated.inner_join(served, dated.day + dated.service_days == served.v_n)
	return dated.select(
		"id", "party", "party_type", "step_nr", "key", "open_key", "person", "again", "replaces", "status", "rule_nr",
		"moved_by", "moves",
		occurrence=dated.x_iso.cast("date"),
		due=dated.y_iso.cast("date"),
		service=dated.v_iso.cast("date"),
	)  # fmt: skip


def ending(
	given: Mapping[str, ir.Table], touchpoints: ir.Table, gone: ir.Table, as_of: datetime.date
) -> ir.Table:
	"""key, status and why of what is still to be done and ends: its next occurrence came, its party left the plan, or a
	rule held it back until nobody asked for it any more.
	"""
	table = completed(given["touchpoints"], "touchpoints")
	still = table.filter(table.open_key.notnull())
	replaced = touchpoints.filter(touchpoints.replaces == 1).select(r_open="open_key", r_key="key")
	late = still.inner_join(replaced, still.open_key == replaced.r_open)
	missed = late.filter(late.key != late.r_key).select(
		"key", "party", status=ibis.literal("Missed"), why=ibis.literal("next occurrence")
	)
	left = still.inner_join(gone, (still.party == gone.g_party) & (still.family == gone.g_family))
	cancelled = left.select("key", "party", status=ibis.literal("Cancelled"), why="g_why")
	# one that is judged again has its day moved on; so an old day says that its occurrence is over
	over = still.filter(
		(still.status == "Waiting") & (still.due < literal(as_of - datetime.timedelta(days=LATE)))
	)
	stayed = over.left_join(gone, (over.party == gone.g_party) & (over.family == gone.g_family))
	stayed = stayed.left_join(replaced, stayed.open_key == replaced.r_open)
	stale = stayed.filter(stayed.g_party.isnull() & stayed.r_open.isnull())
	suppressed = stale.select(
		"key", "party", status=ibis.literal("Suppressed"), why=ibis.literal("waited too long")
	)
	return missed.union(cancelled).union(suppressed)


def count(
	backend: Backend, entered: ir.Table, left: ir.Table, touchpoints: ir.Table, over: ir.Table, due: ir.Table
) -> dict[str, int]:
	"""The counts of ``CareResult``."""

	def rows(table: ir.Table) -> int:
		return int(backend.fetch(table.aggregate(n=table.count()))["n"][0])

	made = backend.fetch(touchpoints.group_by("status").aggregate(n=touchpoints.count()))
	by_status = dict(zip(made["status"].tolist(), made["n"].tolist(), strict=True))
	ended = backend.fetch(over.group_by("status").aggregate(n=over.count()))
	by_end = dict(zip(ended["status"].tolist(), ended["n"].tolist(), strict=True))
	return {
		"entered": rows(entered),
		"left": rows(left),
		"due": int(by_status.get("Open", 0)),
		"waiting": int(by_status.get("Waiting", 0)),
		"suppressed": int(by_status.get("Suppressed", 0)) + int(by_end.get("Suppressed", 0)),
		"missed": int(by_end.get("Missed", 0)),
		"cancelled": int(by_end.get("Cancelled", 0)),
		"unplaced": rows(due) - sum(int(n) for n in by_status.values()),
	}

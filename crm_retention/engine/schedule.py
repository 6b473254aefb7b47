"""Who does it, and on which day: responsible people, working days and capacity.

People's free places in the coming weeks are numbered in the order of days. Whoever is due takes, in the order of ready
day, tier and priority, the first free place of the responsible person that is not before the ready day and not taken
by somebody earlier in that order. Among those of one person, the i-th takes place

    i + max over j <= i of (first place of j - j),

which is one cumulative maximum: no row is looked at twice, and the same waiting line gives the same days.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from .calendar import Columns, day_of, integers, number, texts
from .occurrences import all_steps
from .plans import Care, Person
from .signals import Keep

if TYPE_CHECKING:
	from .cycle import Backend

NOBODY = 0  # the number of whoever is responsible for nothing that has an owner; real people count from 1
UNLIMITED = 1_000_000
Closed = tuple[frozenset[datetime.date], frozenset[datetime.date]]
NEVER: Closed = (frozenset(), frozenset())
# who may be responsible, the first of them is: who has it, by a role, by the step, the party's manager, the fallback
CANDIDATES = ("h_person", "w_person", "q_person", "m_person", "f_person")
BEYOND = 21  # days after the horizon in which a place may still be found


def people_table(care: Care) -> Columns:
	"""``person_nr`` and ``user``."""
	return {
		"person_nr": integers(range(1, len(care.people) + 1)),
		"user": texts(person.user for person in care.people),
	}


def deals_table(care: Care) -> Columns:
	"""Whom a step may fall to, by place: ``d_step``, ``place``, ``person_nr``, ``people`` (how many)."""
	numbers = {person.user: nr for nr, person in enumerate(care.people, 1)}
	rows = []
	for step_nr, (_nr, _plan, step) in enumerate(all_steps(care)):
		known = [numbers[user] for user in step.people if user in numbers]
		if step.owner_rule in ("round robin", "user"):
			rows += [(step_nr, place, person, len(known)) for place, person in enumerate(known)]
	names = ("d_step", "place", "person_nr", "people")
	columns = zip(*rows, strict=True) if rows else ((),) * len(names)
	return {name: integers(column) for name, column in zip(names, columns, strict=True)}


def owners(
	backend: Backend,
	due: ir.Table,
	care: Care,
	standing: ir.Table,
	load: Mapping[str, int],
	dealt: Sequence[str] = (),
) -> ir.Table:
	"""``due`` with ``person_nr``: by the rule of each step, else the party's own manager, else the fallback.

	What is judged again stays with whom it was given to. Whoever may not see the party is passed over; where that is the
	fallback too, it is nobody's. ``load`` and ``dealt`` are those of ``least_loaded``.
	A round robin deals by the party's phase, so that a customer stays with the same person while the role does.
	"""
	people = backend.load("care_people", people_table(care))
	deals = backend.load("care_deals", deals_table(care))
	numbers = {person.user: nr for nr, person in enumerate(care.people, 1)}
	fallback = numbers.get(care.fallback or "", NOBODY)
	users = people.select(m_person="person_nr", m_user="user")
	managers = standing.inner_join(users, standing.manager == users.m_user)
	managers = managers.select("m_person", m_nr="nr")
	managed = due.left_join(managers, due.nr == managers.m_nr)
	sizes = deals.filter(deals.place == 0).select(z_step="d_step", z_people="people")
	sized = managed.left_join(sizes, managed.step_nr == sizes.z_step)
	place = (sized.phase * sized.z_people.fill_null(1)).cast("float64").floor().cast("int64")
	placed = sized.mutate(place=place)
	seats = deals.select(q_step="d_step", q_place="place", q_person="person_nr")
	seated = placed.left_join(seats, (placed.step_nr == seats.q_step) & (placed.place == seats.q_place))
	least = least_loaded(backend, due, care, load, dealt)
	given = seated.left_join(least, (seated.id == least.w_id))
	holders = people.select(h_person="person_nr", h_user="user")
	given = given.left_join(holders, (given.again == 1) & (given.owner == holders.h_user))
	given = given.mutate(f_person=ibis.literal(fallback, "int64")).select(*due.columns, *CANDIDATES)
	seeing = without_unseen(backend, care, given)
	person = ibis.coalesce(*(seeing[name] for name in CANDIDATES), ibis.literal(NOBODY, "int64"))
	return seeing.select(*due.columns, person_nr=person.cast("int64"))


def without_unseen(backend: Backend, care: Care, given: ir.Table) -> ir.Table:
	"""``given`` without those candidates who may not see the party. Asks only where somebody does not see everybody."""
	limited = {nr: person.unseen for nr, person in enumerate(care.people, 1) if person.unseen}
	if not limited:
		return given
	table = found = backend.materialise("care_candidates", given)
	for name in CANDIDATES:
		asked = table.filter(table[name].isin(sorted(limited)))
		rows = backend.fetch(asked.select("party", person=asked[name].cast("int64")).distinct())
		parties: dict[int, list[str]] = {}
		for party, nr in zip(rows["party"], rows["person"], strict=True):
			parties.setdefault(int(nr), []).append(str(party))
		pairs = [(nr, party) for nr in sorted(parties) for party in sorted(limited[nr](parties[nr]))]
		if pairs:
			columns = {
				"b_person": integers(nr for nr, _ in pairs),
				"b_party": texts(name for _, name in pairs),
			}
			unseen = backend.load(f"care_unseen_{name}", columns)
			met = (found.party == unseen.b_party) & (found[name] == unseen.b_person)
			joined = found.left_join(unseen, met)
			kept = ibis.ifelse(joined.b_party.isnull(), joined[name], ibis.null("int64"))
			found = joined.select(*(item for item in found.columns if item != name), **{name: kept})
	return found


def least_loaded(
	backend: Backend, due: ir.Table, care: Care, load: Mapping[str, int], dealt: Sequence[str] = ()
) -> ir.Table:
	"""``w_id`` and ``w_person`` of what goes to whoever of a role has the least to do, dealt one by one by key.

	``load``: open touchpoints by user from before today. ``dealt``: keys of what was made today already; it is dealt
	again with the rest, so that the rest gets what it would have got in one go.
	"""
	numbers = {person.user: nr for nr, person in enumerate(care.people, 1)}
	roles: dict[tuple[str, ...], list[int]] = {}
	lines: dict[tuple[str, ...], tuple[str, ...]] = {}
	for step_nr, (_nr, plan, step) in enumerate(all_steps(care)):
		if step.owner_rule == "least loaded":
			users = tuple(user for user in step.people if user in numbers)
			roles.setdefault(users, []).append(step_nr)
			lines[users] = (*lines.get(users, ()), f"{plan.family}|{step.key}|")
	ids: list[int] = []
	persons: list[int] = []
	have = dict(load)
	for users, steps in sorted(roles.items()):
		if not users:
			continue
		waiting = backend.fetch(due.filter(due.step_nr.isin(steps)).select("id", "key", "party"))
		columns = (waiting[name] for name in ("key", "id", "party"))
		line = [(str(key), int(one), str(party)) for key, one, party in zip(*columns, strict=True)]
		line += [(key, 0, party_of(key, lines[users])) for key in dealt if key.startswith(lines[users])]
		unseen = unseen_by(care, users, {party for *_, party in line})
		for _key, one, party in sorted(line):
			able = [user for user in users if party not in unseen.get(user, ())]
			if not able:
				continue
			user = min(able, key=lambda name: (have.get(name, 0), name))
			have[user] = have.get(user, 0) + 1
			if one:
				ids.append(one)
				persons.append(numbers[user])
	return backend.load("care_least_loaded", {"w_id": integers(ids), "w_person": integers(persons)})


def party_of(key: str, lines: Sequence[str]) -> str:
	"""The party at the end of an occurrence's key, behind its line and day."""
	line = next(line for line in lines if key.startswith(line))
	return key[len(line) :].partition("|")[2]


def unseen_by(care: Care, users: Sequence[str], parties: Collection[str]) -> dict[str, Collection[str]]:
	"""The parties that each of these people may not see, for those from whom any may be hidden."""
	asked = [person for person in care.people if person.user in users and person.unseen]
	return {person.user: person.unseen(sorted(parties)) for person in asked if person.unseen}


def line_order(table: ir.Table) -> list[Any]:
	"""Earliest due first, higher tier first, then priority; the id decides between equals."""
	return [
		table.ready.asc(),
		table.tier_rank.fill_null(-1).desc(),
		table.priority.desc(),
		table.id.asc(),
	]


def places_table(
	care: Care, as_of: datetime.date, booked: Mapping[tuple[str, int], int], closed: Closed = NEVER
) -> tuple[Columns, Columns]:
	"""Free places of everybody from ``as_of`` on, and the first working day of nobody in particular.

	``person_nr``, ``n``, ``before`` and ``after`` (places up to before and after that day), one row a person and day.
	``booked``: what is open already, by user and day number; what is late counts today. ``closed``: days on which
	nothing that people do, and nothing that goes out by itself, may happen.
	"""
	today = number(as_of)
	days = range(today, today + care.horizon + BEYOND + 1)
	everyone = [(NOBODY, Person("", None)), *enumerate(care.people, 1)]
	rows: list[tuple[int, int, int, int]] = []
	for nr, person in everyone:
		off = care.calendars.get(person.calendar, care.calendars.get("", frozenset()))
		off = off | closed[0 if nr else 1]
		taken = 0
		for n in days:
			free = 0 if day_of(n) in off else places_on(person, booked.get((person.user, n), 0))
			rows.append((nr, n, taken, taken + free))
			taken += free
	columns = ("person_nr", "n", "before", "after")
	table = {name: integers(row[at] for row in rows) for at, name in enumerate(columns)}
	open_days = {name: column[table["after"] > table["before"]] for name, column in table.items()}
	return table, open_days


def places_on(person: Person, booked: int) -> int:
	"""Free places of a working day."""
	return UNLIMITED if person.a_day is None else max(person.a_day - booked, 0)


def load_places(
	backend: Backend,
	care: Care,
	as_of: datetime.date,
	booked: Mapping[tuple[str, int], int],
	closed: Closed = NEVER,
) -> tuple[ir.Table, ir.Table]:
	"""``places_table`` as work tables."""
	names, tables = ("care_places", "care_open_days"), places_table(care, as_of, booked, closed)
	first, second = (backend.load(name, table) for name, table in zip(names, tables, strict=True))
	return first, second


def scheduled(due: ir.Table, places: tuple[ir.Table, ir.Table], keep: Keep) -> ir.Table:
	"""``due`` with ``day``, the day number on which it is to be done; those for whom there is no place are left out.

	``due`` has id, person_nr, ready, tier_rank, priority and sends. What goes out by itself takes nobody's place.
	"""
	table, open_days = places
	seat = ibis.ifelse(due.sends == 1, ibis.literal(NOBODY, "int64"), due.person_nr)
	seated = due.mutate(seat=seat)
	starts = table.select(t_person="person_nr", t_n="n", t_before="before")
	joined = seated.inner_join(starts, (seated.seat == starts.t_person) & (seated.ready == starts.t_n))
	line = ibis.window(group_by="seat", order_by=line_order(joined))
	queued = keep("care_line", joined.mutate(i=ibis.row_number().over(line)))
	leads = keep("care_leads", leads_of(queued))
	together = queued.inner_join(leads, (queued.seat == leads.g_seat) & (queued.ready == leads.g_ready))
	placed = keep("care_placed", together.mutate(taken=together.i + together.lead))
	days = open_days.select(f_person="person_nr", day="n", f_before="before", f_after="after")
	found = placed.inner_join(
		days,
		(placed.seat == days.f_person) & (placed.taken >= days.f_before) & (placed.taken < days.f_after),
	)
	return found.select(*due.columns, "day")


def leads_of(queued: ir.Table) -> ir.Table:
	"""The cumulative maximum of (first place - i) for each seat and ready day: g_seat, g_ready, lead.

	Those who are ready on the same day have the same first place, so the first of them decides for all, and the maximum
	runs over days instead of rows.
	"""
	days = queued.group_by(g_seat=queued.seat, g_ready=queued.ready)
	gaps = days.aggregate(gap=(queued.t_before - queued.i).max())
	so_far = ibis.window(group_by="g_seat", order_by=gaps.g_ready, preceding=None, following=0)
	return gaps.select("g_seat", "g_ready", lead=gaps.gap.max().over(so_far))


def users_of(care: Care) -> Sequence[str]:
	"""The users in the order of their numbers, which count from 1."""
	return [person.user for person in care.people]

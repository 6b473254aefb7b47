"""Two thousand parties, night after night: every occurrence once, none lost, nobody overloaded, no cap exceeded.

A few weeks around the turn of the year and the leap day as a rule; a whole year with
RETENTION_SIMULATED_DAYS=366 python -m pytest tests/engine/test_planning_year.py (some ten minutes).
"""

import datetime
import math
import os
import random

import pytest

from crm_retention.engine.plans import Care, ContactRule, Occasion, Person, Plan, Step, draw
from tests.support.planning import World, days, weekends

Day = datetime.date
NIGHTS = int(os.environ.get("RETENTION_SIMULATED_DAYS", 24))
PARTIES = 2000
A_DAY = 20
CAP, WINDOW = 2, 7
FIRST = Day(2024, 2, 19)  # a Monday, ten days before a leap day
LAST = FIRST + datetime.timedelta(days=NIGHTS - 1)
TIERS = {"High": 3, "Regular": 2, "Potential": 1}
PEOPLE = tuple(f"person{number:02d}" for number in range(12))
OFF = weekends(FIRST, LAST + datetime.timedelta(days=120)) | {Day(2024, 3, 8), Day(2024, 12, 25)}


def call(key, **more):
	return Step(key, key, more.pop("timing", "every"), "Call", **({"channel": "Phone"} | more))


PLANS = (
	Plan("High v1", "High", tiers=("High",), holdout=0.1, priority=3, steps=(
		call("talk", months=1),
		call("rhythm", timing="rhythm", rhythm=0.8, channel="Visit"),
		call("feast", timing="occasion", occasion="Feast", offset=-3, nature="Greeting"),
	)),
	Plan("Regular v1", "Regular", tiers=("Regular",), holdout=0.2, priority=2, steps=(
		call("ask", months=3, owner_rule="least loaded", people=PEOPLE),
		call("silent", timing="event", event="silent", offset=60),
	)),
	Plan("Potential v1", "Potential", tiers=("Potential",), priority=1, steps=(
		call("insight", days=14, owner_rule="round robin", people=PEOPLE),
		call("letter", days=7, channel="Email", sends=True, nature="Message"),
	)),
)  # fmt: skip


@pytest.fixture(scope="module")
def year():
	dice = random.Random(5)
	care = Care(
		plans=PLANS,
		rules=(ContactRule("Two a week", "cap", maximum=CAP, window=WINDOW),),
		occasions=(Occasion("Feast", (Day(2024, 3, 5), Day(2024, 12, 24))),),
		people=tuple(Person(user, A_DAY) for user in PEOPLE),
		calendars={"": OFF},
		fallback=PEOPLE[0],
	)
	made = World(care)
	names = [f"P{number:04d}" for number in range(PARTIES)]
	made.add_parties(*(drawn(dice, name) for name in names))
	for day in days(FIRST, LAST):
		move(made, dice, names, day)
		made.run(day)
		made.do(day, f"due = DATE '{day}' AND hash(key) % 10 < 9")
		made.care = Care(**{**made.care.__dict__, "begun": frozenset(plan.family for plan in PLANS)})
	return made


def drawn(dice, name):
	"""A party with a tier, a last purchase and a rhythm."""
	tier = dice.choices(list(TIERS), weights=(15, 50, 35))[0]
	bought = FIRST - datetime.timedelta(days=dice.randint(1, 120))
	rhythm = dice.choice([None, 21.0, 34.5, 60.0])
	return {
		"party": name,
		"manager": dice.choice(PEOPLE),
		"tier": tier,
		"tier_rank": TIERS[tier],
		"last_purchase": bought,
		"mean_interval_days": rhythm,
	}


def move(made, dice, names, day):
	"""Some buy, a few get another tier."""
	for name in dice.sample(names, PARTIES // 100):
		made.change(name, last_purchase=day)
	for name in dice.sample(names, PARTIES // 500):
		tier = dice.choice(list(TIERS))
		made.change(name, tier=tier, tier_rank=TIERS[tier], tier_since=day)


def expected(step, clock, phase, spread, last):
	"""The days of a fixed interval from a clock to ``last``, counted one by one."""
	if step.days:
		day = clock + datetime.timedelta(days=math.floor(round(phase * spread * step.days, 9)))
		while day <= last:
			yield day
			day += datetime.timedelta(days=step.days)
		return
	start = clock + datetime.timedelta(days=math.floor(round(phase * spread * step.months * 30.4375, 9)))
	for count in range(0, 1200, step.months):
		month = start.year * 12 + start.month - 1 + count
		first = Day(month // 12, month % 12 + 1, 1)
		length = (Day((month + 1) // 12, (month + 1) % 12 + 1, 1) - first).days
		day = first.replace(day=min(start.day, length))
		if day > last:
			return
		yield day


def test_every_occurrence_of_an_interval_is_made_once_and_none_is_lost(year):
	made = {(row["party"], row["step"], row["occurrence"]) for row in year.touchpoints()}
	assert len(made) == len(year.touchpoints())
	steps = {plan.family: [step for step in plan.steps if step.timing == "every"] for plan in PLANS}
	missing = []
	query = "SELECT party, family, clock, phase, spread, left_on FROM members WHERE arm = 'Treated'"
	for party, family, clock, phase, spread, left in year.ask(query):
		for step in steps[family]:
			last = left - datetime.timedelta(days=1) if left else LAST
			for day in expected(step, clock, phase, spread, last):
				if (party, step.key, day) not in made:
					missing.append((party, step.key, day))
	assert missing == []
	assert len(made) > NIGHTS * 20


def test_nobody_has_more_on_a_day_than_it_holds_and_nothing_on_days_off(year):
	# one that was missed in the night before its day was nobody's work any more, and its place was given on
	work = "status IN ('Open', 'Done') OR (status = 'Missed' AND ended_on > due)"
	by_person = year.ask(
		f"SELECT owner, due, COUNT(*) FROM touchpoints WHERE sends = 0 AND ({work}) GROUP BY ALL"
	)
	assert max(count for _owner, _due, count in by_person) <= A_DAY
	assert not {due for _owner, due, _count in by_person} & OFF
	assert len({owner for owner, _due, _count in by_person}) == len(PEOPLE)


def test_no_party_is_contacted_more_often_than_the_cap_allows(year):
	contacts = year.ask("SELECT party, day FROM interactions ORDER BY party, day")
	by_party = {}
	for party, day in contacts:
		by_party.setdefault(party, []).append(day)
	for party, when in by_party.items():
		for at in range(CAP, len(when)):
			assert (when[at] - when[at - CAP]).days >= WINDOW, (party, when[at - CAP : at + 1])
	assert len(contacts) > NIGHTS * 15


def test_the_holdout_is_untouched(year):
	held = year.ask("SELECT party, family FROM members WHERE arm = 'Holdout'")
	shares = {plan.family: plan.holdout for plan in PLANS}
	assert all(draw(party, family)[0] < shares[family] for party, family in held)
	touched = {(row["party"], row["family"]) for row in year.touchpoints()}
	assert len(held) > 100
	assert not set(held) & touched


def test_never_two_open_ones_of_a_step(year):
	assert (
		year.ask("SELECT open_key FROM touchpoints WHERE open_key IS NOT NULL GROUP BY 1 HAVING COUNT(*) > 1")
		== []
	)
	assert (
		year.ask("SELECT party, family FROM members WHERE left_on IS NULL GROUP BY ALL HAVING COUNT(*) > 1")
		== []
	)


def test_what_nobody_did_of_an_interval_was_missed_and_not_piled_up(year):
	statuses = dict(year.ask("SELECT status, COUNT(*) FROM touchpoints GROUP BY status"))
	assert statuses["Done"] > statuses.get("Missed", 0)
	longest = {"talk": 31, "ask": 92, "insight": 14, "letter": 7}
	for key, interval in longest.items():
		old = f"status = 'Open' AND step = '{key}' AND occurrence < DATE '{LAST}' - {interval}"
		assert year.ask(f"SELECT COUNT(*) FROM touchpoints WHERE {old}") == [(0,)], key

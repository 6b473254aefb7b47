"""The same plans, the same parties, the same touchpoints: in DuckDB and in Spark."""

import datetime
import random

import pytest

from crm_retention.engine.plans import Care, ContactRule, Occasion, Person, Plan, Step
from crm_retention.engine.touchpoints import plan_care, standing_of, wanted_columns
from crm_retention.engine.values import Condition
from tests.support.cycles import read
from tests.support.places import Missing, duckdb_place, spark_place
from tests.support.planning import PROFILE, TABLES, World, weekends

Day = datetime.date
START = Day(2025, 3, 3)
NAMES = ["O'Neill", 'Quo"te', "50% off", "back\\slash", "Ünïcode", "客户", "under_score", "two  spaces"]
TEXTS = [name for name, kind in PROFILE.items() if kind == "VARCHAR"]


def care():
	steps = (
		Step("week", "Week", "every", "Call", channel="Phone", days=7, owner_rule="round robin", people=("ann", "bob")),
		Step("month", "Month", "every", "Visit", channel="Visit", months=1),
		Step("rhythm", "Rhythm", "rhythm", "Call", channel="Phone", rhythm=0.75, owner_rule="least loaded", people=("ann", "bob")),
		Step("feast", "Feast", "occasion", "Greeting", nature="Greeting", channel="Email", occasion="Feast", sends=True),
		Step("born", "Born", "occasion", "Greeting", nature="Greeting", channel="Phone", occasion="Birthday"),
		Step("quiet", "Quiet", "event", "Call", channel="Phone", event="silent", offset=40),
		Step("end", "End", "event", "Call", channel="Phone", event="contract end", offset=-30),
		Step("hurt", "Hurt", "event", "Call", nature="Notice", channel="Phone", event="complaint opened", priority=9),
		Step("offer", "Offer", "every", "Offer", nature="Offer", channel="Email", days=10, sends=True),
	)  # fmt: skip
	rules = (
		ContactRule("No", "consent", action="drop"),
		ContactRule("Cool", "cool-down", nature="Offer", cool_down=5),
		ContactRule("Quiet", "quiet days", quiet=frozenset({Day(2025, 3, 6)})),
		ContactRule("Two", "cap", maximum=2, window=7),
		ContactRule(
			"Small", "condition", action="drop", nature="Offer", conditions=(Condition("tier_rank", "<", 2),)
		),
	)
	return Care(
		plans=(Plan("Care v1", "Care", steps=steps, tiers=("High", "Regular", "客户"), holdout=0.1),),
		rules=rules,
		occasions=(Occasion("Feast", (Day(2025, 3, 10),)), Occasion("Birthday")),
		people=(Person("ann", 9), Person("bob", None), Person("cat", 6)),
		calendars={"": weekends(START, Day(2025, 6, 1))},
		fallback="cat",
	)


def grown_world():
	"""A world three nights old, with everything that rules and timings ask about."""
	dice = random.Random(11)
	made = World(care())
	for name in NAMES + [f"P{number:03d}" for number in range(80)]:
		tier = dice.choice(["High", "Regular", "客户", "Low", None])
		ranks = {"High": 3, "Regular": 2, "客户": 2, "Low": 1}
		made.party(
			name,
			manager=dice.choice(["ann", "bob", "gone", None]),
			tier=tier,
			tier_rank=ranks.get(tier),
			last_purchase=dice.choice([None, START - datetime.timedelta(days=dice.randint(1, 90))]),
			mean_interval_days=dice.choice([None, 12.5, 30.0]),
			last_interaction=dice.choice([None, START - datetime.timedelta(days=dice.randint(1, 60))]),
		)
		if dice.random() < 0.2:
			opened = START - datetime.timedelta(days=dice.randint(0, 9))
			made.add(
				"cases",
				{"party": name, "opened": opened, "closed": dice.choice([None, START]), "kind": "Complaint"},
			)
		if dice.random() < 0.2:
			made.add("consents", {"party": name, "channel": dice.choice([None, "Email"]), "answer": "No"})
		if dice.random() < 0.3:
			made.add(
				"occasion_dates",
				{
					"party": name,
					"occasion": "Birthday",
					"day": Day(1990, 3, dice.randint(1, 28)),
					"yearly": 1,
				},
			)
		made.add("contracts", {"party": name, "end": START + datetime.timedelta(days=dice.randint(5, 90))})
		made.add("feedback", {"party": name, "day": START, "kind": "NPS", "score": 9.0})
		made.add(
			"interactions",
			{"party": name, "day": START, "direction": dice.choice(["In", "Out"]), "channel": "Phone"},
		)
	for night in (3, 5, 7):
		made.run(Day(2025, 3, night))
		made.do(Day(2025, 3, night), "hash(key) % 3 = 0")
	return made


@pytest.fixture(scope="module")
def data():
	made = grown_world()
	rows = {"enrollments": made.ask("SELECT * FROM enrollments")}
	columns = {"enrollments": list(TABLES["members"])}
	for name in TABLES:
		if name != "members":
			rows[name], columns[name] = made.ask(f"SELECT * FROM {name} ORDER BY 1"), list(TABLES[name])
	numbered = [(number, *row) for number, row in enumerate(sorted(rows.pop("profiles")))]
	rows["numbered"], columns["numbered"] = numbered, ["nr", *columns.pop("profiles")]
	return {name: [dict(zip(columns[name], row, strict=True)) for row in rows[name]] for name in rows}


def found(place, data):
	with place(data) as backend:
		given = dict(backend.relations())
		table = standing_of(given["numbered"], given["parties"], wanted_columns(care()))
		standing = backend.materialise("standing", table)
		result = plan_care(backend, care(), given, standing, Day(2025, 3, 11))
		columns = ("key", "status", "occurrence", "due", "service", "person", "rule_nr", "moved_by", "again")
		rows = [tuple(plain(row[name]) for name in columns) for row in read(backend, result.touchpoints)]
		over = sorted((row["key"], row["status"], row["why"]) for row in read(backend, result.over))
		return sorted(rows, key=str), over, result.counts


def plain(value):
	if isinstance(value, datetime.date):
		return value.isoformat()
	return value if value is None or isinstance(value, str) else int(value)


def test_the_world_has_something_of_everything(data):
	rows, over, counts = found(duckdb_place, data)
	assert {row[1] for row in rows} == {"Open", "Waiting", "Suppressed"}
	assert counts["due"] > 20
	assert len(rows) > 30
	assert counts["due"] + counts["waiting"] + counts["suppressed"] == len(rows)
	assert counts["missed"] + counts["cancelled"] == len(over)


@pytest.mark.slow
def test_spark_plans_the_same(data):
	try:
		there = found(spark_place, data)
	except Missing as error:
		pytest.skip(str(error))
	here = found(duckdb_place, data)
	assert there[0] == here[0]
	assert there[1:] == here[1:]

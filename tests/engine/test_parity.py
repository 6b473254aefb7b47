"""The same input, the same configuration, the same rows: in DuckDB and in Spark."""

import datetime
import decimal
import random

import pytest

from crm_retention.setup.defaults import DEFAULTS
from tests.support.cycles import AS_OF, Outcome, days_ago, run_on
from tests.support.places import Missing, duckdb_place, spark_place

GROUPS = ["All", "Shops", "Small", "Big", "Schools", None]
TREE = {"Shops": "All", "Small": "Shops", "Big": "Shops", "Schools": "All", "All": None}
# Names that a careless quote, collation or pattern would change.
NAMES = [
	"O'Neill",
	'Quo"te',
	"50% off",
	"back\\slash",
	"Ünïcode",
	"客户",
	"semi;colon",
	"two  spaces",
	"under_score",
]
LABELS = ["Gold", "gold", "GOLD ", "Gold%", "G_ld", "Göld", "", None, "金"]


def company(seed=7, parties=260):
	"""Parties of every kind with all relations, and yesterday's state of most of them."""
	dice = random.Random(seed)
	names = NAMES + [f"P{number:04d}" for number in range(parties - len(NAMES))]

	def ago(most, least=0):
		return days_ago(dice.randint(least, most))

	def maybe(value, share=0.3):
		return None if dice.random() < share else value

	data = {
		"parties": [
			{
				"party": name,
				"party_type": dice.choice(["Customer", "Lead"]),
				"party_name": f"The {name}",
				"group": dice.choice(GROUPS),
				"label": dice.choice(LABELS),
				"size": maybe(dice.randint(-3, 40)),
				"share": maybe(round(dice.uniform(-1, 1), 3)),
				"founded": maybe(ago(9000)),
				"seen": maybe(datetime.datetime(2025, 6, dice.randint(1, 30), dice.randint(0, 23), 30)),
				"vip": maybe(dice.random() < 0.5),
			}
			for name in names
		],
		"purchases": [],
		"items": [],
		"interactions": [],
		"feedback": [],
		"cases": [],
		"contracts": [],
		"visits": [],
		"state": [],
	}
	for name in names:
		if dice.random() < 0.1:
			continue
		usual = dice.gammavariate(3, 60)
		for day in buying_days(dice):
			amount = round(dice.choice([1, 1, 1, 1, 1, -0.4, 0]) * usual * dice.uniform(0.5, 2), 2)
			paid = dice.random() < 0.8
			due = day + datetime.timedelta(days=30)
			data["purchases"].append(
				{
					"party": name,
					"day": day,
					"amount": amount,
					"discount": dice.choice([0.0, 0.0, round(abs(amount) * 0.1, 2)]),
					"margin": maybe(round(amount * 0.3, 2)),
					"due_day": maybe(due, 0.1),
					"paid_day": due + datetime.timedelta(days=dice.randint(-20, 40)) if paid else None,
					"outstanding": 0.0 if paid else amount,
				}
			)
			data["items"].append({"party": name, "day": day, "product": f"item {dice.randint(1, 30)}"})
		for _ in range(dice.randint(0, 3)):
			talk = {"party": name, "day": ago(200, -5), "direction": dice.choice(["In", "Out", None])}
			data["interactions"].append(talk)
			data["feedback"].append(
				{
					"party": name,
					"day": ago(300),
					"kind": dice.choice(["NPS", "CSAT", "CES"]),
					"score": float(dice.randint(0, 10)),
				}
			)
			opened = ago(200, -5)
			data["cases"].append(
				{
					"party": name,
					"opened": opened,
					"closed": maybe(opened + datetime.timedelta(days=dice.randint(0, 90)), 0.4),
					"kind": dice.choice(["Complaint", "complaint", "Question", None]),
				}
			)
			data["contracts"].append({"party": name, "start": maybe(ago(400, -30)), "end": ago(100, -400)})
			data["visits"].append(
				{
					"who": maybe(name, 0.1),
					"on": ago(120, -5),
					"minutes": maybe(dice.randint(5, 90)),
					"kind": dice.choice(LABELS),
				}
			)
		if dice.random() < 0.8:
			data["state"].append(state_row(dice, name, ago))
	return data


def buying_days(dice):
	"""Days on which somebody buys as BG/NBD says, up to two days into the future."""
	rate, leaving = dice.gammavariate(0.8, 1 / 40), dice.betavariate(0.8, 4)
	ago = float(dice.randint(-2, 900))
	while ago >= -2:
		yield days_ago(int(ago))
		ago -= dice.expovariate(rate)
		if dice.random() < leaving:
			return


def state_row(dice, name, ago):
	tiers, stages = ["Potential", "Regular", "High Value", None], ["Active", "Dormant", "Lost", "Loyal", None]
	by_hand = dice.random() < 0.2
	return {
		"party": name,
		"tier": dice.choice(tiers),
		"tier_since": dice.choice([AS_OF, ago(200, 1), None]),
		"previous_tier": dice.choice(tiers),
		"previous_tier_since": ago(400, 200),
		"stage": dice.choice(stages),
		"stage_since": dice.choice([AS_OF, ago(200, 1)]),
		"previous_stage": dice.choice(stages),
		"previous_stage_since": ago(400, 200),
		"override_tier": dice.choice(tiers[:3]) if by_hand else None,
		"override_stage": dice.choice(stages[:4]) if by_hand else dice.choice(["", None]),
		"override_until": dice.choice([None, AS_OF, days_ago(1), days_ago(-30)]) if by_hand else None,
	}


# The defaults, and on top of them a tier or stage for each operator and type.
TRICKY = [
	["party.label", "=", "Gold"],
	["party.label", "!=", "gold"],
	["party.label", "in", ["Gold", "GOLD ", "金"]],
	["party.label", "not in", ["Gold", ""]],
	["party.label", "like", "G_ld%"],
	["party.label", "not like", "%\\%"],
	["party.label", "like", "%[o]%"],
	["party.label", ">", "Gold"],
	["party.label", "between", ["G", "Z"]],
	["party.label", "is not set"],
	["party.group", "descendants of", "Shops"],
	["party.size", ">=", 7.5],
	["party.size", "like", "1%"],
	["party.share", "<", 0.25],
	["party.founded", "between", ["2010-01-01", "2020-06-15"]],
	["party.seen", "<=", "2025-06-15"],
	["party.vip", "=", 1],
	["party.vip", "!=", True],
	["party_type", "=", "lead"],
	["last_purchase", "<", "2025-01-01"],
	["days_to_contract_end", "is set"],
	["score", "between", [20, 60]],
	["tier", "in", ["Regular", "High Value"]],
	["previous_stage", "=", "Dormant"],
	["days_in_tier", ">", 30],
	["visit_minutes", ">", 60],
]
SIGNALS = [
	{"name": "visit_count", "aggregate": "count", "window_days": 90},
	{"name": "visit_minutes", "aggregate": "sum", "value_field": "minutes"},
	{"name": "visit_average", "aggregate": "average", "value_field": "minutes"},
	{"name": "visit_shortest", "aggregate": "minimum", "value_field": "minutes", "window_days": 30},
	{"name": "visit_last", "aggregate": "latest", "value_field": "minutes"},
	{"name": "visit_kind", "aggregate": "latest", "value_field": "kind"},
	{"name": "visit_top", "aggregate": "maximum", "value_field": "kind"},
	{"name": "visit_gold", "aggregate": "count", "conditions": [["kind", "=", "Gold"]]},
	{
		"name": "visit_like",
		"aggregate": "count",
		"conditions": [["kind", "like", "g%"], ["minutes", ">", 20]],
	},
]


def rules():
	value, health = DEFAULTS["scorecards"]
	criteria = [
		{"signal": "party.size", "weight": 7, "missing": "neutral"},
		{"signal": "visit_average", "weight": 3, "direction": "lower", "missing": "worst"},
		{"signal": "monetary_average", "weight": 2},
		{"signal": "overdue_share", "weight": 1, "direction": "lower"},
	]
	stages = [
		{"name": f"Stage {n}", "order": n, "conditions": [rule, ["party.size", "<", n]]}
		for n, rule in enumerate(TRICKY)
	]
	return {
		**DEFAULTS,
		"scorecards": [{**value, "criteria": value["criteria"] + criteria}, health],
		"signals": [
			{"relation": "visits", "party_field": "who", "date_field": "on", **signal} for signal in SIGNALS
		],
		"stages": stages + [{**row, "order": row["order"] + 100} for row in DEFAULTS["stages"]],
		"trees": {"group": TREE},
		"lifetime": {"enabled": True},
	}


def plain(value):
	"""A value without what tells databases apart: decimals, truths as numbers, days as text."""
	if isinstance(value, decimal.Decimal):
		return float(value)
	if isinstance(value, datetime.datetime):
		return value.isoformat(" ")
	return value.isoformat() if isinstance(value, datetime.date) else value


def rows_of(outcome: Outcome):
	profiles = {
		party: {name: plain(value) for name, value in row.items()} for party, row in outcome.profiles.items()
	}
	changes = [{name: plain(value) for name, value in row.items()} for row in outcome.changes]
	return profiles, sorted(changes, key=lambda row: (row["party"], row["kind"]))


@pytest.fixture(scope="module")
def expected():
	with duckdb_place(company()) as backend:
		return run_on(backend, rules())


@pytest.fixture(scope="module")
def elsewhere():
	try:
		with spark_place(company()) as backend:
			yield run_on(backend, rules())
	except Missing as missing:
		pytest.skip(str(missing))


def test_the_input_of_this_comparison_reaches_every_rule(expected):
	assert not expected.result.problems
	assert expected.result.model.bgnbd is not None
	assert expected.result.model.gamma_gamma is not None
	assert set(expected.column("tier").values()) == {"Potential", "Regular", "High Value"}
	reached = set(expected.column("stage").values())
	assert len([name for name in reached if name and name.startswith("Stage ")]) >= 15
	assert {"held by margin", "held by stay", "override", "promoted", "demoted"} <= set(
		expected.column("tier_reason").values()
	)
	for signal in SIGNALS:
		assert len(set(expected.column(signal["name"]).values())) > 2, signal["name"]


@pytest.mark.slow
def test_profiles_are_the_same(expected, elsewhere):
	ours, theirs = rows_of(expected)[0], rows_of(elsewhere)[0]
	assert theirs.keys() == ours.keys()
	differing = {
		(party, name): (value, theirs[party][name])
		for party, row in ours.items()
		for name, value in row.items()
		if value != theirs[party][name]
	}
	assert differing == {}


@pytest.mark.slow
def test_changes_are_the_same(expected, elsewhere):
	assert rows_of(elsewhere)[1] == rows_of(expected)[1]
	assert len(elsewhere.changes) > 100


@pytest.mark.slow
def test_model_counts_and_problems_are_the_same(expected, elsewhere):
	assert elsewhere.result.model == expected.result.model
	assert elsewhere.result.counts == expected.result.counts
	assert elsewhere.result.problems == expected.result.problems

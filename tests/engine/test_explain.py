"""Reasons: they add up to the score, agree with what was decided, and what they advise works."""

import datetime
import random

import pytest

from crm_retention.engine.config import parse
from crm_retention.engine.explain import explain
from crm_retention.engine.scorecard import value_reaching
from crm_retention.setup.defaults import DEFAULTS
from tests.engine.test_parity import company, rules
from tests.support.cycles import AS_OF, Outcome, bought, days_ago, run, run_on, state_of
from tests.support.places import duckdb_place


def explained(outcome: Outcome, party: str, config) -> dict:
	def reach(signal, points, direction):
		[row] = outcome.backend.query(
			outcome.backend.compile(value_reaching(outcome.result.profiles, signal, points, direction))
		)
		return row[0]

	return explain(outcome.profiles[party], parse({"lifetime": {"enabled": False}, **config}), AS_OF, reach)


@pytest.fixture(scope="module")
def everybody():
	"""Reasons for every party of a company of every kind."""
	with duckdb_place(company(parties=70)) as backend:
		outcome = run_on(backend, rules())
		yield outcome, {party: explained(outcome, party, rules()) for party in outcome.profiles}


def test_contributions_add_up_to_the_score(everybody):
	outcome, reasons = everybody
	for party, found in reasons.items():
		for card in found["scorecards"]:
			column = "score" if card["purpose"] == "value" else "health"
			assert card["score"] == outcome.profiles[party][column]
			known = [item["contribution"] for item in card["criteria"] if item["contribution"] is not None]
			if card["score"] is None:
				assert known == []
			else:
				assert sum(known) == pytest.approx(card["score"], abs=0.011 * len(known))
				assert sum(item["share"] for item in card["criteria"]) == pytest.approx(1, abs=0.001)


def test_the_highest_tier_that_is_explained_to_hold_is_the_candidate(everybody):
	outcome, reasons = everybody
	for party, found in reasons.items():
		holding = [tier["name"] for tier in found["tiers"] if tier["ok"]]
		assert outcome.profiles[party]["candidate_tier"] == (holding[-1] if holding else None), party


def test_the_first_stage_that_is_explained_to_hold_is_the_stage(everybody):
	outcome, reasons = everybody
	for party, found in reasons.items():
		row = outcome.profiles[party]
		if row["stage_reason"] != "override":
			holding = [stage["name"] for stage in found["stages"] if stage["ok"]]
			assert row["stage"] == (holding[0] if holding else None), (party, found["stages"])


def test_reasons_name_the_version_of_the_rules(everybody):
	_, reasons = everybody
	versions = {found["rule_version"] for found in reasons.values()}
	assert versions == {parse(rules()).version}


def test_reasons_list_every_signal_that_is_known_and_no_other(everybody):
	outcome, reasons = everybody
	for party, found in reasons.items():
		row = outcome.profiles[party]
		assert all(item["value"] == row[item["name"]] and item["label"] for item in found["signals"])
		named = {item["name"] for item in found["signals"]}
		assert {"recency_days", "lifetime_value", "score"} & named == {
			name for name in ("recency_days", "lifetime_value", "score") if row[name] is not None
		}


def test_at_the_top_there_is_no_next_tier(everybody):
	outcome, reasons = everybody
	for party, found in reasons.items():
		assert (found["next_tier"] is None) == (outcome.profiles[party]["tier"] == "High Value")


BANDS = [
	{"start": None, "end": 1, "score": 100},
	{"start": 1, "end": 1.5, "score": 75},
	{"start": 1.5, "end": 2.5, "score": 40},
	{"start": 2.5, "end": None, "score": 0},
]
RISING = [
	{"start": None, "end": 10, "score": 0},
	{"start": 10, "end": 20, "score": 55},
	{"start": 20, "end": None, "score": 100},
]
ADVICE = {
	"scorecards": [
		{
			"name": "Value",
			"purpose": "value",
			"criteria": [
				{
					"signal": "party.ratio",
					"weight": 3,
					"method": "bands",
					"direction": "lower",
					"bands": BANDS,
				},
				{"signal": "party.visits", "weight": 2, "method": "bands", "bands": RISING},
				{"signal": "party.turnover", "weight": 3},
				{"signal": "party.silence", "weight": 2, "direction": "lower"},
				{"signal": "party.answer", "weight": 1, "missing": "neutral"},
			],
		}
	],
	"tiers": [
		{"name": "Low", "rank": 1},
		{"name": "Middle", "rank": 2, "min_score": 40},
		{"name": "High", "rank": 3, "min_score": 62},
	],
}


def crowd(size, seed):
	dice = random.Random(seed)

	def one(number):
		return {
			"party": f"P{number}",
			"ratio": round(dice.uniform(0.2, 4), 2),
			"visits": dice.randint(0, 30),
			"turnover": dice.choice([round(dice.expovariate(0.01), 2), 50.0, None]),
			"silence": dice.randint(0, 60),
			"answer": dice.choice([None, float(dice.randint(0, 10))]),
		}

	return [one(number) for number in range(size)]


@pytest.mark.parametrize("seed", [1])
def test_every_change_that_is_advised_lifts_the_party(seed):
	"""Each advised value, put into the data of that party alone, lifts it to the tier that was promised."""
	parties, purchases = crowd(13, seed), [bought("P0", 1)]
	outcome = run({"parties": parties, "purchases": purchases}, ADVICE)
	tried = set()
	for row in parties:
		following = explained(outcome, row["party"], ADVICE)["next_tier"]
		for change in (following or {}).get("needed", [])[:2]:
			name = change["signal"].removeprefix("party.")
			changed = [{**other, name: change["to"]} if other is row else other for other in parties]
			after = run({"parties": changed, "purchases": purchases}, ADVICE).profiles[row["party"]]
			rank = {"Low": 1, "Middle": 2, "High": 3}
			assert rank[after["tier"]] >= rank[following["name"]], (row, following, after["score"])
			tried.add(name)
	assert len(tried) >= 3


def test_advice_is_the_nearest_value_in_a_band():
	card = {
		"name": "V",
		"purpose": "value",
		"criteria": [{"signal": "party.ratio", "weight": 1, "method": "bands", "bands": BANDS}],
	}
	config = {
		"scorecards": [card],
		"tiers": [{"name": "Low", "rank": 1}, {"name": "High", "rank": 2, "min_score": 70}],
	}
	parties = [{"party": "A", "ratio": 3.0}, {"party": "B", "ratio": 1.6}, {"party": "C", "ratio": 1.2}]
	outcome = run({"parties": parties, "purchases": [bought("A", 1)]}, config)
	for party, now, gain in (("A", 3.0, 70), ("B", 1.6, 30)):
		following = explained(outcome, party, config)["next_tier"]
		[change] = following["needed"]
		assert following["score_gap"] == gain
		assert (change["from"], change["to"], change["gain"]) == (now, 1.49, gain)
	assert explained(outcome, "C", config)["next_tier"] is None


def test_a_gap_that_no_single_signal_closes_has_no_advice():
	config = {**ADVICE, "tiers": [{"name": "Low", "rank": 1}, {"name": "Top", "rank": 2, "min_score": 99.9}]}
	parties = [{"party": "A", "ratio": 4.0, "visits": 0, "turnover": 1.0, "silence": 50, "answer": 1.0}]
	outcome = run({"parties": parties, "purchases": [bought("A", 1)]}, config)
	following = explained(outcome, "A", config)["next_tier"]
	assert following["needed"] == []
	assert following["score_gap"] > 0


def test_conditions_of_the_next_tier_that_fail_are_named():
	config = {
		"tiers": [
			{"name": "Low", "rank": 1},
			{
				"name": "High",
				"rank": 2,
				"conditions": [["frequency", ">=", 3], ["purchases", ">", 0], ["party.x", "=", 1]],
			},
		]
	}
	outcome = run({"purchases": [bought("A", 1)]}, config)
	following = explained(outcome, "A", config)["next_tier"]
	assert [(item["field"], item["actual"], item["ok"]) for item in following["conditions"]] == [
		("frequency", 0, False),
		("party.x", None, False),
	]
	assert following["needed"] == []


def test_rules_that_ask_for_yesterday_are_explained_by_yesterday():
	config = {
		"stages": [
			{"name": "Back", "order": 1, "conditions": [["previous_stage", "=", "Gone"]]},
			{"name": "Gone", "order": 2, "conditions": [["recency_days", ">", 100]]},
			{"name": "Here", "order": 3},
		]
	}
	purchases = [bought("A", 300), bought("A", 1)]
	state = []
	for ago in (2, 1, 0):
		day = AS_OF - datetime.timedelta(days=ago)
		outcome = run({"purchases": purchases, "state": state}, config, as_of=day)
		row = outcome.profiles["A"]
		found = explain(row, parse(config), day, lambda *_: None)
		holding = [stage["name"] for stage in found["stages"] if stage["ok"]]
		assert holding[0] == row["stage"] == {2: "Gone", 1: "Back", 0: "Here"}[ago]
		state = state_of(outcome)


def test_the_defaults_explain_a_buyer_and_somebody_of_whom_nothing_is_known():
	parties = [{"party": "A"}, {"party": "B"}]
	outcome = run({"parties": parties, "purchases": [bought("A", 3), bought("A", 33)]}, DEFAULTS)
	for party in "AB":
		found = explained(outcome, party, DEFAULTS)
		assert found["party"] == party
		assert found["tier"]["current"] == outcome.profiles[party]["tier"]
		assert found["tier"]["since"] == days_ago(0)
	nobody = explained(outcome, "B", DEFAULTS)
	assert nobody["signals"] == [{"name": "purchases", "label": "Purchases", "unit": "documents", "value": 0}]
	assert nobody["next_tier"]["needed"] == []

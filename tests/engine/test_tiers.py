"""Tiers: promotion, demotion, the rules against flapping, decisions by hand, and rules that broke."""

import pytest

from tests.support.cycles import bought, days_ago, run, state_of

TIERS = [
	{"name": "Potential", "rank": 1},
	{"name": "Regular", "rank": 2, "min_score": 35, "margin": 5, "min_stay_days": 30},
	{"name": "High Value", "rank": 3, "min_score": 70, "margin": 5, "min_stay_days": 90},
]


def rules(tiers=TIERS, points=()):
	"""Tiers, and a scorecard that gives a party exactly the points that its attribute ``points`` names."""
	steps = sorted({*points, 0.0})
	edges = [*steps, None]
	bands = [
		{"start": edges[i] if i else None, "end": edges[i + 1], "score": edges[i]} for i in range(len(steps))
	]
	criteria = [{"signal": "party.points", "weight": 1, "method": "bands", "bands": bands}]
	return {"scorecards": [{"name": "Points", "purpose": "value", "criteria": criteria}], "tiers": tiers}


def tiered(cases, tiers=TIERS):
	"""A cycle over parties {name: (points, state, attributes)}; state and attributes may be left out."""
	parties, state = [], []
	for name, (points, *rest) in cases.items():
		was, attributes = (*rest, None, None)[:2]
		parties.append(
			{"party": name, "points": None if points is None else float(points), **(attributes or {})}
		)
		state += [{"party": name, **was}] if was else []
	if "-" not in cases:
		parties.append({"party": "-", "points": 0.0})
	data = {"parties": parties, "purchases": [bought("-", 1)]}
	return run(
		data | ({"state": state} if state else {}), rules(tiers, [row["points"] or 0.0 for row in parties])
	)


def decisions(cases, tiers=TIERS):
	"""Tier and reason of each party of ``tiered``."""
	profiles = tiered(cases, tiers).profiles
	return {name: (profiles[name]["tier"], profiles[name]["tier_reason"]) for name in cases}


def decision(points, state=None, tiers=TIERS, **attributes):
	return decisions({"A": (points, state, attributes)}, tiers)["A"]


def in_tier(tier, days, **more):
	return {"tier": tier, "tier_since": days_ago(days), **more}


def test_a_new_party_gets_the_highest_tier_that_it_reaches():
	reached = {
		None: "Potential",
		0: "Potential",
		34.99: "Potential",
		35: "Regular",
		69.99: "Regular",
		70: "High Value",
	}
	found = decisions({str(points): (points,) for points in reached})
	assert found == {str(points): (tier, "initial") for points, tier in reached.items()}


def test_a_party_that_reaches_no_tier_has_none():
	assert decisions({"A": (10,), "B": (None,)}, TIERS[1:]) == {"A": (None, "none"), "B": (None, "none")}


def test_without_tiers_there_are_none():
	outcome = run({"purchases": [bought("A", 1)]})
	assert outcome.column("tier") == {"A": None}
	assert outcome.changes == []


# Points, tier the day before, days in it, and what comes of it.
DECISIONS = [
	(70, "Regular", 1, ("High Value", "promoted")),  # promotion waits for nothing
	(70, "Potential", 1, ("High Value", "promoted")),
	(70, "High Value", 5, ("High Value", "unchanged")),
	(65, "High Value", 500, ("High Value", "held by margin")),
	(64.99, "High Value", 500, ("Regular", "demoted")),
	(64.99, "High Value", 90, ("Regular", "demoted")),
	(64.99, "High Value", 89, ("High Value", "held by stay")),
	(0, "High Value", 89, ("High Value", "held by stay")),
	(0, "High Value", 90, ("Potential", "demoted")),
	(66, "High Value", 3, ("High Value", "held by stay")),
	(None, "High Value", 90, ("Potential", "demoted")),
	(30, "Regular", 400, ("Regular", "held by margin")),
	(29.99, "Regular", 400, ("Potential", "demoted")),
	(50, "Platinum", 400, ("Regular", "initial")),  # a tier that is no more
]


@pytest.fixture(scope="module")
def decided():
	cases = {
		str(number): (points, in_tier(was, days)) for number, (points, was, days, _) in enumerate(DECISIONS)
	}
	return decisions(cases)


@pytest.mark.parametrize("number", range(len(DECISIONS)), ids=[str(row[:3]) for row in DECISIONS])
def test_decision(decided, number):
	assert decided[str(number)] == DECISIONS[number][3]


def test_a_tier_that_was_never_dated_is_not_held_by_stay():
	assert decision(0, {"tier": "High Value", "tier_since": None}) == ("Potential", "demoted")


def test_the_margin_does_not_hold_where_a_condition_fails():
	tiers = [TIERS[0], {**TIERS[1], "conditions": [["party.member", "=", True]]}]
	was = in_tier("Regular", 400)
	cases = {
		"A": (33, was, {"member": True}),
		"B": (33, was, {"member": False}),
		"C": (50, was, {"member": False}),
	}
	assert decisions(cases, tiers) == {
		"A": ("Regular", "held by margin"),
		"B": ("Potential", "demoted"),
		"C": ("Potential", "demoted"),
	}


def test_an_override_lasts_until_the_end_of_its_last_day():
	def until(day):
		return (50, in_tier("Regular", 400, override_tier="High Value", override_until=day))

	cases = {
		"open": until(None),
		"today": until(days_ago(0)),
		"later": until(days_ago(-9)),
		"over": until(days_ago(1)),
	}
	by_hand = ("High Value", "override")
	assert decisions(cases) == {
		"open": by_hand,
		"today": by_hand,
		"later": by_hand,
		"over": ("Regular", "unchanged"),
	}


def test_an_override_also_lowers():
	state = in_tier("High Value", 5, override_tier="Potential", override_until=None)
	assert decision(90, state) == ("Potential", "override")


def test_after_an_override_the_party_is_where_its_score_puts_it():
	state = in_tier("High Value", 20, override_tier="High Value", override_until=days_ago(1))
	assert decision(66, state) == ("Regular", "demoted")


def test_an_override_of_long_ago_does_not_lift_the_protection_of_a_later_stay():
	state = in_tier("High Value", 20, override_tier="High Value", override_until=days_ago(200))
	assert decision(66, state) == ("High Value", "held by stay")


def test_an_override_to_a_tier_that_is_no_more_is_no_override():
	state = in_tier("Regular", 400, override_tier="Platinum", override_until=None)
	assert decision(50, state) == ("Regular", "unchanged")


BROKEN = [
	TIERS[0],
	{"name": "Regular", "rank": 2, "conditions": [["party.colour", "=", "red"]]},
	{"name": "High Value", "rank": 3, "min_score": 70},
]


def test_a_tier_whose_field_is_gone_takes_nobody_in_and_lets_nobody_fall():
	cases = {
		"member": (50, in_tier("Regular", 400)),
		"outside": (50, in_tier("Potential", 400)),
		"rising": (80, in_tier("Regular", 400)),
		"falling": (50, in_tier("High Value", 400)),
	}
	outcome = tiered(cases, BROKEN)
	assert {
		name: (row["tier"], row["tier_reason"]) for name, row in outcome.profiles.items() if name != "-"
	} == {
		"member": ("Regular", "held while rules are broken"),
		"outside": ("Potential", "unchanged"),
		"rising": ("High Value", "promoted"),
		"falling": ("Potential", "demoted"),
	}
	[problem] = outcome.result.problems
	assert (problem.table, problem.row, problem.field) == ("tiers", "Regular, condition 1", "party.colour")
	assert problem.message == "there is no such field"


def test_a_tier_cannot_ask_for_the_tier_itself():
	tiers = [TIERS[0], {"name": "Loop", "rank": 2, "conditions": [["tier", "=", "Loop"]]}]
	outcome = tiered({"A": (80, in_tier("Potential", 400))}, tiers)
	assert outcome.profiles["A"]["tier"] == "Potential"
	assert [str(problem) for problem in outcome.result.problems] == [
		"tiers, Loop, condition 1, tier: there is no such field"
	]


def test_since_and_previous_follow_a_change_and_stay_without_one():
	was = in_tier("Regular", 40, previous_tier="Potential", previous_tier_since=days_ago(200))
	profiles = tiered({"up": (80, was), "same": (50, was)}).profiles
	dates = ("tier", "tier_since", "previous_tier", "previous_tier_since")
	assert [profiles["up"][name] for name in dates] == ["High Value", days_ago(0), "Regular", days_ago(40)]
	assert [profiles["same"][name] for name in dates] == ["Regular", days_ago(40), "Potential", days_ago(200)]


def test_what_changed_is_reported_with_its_reason_and_scores_and_nothing_else_is():
	outcome = tiered(
		{
			"A": (80, in_tier("Regular", 40)),
			"B": (50, in_tier("Regular", 40)),
			"-": (0, in_tier("Potential", 9)),
		}
	)
	assert outcome.changes == [
		{
			"party": "A",
			"party_type": "Customer",
			"kind": "Tier",
			"from_value": "Regular",
			"to_value": "High Value",
			"reason": "promoted",
			"score": 80.0,
			"health": None,
		}
	]
	assert outcome.result.counts["tier_changes"] == 1


DECIDED = ("tier", "tier_since", "tier_reason", "previous_tier", "previous_tier_since")
NIGHTS = {
	"up": (80, in_tier("Regular", 40)),
	"down": (20, in_tier("High Value", 400)),
	"held": (50, in_tier("Regular", 1)),
	"new": (66,),
}


def test_a_second_run_on_the_same_day_decides_the_same():
	first = tiered(NIGHTS)
	left = {row["party"]: row for row in state_of(first)}
	again = tiered({name: (case[0], left[name]) for name, case in NIGHTS.items()} | {"-": (0, left["-"])})
	assert again.changes == []
	for name in NIGHTS:
		assert [again.profiles[name][column] for column in DECIDED] == [
			first.profiles[name][column] for column in DECIDED
		]


def test_a_second_run_with_better_data_decides_from_the_day_before():
	first = tiered({"A": (10, in_tier("High Value", 400))})
	assert first.profiles["A"]["tier"] == "Potential"
	[left] = [row for row in state_of(first) if row["party"] == "A"]
	again = tiered({"A": (66, left), "-": (0, in_tier("Potential", 9))})
	row = again.profiles["A"]
	assert (row["tier"], row["tier_reason"]) == ("High Value", "held by margin")
	assert row["tier_since"] == days_ago(400)
	[change] = again.changes
	assert (change["from_value"], change["to_value"]) == ("Potential", "High Value")


def test_ranks_and_not_the_order_of_rows_decide():
	assert decision(80, in_tier("Regular", 400), TIERS[::-1]) == ("High Value", "promoted")


def test_candidate_is_what_the_score_alone_would_give():
	row = tiered({"A": (50, in_tier("High Value", 3))}).profiles["A"]
	assert (row["tier"], row["candidate_tier"], row["tier_rank"]) == ("High Value", "Regular", 3)

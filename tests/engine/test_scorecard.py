"""Scorecards: percentiles, bands, what missing data means, and how weights share."""

import pytest

from crm_retention.engine.config import Band
from crm_retention.engine.scorecard import band_points, value_reaching
from tests.support.cycles import AS_OF, bought, read, run


def scored(values, criteria, purpose="value"):
	"""A cycle over parties with attributes: ``values`` {party: {attribute: number}}."""
	names = sorted({name for row in values.values() for name in row})
	parties = [{"party": party, **{name: row.get(name) for name in names}} for party, row in values.items()]
	card = {"name": "Card", "purpose": purpose, "criteria": criteria}
	return run({"parties": parties, "purchases": [bought("nobody", 1)]}, {"scorecards": [card]})


def criterion(name="v", weight=1, **rule):
	return {"signal": f"party.{name}", "weight": weight, **rule}


def column(**values):
	return {party: {"v": value} for party, value in values.items()}


def test_percentile_is_the_middle_of_a_tie():
	outcome = scored(column(A=10.0, B=20.0, C=20.0, D=40.0), [criterion()])
	assert outcome.column("score") == {"A": 12.5, "B": 50.0, "C": 50.0, "D": 87.5}


def test_lower_is_better_turns_the_percentile_round():
	outcome = scored(column(A=10.0, B=20.0, C=20.0, D=40.0), [criterion(direction="lower")])
	assert outcome.column("score") == {"A": 87.5, "B": 50.0, "C": 50.0, "D": 12.5}


def test_percentile_is_taken_among_those_that_have_the_signal():
	outcome = scored(column(A=1.0, B=None, C=2.0, D=None, E=None), [criterion()])
	assert outcome.column("score") == {"A": 25.0, "B": None, "C": 75.0, "D": None, "E": None}


def test_a_single_party_stands_in_the_middle():
	assert scored(column(A=5.0), [criterion()]).column("score") == {"A": 50.0}


def test_all_alike_stand_in_the_middle():
	assert set(scored({f"P{n}": {"v": 7.0} for n in range(9)}, [criterion()]).column("score").values()) == {
		50.0
	}


def test_percentile_of_a_negative_and_a_zero():
	outcome = scored(column(A=-5.0, B=0.0), [criterion()])
	assert outcome.column("score") == {"A": 25.0, "B": 75.0}


BANDS = [
	{"start": None, "end": 0, "score": 5},
	{"start": 0, "end": 10, "score": 40},
	{"start": 10, "end": None, "score": 90},
]


def test_a_band_holds_its_start_and_not_its_end():
	cases = {-1e9: 5, -0.0001: 5, 0.0: 40, 9.9999: 40, 10.0: 90, 1e12: 90}
	outcome = scored(
		column(**{str(value): value for value in cases}), [criterion(method="bands", bands=BANDS)]
	)
	assert outcome.column("score") == {str(value): points for value, points in cases.items()}
	bands = tuple(Band(row["start"], row["end"], row["score"]) for row in BANDS)
	assert {value: band_points(value, bands) for value in cases} == cases


def test_bands_in_any_order_mean_the_same():
	outcome = scored(column(A=-1.0, B=1.0, C=11.0), [criterion(method="bands", bands=BANDS[::-1])])
	assert outcome.column("score") == {"A": 5, "B": 40, "C": 90}


@pytest.mark.parametrize(
	("missing", "score", "points"),
	[("skip", 100.0, None), ("worst", 25.0, 0.0), ("neutral", 62.5, 50.0)],
)
def test_missing_data(missing, score, points):
	full = [{"start": None, "end": None, "score": 100}]
	values = {"A": {"v": None, "w": 1.0}, "B": {"v": 1.0, "w": 1.0}}
	criteria = [
		criterion("v", weight=3, method="bands", bands=full, missing=missing),
		criterion("w", weight=1, method="bands", bands=full),
	]
	outcome = scored(values, criteria)
	assert outcome.column("score") == {"A": score, "B": 100.0}
	assert outcome.points("A") == {"party.v": points, "party.w": 100.0}


def test_a_party_of_which_nothing_is_known_has_no_score():
	values = {"A": {"v": None, "w": None}, "B": {"v": 1.0, "w": 1.0}}
	outcome = scored(values, [criterion("v"), criterion("w")])
	assert outcome.column("score") == {"A": None, "B": 50.0}
	assert outcome.points("A") == {"party.v": None, "party.w": None}


@pytest.mark.parametrize("scale", [1, 0.001, 1e6])
def test_only_the_proportion_of_weights_counts(scale):
	values = {"A": {"v": 1.0, "w": 9.0}, "B": {"v": 2.0, "w": 8.0}, "C": {"v": 3.0, "w": 1.0}}
	outcome = scored(values, [criterion("v", 2 * scale), criterion("w", 1 * scale)])
	third = 100 / 6
	expected = {
		"A": (2 * third + 5 * third) / 3,
		"B": 50.0,
		"C": (2 * 5 * third + third) / 3,
	}
	assert outcome.column("score") == pytest.approx(expected, abs=1e-4)


def test_a_criterion_of_weight_zero_is_shown_and_moves_nothing():
	outcome = scored(
		{"A": {"v": 1.0, "w": 1.0}, "B": {"v": 2.0, "w": 0.0}}, [criterion("v"), criterion("w", 0)]
	)
	assert outcome.column("score") == {"A": 25.0, "B": 75.0}
	assert outcome.points("A")["party.w"] == 75.0


def test_health_has_its_own_scorecard():
	outcome = scored(column(A=1.0, B=2.0), [criterion(direction="lower")], purpose="health")
	assert outcome.column("health") == {"A": 75.0, "B": 25.0}
	assert outcome.column("score") == {"A": None, "B": None}
	assert outcome.points("A", "health") == {"party.v": 75.0}


def test_a_health_score_may_use_the_value_score():
	cards = [
		{"name": "V", "purpose": "value", "criteria": [criterion("v")]},
		{"name": "H", "purpose": "health", "criteria": [{"signal": "recency_days", "weight": 1}]},
	]
	parties = [{"party": "A", "v": 1}, {"party": "B", "v": 2}]
	outcome = run({"parties": parties, "purchases": [bought("A", 9), bought("B", 5)]}, {"scorecards": cards})
	assert outcome.column("score") == {"A": 25.0, "B": 75.0}
	assert outcome.column("health") == {"A": 75.0, "B": 25.0}


def test_a_criterion_whose_signal_is_gone_is_reported_and_the_others_share():
	outcome = scored(column(A=1.0, B=2.0), [criterion("v"), criterion("colour", 5)])
	assert outcome.column("score") == {"A": 25.0, "B": 75.0}
	[problem] = outcome.result.problems
	assert (problem.table, problem.row, problem.field) == (
		"scorecards",
		"Card, criterion 2 (party.colour)",
		"signal",
	)
	assert problem.message == "there is no such signal"


def test_a_criterion_on_a_text_is_reported():
	parties = [{"party": "A", "region": "North"}]
	card = {"name": "Card", "purpose": "value", "criteria": [criterion("region")]}
	outcome = run({"parties": parties, "purchases": [bought("A", 1)]}, {"scorecards": [card]})
	assert outcome.column("score") == {"A": None}
	assert "a score needs a number" in outcome.result.problems[0].message


@pytest.mark.parametrize("name", ["value", "points", "points_0", "n", "known", "net", "age", "recency"])
def test_a_signal_may_have_any_name(name):
	signals = [
		{"name": name, "relation": "visits", "aggregate": "count"},
		{"name": "other", "relation": "visits", "aggregate": "count"},
	]
	criteria = [{"signal": name, "weight": 1}, {"signal": "other", "weight": 1, "direction": "lower"}]
	visits = [{"party": party, "day": AS_OF} for party in "ABB"]
	config = {"signals": signals, "scorecards": [{"name": "Card", "purpose": "value", "criteria": criteria}]}
	outcome = run({"purchases": [bought("A", 1), bought("B", 1)], "visits": visits}, config, extra=["visits"])
	assert not outcome.result.problems
	assert outcome.points("A") == {name: 25.0, "other": 75.0}
	assert outcome.column(name) == {"A": 1, "B": 2}


def test_whole_numbers_and_truths_score_like_other_numbers():
	outcome = scored(column(A=1, B=2, C=4), [criterion()])
	assert outcome.column("score") == pytest.approx({"A": 100 / 6, "B": 50.0, "C": 500 / 6}, abs=1e-4)


@pytest.fixture(scope="module")
def four():
	return scored(column(A=10.0, B=20.0, C=20.0, D=40.0, E=None), [criterion()])


@pytest.mark.parametrize(
	("points", "direction", "value"),
	[
		(37.5, "higher", 20.0),  # from below: nobody under it, two beside it
		(37.6, "higher", 40.0),
		(75, "higher", 40.0),
		(75.1, "higher", None),
		(75, "lower", 10.0),
		(75.1, "lower", None),
		(37.5, "lower", 20.0),
		(0, "lower", 40.0),
	],
)
def test_value_reaching_is_the_nearest_value_that_earns_enough_for_who_comes_there(
	four, points, direction, value
):
	table = value_reaching(four.result.profiles, "party.v", points, direction)
	assert read(four.backend, table) == [{"value": value}]

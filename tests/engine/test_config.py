"""Rules that cannot mean anything are refused, each fault by table, row and field."""

import copy
import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_retention.engine.checks import check_bands
from crm_retention.engine.config import Band, Condition, Config, parse
from crm_retention.engine.errors import ConfigError
from crm_retention.engine.values import OPERATORS
from crm_retention.setup.defaults import DEFAULTS

CARD = {"name": "Value", "purpose": "value", "criteria": [{"signal": "frequency", "weight": 1}]}


def faults(data):
	with pytest.raises(ConfigError) as caught:
		parse(data)
	return [(problem.table, problem.row, problem.field, problem.message) for problem in caught.value.problems]


def card(**changes):
	return {"scorecards": [{**CARD, **changes}]}


def criterion(**changes):
	return card(criteria=[{"signal": "frequency", "weight": 1, **changes}])


def bands(*rows):
	return criterion(method="bands", bands=[{"start": a, "end": b, "score": points} for a, b, points in rows])


def tiers(*rows):
	return {"tiers": [{"name": name, "rank": rank, **more} for name, rank, more in rows]}


def condition(*rule):
	return {"stages": [{"name": "Active", "order": 1, "conditions": [list(rule)]}]}


FIRST = "Value, criterion 1 (frequency)"


@pytest.mark.parametrize(
	("data", "expected"),
	[
		# scorecards
		(card(criteria=[]), ("scorecards", "Value", "criteria", "at least one criterion is needed")),
		(criterion(weight=0), ("scorecards", "Value", "weight", "the weights add up to zero")),
		(criterion(weight="heavy"), ("scorecards", FIRST, "weight", "'heavy' is not a number")),
		(criterion(weight=None), ("scorecards", FIRST, "weight", "is required")),
		(criterion(weight=float("nan")), ("scorecards", FIRST, "weight", "nan is not a number")),
		(criterion(weight=float("inf")), ("scorecards", FIRST, "weight", "inf is not a number")),
		(criterion(weight=True), ("scorecards", FIRST, "weight", "True is not a number")),
		(
			criterion(method="magic"),
			("scorecards", FIRST, "method", "'magic' is not one of percentile, bands"),
		),
		(criterion(direction="up"), ("scorecards", FIRST, "direction", "'up' is not one of higher, lower")),
		(
			criterion(missing="zero"),
			("scorecards", FIRST, "missing", "'zero' is not one of skip, worst, neutral"),
		),
		(criterion(colour="red"), ("scorecards", FIRST, "colour", "unknown field")),
		(card(purpose="fun"), ("scorecards", "Value", "purpose", "'fun' is not one of value, health")),
		(card(name=None), ("scorecards", "row 1", "name", "is required")),
		(
			{"scorecards": [{"name": "Value", "criteria": []}]},
			("scorecards", "Value", "purpose", "is required"),
		),
		(
			card(criteria=[{"weight": 1}]),
			("scorecards", "Value, criterion 1 ()", "signal", "is required"),
		),
		(
			card(criteria=[{"signal": "frequency", "weight": 2}, {"signal": "recency_days", "weight": -1}]),
			("scorecards", "Value, criterion 2 (recency_days)", "weight", "must not be negative"),
		),
		(
			card(criteria=[{"signal": "frequency", "weight": 2}, {"signal": "frequency", "weight": 1}]),
			("scorecards", "Value, criterion 2 (frequency)", "signal", "frequency is used twice"),
		),
		(
			{"scorecards": [CARD, {**CARD, "name": "Other"}]},
			("scorecards", "Other", "purpose", "Value is already active for value"),
		),
		# bands
		(bands(), ("scorecards", FIRST, "bands", "at least one band is needed")),
		(
			bands((None, 5, 1), (4, None, 2)),
			("scorecards", FIRST, "bands", "band from 4 to inf overlaps the band before it"),
		),
		(
			bands((None, 5, 1), (6, None, 2)),
			("scorecards", FIRST, "bands", "values from 5 to 6 are in no band"),
		),
		(bands((0, None, 1)), ("scorecards", FIRST, "bands", "values from -inf to 0 are in no band")),
		(bands((None, 0, 1)), ("scorecards", FIRST, "bands", "values from 0 on are in no band")),
		(
			bands((None, 3, 1), (3, 3, 2), (3, None, 1)),
			("scorecards", FIRST, "bands", "band from 3 to 3 is empty"),
		),
		(
			bands((None, None, 101)),
			("scorecards", FIRST, "bands", "band from -inf to inf: 101 points is not within 0 to 100"),
		),
		(
			bands((None, None, "many")),
			("scorecards", f"{FIRST}, band 1", "score", "'many' is not a number"),
		),
		# tiers
		(tiers(("A", 1, {}), ("B", 1, {})), ("tiers", "B", "rank", "1 is already that of A")),
		(tiers(("A", 1, {}), ("A", 2, {})), ("tiers", "A", "name", "is there twice")),
		(tiers(("A", "first", {})), ("tiers", "A", "rank", "'first' is not a number")),
		(tiers(("A", 1.5, {})), ("tiers", "A", "rank", "1.5 is not a whole number")),
		(tiers(("A", 1, {"min_score": 101})), ("tiers", "A", "min_score", "101 is not within 0 to 100")),
		(tiers(("A", 1, {"margin": -1})), ("tiers", "A", "margin", "must not be negative")),
		(tiers(("A", 1, {"min_stay_days": -1})), ("tiers", "A", "min_stay_days", "must not be negative")),
		(
			tiers(("Low", 1, {"min_score": 50}), ("High", 2, {"min_score": 40})),
			("tiers", "High", "min_score", "is below that of Low, which ranks lower"),
		),
		(
			tiers(("Low", 1, {"min_score": 50}), ("High", 2, {})),
			("tiers", "High", "min_score", "is below that of Low, which ranks lower"),
		),
		# stages and conditions
		(
			{"stages": [{"name": "A", "order": 1}, {"name": "B", "order": 1}]},
			("stages", "B", "order", "1 is already that of A"),
		),
		(
			condition("recency_days", "~", 3),
			(
				"stages",
				"Active, condition 1",
				"recency_days",
				f"operator '~' is not one of {', '.join(OPERATORS)}",
			),
		),
		(
			condition("recency_days", "="),
			("stages", "Active, condition 1", "recency_days", "operator '=' needs a value"),
		),
		(
			condition("recency_days", "between", [1]),
			("stages", "Active, condition 1", "recency_days", "between needs two values"),
		),
		(
			condition("recency_days", "between", [9, 1]),
			("stages", "Active, condition 1", "recency_days", "between needs the lower value first"),
		),
		(
			condition("recency_days", "in", []),
			("stages", "Active, condition 1", "recency_days", "operator 'in' needs at least one value"),
		),
		(
			{"stages": [{"name": "Active", "order": 1, "conditions": ["recency_days > 3"]}]},
			("stages", "Active, condition 1", "", "'recency_days > 3' is not [field, operator, value]"),
		),
		# custom signals
		(
			{"signals": [{"name": "visits", "relation": "visits", "aggregate": "median"}]},
			(
				"signals",
				"visits",
				"aggregate",
				"'median' is not one of count, sum, average, minimum, maximum, latest",
			),
		),
		(
			{"signals": [{"name": "visits", "relation": "visits", "aggregate": "sum"}]},
			("signals", "visits", "value_field", "sum needs a value field"),
		),
		(
			{
				"signals": [
					{
						"name": "visits",
						"relation": "visits",
						"aggregate": "count",
						"window_days": 9,
						"date_field": None,
					}
				]
			},
			("signals", "visits", "date_field", "a window or latest needs a date field"),
		),
		(
			{"signals": [{"name": "visits", "relation": "visits", "aggregate": "count", "window_days": 0}]},
			("signals", "visits", "window_days", "must be more than 0 days"),
		),
		(
			{"signals": [{"name": "frequency", "relation": "visits", "aggregate": "count"}]},
			("signals", "frequency", "name", "is the name of a column that profiles have already"),
		),
		*(
			(
				{"signals": [{"name": name, "relation": "visits", "aggregate": "count"}]},
				("signals", name, "name", "is the name of a column that profiles have already"),
			)
			for name in ("score", "tier_since", "override_tier", "was_tier", "days_in_stage", "party", "nr")
		),
		(
			{"signals": [{"name": 'a"b', "relation": "visits", "aggregate": "count"}]},
			(
				"signals",
				'a"b',
				"name",
				"must be small letters, digits and underscores, at most 50, a letter first",
			),
		),
		# the rest
		({"windows": {"period": 0}}, ("windows", "", "period", "must be more than 0 days")),
		({"windows": {"period": "year"}}, ("windows", "", "period", "'year' is not a number")),
		({"lifetime": {"horizon_days": 0}}, ("lifetime", "", "horizon_days", "must be more than 0 days")),
		({"lifetime": {"discount_rate": -1}}, ("lifetime", "", "discount_rate", "must be above -1")),
		({"scorecard": []}, ("scorecard", "", "", "unknown table")),
		({"tiers": {"name": "A"}}, ("tiers", "", "", "must be a list of rows")),
		({"tiers": ["High"]}, ("tiers", "row 1", "", "'High' is not a row of fields and values")),
		({"windows": [1]}, ("windows", "", "", "must be fields and values")),
		({"trees": {"group": ["a"]}}, ("trees", "group", "", "must be a child's parent, by child")),
		(card(criteria="frequency"), ("scorecards", "Value", "criteria", "must be a list of rows")),
		(
			card(criteria=["frequency"]),
			("scorecards", "Value, criterion 1", "", "'frequency' is not a row of fields and values"),
		),
	],
)
def test_a_fault_names_table_row_and_field(data, expected):
	assert expected in faults(data)


def test_every_fault_is_reported_at_once():
	data = {
		"scorecards": [{**CARD, "purpose": "fun", "criteria": [{"signal": "frequency", "weight": -1}]}],
		"tiers": [{"name": "A", "rank": 1, "margin": -1}],
		"windows": {"contact": 0},
	}
	assert {(table, field) for table, _, field, _ in faults(data)} >= {
		("scorecards", "purpose"),
		("scorecards", "weight"),
		("tiers", "margin"),
		("windows", "contact"),
	}


def test_the_message_of_the_error_reads_well():
	with pytest.raises(ConfigError, match=r"^tiers, A, margin: must not be negative$"):
		parse(tiers(("A", 1, {"margin": -1})))


def test_the_defaults_are_without_fault():
	config = parse(DEFAULTS)
	assert [tier.name for tier in config.tiers_by_rank()] == ["Potential", "Regular", "High Value"]
	assert config.scorecard("value").name == "Customer Value"
	assert config.scorecard("health").name == "Customer Health"


def test_nothing_configured_is_a_configuration():
	assert parse({}) == Config()
	assert parse({}).scorecard("value") is None


def test_conditions_may_be_written_in_several_ways():
	rules = [
		["recency_days", ">", 3],
		{"field": "recency_days", "op": ">", "value": 3},
		["nps", "is", "not set"],
		["nps", "IS SET"],
		["party.group", "in", "Shops, Schools"],
		["recency_days", "between", "1,9"],
	]
	stage = {"name": "Active", "order": 1, "conditions": rules}
	assert parse({"stages": [stage]}).stages[0].conditions == (
		Condition("recency_days", ">", 3),
		Condition("recency_days", ">", 3),
		Condition("nps", "is not set"),
		Condition("nps", "is set"),
		Condition("party.group", "in", ("Shops", "Schools")),
		Condition("recency_days", "between", ("1", "9")),
	)


def test_numbers_may_be_written_as_text():
	config = parse(tiers(("A", "1", {"min_score": "35.5", "min_stay_days": "30"})))
	assert (config.tiers[0].rank, config.tiers[0].min_score, config.tiers[0].min_stay_days) == (1, 35.5, 30)


@pytest.mark.parametrize(
	("text", "value"), [("true", True), ("0", False), (1, True), (False, False), ("no", False)]
)
def test_truths_may_be_written_as_text(text, value):
	assert parse({"lifetime": {"enabled": text}}).lifetime.enabled is value


def test_a_truth_that_is_none_is_a_fault():
	assert faults({"lifetime": {"enabled": "maybe"}}) == [
		("lifetime", "", "enabled", "'maybe' is not yes or no")
	]


def test_the_same_rules_have_the_same_version_and_others_another():
	version = parse(DEFAULTS).version
	assert parse(copy.deepcopy(DEFAULTS)).version == version
	assert len(version) == 12
	changed = copy.deepcopy(DEFAULTS)
	changed["tiers"][1]["min_score"] = 36
	assert parse(changed).version != version
	day = {
		"stages": [
			{"name": "New", "order": 1, "conditions": [["last_purchase", ">", datetime.date(2025, 1, 1)]]}
		]
	}
	assert parse(day).version == parse(day).version


anything = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
	max_leaves=8,
)
names = [
	"name",
	"rank",
	"order",
	"purpose",
	"criteria",
	"signal",
	"weight",
	"bands",
	"method",
	"conditions",
	"margin",
]
rows = st.lists(st.dictionaries(st.sampled_from(names), anything, max_size=5) | anything, max_size=3)
tables = st.dictionaries(
	st.sampled_from(["scorecards", "tiers", "stages", "signals", "windows", "lifetime", "trees"]),
	rows | anything,
)


@settings(max_examples=300, deadline=None)
@given(tables)
def test_whatever_is_written_is_a_configuration_or_a_list_of_faults(data):
	try:
		problems = []
		assert isinstance(parse(data), Config)
	except ConfigError as error:
		problems = error.problems
		assert problems
	assert all(problem.message and problem.table for problem in problems)


edges = st.none() | st.integers(-4, 4).map(float)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(edges, edges, st.integers(0, 100)), min_size=1, max_size=4))
def test_bands_without_fault_hold_every_value_exactly_once(rows):
	found = tuple(Band(start, end, float(score)) for start, end, score in rows)
	probes = [edge + step for edge in range(-6, 7) for step in (-0.25, 0, 0.25)]
	holding = [
		sum(
			(band.start is None or value >= band.start) and (band.end is None or value < band.end)
			for band in found
		)
		for value in probes
	]
	empty = any(band.start is not None and band.end is not None and band.start >= band.end for band in found)
	assert (check_bands(found) == []) == (set(holding) == {1} and not empty)

"""The cycle as a whole: data that is wrong, empty or odd, and what is counted."""

import contextlib

import duckdb
import pytest

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.engine.config import parse
from crm_retention.engine.cycle import STEPS, run_cycle
from crm_retention.engine.errors import DataError
from crm_retention.engine.relations import RELATIONS
from crm_retention.setup.defaults import DEFAULTS
from tests.support.cycles import AS_OF, bought, fill, run, run_on, state_of


def faults(data, config=None):
	with pytest.raises(DataError) as caught:
		run(data, config)
	return [(problem.table, problem.row, problem.field, problem.message) for problem in caught.value.problems]


def test_purchases_are_required():
	assert faults({"parties": [{"party": "A"}]}) == [("purchases", "", "", "this relation is required")]


@pytest.mark.parametrize(
	("relation", "column"),
	[(name, column.name) for name, columns in RELATIONS.items() for column in columns if column.required],
)
def test_a_missing_column_is_named(relation, column):
	schema = {item.name: "VARCHAR" for item in RELATIONS[relation] if item.required and item.name != column}
	connection = duckdb.connect()
	fill(connection, {"purchases": [bought("A", 1)]})
	columns = ", ".join(f'"{name}" {kind}' for name, kind in schema.items()) or "other INTEGER"
	connection.execute(f"CREATE OR REPLACE TABLE {relation} ({columns})")
	with pytest.raises(DataError) as caught:
		run_cycle(DuckDBBackend(connection), parse({}), AS_OF)
	assert [(item.table, item.field, item.message) for item in caught.value.problems] == [
		(relation, column, "this column is required and missing")
	]


def test_every_missing_column_is_named_at_once():
	connection = duckdb.connect()
	connection.execute("CREATE TABLE purchases (customer VARCHAR)")
	connection.execute("CREATE TABLE cases (party VARCHAR)")
	with pytest.raises(DataError) as caught:
		run_cycle(DuckDBBackend(connection), parse({}), AS_OF)
	assert {(item.table, item.field) for item in caught.value.problems} == {
		("purchases", "party"),
		("purchases", "day"),
		("purchases", "amount"),
		("cases", "opened"),
	}


def test_a_party_that_is_there_twice_is_named():
	parties = [{"party": name} for name in ("A", "B", "A", "C", "C")]
	assert faults({"parties": parties, "purchases": [bought("A", 1)]}) == [
		("parties", "A, C", "party", "is there more than once")
	]


def test_a_state_that_is_there_twice_is_named():
	state = [{"party": "A", "tier": "Low"}, {"party": "A", "tier": "High"}, {"party": "B", "tier": "Low"}]
	assert faults({"purchases": [bought("A", 1), bought("B", 1)], "state": state}) == [
		("state", "A", "party", "is there more than once")
	]


@pytest.mark.parametrize("relation", [name for name in RELATIONS if name not in ("purchases", "parties")])
def test_an_empty_relation_is_no_fault(relation):
	outcome = run({"purchases": [bought("A", 1)], relation: []}, DEFAULTS)
	assert set(outcome.profiles) == {"A"}
	assert outcome.result.problems == []


def test_an_empty_site_has_no_profiles_and_no_fault():
	outcome = run({"purchases": []}, {**DEFAULTS, "lifetime": {"enabled": True}})
	assert outcome.profiles == {}
	assert outcome.changes == []
	assert outcome.result.counts == {
		"parties": 0,
		"tier_changes": 0,
		"stage_changes": 0,
		"purchases_after": 0,
		"buyers_left_out": 0,
	}
	assert outcome.result.model.bgnbd is None


def test_parties_without_any_purchase_all_stand_at_the_beginning():
	outcome = run({"parties": [{"party": "A"}, {"party": "B"}], "purchases": []}, DEFAULTS)
	assert outcome.column("tier") == {"A": "Potential", "B": "Potential"}
	assert outcome.column("stage") == {"A": "Potential", "B": "Potential"}
	assert outcome.column("score") == {"A": None, "B": None}


def test_purchases_that_all_lie_in_the_future_are_counted_and_make_nobody_a_customer():
	outcome = run({"purchases": [bought("A", -1), bought("B", -400)]}, DEFAULTS)
	assert outcome.profiles == {}
	assert outcome.result.counts["purchases_after"] == 2


def test_a_million_identical_rows():
	connection = duckdb.connect()
	connection.execute(
		f"CREATE TABLE purchases AS SELECT 'A' AS party, DATE '{AS_OF}' - 10 AS day, 0.1 AS amount FROM range(1000000)"
	)
	outcome = run_on(DuckDBBackend(connection), {**DEFAULTS, "lifetime": {"enabled": True}})
	row = outcome.profiles["A"]
	assert (row["purchases"], row["frequency"], row["monetary_total"]) == (1_000_000, 0, 100_000)
	assert (row["stage"], row["score"]) == ("Converted", 50.0)
	assert outcome.result.model.bgnbd is None


def test_a_thousand_customers_who_are_all_alike_share_one_place():
	purchases = [bought(f"P{number}", ago) for number in range(1000) for ago in (5, 20)]
	outcome = run({"purchases": purchases}, {**DEFAULTS, "lifetime": {"enabled": True}})
	assert set(outcome.column("score").values()) == {50.0}
	assert len({(row["tier"], row["stage"]) for row in outcome.profiles.values()}) == 1
	assert outcome.result.model.bgnbd is None
	assert outcome.result.model.reasons


def test_rows_without_a_party_count_nowhere():
	data = {
		"purchases": [bought("A", 1), {**bought("A", 1), "party": None}],
		"cases": [{"party": None, "opened": AS_OF, "closed": None}],
		"items": [{"party": None, "day": AS_OF, "product": "x"}],
	}
	outcome = run(data, DEFAULTS)
	assert set(outcome.profiles) == {"A"}
	assert outcome.result.counts["buyers_left_out"] == 0


def test_rows_without_a_day_or_amount_count_nowhere():
	purchases = [bought("A", 1, 10), {**bought("A", 1), "day": None}, {**bought("A", 5), "amount": None}]
	row = run({"purchases": purchases}).profiles["A"]
	assert (row["purchases"], row["frequency"], row["monetary_total"]) == (1, 0, 10)


def test_names_that_look_like_code_are_names():
	names = ["'; DROP TABLE purchases; --", 'a"b', "a\\", "%", "客户", "x" * 140, " "]
	outcome = run({"purchases": [bought(name, 1) for name in names]}, DEFAULTS)
	assert set(outcome.profiles) == set(names)


def test_a_second_run_on_the_same_day_gives_the_same_rows_and_no_change():
	purchases = [bought(f"P{n}", ago, 10 + n) for n in range(30) for ago in range(n, 900, 37 + n)]
	first = run({"purchases": purchases}, DEFAULTS)
	again = run({"purchases": purchases, "state": state_of(first)}, DEFAULTS)
	assert len(first.changes) == 60
	assert again.profiles == {
		party: {**row, "tier_reason": row["tier_reason"], "stage_reason": row["stage_reason"]}
		for party, row in first.profiles.items()
	}
	assert again.changes == []


def test_counts_say_what_changed():
	first = run({"purchases": [bought("A", 1), bought("B", 400)]}, DEFAULTS)
	assert (
		first.result.counts["tier_changes"]
		== len([row for row in first.changes if row["kind"] == "Tier"])
		== 2
	)
	assert (
		first.result.counts["stage_changes"]
		== len([row for row in first.changes if row["kind"] == "Stage"])
		== 2
	)


def test_each_step_is_announced_in_order():
	seen = []

	@contextlib.contextmanager
	def step(name):
		seen.append(name)
		yield
		seen.append(f"{name} done")

	connection = duckdb.connect()
	fill(connection, {"purchases": [bought("A", 1)]})
	run_cycle(DuckDBBackend(connection), parse(DEFAULTS), AS_OF, step)
	assert seen == [text for name in STEPS for text in (name, f"{name} done")]


def test_a_rule_that_broke_does_not_stop_the_others():
	config = {
		"scorecards": [
			{"name": "V", "purpose": "value", "criteria": [{"signal": "party.gone", "weight": 1}]}
		],
		"signals": [{"name": "lost", "relation": "lost", "aggregate": "count"}],
		"tiers": [{"name": "T", "rank": 1}, {"name": "U", "rank": 2, "conditions": [["lost", ">", 1]]}],
		"stages": [
			{"name": "S", "order": 1, "conditions": [["party.gone", "=", 1]]},
			{"name": "R", "order": 2, "conditions": [["recency_days", "<", "soon"]]},
			{"name": "Q", "order": 3},
		],
	}
	outcome = run({"purchases": [bought("A", 1)]}, config)
	assert (outcome.profiles["A"]["tier"], outcome.profiles["A"]["stage"]) == ("T", "Q")
	assert sorted(str(problem) for problem in outcome.result.problems) == [
		"scorecards, V, criterion 1 (party.gone), signal: there is no such signal",
		"signals, lost, relation: there is no relation lost",
		"stages, R, condition 1, recency_days: 'soon' cannot be compared with a field of type int64",
		"stages, S, condition 1, party.gone: there is no such field",
		"tiers, U, condition 1, lost: there is no such field",
	]

"""Conditions: each operator on each type, as expression and on a single value, and what they make of gaps."""

import datetime

import duckdb
import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.engine.conditions import fault, holds, holds_value, resolve
from crm_retention.engine.values import OPERATORS, Condition
from tests.support.cycles import SQL_TYPES, bought, days_ago, run

SCHEMA = {
	"text": "string",
	"whole": "int64",
	"real": "float64",
	"day": "date",
	"flag": "boolean",
	"moment": "timestamp",
}
TYPES = {name: ibis.dtype(kind) for name, kind in {**SCHEMA, "hour": "time"}.items()}
NO_TREES: dict = {}

texts = st.text(alphabet="aAbé中%_\\[*?.' \0", max_size=4)
values = {
	"text": texts,
	"whole": st.integers(-3, 3),
	"real": st.sampled_from([-1.5, -1.0, 0.0, 0.1, 0.25, 1.0, 2.5, 1e6]),
	"day": st.dates(datetime.date(2024, 12, 30), datetime.date(2025, 1, 3)),
	"flag": st.booleans(),
	"moment": st.datetimes(datetime.datetime(2024, 12, 30), datetime.datetime(2025, 1, 3)),
}
rows = st.lists(
	st.fixed_dictionaries({name: st.none() | strategy for name, strategy in values.items()}),
	min_size=1,
	max_size=12,
)


@st.composite
def conditions(draw):
	field = draw(st.sampled_from(sorted(SCHEMA)))
	allowed = [op for op in OPERATORS if op != "descendants of"]
	if field == "flag":
		allowed = ["=", "!=", "is set", "is not set"]
	elif field in ("real", "moment"):
		allowed = [op for op in allowed if "like" not in op]
	op = draw(st.sampled_from(allowed))
	if op in ("is set", "is not set"):
		return Condition(field, op)
	if op in ("like", "not like"):
		return Condition(field, op, draw(texts))
	if op == "between":
		return Condition(field, op, (draw(values[field]), draw(values[field])))
	if op in ("in", "not in"):
		return Condition(field, op, tuple(draw(st.lists(values[field], min_size=1, max_size=3))))
	return Condition(field, op, draw(values[field]))


def answers(table_rows, rules):
	"""Each rule's answers by the expression, a list of booleans a rule."""
	connection = duckdb.connect()
	columns = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in SCHEMA.items())
	connection.execute(f"CREATE TABLE t (n BIGINT, {columns})")
	numbered = [[n, *(row[name] for name in SCHEMA)] for n, row in enumerate(table_rows)]
	connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", numbered)
	backend = DuckDBBackend(connection)
	table = backend.table("t")
	asked = table.select(
		n=table.n, **{f"r{i}": holds(rule, table[rule.field]) for i, rule in enumerate(rules)}
	)
	found = backend.query(backend.compile(asked.order_by("n")))
	return [list(column) for column in list(zip(*found, strict=True))[1:]]


@settings(max_examples=60, deadline=None)
@given(rows, st.lists(conditions(), min_size=1, max_size=8))
def test_expression_and_value_say_the_same(table_rows, rules):
	for rule, found in zip(rules, answers(table_rows, rules), strict=True):
		assert found == [holds_value(rule, row[rule.field], NO_TREES) for row in table_rows], rule


def both(rule: Condition, value) -> bool:
	"""What expression and value agree on for one value."""
	row = dict.fromkeys(SCHEMA) | {rule.field: value}
	[[by_expression]] = answers([row], [rule])
	assert by_expression == holds_value(rule, value, NO_TREES)
	return by_expression


JAN = datetime.date(2025, 1, 1)
NOON = datetime.datetime(2025, 1, 1, 12)


@pytest.mark.parametrize(
	("field", "op", "wanted", "yes", "no"),
	[
		("text", "=", "Gold", ["Gold"], ["gold", "Gold ", "", None]),
		("text", "!=", "Gold", ["gold", "", None], ["Gold"]),
		("whole", "=", "3", [3], [4, None]),
		("whole", ">", 2.5, [3], [2, None]),
		("real", "<", "0.5", [0.25, -1.0], [0.5, None]),
		("real", "<=", 0.5, [0.5], [0.75, None]),
		("day", ">=", "2025-01-01", [JAN], [datetime.date(2024, 12, 31), None]),
		("day", "=", datetime.date(2025, 1, 1), [JAN], [datetime.date(2025, 1, 2), None]),
		("flag", "=", 1, [True], [False, None]),
		("flag", "=", "false", [False], [True, None]),
		("flag", "!=", "yes", [False, None], [True]),
		("moment", "=", "2025-01-01", [NOON], [None]),
		("moment", "<=", "2025-01-01 08:00:00", [NOON], [NOON + datetime.timedelta(1)]),
		("text", "in", ("a", "b"), ["a", "b"], ["c", "A", "", None]),
		("text", "not in", ("a", "b"), ["c", "", None], ["a"]),
		("whole", "in", ("1", 2), [1, 2], [3, None]),
		("whole", "between", (1, "3"), [1, 3], [0, 4, None]),
		("day", "between", ("2025-01-01", "2025-01-31"), [JAN], [datetime.date(2025, 2, 1), None]),
		("text", "between", ("b", "d"), ["b", "c", "d"], ["a", "dd", None]),
		("text", "like", "Shop%", ["Shop", "Shop 1"], ["shop 1", "My Shop", "", None]),
		("text", "like", "_b", ["ab", "中b"], ["b", "aab", None]),
		("text", "like", "50\\%", ["50\\", "50\\x"], ["50%", None]),
		("text", "not like", "Shop%", ["My Shop", "", None], ["Shop 1"]),
		("whole", "like", "1%", [1, 12], [21, None]),
		("text", "is set", None, ["a", " "], ["", None]),
		("text", "is not set", None, ["", None], ["a"]),
		("whole", "is set", None, [0, 1], [None]),
		("flag", "is not set", None, [None], [False, True]),
	],
)
def test_operator(field, op, wanted, yes, no):
	rule = Condition(field, op, wanted)
	assert [both(rule, value) for value in yes] == [True] * len(yes)
	assert [both(rule, value) for value in no] == [False] * len(no)


TREES = {
	"group": {
		"Shops": "All",
		"Small": "Shops",
		"Big": "Shops",
		"Tiny": "Small",
		"Schools": "All",
		"All": None,
	}
}


@pytest.mark.parametrize(
	("node", "below"),
	[
		("Shops", ("Big", "Shops", "Small", "Tiny")),
		("All", ("All", "Big", "Schools", "Shops", "Small", "Tiny")),
		("Tiny", ("Tiny",)),
		("Unheard of", ("Unheard of",)),
	],
)
def test_descendants_are_the_node_and_all_below_it(node, below):
	assert resolve(Condition("party.group", "descendants of", node), TREES).value == below


def test_a_tree_that_bites_its_tail_still_ends():
	looped = {"group": {"a": "b", "b": "a", "c": "b"}}
	assert resolve(Condition("party.group", "descendants of", "a"), looped).value == ("a", "b", "c")


def test_descendants_decide_a_tier():
	parties = [
		{"party": name, "group": group} for name, group in zip("ABC", ["Tiny", "Schools", None], strict=True)
	]
	config = {
		"trees": TREES,
		"tiers": [
			{"name": "All", "rank": 1},
			{"name": "Shop", "rank": 2, "conditions": [["party.group", "descendants of", "Shops"]]},
		],
	}
	outcome = run({"parties": parties, "purchases": [bought("A", 1)]}, config)
	assert outcome.column("tier") == {"A": "Shop", "B": "All", "C": "All"}


@pytest.mark.parametrize(
	("condition", "message"),
	[
		(Condition("party.colour", "=", "red"), "there is no such field"),
		(Condition("whole", ">", "many"), "'many' cannot be compared"),
		(Condition("day", "<", "yesterday"), "'yesterday' cannot be compared"),
		(Condition("whole", "in", (1, "two")), "'two' cannot be compared"),
		(Condition("real", "like", "1%"), "needs a text"),
		(Condition("flag", "not like", "1%"), "needs a text"),
		(Condition("hour", ">", "08:00"), "cannot be compared with a field of type time"),
	],
)
def test_a_condition_that_the_data_cannot_decide_says_why(condition, message):
	assert message in str(fault(condition, TYPES))


@pytest.mark.parametrize(
	"condition",
	[
		Condition("whole", ">", "3"),
		Condition("day", "between", ("2025-01-01", "2025-02-01 00:00:00")),
		Condition("text", "like", "%"),
		Condition("real", "is set"),
	],
)
def test_a_condition_that_fits_has_no_fault(condition):
	assert fault(condition, TYPES) is None


def test_party_fields_of_every_type_are_usable_in_tiers():
	parties = [
		{"party": "A", "region": "North", "size": 7, "share": 0.5, "since_day": days_ago(10), "vip": True},
		{"party": "B", "region": None, "size": None, "share": None, "since_day": None, "vip": None},
	]
	for rule in (
		["party.region", "=", "North"],
		["party.size", "between", [5, 9]],
		["party.share", ">=", 0.5],
		["party.since_day", ">", days_ago(11).isoformat()],
		["party.vip", "=", True],
	):
		config = {"tiers": [{"name": "Low", "rank": 1}, {"name": "High", "rank": 2, "conditions": [rule]}]}
		outcome = run({"parties": parties, "purchases": [bought("A", 1)]}, config)
		assert outcome.column("tier") == {"A": "High", "B": "Low"}, rule

"""Conditions on signals and party fields, as expressions and on single values.

What is missing satisfies only ``is not set``, ``!=``, ``not in`` and ``not like``, as in the desk's own filters.
``holds`` (an expression) and ``holds_value`` (a Python value) say the same; a test compares them.
"""

from __future__ import annotations

import datetime
import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from .errors import Problem
from .values import Condition, Config, Criterion, Stage, Tier

COMPARE = {
	"=": operator.eq,
	"!=": operator.ne,
	"<": operator.lt,
	"<=": operator.le,
	">": operator.gt,
	">=": operator.ge,
}
NEGATIVE = ("!=", "not in", "not like", "is not set")
UNREADABLE = "unreadable"

Trees = Mapping[str, Mapping[str, "str | None"]]


def column_name(field: str) -> str:
	"""The column of a condition's field: ``party.customer_group`` is ``party__customer_group``."""
	return "party__" + field[len("party.") :] if field.startswith("party.") else field


def resolve(condition: Condition, trees: Trees) -> Condition:
	"""``descendants of`` as an ``in`` over the node itself and everything below it."""
	if condition.op != "descendants of":
		return condition
	name = condition.field.removeprefix("party.")
	parents = trees.get(name, {})
	below = {condition.value}
	grown = True
	while grown:
		more = {child for child, parent in parents.items() if parent in below} - below
		grown = bool(more)
		below |= more
	return Condition(condition.field, "in", tuple(sorted(below)))


def unreadable(message: str) -> Condition:
	"""What stands in the place of conditions that cannot be read: nobody can decide it, and it says why."""
	return Condition("conditions", UNREADABLE, message)


def all_hold(table: ir.Table, conditions: Iterable[Condition], trees: Trees) -> ir.BooleanValue:
	"""True where every condition holds; no conditions hold always."""
	parts = []
	for condition in conditions:
		plain = resolve(condition, trees)
		parts.append(holds(plain, table[column_name(plain.field)]))
	return all_of(parts)


def all_of(parts: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
	"""The parts joined by AND as a balanced tree: compilers walk an expression by recursion, so none may be deep."""
	if not parts:
		return ibis.literal(True)
	level = list(parts)
	while len(level) > 1:
		pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
		level = [pair[0] & pair[1] if len(pair) == 2 else pair[0] for pair in pairs]
	return level[0]


def holds(condition: Condition, column: ir.Value) -> ir.BooleanValue:
	"""One condition as a boolean that is never null.

	Texts compare by their exact characters, ``like`` with % and _; a moment compares by its day.
	"""
	op = condition.op
	if column.type().is_timestamp():
		column = column.cast("date")
	unset = column.isnull() | (column == "") if column.type().is_string() else column.isnull()
	if op == "is set":
		return ~unset
	if op == "is not set":
		return unset
	met = _compare(condition, column)
	return (column.isnull() | met) if op in NEGATIVE else (column.notnull() & met)


def _compare(condition: Condition, column: ir.Value) -> ir.BooleanValue:
	op, value = condition.op, condition.value
	if op in COMPARE:
		return COMPARE[op](column, coerce(value, column.type()))
	if op == "between":
		low, high = (coerce(item, column.type()) for item in value)
		return (column >= low) & (column <= high)
	if op in ("in", "not in"):
		inside = column.isin([coerce(item, column.type()) for item in value])
		return inside if op == "in" else ~inside
	inside = column.cast("string").like(str(value))
	return inside if op == "like" else ~inside


def coerce(value: Any, dtype: Any) -> Any:
	"""A condition's value as the column's type. Raises ValueError when it cannot be read as one."""
	if dtype.is_date() or dtype.is_timestamp():
		return ibis.literal(_day(value), type="date")
	if dtype.is_boolean():
		return str(value).strip().lower() in ("1", "true", "yes")
	if dtype.is_integer() or dtype.is_floating() or dtype.is_decimal():
		return int(value) if isinstance(value, bool) else _finite(value)
	if dtype.is_string() or dtype.is_null():
		return str(value)
	raise ValueError(f"nothing compares with a {dtype}")


def holds_value(condition: Condition, value: Any, trees: Trees) -> bool:
	"""The same test on one Python value."""
	condition = resolve(condition, trees)
	op, wanted = condition.op, condition.value
	if op == UNREADABLE:
		return False
	unset = value is None or value == ""
	if op in ("is set", "is not set"):
		return unset == (op == "is not set")
	if value is None:
		return op in NEGATIVE
	if isinstance(value, datetime.datetime):
		value = value.date()
	if op in COMPARE:
		return bool(COMPARE[op](value, _like_value(wanted, value)))
	if op == "between":
		low, high = (_like_value(item, value) for item in wanted)
		return bool(low <= value <= high)
	if op in ("in", "not in"):
		return (value in [_like_value(item, value) for item in wanted]) == (op == "in")
	pattern = re.escape(str(wanted)).replace("%", ".*").replace("_", ".")
	return (re.fullmatch(pattern, str(value), re.DOTALL) is not None) == (op == "like")


def _like_value(wanted: Any, value: Any) -> Any:
	if isinstance(value, bool):
		return str(wanted).strip().lower() in ("1", "true", "yes")
	if isinstance(value, datetime.date):
		return _day(wanted)
	return float(wanted) if isinstance(value, (int, float)) else str(wanted)


def _finite(value: Any) -> float:
	number = float(value)
	if not math.isfinite(number):
		raise ValueError(f"{value!r} is no number to compare with")
	return number


def _day(value: Any) -> datetime.date:
	if isinstance(value, datetime.datetime):
		return value.date()
	return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value)[:10])


def faults(config: Config, schema: Mapping[str, Any]) -> list[Problem]:
	"""Every use of a field that the data does not have, or of a value that the field cannot hold.

	``schema`` maps column names to Ibis types, as a table's ``schema()`` does.
	"""
	problems: list[Problem] = []
	for table, rows in (("tiers", config.tiers), ("stages", config.stages)):
		for row in rows:
			for index, condition in enumerate(row.conditions, 1):
				message = fault(condition, schema)
				if message:
					problems.append(
						Problem(table, f"{row.name}, condition {index}", condition.field, message)
					)
	for card in config.scorecards:
		for index, item in enumerate(card.criteria, 1):
			message = criterion_fault(item, schema)
			if message:
				place = f"{card.name}, criterion {index} ({item.signal})"
				problems.append(Problem("scorecards", place, "signal", message))
	return problems


def fault(condition: Condition, schema: Mapping[str, Any]) -> str | None:
	"""What is wrong with a condition on this data, or None."""
	if condition.op == UNREADABLE:
		return str(condition.value)
	name = column_name(condition.field)
	if name not in schema:
		return "there is no such field"
	kind = schema[name]
	if condition.op in ("like", "not like"):
		read = kind.is_string() or kind.is_integer() or kind.is_date()  # written alike by every database
		return None if read else f"{condition.op} needs a text, and this is a {kind}"
	if condition.op in ("is set", "is not set"):
		return None
	values = condition.value if condition.op in ("in", "not in", "between") else [condition.value]
	for value in values:
		try:
			coerce(value, kind)
		except (TypeError, ValueError, OverflowError):
			return f"{value!r} cannot be compared with a field of type {kind}"
	return None


def criterion_fault(criterion: Criterion, schema: Mapping[str, Any]) -> str | None:
	"""What is wrong with a criterion on this data, or None."""
	name = column_name(criterion.signal)
	if name not in schema:
		return "there is no such signal"
	if not schema[name].is_numeric():
		return f"a score needs a number, and this is a {schema[name]}"
	return None


def is_broken(row: Tier | Stage, schema: Mapping[str, Any]) -> bool:
	"""Whether a tier or stage can no longer be decided, because a field it needs is gone."""
	return any(fault(condition, schema) for condition in row.conditions)

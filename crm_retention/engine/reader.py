"""From plain data to typed values; what is wrong is collected, so that nobody has to fix fault after fault."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from typing import Any

from .errors import Problem
from .values import OPERATORS, Band, Condition, Criterion, Scorecard

TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
SCALARS = (str, int, float, decimal.Decimal, datetime.date)


class Reader:
	"""Reads tables, rows and fields; ``problems`` lists every fault found so far."""

	def __init__(self) -> None:
		self.problems: list[Problem] = []

	def fault(self, table: str, row: str, field: str, message: str) -> None:
		self.problems.append(Problem(table, row, field, message))

	def rows(
		self, data: Any, table: str, row: str = "", field: str = ""
	) -> list[tuple[int, Mapping[str, Any]]]:
		"""The rows of a table with their numbers from 1; what is no row is a fault and left out."""
		if data is None:
			return []
		if not isinstance(data, (list, tuple)):
			self.fault(table, row, field, "must be a list of rows")
			return []
		found = []
		for index, item in enumerate(data, 1):
			if isinstance(item, Mapping):
				found.append((index, item))
			else:
				place = f"{row}, criterion {index}" if row else f"row {index}"
				self.fault(table, place, "", f"{item!r} is not a row of fields and values")
		return found

	def mapping(
		self, data: Any, table: str, row: str = "", message: str = "must be fields and values"
	) -> dict[str, Any]:
		"""Fields and values, or an empty one and a fault."""
		if data is None or isinstance(data, Mapping):
			return dict(data or {})
		self.fault(table, row, "", message)
		return {}

	def value(self, kind: type, table: str, row: str, data: Mapping[str, Any]) -> Any:
		"""A value of a dataclass from a row, or None where a field is missing or wrong."""
		known = {spec.name: spec for spec in fields(kind)}
		before = len(self.problems)
		for key in data:
			if key not in known:
				self.fault(table, row, str(key), "unknown field")
		values: dict[str, Any] = {}
		for name, spec in known.items():
			required = spec.default is NO_DEFAULT and spec.default_factory is NO_DEFAULT
			given = data.get(name)
			if name in data and (given not in (None, "") or "None" in str(spec.type)):
				values[name] = self.cast(str(spec.type), given, table, row, name)
			elif required or name in data:
				self.fault(table, row, name, "is required")
		return kind(**values) if len(self.problems) == before else None

	def cast(self, annotation: str, value: Any, table: str, row: str, name: str) -> Any:
		"""The value as the field's type says: float, int, bool or str, or None where that is allowed."""
		if value is None or value == "":
			return None
		casts = {"float": _number, "int": _whole, "bool": _truth, "str": _text}
		cast = casts.get(annotation.split(" | ")[0])
		try:
			return cast(value) if cast else value
		except ValueError as error:
			self.fault(table, row, name, f"{value!r} {error}")
			return None

	def scorecard(self, index: int, row: Mapping[str, Any]) -> Any:
		where = _name(row, index)
		criteria = []
		for position, data in self.rows(row.get("criteria"), "scorecards", where, "criteria"):
			spot = f"{where}, criterion {position} ({data.get('signal') or ''})"
			bands = [
				self.value(Band, "scorecards", f"{spot}, band {n}", {"start": None, "end": None, **band})
				for n, band in self.rows(data.get("bands"), "scorecards", spot, "bands")
			]
			criteria.append(self.value(Criterion, "scorecards", spot, {**data, "bands": tuple(bands)}))
		return self.value(Scorecard, "scorecards", where, {**row, "criteria": tuple(criteria)})

	def ruled(self, kind: type, table: str, index: int, row: Mapping[str, Any]) -> Any:
		"""A row that has conditions: a tier, a stage or a custom signal."""
		where = _name(row, index)
		given = row.get("conditions") or ()
		if not isinstance(given, (list, tuple)):
			self.fault(table, where, "conditions", "must be a list of [field, operator, value]")
			given = ()
		conditions = tuple(
			self.condition(table, f"{where}, condition {n}", item) for n, item in enumerate(given, 1)
		)
		return self.value(kind, table, where, {**row, "conditions": conditions})

	def condition(self, table: str, row: str, item: Any) -> Condition:
		"""``[field, op, value]``, or a mapping of these three."""
		if isinstance(item, Mapping):
			item = [item.get("field"), item.get("op"), item.get("value")]
		if not isinstance(item, (list, tuple)) or len(item) not in (2, 3) or not isinstance(item[0], str):
			self.fault(table, row, "", f"{item!r} is not [field, operator, value]")
			return Condition("", "=")
		name, op, value = (*item, None)[:3]
		op = str(op).strip().lower()
		if op == "is" and str(value).strip().lower() in ("set", "not set"):
			op, value = f"is {str(value).strip().lower()}", None
		message = condition_fault(op, value)
		if message:
			self.fault(table, row, name, message)
		elif op in ("in", "not in", "between"):
			value = tuple(split_list(value))
		return Condition(name, op, value)

	def trees(self, data: Any) -> dict[str, dict[str, str | None]]:
		"""``{field: {child: parent}}``."""
		found = {}
		for name, tree in self.mapping(data, "trees").items():
			message = "must be a child's parent, by child"
			pairs = self.mapping(tree, "trees", str(name), message)
			if all(isinstance(one, str) and (up is None or isinstance(up, str)) for one, up in pairs.items()):
				found[str(name)] = pairs
			else:
				self.fault("trees", str(name), "", message)
		return found


def condition_fault(op: str, value: Any) -> str | None:
	"""What is wrong with an operator and its value, whatever the field, or None."""
	if op not in OPERATORS:
		return f"operator {op!r} is not one of {', '.join(OPERATORS)}"
	if op in ("is set", "is not set"):
		return None
	if value is None or value == "":
		return f"operator {op!r} needs a value"
	several = op in ("in", "not in", "between")
	values = split_list(value) if several else [value]
	if not values:
		return f"operator {op!r} needs at least one value"
	if not all(isinstance(item, SCALARS) and item == item for item in values):
		return f"operator {op!r} needs texts, numbers or dates"
	if op == "between":
		return _between_fault(values)
	return None


def _between_fault(values: list[Any]) -> str | None:
	if len(values) != 2:
		return "between needs two values"
	try:
		turned = float(values[0]) > float(values[1])
	except (TypeError, ValueError):
		turned = str(values[0]) > str(values[1])
	return "between needs the lower value first" if turned else None


def split_list(value: Any) -> list[Any]:
	"""A list from a list, or from text with commas as the desk's filters keep it."""
	if isinstance(value, str):
		return [part.strip() for part in value.split(",")]
	return list(value) if isinstance(value, Iterable) else [value]


def _name(row: Mapping[str, Any], index: int) -> str:
	return str(row.get("name") or f"row {index}")


def _number(value: Any) -> float:
	try:
		number = math.nan if isinstance(value, bool) else float(value)
	except (TypeError, ValueError, OverflowError):
		number = math.nan
	if not math.isfinite(number):
		raise ValueError("is not a number")
	return number


def _whole(value: Any) -> int:
	number = _number(value)
	if number != int(number):
		raise ValueError("is not a whole number")
	return int(number)


def _truth(value: Any) -> bool:
	known = TRUTHS.get(str(value).strip().lower())
	if known is None:
		raise ValueError("is not yes or no")
	return known


def _text(value: Any) -> str:
	if not isinstance(value, str):
		raise ValueError("is not a text")
	return value

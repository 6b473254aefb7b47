"""The desk's filters as conditions of the engine, and back.

A desk filter is ``[doctype, field, operator, value]``, as Frappe's filter widget keeps it; a condition of the
engine is ``[field, operator, value]``, with ``party.`` before the fields of the party.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import frappe
from frappe import _
from frappe.model import no_value_fields, table_fields

from crm_retention.engine.config import parse
from crm_retention.engine.dates import FIRST_DAY, LAST_DAY
from crm_retention.engine.errors import ConfigError, Problem
from crm_retention.engine.reader import split_list

PARTY_PREFIX = "party."
STANDARD_FIELDS = ("name", "owner", "creation", "modified", "modified_by", "docstatus")
SAME_IN_ENGINE = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "like", "not like")
INCLUSIVE = "descendants of (inclusive)"

# Bounds of the conditions of one document: more are no rule that anybody reads, and no query that ever ends.
MOST_CONDITIONS = 200
MOST_VALUES = 1_000
LONGEST_VALUE = 1_000
LONGEST_TEXT = 1_000_000

DeskFilter = list[Any]
PlainCondition = list[Any]


def read(text: str | None) -> list[DeskFilter]:
	"""The filters of a JSON field. Raises ValueError when it holds anything else than a list of filters, or too much."""
	if not isinstance(text or "", str) or len(text or "") > LONGEST_TEXT:
		raise ValueError
	try:
		rows = json.loads(text or "[]", parse_constant=_refuse_constant)
	except RecursionError:  # what is nested so deep is no list of filters
		raise ValueError from None
	if rows is None:
		return []
	if not isinstance(rows, list) or not all(_is_filter(row) for row in rows):
		raise ValueError
	return rows


def _refuse_constant(name: str) -> Any:
	"""NaN and infinities are no JSON, though Python reads them."""
	raise ValueError(name)


def _is_filter(row: Any) -> bool:
	"""Whether it is a DocType, a field, an operator and a value or a list of values."""
	if not isinstance(row, list) or len(row) < 4 or not all(isinstance(part, str) for part in row[:3]):
		return False
	value = row[3]
	items = value if isinstance(value, list) else [value]
	return all(item is None or isinstance(item, (str, int, float)) for item in items)


def get_size_fault(rows: list[DeskFilter]) -> str | None:
	"""What is too much about filters, or None."""
	if len(rows) > MOST_CONDITIONS:
		return _("at most {0} conditions, and there are {1}").format(MOST_CONDITIONS, len(rows))
	for index, (_doctype, field, operator, value, *_rest) in enumerate(rows, 1):
		several = str(operator).strip().lower() in ("in", "not in")
		items = split_list(value) if several else value if isinstance(value, list) else [value]
		if len(items) > MOST_VALUES:
			problem = _("at most {0} values, and there are {1}").format(MOST_VALUES, len(items))
		elif any(len(str(item)) > LONGEST_VALUE for item in items):
			problem = _("a value of more than {0} characters").format(LONGEST_VALUE)
		else:
			continue
		return _("condition {0} ({1}): {2}").format(index, field, problem)
	return None


def to_conditions(rows: Iterable[DeskFilter], prefix: str = "") -> Iterator[PlainCondition]:
	"""Conditions of the engine for desk filters; operators that the engine lacks are passed on for it to refuse."""
	for _doctype, field, operator, value, *_rest in rows:
		name, op = f"{prefix}{field}", str(operator).strip().lower()
		if op == INCLUSIVE:
			yield [name, "descendants of", value]
		elif op == "descendants of":
			yield [name, "descendants of", value]
			yield [name, "!=", value]
		else:
			yield [name, op, value]


def from_conditions(
	conditions: Iterable[PlainCondition], party_doctype: str = "Customer"
) -> dict[str, list[DeskFilter]]:
	"""Desk filters for conditions of the engine: ``party`` over the party, ``signal`` over Retention Profile."""
	rows: dict[str, list[DeskFilter]] = {"party": [], "signal": []}
	for field, op, *value in conditions:
		of_party = field.startswith(PARTY_PREFIX)
		doctype = party_doctype if of_party else "Retention Profile"
		name = field.removeprefix(PARTY_PREFIX)
		if op in ("is set", "is not set"):
			op, value = "is", [op.removeprefix("is ")]
		elif op == "descendants of":
			op = INCLUSIVE
		given = value[0] if value else None
		if op in ("in", "not in") and isinstance(given, (list, tuple)):
			given = ",".join(str(item) for item in given)
		rows["party" if of_party else "signal"].append([doctype, name, op, given])
	return rows


def get_faults(rows: list[DeskFilter], doctype: str, allowed: Iterable[str] | None = None) -> list[str]:
	"""What is wrong with desk filters over ``doctype``, each message naming the row and the field.

	``allowed`` limits the fields further, where the engine does not know every field of the DocType.
	"""
	if size := get_size_fault(rows):
		return [size]
	meta = frappe.get_meta(doctype)
	messages = []
	for index, row in enumerate(rows, 1):
		problem = _get_fault(row, doctype, meta, None if allowed is None else set(allowed))
		if problem:
			label = _(meta.get_label(row[1])) if meta.has_field(row[1]) else row[1]
			messages.append(_("condition {0} ({1}): {2}").format(index, label, problem))
	return messages


def _get_fault(row: DeskFilter, doctype: str, meta: Any, allowed: set[str] | None) -> str | None:
	of, field, operator, value = row[:4]
	if of != doctype:
		return _("fields of {0} cannot be used here").format(_(of))
	df = meta.get_field(field)
	if not df and field not in STANDARD_FIELDS:
		return _("{0} has no field {1}").format(_(doctype), field)
	if df and (df.fieldtype in no_value_fields or df.fieldtype in table_fields or df.get("is_virtual")):
		return _("a field of type {0} holds no value to compare").format(_(df.fieldtype))
	if allowed is not None and field not in allowed:
		return _("this field is not known when tiers and stages are decided")
	op = str(operator).strip().lower()
	if op in ("descendants of", INCLUSIVE):
		return _get_tree_fault(df, value)
	if op not in SAME_IN_ENGINE and op != "is":
		return _("the operator {0} is not supported").format(operator)
	return _get_value_fault(op, value, df)


def _get_tree_fault(df: Any, value: Any) -> str | None:
	if not df or df.fieldtype != "Link" or not frappe.get_meta(df.options).is_nested_set():
		return _("only a link to a tree has descendants")
	if not isinstance(value, str) or not frappe.db.exists(df.options, value):
		return _("there is no {0} {1}").format(_(df.options), value)
	return None


def _get_value_fault(op: str, value: Any, df: Any) -> str | None:
	try:
		condition = parse({"tiers": [{"name": "x", "rank": 1, "conditions": [["field", op, value]]}]})
	except ConfigError as error:
		return "; ".join(problem.message for problem in error.problems)
	single = condition.tiers[0].conditions[0].value
	if op in ("is", "like", "not like"):
		return None
	numeric = df and df.fieldtype in ("Int", "Float", "Currency", "Percent", "Check", "Rating", "Duration")
	dated = df.fieldtype in ("Date", "Datetime") if df else False
	for item in single if isinstance(single, tuple) else (single,):
		if numeric and not _is_number(item):
			return _("{0} is not a number").format(item)
		if dated and not _is_day(item):
			return _("{0} is not a date").format(item)
	return None


def _is_number(value: Any) -> bool:
	try:
		return math.isfinite(float(value))
	except (TypeError, ValueError, OverflowError):
		return False


def _is_day(value: Any) -> bool:
	try:
		return FIRST_DAY <= datetime.date.fromisoformat(str(value)[:10]) <= LAST_DAY
	except ValueError:
		return False


def resolve_trees(rows: Iterable[DeskFilter], doctype: str) -> list[DeskFilter]:
	"""Filters with ``descendants of`` written out as ``in``."""
	meta = frappe.get_meta(doctype)
	plain = []
	for of, field, operator, value, *_rest in rows:
		op = str(operator).strip().lower()
		if op in ("descendants of", INCLUSIVE):
			names = frappe.db.get_descendants(meta.get_field(field).options, value)
			plain.append([of, field, "in", [*names, *([value] if op == INCLUSIVE else [])]])
		else:
			plain.append([of, field, operator, value])
	return plain


def throw_faults(title: str, messages: Iterable[str]) -> None:
	"""Refuse the document, one line a fault."""
	lines = list(messages)
	if lines:
		frappe.throw("<br>".join(frappe.utils.escape_html(line) for line in lines), title=title)


def describe(
	doctype: str, problems: Iterable[Problem], fieldnames: dict[str, str] | None = None
) -> list[str]:
	"""Faults found by the engine in the terms of the form: label of the field, then what is wrong."""
	meta, known = frappe.get_meta(doctype), fieldnames or {}
	lines = []
	for problem in problems:
		name = known.get(problem.field, problem.field)
		label = _(meta.get_label(name)) if meta.has_field(name) else name
		lines.append(_("{0}: {1}").format(label, _(problem.message)))
	return lines

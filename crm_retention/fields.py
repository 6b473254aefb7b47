"""Values of a DocType's fields as a client sends them: the fields of a form, and filters over a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model import no_value_fields, table_fields
from frappe.utils import cint
from frappe.utils.data import get_timespan_date_range

from crm_retention.arguments import MOST_BYTES, Choice, DayKind, Kind, MomentKind, Number, Text

MOST_ROWS = 500
MOST_FILTERS = 50
INT_LIMIT = 2**31 - 1
CURRENCY_LIMIT = 1e12
KINDS: dict[str, Kind] = {
	"Check": Number(0, 1, whole=True),
	"Currency": Number(-CURRENCY_LIMIT, CURRENCY_LIMIT),
	"Date": DayKind(),
	"Datetime": MomentKind(),
	"Float": Number(-CURRENCY_LIMIT, CURRENCY_LIMIT),
	"Int": Number(-INT_LIMIT, INT_LIMIT, whole=True),
	"Percent": Number(-CURRENCY_LIMIT, CURRENCY_LIMIT),
}
LONG = ("Code", "HTML Editor", "JSON", "Long Text", "Markdown Editor", "Small Text", "Text", "Text Editor")
# what every document has, as text: who and what it is
IDENTITY = ("doctype", "name", "owner", "amended_from", "parent", "parentfield", "parenttype")
STANDARD = {"creation": MomentKind(), "modified": MomentKind(), "docstatus": Number(0, 2), "idx": Number()}
COMPARING = ("=", "!=", "<", ">", "<=", ">=")
SET_OR_NOT = Choice(("set", "not set"))
OF_TREES = (
	"descendants of", "not descendants of", "descendants of (inclusive)", "ancestors of", "not ancestors of",
)  # fmt: skip


def get_kind(df: Any) -> Kind:
	"""What the value of a field may be."""
	if df.fieldtype in KINDS:
		return KINDS[df.fieldtype]
	if df.fieldtype == "Select" and df.options:
		return Choice(tuple(df.options.split("\n")))
	return Text(MOST_BYTES if df.fieldtype in LONG else cint(df.length) or 140)


def read_document(doctype: str, values: dict[str, Any], place: str = "") -> dict[str, Any]:
	"""The fields of a document as it stands in a form; what is no field of the DocType is left out.

	Raises ValidationError that names row and field.
	"""
	meta = frappe.get_meta(doctype)
	found = {
		name: Text().read(f"{place}{name}", values[name])
		for name in IDENTITY
		if values.get(name) not in (None, "")
	}
	for df in meta.fields:
		value = values.get(df.fieldname)
		if value in (None, "", []) or (df.fieldtype in no_value_fields and df.fieldtype not in table_fields):
			continue
		if df.fieldtype in table_fields:
			found[df.fieldname] = read_table(df, value)
		else:
			found[df.fieldname] = get_kind(df).read(f"{place}{_(df.label)}", value)
	return found


def read_table(df: Any, value: Any) -> list[dict[str, Any]]:
	"""The rows of a table in a form."""
	label = _(df.label)
	if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
		frappe.throw(_("{0}: {1} is expected, as JSON.").format(label, _("a list")))
	return read_rows(df.options, value, label)


def read_rows(doctype: str, rows: list[dict[str, Any]], label: str) -> list[dict[str, Any]]:
	"""Rows of a child DocType, numbered as they come."""
	if len(rows) > MOST_ROWS:
		frappe.throw(_("{0}: at most {1} at once.").format(label, MOST_ROWS))
	return [
		read_document(doctype, row, _("{0}, row {1}, ").format(label, number)) | {"idx": number}
		for number, row in enumerate(rows, 1)
	]


def read_fields(doctype: str, values: dict[str, Any], allowed: Iterable[str]) -> dict[str, Any]:
	"""Single values of a DocType, of the ``allowed`` fields; nothing empties a field. Raises ValidationError."""
	wrong = sorted(set(values) - set(allowed))
	if wrong:
		frappe.throw(_("{0} cannot be corrected.").format(frappe.utils.escape_html(", ".join(wrong)[:140])))
	meta = frappe.get_meta(doctype)
	return {
		name: None if value in (None, "") else get_kind(meta.get_field(name)).read(name, value)
		for name, value in values.items()
	}


def check_filters(doctype: str, filters: list[Any]) -> list[list[Any]]:
	"""Filters of a list, [doctype, field, operator, value]. Raises ValidationError for what no list can be asked."""
	if len(filters) > MOST_FILTERS:
		frappe.throw(_("{0}: at most {1} at once.").format("filters", MOST_FILTERS))
	return [check_filter(doctype, row) for row in filters]


def check_filter(doctype: str, row: Any) -> list[Any]:
	"""One filter; what the desk adds behind its value is left out."""
	row = [doctype, *row] if isinstance(row, list) and len(row) == 3 else row
	if not isinstance(row, list) or len(row) < 4 or not all(isinstance(part, str) for part in row[:3]):
		frappe.throw(_("{0}: [doctype, field, operator, value] is expected.").format("filters"))
	of, field, operator, value = row[:4]
	if of != doctype or field not in frappe.db.get_table_columns(doctype):
		frappe.throw(_("{0}: there is no {1}.").format("filters", frappe.utils.escape_html(field[:140])))
	df = frappe.get_meta(doctype).get_field(field)
	return [of, field, operator, read_filter_value(df, field, operator.strip().lower(), value)]


def read_filter_value(df: Any, field: str, operator: str, value: Any) -> Any:
	"""The value of a filter as its operator wants it."""
	kind = get_kind(df) if df else STANDARD.get(field, Text())
	if operator in ("in", "not in"):
		rows = value if isinstance(value, list) else Text(MOST_BYTES).read(field, value).split(",")
		return [
			cint(item) if isinstance(item, int) else Text().read(field, "" if item is None else item)
			for item in rows[:MOST_ROWS]
		]
	if operator == "is":
		return SET_OR_NOT.read(field, value)
	is_time = isinstance(kind, DayKind | MomentKind)
	if operator in ("like", "not like") and not is_time:
		return Text().read(field, value)
	if operator == "between" and is_time and isinstance(value, list) and len(value) == 2:
		return [kind.read(field, item) for item in value]
	if operator == "timespan" and is_time and isinstance(value, str) and get_timespan_date_range(value):
		return value
	if operator in OF_TREES and df and df.fieldtype == "Link" and frappe.get_meta(df.options).is_nested_set():
		return Text().read(field, value)
	if operator in COMPARING:
		return value if value in (None, "") else kind.read(field, value)
	frappe.throw(_("{0}: {1} cannot be compared like this.").format("filters", field))

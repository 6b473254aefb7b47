"""How much the fields of the app's DocTypes may hold: every number, date, text and list of rows has bounds.

They hold on save, and once more when a run reads what is stored: rows get into a database by other ways than a form.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.utils import cint, cstr, get_datetime

from crm_retention import filters
from crm_retention.engine.dates import FIRST_DAY, LAST_DAY

Span = tuple[float, float]
Limits = dict[str, Span]

CENTURY = 36_500  # days
DECADE = 3_650
YEAR = 366
ROUND = 1_000_000
MOST_MONEY = 999_999_999_999.0  # what a DECIMAL(21, 9) holds, less a unit
DATABASE_INT = 2**31 - 1

# What a field may hold unless the table below knows better.
OF_TYPE: Limits = {
	"Int": (0, ROUND),
	"Float": (-MOST_MONEY, MOST_MONEY),
	"Currency": (-MOST_MONEY, MOST_MONEY),
	"Percent": (0, 100),
	"Rating": (0, 1),
	"Duration": (0, MOST_MONEY),
}
COMPUTED_INT: Span = (-DATABASE_INT, DATABASE_INT)  # what nobody enters
PRIORITY: Span = (-1_000, 1_000)
MINUTES: Span = (0, 100_000)
SPENT: Span = (0, MOST_MONEY)

# Where a form has a narrower rule of its own, which says more, its bounds leave room for that.
OF_FIELD: dict[str, Limits] = {
	"Care Occasion": {"lead_days": (-YEAR, YEAR), "month": (0, 99), "day": (0, 99)},
	"Contact Channel": {"minutes": MINUTES},
	"Contact Rule": {
		"sequence": (-ROUND, ROUND),
		"window_days": (0, DECADE),
		"cool_down_days": (-DECADE, DECADE),
	},
	"Customer Scorecard Band": {"score": (-ROUND, ROUND)},
	"Customer Scorecard Criterion": {"weight": (0, ROUND)},
	"Customer Tier": {
		"min_score": (0, 100),
		"margin": (0, 100),
		"min_stay_days": (0, CENTURY),
		"yearly_budget_hours": (0, ROUND),
		"yearly_budget": SPENT,
	},
	"Interaction Log": {"minutes": MINUTES, "cost": SPENT, "latitude": (-90, 90), "longitude": (-180, 180)},
	"Interaction Source": {"minutes": MINUTES},
	"Maintenance Plan": {"priority": PRIORITY, "hours_per_party": (0, ROUND), "money_per_party": SPENT},
	"Maintenance Plan Step": {
		"minutes": MINUTES,
		"cost": SPENT,
		"service_level_days": (0, YEAR),
		"every": (0, DECADE),
		"rhythm": (0, 1_000),
		"offset_days": (-CENTURY, CENTURY),
	},
	"Retention Capacity": {"hours_per_week": (0, 168)},
	"Retention Settings": {
		"run_hour": (0, 23),
		"run_minutes": (0, 360),
		"history_keep_days": (0, CENTURY),
		"log_keep_days": (0, CENTURY),
		"period_days": (1, CENTURY),
		"contact_days": (1, CENTURY),
		"complaint_days": (1, CENTURY),
		"horizon_days": (1, DECADE),
		"min_parties": (0, DATABASE_INT),
		"min_repeaters": (0, DATABASE_INT),
		"planning_days": (0, YEAR),
		"match_days": (0, YEAR),
		"hours_per_week": (0, 168),
		"hour_rate": SPENT,
	},
	"Retention Signal": {"window_days": (0, CENTURY)},
	"Touchpoint": {"priority": PRIORITY, "minutes": MINUTES, "duration": MINUTES, "cost": SPENT},
	"Touchpoint Type": {"priority": PRIORITY, "minutes": MINUTES, "cost": SPENT},
}

MOST_ROWS = 200
ROWS_OF: dict[str, dict[str, int]] = {
	"Customer Scorecard": {"criteria": 50},
	"Maintenance Plan": {"steps": 50, "goals": 50},
	"Retention Run": {"problems": 1_000, "steps": 1_000},
	"Retention Settings": {"capacities": 2_000, "companies": 1_000, "robots": 50},
}

VARCHAR = ("Data", "Link", "Dynamic Link", "Select", "Autocomplete", "Color", "Read Only", "Icon", "Phone")
LENGTH, BYTES_OF_TEXT, LONG = 140, 65_535, 1_000_000
TEXT = ("Small Text", "Text", "Attach", "Attach Image", "Password")
LONG_TEXT = ("Code", "Text Editor", "Long Text", "HTML Editor", "Markdown Editor", "Signature", "JSON")
LENGTH_OF = {"Retention Run": {"preview_result": 16 * LONG, "config_snapshot": 64 * LONG}}

CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?", re.ASCII)
DAY = r"\d{4}-\d{1,2}-\d{1,2}"
ISO_DATE = re.compile(rf"{DAY}(?:[ T].*)?", re.ASCII | re.DOTALL)
STORABLE = re.compile(rf"{DAY}(?:[ T]{CLOCK.pattern})?", re.ASCII)  # by the database, as it is
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of characters beyond 16 bits
SINGLE = (str, int, float, datetime.date, datetime.time, datetime.timedelta)


class Fault(NamedTuple):
	"""What is wrong: the table of rows and the number of the row ("" and 0 for the document itself), field, message."""

	table: str
	idx: int
	field: str
	message: str


def check(doc: Any) -> None:
	"""Refuse a document with fields beyond their bounds. Raises ValidationError naming every row and field."""
	lines = [describe(doc, fault) for fault in get_faults(doc)]
	filters.throw_faults(_("{0} {1}").format(_(doc.doctype), cstr(doc.name)), lines)


def describe(doc: Any, fault: Fault) -> str:
	"""A fault as a line for people."""
	if not fault.table:
		return _("{0}: {1}").format(get_label(doc.meta, fault.field), fault.message)
	rows = frappe.get_meta(doc.meta.get_field(fault.table).options)
	place = _("{0}, row {1}, {2}").format(
		get_label(doc.meta, fault.table), fault.idx, get_label(rows, fault.field)
	)
	return _("{0}: {1}").format(place, fault.message)


def get_label(meta: Any, field: str) -> str:
	"""What people call a field."""
	return _(meta.get_label(field))


def get_faults(doc: Any) -> Iterator[Fault]:
	"""Everything beyond its bounds, in the document and in its rows."""
	yield from (Fault("", 0, field, message) for field, message in get_field_faults(doc))
	for df in doc.meta.get_table_fields():
		rows = doc.get(df.fieldname) or []
		most = ROWS_OF.get(doc.doctype, {}).get(df.fieldname, MOST_ROWS)
		if len(rows) > most:
			yield Fault("", 0, df.fieldname, _("at most {0} rows, and there are {1}").format(most, len(rows)))
			continue
		for idx, row in enumerate(rows, 1):
			for field, message in get_field_faults(row):
				yield Fault(df.fieldname, idx, field, message)


def get_field_faults(doc: Any) -> Iterator[tuple[str, str]]:
	"""(field, message) of the document's own fields."""
	for df in doc.meta.fields:
		value = doc.get(df.fieldname)
		if value is None or value == "" or df.fieldtype in frappe.model.table_fields:
			continue
		if message := get_fault(doc.doctype, df, value):
			yield df.fieldname, message


def get_fault(doctype: str, df: Any, value: Any) -> str | None:
	"""What is wrong with the value of a field, or None."""
	if df.fieldtype in frappe.model.no_value_fields:
		return None
	if not isinstance(value, SINGLE):
		return _("must be a single value")
	if df.fieldtype in OF_TYPE:
		return get_number_fault(df, value, get_span(doctype, df))
	if df.fieldtype == "Check":
		return None if str(value).strip().lower() in ("0", "1", "true", "false") else _("must be 0 or 1")
	if df.fieldtype in ("Date", "Datetime"):
		return get_day_fault(value, df.fieldtype)
	if df.fieldtype == "Time":
		return get_time_fault(value)
	return get_text_fault(doctype, df, str(value))


def write_texts(doc: Any) -> None:
	"""What the database would store of a number in a text field, before any rule takes it for a text."""
	for df in doc.meta.fields:
		if df.fieldtype in (*VARCHAR, *TEXT, *LONG_TEXT) and isinstance(doc.get(df.fieldname), (int, float)):
			doc.set(df.fieldname, cstr(doc.get(df.fieldname)))


def get_span(doctype: str, df: Any) -> Span:
	"""The least and the most that a number field may hold."""
	if known := OF_FIELD.get(doctype, {}).get(df.fieldname):
		return known
	if df.fieldtype == "Int" and cint(df.read_only):
		return COMPUTED_INT
	low, high = OF_TYPE[df.fieldtype]
	return (0, high) if cint(df.non_negative) else (low, high)


def get_number_fault(df: Any, value: Any, span: Span) -> str | None:
	"""What is wrong with a number."""
	number = to_number(value)
	if number is None or not math.isfinite(number):
		return _("{0} is not a number").format(shown(value))
	low, high = span
	if df.fieldtype == "Int" and number != int(number):
		return _("{0} is not a whole number").format(shown(value))
	return None if low <= number <= high else _("must be from {0} to {1}").format(f"{low:g}", f"{high:.15g}")


def to_number(value: Any) -> float | None:
	"""A number, or None for what is none. Commas are separators, as everywhere on the desk."""
	if not isinstance(value, (str, int, float)):
		return None
	try:
		return float(value.replace(",", "").strip() or 0) if isinstance(value, str) else float(value)
	except (ValueError, OverflowError):
		return None


def get_day_fault(value: Any, fieldtype: str) -> str | None:
	"""What is wrong with a date or moment: it is one of the calendar, written YYYY-MM-DD, and not ages away."""
	day = to_day(value, fieldtype)
	if day is None or (isinstance(value, str) and not STORABLE.fullmatch(value.strip())):
		return _("{0} is not a date").format(shown(value))
	if not FIRST_DAY <= day <= LAST_DAY:
		return _("must be from {0} to {1}").format(FIRST_DAY.isoformat(), LAST_DAY.isoformat())
	return None


def to_day(value: Any, fieldtype: str = "Date") -> datetime.date | None:
	"""The day of a date or moment as the database takes it, or None for what is none."""
	if isinstance(value, datetime.datetime):
		return None if value.tzinfo else value.date()
	if isinstance(value, datetime.date):
		return value
	if not isinstance(value, str) or not ISO_DATE.fullmatch(value.strip()):
		return None
	try:
		year, month, day = (int(part) for part in re.split(r"[ T]", value.strip())[0].split("-"))
		found = datetime.date(year, month, day)
		moment = get_datetime(value) if fieldtype == "Datetime" else None
	except (ValueError, OverflowError, frappe.ValidationError):
		return None
	return None if moment and moment.tzinfo else found


def get_time_fault(value: Any) -> str | None:
	"""What is wrong with a time of day."""
	if isinstance(value, datetime.timedelta):
		fits = datetime.timedelta() <= value < datetime.timedelta(days=1)
		return None if fits else _("{0} is not a time of day").format(shown(value))
	if isinstance(value, datetime.time) or (isinstance(value, str) and CLOCK.fullmatch(value.strip())):
		return None
	return _("{0} is not a time of day").format(shown(value))


def get_text_fault(doctype: str, df: Any, text: str) -> str | None:
	"""What is wrong with a text: it is longer than its column, or than anybody reads, or no text at all."""
	if UNSTORABLE.search(text):
		return _("has characters that cannot be stored")
	if df.fieldtype in VARCHAR:
		most, length = cint(df.get("length")) or LENGTH, len(text)
	elif df.fieldtype in TEXT:
		most, length = BYTES_OF_TEXT, len(text.encode())
	elif df.fieldtype in LONG_TEXT:
		most, length = LENGTH_OF.get(doctype, {}).get(df.fieldname, LONG), len(text)
	else:
		return None
	return None if length <= most else _("at most {0} characters, and there are {1}").format(most, length)


def shown(value: Any) -> str:
	"""A value short enough for a message, and one that can be sent."""
	text = str(value).encode(errors="replace").decode()
	return text if len(text) <= 40 else f"{text[:40]}…"

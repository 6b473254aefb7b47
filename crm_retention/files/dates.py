"""Dates as people write them. Each different text is parsed once, in SQL, however many rows have it.

A format is accepted only where one reading is possible: 03/04/2024 alone does not say whether it is in March
or April, and guessing would move every purchase of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from .errors import InputError
from .sql import blank, literal

TIME_OF_DAY = r"[T ]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$"


@dataclass(frozen=True)
class DateFormat:
	"""A format for DuckDB's ``strptime``, the shape of text it is tried on, and how people write it."""

	strptime: str
	shape: str
	label: str


def _numeric(order: str, mark: str) -> DateFormat:
	shapes = {"Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{1,2}", "d": r"\d{1,2}"}
	labels = {"Y": "YYYY", "y": "YY", "m": "MM", "d": "DD"}
	shape = re.escape(mark).join(shapes[part] for part in order)
	return DateFormat(
		mark.join(f"%{part}" for part in order), shape, mark.join(labels[part] for part in order)
	)


FORMATS: tuple[DateFormat, ...] = (
	*(_numeric("Ymd", mark) for mark in "-/."),
	DateFormat("%Y%m%d", r"\d{8}", "YYYYMMDD"),
	DateFormat("%Y年%m月%d日", r"\d{4}年\d{1,2}月\d{1,2}日", "YYYY年MM月DD日"),
	*(_numeric(order, mark) for mark in "/-." for order in ("dmY", "mdY", "dmy", "mdy")),
	*(
		DateFormat(
			f"%d{mark}%{month}{mark}%Y",
			rf"\d{{1,2}}{mark}[A-Za-z]{{3,9}}{mark}\d{{4}}",
			f"DD{mark}{name}{mark}YYYY",
		)
		for mark in "- "
		for month, name in (("b", "Mon"), ("B", "Month"))
	),
	DateFormat("%b %d, %Y", r"[A-Za-z]{3} \d{1,2}, \d{4}", "Mon DD, YYYY"),
	DateFormat("%B %d, %Y", r"[A-Za-z]{3,9} \d{1,2}, \d{4}", "Month DD, YYYY"),
)
TOKENS = (("YYYY", "%Y"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d"), ("Month", "%B"), ("Mon", "%b"))


def given_format(text: str) -> DateFormat:
	"""A format as ``strptime`` (%d/%m/%Y) or as people write it (DD/MM/YYYY). Raises InputError."""
	pattern = text
	if "%" not in text:
		for token, part in TOKENS:
			pattern = pattern.replace(token, part)
	if "%" not in pattern:
		raise InputError(f"--date-format {text}: write it as DD/MM/YYYY or as %d/%m/%Y")
	try:
		duckdb.connect().execute(f"SELECT try_strptime('x', {literal(pattern)})")
	except duckdb.Error:
		raise InputError(f"--date-format {text}: {pattern} is not a date format") from None
	known = next((form for form in FORMATS if form.strptime == pattern), None)
	return known or DateFormat(pattern, ".*", text)


def make_calendar(
	connection: duckdb.DuckDBPyConnection, texts: str, place: str, wanted: str | None = None
) -> tuple[str, DateFormat]:
	"""A table ``(text, day)`` of every text that the query ``texts`` gives in its one column, and its format.

	``day`` is null for a text that is no date in the chosen format. ``place`` (file and column) is for messages.
	Raises InputError when two readings are possible, or none.
	"""
	table = f"_calendar_{connection.execute('SELECT count(*) FROM duckdb_tables()').fetchone()[0]}"
	connection.execute(f"CREATE TEMP TABLE {table}_texts AS {_cleaned(texts)}")
	form = given_format(wanted) if wanted else _detect(connection, f"{table}_texts", place)
	connection.execute(f"CREATE TEMP TABLE {table} AS SELECT text, {parsed(form)} AS day FROM {table}_texts")
	connection.execute(f"DROP TABLE {table}_texts")
	return table, form


def _cleaned(texts: str) -> str:
	"""Each different text with its count of rows, and its date without the time of day."""
	clean = f"regexp_replace(trim(text), {literal(TIME_OF_DAY)}, '')"
	return (
		f"SELECT text, {clean} AS date, rows FROM "
		f"(SELECT text, count(*) AS rows FROM ({texts}) AS t(text) GROUP BY text) WHERE NOT ({blank('text')})"
	)


def parsed(form: DateFormat) -> str:
	"""SQL for the day in the column ``date``; null where the text has another shape or no such day exists."""
	day = f"CAST(try_strptime(date, {literal(form.strptime)}) AS DATE)"
	return f"CASE WHEN regexp_full_match(date, {literal(form.shape)}) THEN {day} END"


def _detect(connection: duckdb.DuckDBPyConnection, table: str, place: str) -> DateFormat:
	counts = ", ".join(f"sum(rows) FILTER ({parsed(form)} IS NULL)" for form in FORMATS)
	row = connection.execute(f"SELECT sum(rows), {counts} FROM {table}").fetchone()
	if row is None or row[0] is None:
		return FORMATS[0]
	total, faults = int(row[0]), [int(count or 0) for count in row[1:]]
	least = min(faults)
	if least * 2 > total:
		nearest = parsed(FORMATS[faults.index(least)])
		example = connection.execute(
			f"SELECT text FROM {table} WHERE {nearest} IS NULL ORDER BY rows DESC, text LIMIT 1"
		).fetchone()
		shown = example[0] if example else ""
		raise InputError(f"{place}: {shown!r} is in no known date format; give it with --date-format")
	best = [form for form, count in zip(FORMATS, faults, strict=True) if count == least]
	_refuse_two_readings(connection, table, best, place)
	return best[0]


def _refuse_two_readings(
	connection: duckdb.DuckDBPyConnection, table: str, forms: list[DateFormat], place: str
) -> None:
	for other in forms[1:]:
		first, second = parsed(forms[0]), parsed(other)
		row = connection.execute(
			f"SELECT count(*), any_value(text ORDER BY text) FROM {table} WHERE {first} <> {second}"
		).fetchone()
		if row and row[0]:
			choices = f"--date-format {forms[0].label} or --date-format {other.label}"
			raise InputError(f"{place}: {row[1]!r} can be read in two ways; give {choices}")

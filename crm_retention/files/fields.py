"""How each column of a staged file becomes a typed column of a relation, and what makes a value wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..engine.relations import RELATIONS
from . import dates, numbers
from .options import ReadOptions
from .sources import Staged
from .sql import blank, literal

# Values that the engine compares with; other spellings are read as these.
CHOICES = {
	("interactions", "direction"): {"in": "In", "inbound": "In", "out": "Out", "outbound": "Out"},
	("feedback", "kind"): {"nps": "NPS", "csat": "CSAT", "ces": "CES"},
}


@dataclass(frozen=True)
class Field:
	"""SQL for a column of a relation over the staged table ``raw``.

	``text`` is the value as it stands in the file, ``value`` the typed value, ``blank`` true where there is none,
	``join`` what ``value`` needs. ``reason`` says what a value is that could not be read.
	"""

	name: str
	position: int
	text: str
	value: str
	blank: str
	reason: str = ""
	required: bool = False
	join: str = ""
	note: str = ""

	@property
	def wrong(self) -> str:
		"""True where the value, in the column ``"v_NAME"`` by now, makes the row a bad one."""
		missing = f'"v_{self.name}" IS NULL'
		return missing if self.required else f"({missing} AND NOT ({self.blank}))"


def make_field(
	staged: Staged,
	relation: str,
	name: str,
	position: int,
	place: str,
	options: ReadOptions,
	types: Mapping[str, str | None],
) -> Field:
	"""The field for the relation's column ``name``; ``types`` are those of columns that are not declared.

	Raises InputError when dates can be read in two ways.
	"""
	declared = {column.name: column for column in RELATIONS.get(relation, ())}
	stored = staged.types[position]
	column = declared.get(name)
	kind = column.type if column else types.get(name) or guessed_type(staged, position)
	required = bool(column and column.required)
	text = _text(f"c{position}", stored)
	if kind == "date":
		return _date(staged, name, position, text, required, place, options)
	if kind == "float64":
		value = (
			numbers.parsed(text, options.decimal_comma)
			if stored == "VARCHAR"
			else f"TRY_CAST({text} AS DOUBLE)"
		)
		finite = f"CASE WHEN isfinite({value}) THEN {value} END"
		return Field(name, position, text, finite, blank(text), "is not a number", required)
	if kind in ("int64", "boolean"):
		target = {"int64": "BIGINT", "boolean": "BOOLEAN"}[kind]
		return Field(name, position, text, f"TRY_CAST({text} AS {target})", blank(text), "cannot be read")
	empty = f"coalesce(trim({text}), '') = ''"
	choices = CHOICES.get((relation, name))
	if choices:
		cases = " ".join(f"WHEN {literal(key)} THEN {literal(choice)}" for key, choice in choices.items())
		known = ", ".join(dict.fromkeys(choices.values()))
		value = f"CASE lower(trim({text})) {cases} END"
		return Field(name, position, text, value, empty, f"is not one of {known}", required)
	return Field(name, position, text, f"nullif(trim({text}), '')", empty, required=required)


def _text(column: str, stored: str) -> str:
	if stored == "VARCHAR":
		return column
	if stored in ("FLOAT", "DOUBLE"):
		return f"CAST(CASE WHEN NOT isnan({column}) THEN {column} END AS VARCHAR)"
	return f"CAST({column} AS VARCHAR)"


def _date(
	staged: Staged, name: str, position: int, text: str, required: bool, place: str, options: ReadOptions
) -> Field:
	stored = staged.types[position]
	if stored == "DATE" or stored.startswith("TIMESTAMP"):
		return Field(
			name, position, text, f"CAST(c{position} AS DATE)", blank(text), "is not a date", required
		)
	texts = f"SELECT {text} FROM {staged.table} WHERE {staged.valid}"
	calendar, form = dates.make_calendar(staged.connection, texts, place, options.date_format)
	join = f"LEFT JOIN {calendar} AS k{position} ON k{position}.text = {text}"
	reason = f"is not a date ({form.label})"
	return Field(name, position, text, f"k{position}.day", blank(text), reason, required, join, form.label)


def guessed_type(staged: Staged, position: int) -> str:
	"""Type of a column that the relation does not declare: a whole number, a number or an ISO date where every
	value is one, else text. A number written with a leading zero is a code, so text.
	"""
	stored = staged.types[position]
	if stored != "VARCHAR":
		return _native_type(stored)
	text = f"nullif(trim(c{position}), '')"
	row = staged.connection.execute(
		f"SELECT count({text}), count(*) FILTER (regexp_full_match({text}, '-?(0|[1-9]\\d{{0,17}})')), "
		f"count(*) FILTER (regexp_full_match({text}, '-?(0|[1-9]\\d*)(\\.\\d+)?')), "
		f"count(*) FILTER (regexp_full_match({text}, '\\d{{4}}-\\d{{2}}-\\d{{2}}') "
		f"AND TRY_CAST({text} AS DATE) IS NOT NULL) FROM {staged.table}"
	).fetchone()
	assert row is not None
	known, *hits = row
	kinds = [
		kind for kind, count in zip(("int64", "float64", "date"), hits, strict=True) if 0 < known == count
	]
	return kinds[0] if kinds else "string"


def _native_type(stored: str) -> str:
	if stored == "DATE" or stored.startswith("TIMESTAMP"):
		return "date"
	if stored == "BOOLEAN":
		return "boolean"
	if stored.startswith(("DECIMAL", "FLOAT", "DOUBLE")):
		return "float64"
	return "int64" if stored.endswith("INT") or stored.endswith("INTEGER") else "string"

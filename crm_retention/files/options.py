"""What a person may say about the input files, for all of them or for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..engine.relations import RELATIONS
from .errors import InputError

# What people call a column that the engine calls otherwise.
ALIASES = {"date": "day"}


@dataclass(frozen=True)
class ReadOptions:
	"""How to read the file of one relation; None means: find out.

	``columns`` maps the relation's columns to the file's, by name or by position from 1.
	"""

	columns: Mapping[str, str] = field(default_factory=dict)
	encoding: str | None = None
	delimiter: str | None = None
	header: bool | None = None
	skip_lines: int = 0
	date_format: str | None = None
	decimal_comma: bool = False
	skip_bad_rows: bool = False


def column_mapping(pairs: Iterable[str], relations: Iterable[str]) -> dict[str, dict[str, str]]:
	"""``purchases.party=customer_id`` texts as relation -> column -> the file's column.

	Raises InputError for a text of another shape, or a relation that no file is given for.
	"""
	known = set(relations)
	result: dict[str, dict[str, str]] = {}
	for pair in pairs:
		target, equals, source = pair.partition("=")
		relation, dot, column = target.strip().partition(".")
		if not (equals and dot and column and source.strip()):
			raise InputError(
				f"--column {pair}: write it as RELATION.COLUMN=NAME, such as purchases.party=customer_id"
			)
		if relation not in known:
			names = ", ".join(sorted(known))
			raise InputError(f"--column {pair}: no file is given for {relation!r}; there are {names}")
		result.setdefault(relation, {})[engine_name(relation, column)] = source.strip()
	return result


def engine_name(relation: str, column: str) -> str:
	"""The engine's name of a column that a person may call otherwise."""
	declared = {item.name for item in RELATIONS.get(relation, ())}
	alias = ALIASES.get(column, column)
	return alias if column not in declared and alias in declared else column


def per_file(texts: Iterable[str], option: str, relations: Iterable[str]) -> dict[str | None, str]:
	"""``VALUE`` for every file (key None) and ``RELATION:VALUE`` for one, as given by a repeated option."""
	known = set(relations)
	result: dict[str | None, str] = {}
	for text in texts:
		relation, colon, value = text.partition(":")
		key, chosen = (relation, value) if colon and relation in known else (None, text)
		if not chosen:
			raise InputError(f"--{option} {text}: a value is missing")
		result[key] = chosen
	return result

"""Configuration as TOML: read over the defaults, and written so that a person can change it."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..engine.config import Config, parse
from ..engine.errors import ConfigError
from ..setup.defaults import DEFAULTS
from .errors import InputError

if sys.version_info >= (3, 11):
	import tomllib
else:
	import tomli as tomllib

HEAD = """\
# Rules of customer tiers, stages and scores.
#
# Use:   crm-retention run purchases.csv --as-of 2024-12-31 --config rules.toml
# A table that is left out of the file keeps its defaults; a table that is there replaces the default one whole,
# so keep all tiers when you change one. A misspelt name is an error, never without effect.
#
# A condition is ["field", "operator", value]. Fields: every column of profiles.csv, and party.NAME for any column
# of the parties file. Operators: = != < <= > >= in, not in, between, like, not like (with % and _), is set,
# is not set, descendants of.
"""
ABOUT = {
	"windows": "Periods in days: period for money and trends, contact for interactions, complaint for cases.",
	"lifetime": (
		"The lifetime model. horizon_days and discount_rate (a year) belong to the lifetime value; below min_parties\n"
		"customers or min_repeaters who bought again no model is fitted, and its fields stay empty."
	),
	"scorecards": (
		'Scorecards, 0 to 100 points: one with purpose "value" (decides tiers), one with purpose "health".\n'
		'weight: only the proportions count. method: "percentile" compares with all customers, "bands" gives the\n'
		'points of the band (start included, end not). direction: is "higher" or "lower" better. missing, when\n'
		'nothing is known: "skip" leaves it out, "worst" gives 0 points, "neutral" 50.'
	),
	"tiers": (
		"Tiers: the highest rank whose min_score and conditions hold. Nobody falls before the score is more than\n"
		"margin below min_score and min_stay_days have passed."
	),
	"stages": "Lifecycle stages: the first, in this order, whose conditions all hold.",
	"signals": (
		"Signals of your own: an aggregate (count, sum, average, minimum, maximum, latest) over a relation, such as\n"
		'relation = "purchases", value_field = "amount", window_days = 90.'
	),
	"trees": 'Trees for "descendants of": child = "parent".',
}
ORDER = ("windows", "lifetime", "scorecards", "tiers", "stages", "signals", "trees")


def load_config(path: Path | None) -> Config:
	"""The defaults, with each table that the file has in place of the default one.

	Raises InputError for a file that is not TOML or makes no sense, naming every fault.
	"""
	if path is None:
		return parse(DEFAULTS)
	try:
		return parse({**DEFAULTS, **read_toml(path)})
	except ConfigError as error:
		raise InputError(*(f"{path.name}: {problem}" for problem in error.problems)) from None


def read_toml(path: Path) -> dict[str, Any]:
	"""A TOML file as plain data. Raises InputError."""
	try:
		return tomllib.loads(path.read_text(encoding="utf-8-sig"))
	except FileNotFoundError:
		raise InputError(f"{path}: there is no such file") from None
	except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
		raise InputError(f"{path.name}: {error}") from None


def stored_config(path: Path) -> Config:
	"""A configuration that ``dump`` wrote, without the defaults. Raises InputError and ConfigError."""
	return parse(read_toml(path))


def default_toml() -> str:
	"""The default configuration with comments that say what can be changed."""
	return HEAD + dump(parse(DEFAULTS))


def dump(config: Config) -> str:
	"""A configuration as TOML. ``parse`` of it gives the same configuration, so the same version."""
	data = asdict(config)
	parts = []
	for name in ORDER:
		value = data[name]
		if not value:
			continue
		comment = "".join(f"# {line}\n" for line in ABOUT[name].splitlines())
		parts.append(f"\n{comment}{_tables(name, value)}")
	return "".join(parts)


def _tables(name: str, value: Any) -> str:
	if isinstance(value, Mapping):
		if name == "trees":
			return "\n".join(f"[trees.{_key(tree)}]\n{_pairs(nodes)}" for tree, nodes in value.items())
		return f"[{name}]\n{_pairs(value)}"
	return "\n".join(f"[[{name}]]\n{_row(name, row)}" for row in value)


def _row(name: str, row: Mapping[str, Any]) -> str:
	criteria = row.get("criteria")
	if criteria is None:
		return _pairs(row)
	own = _pairs({key: value for key, value in row.items() if key != "criteria"})
	return own + "".join(f"[[{name}.criteria]]\n{_pairs(item)}" for item in criteria)


def _pairs(row: Mapping[str, Any]) -> str:
	"""``key = value`` lines, without what is empty: TOML has no null."""
	lines = []
	for key, value in row.items():
		if value is None or value == () or value == []:
			continue
		if key == "conditions":
			value = [
				[part for part in (item["field"], item["op"], item["value"]) if part is not None]
				for item in value
			]
		lines.append(f"{_key(key)} = {_long(value)}\n")
	return "".join(lines)


def _long(value: Any) -> str:
	"""A list of several lists or tables with a line for each."""
	nested = isinstance(value, (list, tuple)) and all(
		isinstance(item, (list, tuple, Mapping)) for item in value
	)
	if not nested:
		return _value(value)
	return "[\n" + "".join(f"  {_value(item)},\n" for item in value) + "]"


def _value(value: Any) -> str:
	if isinstance(value, bool):
		return "true" if value else "false"
	if isinstance(value, float):
		return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
	if isinstance(value, (int, datetime.date)):
		return str(value)
	if isinstance(value, Mapping):
		return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + " }"
	if isinstance(value, (list, tuple)):
		return "[" + ", ".join(map(_value, value)) + "]"
	return _text(str(value))


def _key(key: str) -> str:
	plain = key.replace("_", "").replace("-", "")
	return key if plain.isascii() and plain.isalnum() else _text(key)


def _text(text: str) -> str:
	escaped = (
		text.replace("\\", "\\\\")
		.replace('"', '\\"')
		.replace("\n", "\\n")
		.replace("\t", "\\t")
		.replace("\r", "\\r")
	)
	return f'"{escaped}"'


def used_columns(config: Config, relation: str) -> dict[str, str | None]:
	"""Columns of a relation that custom signals read, with the type "date" for those that are dates."""
	columns: dict[str, str | None] = {}
	for signal in (signal for signal in config.signals if signal.relation == relation):
		names: Iterable[str | None] = (
			signal.party_field,
			signal.value_field,
			*(condition.field for condition in signal.conditions),
		)
		for name in names:
			if name:
				columns.setdefault(name, None)
		if signal.date_field:
			columns[signal.date_field] = "date"
	return columns

"""Small inputs as plain rows, and the engine run on them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.backends.sql import SqlBackend
from crm_retention.engine.config import parse
from crm_retention.engine.cycle import CycleResult, run_cycle
from crm_retention.engine.relations import RELATIONS

Rows = Sequence[Mapping[str, Any]]
AS_OF = datetime.date(2025, 6, 30)
SQL_TYPES = {
	"string": "VARCHAR",
	"date": "DATE",
	"timestamp": "TIMESTAMP",
	"float64": "DOUBLE",
	"int64": "BIGINT",
	"boolean": "BOOLEAN",
}


def days_ago(days: int, as_of: datetime.date = AS_OF) -> datetime.date:
	return as_of - datetime.timedelta(days=days)


def bought(party: str, ago: int, amount: float = 100.0, **more: Any) -> dict[str, Any]:
	"""A row of ``purchases``, so many days before ``AS_OF``."""
	return {"party": party, "day": days_ago(ago), "amount": float(amount), **more}


def schema_of(name: str, rows: Rows) -> dict[str, str]:
	"""Columns of the rows with their types: declared ones as declared, others as their values are.

	Without rows, the required columns.
	"""
	declared = {column.name: column.type for column in RELATIONS.get(name, ())}
	names = list(dict.fromkeys(key for row in rows for key in row))
	names = names or [column.name for column in RELATIONS[name] if column.required]
	return {key: declared.get(key) or _type_of([row.get(key) for row in rows]) for key in names}


def _type_of(values: Sequence[Any]) -> str:
	kinds = {type(value) for value in values if value is not None}
	if kinds == {bool}:
		return "boolean"
	if kinds and kinds <= {int, float}:
		return "int64" if kinds == {int} else "float64"
	if kinds == {datetime.datetime}:
		return "timestamp"
	return "date" if kinds == {datetime.date} else "string"


def fill(connection: duckdb.DuckDBPyConnection, data: Mapping[str, Rows]) -> None:
	"""Make each relation a table of the connection."""
	for name, rows in data.items():
		schema = schema_of(name, rows)
		columns = ", ".join(f'"{key}" {SQL_TYPES[kind]}' for key, kind in schema.items())
		connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({columns})')
		values = [[row.get(key) for key in schema] for row in rows]
		if values:
			marks = ", ".join("?" for _ in schema)
			connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', values)


@dataclass
class Outcome:
	"""A cycle's result with its rows read back: profiles by party, changes as they come."""

	result: CycleResult
	backend: SqlBackend
	profiles: dict[str, dict[str, Any]]
	changes: list[dict[str, Any]]

	def column(self, name: str) -> dict[str, Any]:
		return {party: row[name] for party, row in self.profiles.items()}

	def points(self, party: str, score: str = "score") -> dict[str, float | None]:
		"""Points of each criterion, as stored."""
		stored = json.loads(self.profiles[party][f"{score}_parts"])
		return {name: None if value is None else value / 100 for name, value in stored.items()}


def read(backend: SqlBackend, table: Any) -> list[dict[str, Any]]:
	return [dict(zip(table.columns, row, strict=True)) for row in backend.query(backend.compile(table))]


def run(
	data: Mapping[str, Rows],
	config: Mapping[str, Any] | None = None,
	as_of: datetime.date = AS_OF,
	extra: Sequence[str] = (),
) -> Outcome:
	"""One cycle on DuckDB over plain rows. The lifetime model is off unless the configuration says otherwise."""
	connection = duckdb.connect()
	fill(connection, data)
	return run_on(DuckDBBackend(connection, extra), config, as_of)


def run_on(backend: SqlBackend, config: Mapping[str, Any] | None, as_of: datetime.date = AS_OF) -> Outcome:
	parsed = parse({"lifetime": {"enabled": False}, **(config or {})})
	result = run_cycle(backend, parsed, as_of)
	profiles = read(backend, result.profiles)
	by_party = {row["party"]: row for row in profiles}
	assert len(by_party) == len(profiles)
	return Outcome(result, backend, by_party, read(backend, result.changes))


STATE = ("tier", "tier_since", "previous_tier", "previous_tier_since")
STATE += ("stage", "stage_since", "previous_stage", "previous_stage_since")


def state_of(outcome: Outcome, **overrides: Mapping[str, Any]) -> list[dict[str, Any]]:
	"""The ``state`` relation that a cycle leaves for the next one, with overrides by party."""
	nothing = {"override_tier": None, "override_stage": None, "override_until": None}
	return [
		{"party": party, **{name: row[name] for name in STATE}, **nothing, **overrides.get(party, {})}
		for party, row in outcome.profiles.items()
	]

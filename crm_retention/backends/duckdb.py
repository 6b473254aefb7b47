"""DuckDB, embedded: the worker of a site, the command line, the demo and tests."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
from ibis.backends.sql.datatypes import DuckDBType

from ..engine.relations import RELATIONS
from .sql import WORK_PREFIX, SqlBackend, kinds_of


class DuckDBBackend(SqlBackend):
	"""Relations are the tables and views of a DuckDB connection that bear their names.

	``extra`` names further tables that custom signals may use.
	"""

	dialect = "duckdb"

	def __init__(self, connection: duckdb.DuckDBPyConnection, extra: Sequence[str] = ()) -> None:
		super().__init__()
		self.connection = connection
		self.extra = tuple(extra)

	def relations(self) -> Mapping[str, ir.Table]:
		present = {row[0] for row in self.query("SELECT table_name FROM information_schema.tables")}
		return {name: self.table(name) for name in (*RELATIONS, *self.extra) if name in present}

	def table(self, name: str) -> ir.Table:
		"""An unbound table with the schema that the connection has for it."""
		described = self.query(f"DESCRIBE {self.quote(name)}")
		schema = {column: DuckDBType.from_string(kind) for column, kind, *_ in described}
		return ibis.table(schema, name=name)

	def execute(self, sql: str) -> None:
		self.connection.execute(sql)

	def query(self, sql: str) -> Sequence[Sequence[Any]]:
		return self.connection.execute(sql).fetchall()

	def fetch(self, table: ir.Table) -> dict[str, npt.NDArray[Any]]:
		columns = self.connection.execute(self.compile(table)).fetchnumpy()
		return {name: _plain(columns[name]) for name in table.columns}

	def load(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
		full = WORK_PREFIX + name
		schema = kinds_of(columns)
		self.drop(full)
		if "string" in schema.values():
			self.load_with_texts(full, columns, schema)
		else:
			self.load_numbers(full, columns, schema)
		return ibis.table(schema, name=full)

	def load_numbers(
		self, name: str, columns: Mapping[str, npt.NDArray[Any]], schema: Mapping[str, str]
	) -> None:
		"""Arrays of numbers as they are; NaN is null."""
		values = {
			"int64": "CAST({0} AS BIGINT)",
			"float64": "CASE WHEN isfinite({0}) THEN CAST({0} AS DOUBLE) END",
		}
		chosen = ", ".join(
			f"{values[kind].format(self.quote(column))} AS {self.quote(column)}"
			for column, kind in schema.items()
		)
		self.connection.register("_arrays", dict(columns))
		self.execute(f"CREATE TEMPORARY TABLE {self.quote(name)} AS SELECT {chosen} FROM _arrays")
		self.connection.unregister("_arrays")

	def load_with_texts(
		self, name: str, columns: Mapping[str, npt.NDArray[Any]], schema: Mapping[str, str]
	) -> None:
		"""By way of JSON: of an array of objects DuckDB looks for pandas at every value, which takes a thousand times longer."""
		types = {"int64": "BIGINT", "float64": "DOUBLE", "string": "VARCHAR"}
		shape = json.dumps({column: [types[kind]] for column, kind in schema.items()})
		values = {column: [_as_json(value) for value in array.tolist()] for column, array in columns.items()}
		chosen = ", ".join(f"unnest(c.{self.quote(column)}) AS {self.quote(column)}" for column in schema)
		self.connection.execute(
			f"CREATE TEMPORARY TABLE {self.quote(name)} AS SELECT {chosen} FROM (SELECT from_json(?, ?) c)",
			[json.dumps(values), shape],
		)


def _as_json(value: Any) -> Any:
	return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(array: Any) -> npt.NDArray[Any]:
	if not np.ma.isMaskedArray(array):
		return np.asarray(array)
	if array.dtype.kind in "fiu" and np.ma.count_masked(array):
		return np.asarray(array.astype(float).filled(np.nan))
	return np.asarray(array.filled(None) if array.dtype.kind == "O" else array.data)

"""DuckDB, embedded: the command line, the demo, tests and what-if on an export."""

from __future__ import annotations

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

	def load(self, name: str, columns: Mapping[str, npt.NDArray[Any]], key: tuple[str, ...]) -> ir.Table:  # noqa: ARG002
		full = WORK_PREFIX + name
		types = {"int64": "BIGINT", "float64": "DOUBLE", "string": "VARCHAR"}
		cast = ", ".join(
			f"{self.quote(n)}::{types[kind]} AS {self.quote(n)}" for n, kind in kinds_of(columns).items()
		)
		self.connection.register("_arrays", dict(columns))
		self.drop(full)
		self.execute(f"CREATE TEMPORARY TABLE {self.quote(full)} AS SELECT {cast} FROM _arrays")
		self.connection.unregister("_arrays")
		return self.table(full)


def _plain(array: Any) -> npt.NDArray[Any]:
	if not np.ma.isMaskedArray(array):
		return np.asarray(array)
	if array.dtype.kind in "fiu" and np.ma.count_masked(array):
		return np.asarray(array.astype(float).filled(np.nan))
	return np.asarray(array.filled(None) if array.dtype.kind == "O" else array.data)

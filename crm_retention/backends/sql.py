"""What DuckDB and Spark share: expressions compiled to its dialect, work tables, small results.

Ibis is used as a compiler only; the connection is whatever the place already has. So no database driver of Ibis,
no pandas and no pyarrow are needed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import sqlglot.expressions as sge

from .dialects import compiler_of

WORK_PREFIX = "retention_work_"
STATEMENTS_KEPT = 512  # texts of SQL that a process keeps


class SqlBackend(ABC):
	"""A ``Backend`` on one SQL connection. Work tables are temporary: a kill leaves none behind."""

	dialect: str

	def __init__(self) -> None:
		self.compiler = compiler_of(self.dialect)

	@abstractmethod
	def relations(self) -> Mapping[str, ir.Table]:
		"""See ``engine.cycle.Backend``."""

	@abstractmethod
	def execute(self, sql: str) -> None:
		"""Run a statement."""

	@abstractmethod
	def query(self, sql: str) -> Sequence[Sequence[Any]]:
		"""Run a query, rows as tuples."""

	def compile(self, table: ir.Table) -> str:
		"""The expression as one statement of this dialect."""
		return statement(self.dialect, table.op())

	def materialise(self, name: str, table: ir.Table) -> ir.Table:
		"""See ``engine.cycle.Backend``."""
		full = WORK_PREFIX + name
		self.drop(full)
		self.execute(f"CREATE TEMPORARY TABLE {self.quote(full)} AS {self.compile(table)}")
		return ibis.table(table.schema(), name=full)

	def drop(self, name: str) -> None:
		"""Drop a work table of an earlier cycle on this connection."""
		self.execute(f"DROP TABLE IF EXISTS {self.quote(name)}")

	def fetch(self, table: ir.Table) -> dict[str, npt.NDArray[Any]]:
		"""See ``engine.cycle.Backend``."""
		rows = self.query(self.compile(table))
		columns = list(zip(*rows, strict=True)) if rows else [()] * len(table.columns)
		return {
			name: as_array(values, table[name].type())
			for name, values in zip(table.columns, columns, strict=True)
		}

	@abstractmethod
	def load(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
		"""See ``engine.cycle.Backend``."""

	def quote(self, name: str) -> str:
		"""An identifier, quoted."""
		return str(sge.to_identifier(name, quoted=True).sql(self.compiler.dialect))


@lru_cache(maxsize=STATEMENTS_KEPT)
def statement(dialect: str, operation: ops.Relation) -> str:
	"""An expression as SQL. The same expressions come again: with the next Preview, explanation, or night of a test."""
	compiler = compiler_of(dialect)
	return str(compiler.to_sqlglot(operation.to_expr()).sql(compiler.dialect))


def kinds_of(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, str]:
	"""The Ibis type of each column to be loaded: int64, float64 or string."""
	names = {"i": "int64", "O": "string", "U": "string"}
	return {column: names.get(array.dtype.kind, "float64") for column, array in columns.items()}


def as_array(values: Sequence[Any], dtype: Any) -> npt.NDArray[Any]:
	"""A column of Python values as an array of the Ibis type: numbers as int64 or float64 (null is NaN)."""
	if dtype.is_integer() and None not in values:
		return np.array([int(value) for value in values], dtype=np.int64)
	if dtype.is_numeric():
		return np.array([np.nan if value is None else float(value) for value in values], dtype=float)
	return np.array(list(values), dtype=object)

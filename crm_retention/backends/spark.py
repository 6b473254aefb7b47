"""Apache Spark: the same cycle over Parquet files, for those who have outgrown one machine."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy.typing as npt
from ibis.backends.sql.datatypes import PySparkType
from pyspark.sql import SparkSession

from ..engine.config import Config
from ..engine.cycle import CycleResult, Step, run_cycle, untimed
from ..engine.relations import RELATIONS
from .sql import WORK_PREFIX, SqlBackend, kinds_of


class SparkBackend(SqlBackend):
	"""Relations are the temporary views of a session that bear their names; ``extra`` names further ones."""

	dialect = "pyspark"

	def __init__(self, session: SparkSession, extra: Sequence[str] = ()) -> None:
		super().__init__()
		self.session = session
		self.extra = tuple(extra)

	def relations(self) -> Mapping[str, ir.Table]:
		present = {table.name for table in self.session.catalog.listTables()}
		return {name: self.table(name) for name in (*RELATIONS, *self.extra) if name in present}

	def table(self, name: str) -> ir.Table:
		"""An unbound table with the schema that the session has for it."""
		fields = self.query(f"DESCRIBE TABLE {self.quote(name)}")
		return ibis.table({column: PySparkType.from_string(kind) for column, kind, *_ in fields}, name=name)

	def execute(self, sql: str) -> None:
		self.session.sql(sql)

	def query(self, sql: str) -> Sequence[Sequence[Any]]:
		return [tuple(row) for row in self.session.sql(sql).collect()]

	def materialise(self, name: str, table: ir.Table) -> ir.Table:
		full = WORK_PREFIX + name
		self.drop(full)
		# a checkpoint is computed once and forgets how; a view alone would be computed by every step after it
		kept = self.session.sql(self.compile(table)).localCheckpoint(eager=True)
		kept.createOrReplaceTempView(full)
		return ibis.table(table.schema(), name=full)

	def drop(self, name: str) -> None:
		self.session.catalog.dropTempView(name)

	def load(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
		full = WORK_PREFIX + name
		kinds = kinds_of(columns)
		types = {"int64": "BIGINT", "float64": "DOUBLE", "string": "STRING"}
		schema = ", ".join(f"`{column}` {types[kind]}" for column, kind in kinds.items())
		rows = list(zip(*(array.tolist() for array in columns.values()), strict=True))
		self.session.createDataFrame(rows, schema).createOrReplaceTempView(full)
		return ibis.table(kinds, name=full)


def session(**settings: str) -> SparkSession:
	"""The running session, or a local one on all cores. Dates and times are read as they are written."""
	builder = SparkSession.builder.appName("crm-retention")
	defaults = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false"}
	for key, value in {**defaults, **settings}.items():
		builder = builder.config(key, value)
	return builder.getOrCreate()


def run_on_parquet(
	spark: SparkSession,
	files: Mapping[str, Path | str],
	config: Config,
	as_of: datetime.date,
	out: Path | str,
	step: Step = untimed,
) -> CycleResult:
	"""The cycle from Parquet to Parquet.

	``files`` says where each relation is (a file, a folder or an address that Spark reads, with the columns of
	``engine.relations``). Leaves ``profiles.parquet`` and ``changes.parquet`` in ``out``, each a folder as Spark
	writes them, and replaces those of an earlier run.
	"""
	for name, path in files.items():
		spark.read.parquet(str(path)).createOrReplaceTempView(name)
	backend = SparkBackend(spark, extra=list(files))
	result = run_cycle(backend, config, as_of, step)
	for name, table in (("profiles", result.profiles), ("changes", result.changes)):
		found = spark.sql(backend.compile(table))
		found.write.mode("overwrite").parquet(f"{str(out).rstrip('/')}/{name}.parquet")
	return result

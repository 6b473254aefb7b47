"""Where a run computes: in DuckDB, where the files are loaded, or in Spark. Both leave the same two tables."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ..backends.duckdb import DuckDBBackend
from ..engine.config import Config
from ..engine.cycle import CycleResult, Step, run_cycle
from .errors import InputError
from .sql import literal

# Spark's own bars and warnings would bury what a person is to read.
QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


def on_duckdb(
	connection: duckdb.DuckDBPyConnection,
	relations: Sequence[str],
	config: Config,
	as_of: datetime.date,
	work: Path,  # noqa: ARG001
	step: Step,
) -> CycleResult:
	"""Run the cycle on the connection; ``profiles`` and ``changes`` are views and tables of it."""
	backend = DuckDBBackend(connection, extra=relations)
	result = run_cycle(backend, config, as_of, step)
	connection.execute(f"CREATE TEMP VIEW profiles AS {backend.compile(result.profiles)}")
	connection.execute(f"CREATE TABLE changes AS {backend.compile(result.changes)}")
	return result


def on_spark(
	connection: duckdb.DuckDBPyConnection,
	relations: Sequence[str],
	config: Config,
	as_of: datetime.date,
	work: Path,
	step: Step,
) -> CycleResult:
	"""Hand the relations to Spark as Parquet and take its results back as views.

	Raises InputError where Spark is not installed or does not start.
	"""
	try:
		from ..backends.spark import run_on_parquet, session
	except ImportError:
		raise InputError("--backend spark: install it with: pip install 'crm-retention[spark]'") from None
	folder = work.resolve()
	files = {name: folder / f"{name}.parquet" for name in relations}
	for name, path in files.items():
		connection.execute(f"COPY {name} TO {literal(path)} (FORMAT parquet)")
	try:
		spark = session(**QUIET)
	except Exception as error:  # PySpark raises whatever Java did
		reason = str(error).strip().splitlines()
		raise InputError(f"--backend spark: {reason[0] if reason else error!r}") from error
	result = run_on_parquet(spark, files, config, as_of, folder, step)
	for name in ("profiles", "changes"):
		found = literal(folder / f"{name}.parquet" / "*.parquet")
		connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({found})")
	return result

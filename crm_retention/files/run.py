"""A run of the cycle on files: read, evaluate, write, report; nothing is left behind unless all of it worked."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from .. import __version__
from ..engine.config import Config
from ..engine.cycle import STEPS, CycleResult
from ..report import build_report, queries, words
from ..report.guide import notes
from . import places, results
from .configuration import dump, used_columns
from .errors import InputError
from .load import Loaded, load
from .options import ReadOptions
from .output import results_folder
from .progress import Progress
from .sql import literal

CALLS = 20


@dataclass(frozen=True)
class Request:
	"""What to run: a file a relation with how to read it, the rules, the day, and where the results go.

	``memory`` is the most that DuckDB may use, such as "4GB"; ``title`` heads the report.
	"""

	files: Mapping[str, Path]
	options: Mapping[str, ReadOptions]
	config: Config
	as_of: datetime.date
	out: Path
	backend: str = "duckdb"
	memory: str | None = None
	threads: int | None = None
	title: str = ""
	quiet: bool = False


def run(request: Request) -> dict[str, Any]:
	"""Run the cycle, write the results into ``request.out`` and return what summary.json says.

	Raises InputError and EngineError for input that is wrong; the old results then stay as they were.
	"""
	started = time.perf_counter()
	progress = Progress(len(request.files) + len(STEPS) + 2, request.quiet)
	with (
		results_folder(request.out) as folder,
		tempfile.TemporaryDirectory(dir=folder) as work,
		progress.show(),
	):
		connection = _connect(request, work)
		loaded = [_read(connection, name, request, Path(work), progress) for name in request.files]
		result = evaluate(connection, request, Path(work), progress)
		summary = _summary(connection, request, loaded, result)
		with progress.step("write"):
			results.write_tables(connection, folder)
			results.write_json(folder / results.MODEL, results.model_as_dict(result.model))
			(folder / results.CONFIG).write_text(dump(request.config), encoding="utf-8")
		with progress.step("report"):
			html = build_report(
				connection, request.config, request.as_of, summary, result.model, request.title
			)
			(folder / results.REPORT).write_text(html, encoding="utf-8")
		connection.close()
		summary["seconds"] = {**progress.seconds, "total": round(time.perf_counter() - started, 3)}
		results.write_json(folder / results.SUMMARY, summary)
	return summary


def _connect(request: Request, work: str) -> duckdb.DuckDBPyConnection:
	connection = duckdb.connect()
	connection.execute(f"SET temp_directory = {literal(work)}")
	connection.execute("SET autoinstall_known_extensions = false")
	if request.memory:
		try:
			connection.execute(f"SET memory_limit = {literal(request.memory)}")
		except duckdb.Error:
			raise InputError(
				f"--memory {request.memory}: write it as a number with a unit, such as 4GB"
			) from None
	if request.threads:
		connection.execute(f"SET threads = {max(1, request.threads)}")
	return connection


def _read(
	connection: duckdb.DuckDBPyConnection, relation: str, request: Request, work: Path, progress: Progress
) -> Loaded:
	with progress.step(f"read {relation}"):
		extra = used_columns(request.config, relation)
		return load(connection, relation, request.files[relation], request.options[relation], work, extra)


def evaluate(
	connection: duckdb.DuckDBPyConnection, request: Request, work: Path, progress: Progress
) -> CycleResult:
	"""Run the cycle on the relations that are loaded, and leave its results in ``profiles`` and ``changes``.

	Raises InputError for a backend that is not installed.
	"""
	run_on = {"duckdb": places.on_duckdb, "spark": places.on_spark}[request.backend]
	return run_on(connection, list(request.files), request.config, request.as_of, work, progress.step)


def _summary(
	connection: duckdb.DuckDBPyConnection, request: Request, loaded: list[Loaded], result: CycleResult
) -> dict[str, Any]:
	"""Plain data: what went in, what came out, and what was left out."""
	config = request.config
	calls = queries.first_calls(connection, CALLS)
	summary = {
		"as_of": request.as_of.isoformat(),
		"version": __version__,
		"rule_version": config.version,
		"backend": request.backend,
		"counts": result.counts,
		"tiers": results.members(
			connection, "tier", [tier.name for tier in reversed(config.tiers_by_rank())]
		),
		"stages": results.members(connection, "stage", [stage.name for stage in config.stages_in_order()]),
		"skipped_rows": sum(item.skipped for item in loaded),
		"future_rows": result.counts["purchases_after"],
		"lifetime_model_missing": list(result.model.reasons),
		"problems": [str(problem) for problem in result.problems],
		"files": [_file(item) for item in loaded],
		"call_first": [_call(row, config.windows.period) for row in calls],
	}
	return {**summary, "notes": notes(summary)}


def _call(row: Mapping[str, Any], period: int) -> dict[str, Any]:
	names = ("party", "party_name", "tier", "stage", "lifetime_value", "probability_alive", "at_risk")
	return {name: row[name] for name in names} | {
		"at_risk_text": words.money(row["at_risk"]),
		"reasons": words.reasons(row, period),
	}


def _file(loaded: Loaded) -> dict[str, Any]:
	return {
		"relation": loaded.relation,
		"file": str(loaded.path),
		"rows": loaded.rows,
		"skipped_rows": loaded.skipped,
		"skipped_examples": loaded.faults,
		"encoding": loaded.encoding,
		"delimiter": loaded.delimiter,
		"date_format": loaded.date_format,
		"columns": loaded.columns,
	}

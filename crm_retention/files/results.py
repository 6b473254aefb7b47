"""The results of a cycle as files: Parquet and CSV for programs and spreadsheets, JSON for both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from ..engine.lifetime import LifetimeModel
from .sql import literal

PROFILES = "profiles.parquet"
CONFIG = "config.toml"
SUMMARY = "summary.json"
MODEL = "lifetime_model.json"
REPORT = "report.html"


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
	"""profiles.parquet, profiles.csv, tier_changes.csv and stage_changes.csv from the tables ``profiles`` and
	``changes``; rows in the order of the party, so that equal results are equal files.
	"""
	profiles = "SELECT * FROM profiles ORDER BY party"
	connection.execute(
		f"COPY ({profiles}) TO {literal(folder / PROFILES)} (FORMAT parquet, COMPRESSION zstd)"
	)
	_write_csv(connection, profiles, folder / "profiles.csv")
	for kind in ("Tier", "Stage"):
		changes = f"SELECT * EXCLUDE (kind) FROM changes WHERE kind = '{kind}' ORDER BY party"
		_write_csv(connection, changes, folder / f"{kind.lower()}_changes.csv")


def _write_csv(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
	connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT csv, HEADER true)")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
	"""Plain data as JSON; dates as text."""
	path.write_text(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def model_as_dict(model: LifetimeModel) -> dict[str, Any]:
	"""The fitted parameters side by side: r, alpha, a, b with their log_likelihood and n; p, q, v with theirs.

	What could not be fitted is null, and ``reasons`` says why.
	"""
	bgnbd, value = model.bgnbd, model.gamma_gamma
	return {
		"time_unit": "week",
		"parties": model.parties,
		**{name: getattr(bgnbd, name, None) for name in ("r", "alpha", "a", "b", "log_likelihood", "n")},
		**{name: getattr(value, name, None) for name in ("p", "q", "v")},
		"gamma_gamma_log_likelihood": getattr(value, "log_likelihood", None),
		"gamma_gamma_n": getattr(value, "n", None),
		"reasons": list(model.reasons),
	}


def members(connection: duckdb.DuckDBPyConnection, column: str, names: list[str]) -> dict[str, int]:
	"""Number of profiles in each of ``names``, which may be none, and under "" of those in none of them."""
	rows = connection.execute(f"SELECT coalesce({column}, ''), count(*) FROM profiles GROUP BY 1").fetchall()
	found = {str(name): int(count) for name, count in rows}
	return {name: found.pop(name, 0) for name in names} | found

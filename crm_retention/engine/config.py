"""Configuration as typed values: what a site's DocTypes and a TOML file both become.

``parse`` turns a plain dictionary into a ``Config`` or raises ``ConfigError`` with every fault found, each
naming table, row and field. Nothing here depends on where the dictionary came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .checks import check
from .errors import ConfigError
from .reader import Reader
from .values import (
	Band,
	Condition,
	Config,
	Criterion,
	CustomSignal,
	LifetimeSettings,
	Scorecard,
	Stage,
	Tier,
	Windows,
)

__all__ = [
	"Band",
	"Condition",
	"Config",
	"Criterion",
	"CustomSignal",
	"LifetimeSettings",
	"Scorecard",
	"Stage",
	"Tier",
	"Windows",
	"parse",
]


def parse(data: Mapping[str, Any]) -> Config:
	"""A ``Config`` from plain data (TOML, JSON or a site's documents).

	Shape: ``scorecards`` [{name, purpose, criteria: [{signal, weight, method, direction, missing, bands:
	[{start, end, score}]}]}], ``tiers`` [{name, rank, min_score, margin, min_stay_days, conditions}],
	``stages`` [{name, order, conditions}], ``signals`` [{name, relation, aggregate, ...}], ``windows`` {},
	``lifetime`` {}, ``trees`` {field: {child: parent}}. A condition is ``[field, op, value]``.
	Keys that are not known are faults, so that a misspelt one is never silently without effect.

	Raises ConfigError.
	"""
	reader = Reader()

	def table(name: str) -> list[tuple[int, Mapping[str, Any]]]:
		return reader.rows(data.get(name), name)

	def settings(kind: type, name: str) -> Any:
		return reader.value(kind, name, "", reader.mapping(data.get(name), name))

	values = {
		"scorecards": tuple(reader.scorecard(*row) for row in table("scorecards")),
		"tiers": tuple(reader.ruled(Tier, "tiers", *row) for row in table("tiers")),
		"stages": tuple(reader.ruled(Stage, "stages", *row) for row in table("stages")),
		"signals": tuple(reader.ruled(CustomSignal, "signals", *row) for row in table("signals")),
		"windows": settings(Windows, "windows"),
		"lifetime": settings(LifetimeSettings, "lifetime"),
		"trees": reader.trees(data.get("trees")),
	}
	known = {spec.name for spec in fields(Config)}
	for key in data:
		if key not in known:
			reader.fault(str(key), "", "", "unknown table")
	config = Config(**values)
	problems = reader.problems or check(config)
	if problems:
		raise ConfigError(problems)
	return config

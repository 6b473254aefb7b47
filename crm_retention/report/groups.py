"""Tiers and lifecycle stages: how many customers and how much value, and who moved."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import duckdb

from ..engine.config import Config
from . import charts, queries, words
from .parts import colours_of, pair, section


def distributions(connection: duckdb.DuckDBPyConnection, config: Config) -> str:
	"""Tiers beside stages, and one by the other."""
	tiers = [tier.name for tier in reversed(config.tiers_by_rank())]
	stages = [stage.name for stage in config.stages_in_order()]
	period = words.span(config.windows.period)
	left = _distribution(connection, "Tiers", "tier", tiers, period, _moves(connection))
	right = _distribution(connection, "Lifecycle stages", "stage", stages, period)
	return pair(left, right) + _matrix(connection, tiers, stages)


def _distribution(
	connection: duckdb.DuckDBPyConnection,
	title: str,
	column: str,
	names: list[str],
	period: str,
	more: str = "",
) -> str:
	found = queries.groups(connection, column)
	listed = [name for name in [*names, *(name for name in found if name not in names)] if name in found]
	colours = colours_of(f"{column}s", list(dict.fromkeys([*names, *listed])))
	total = sum(row["parties"] for row in found.values())
	worth = sum(max(row["value"], 0.0) for row in found.values())
	rows = [_Group(name or "none", colours[name], found[name], total, worth) for name in listed]
	bars = charts.stacked_bar("Customers", [(row.name, row.colour, row.share) for row in rows])
	bars += (
		charts.stacked_bar("Value", [(row.name, row.colour, row.value_share) for row in rows])
		if worth > 0
		else ""
	)
	nobody = ", ".join(name for name in names if name not in found)
	note = f'<p class="note">Nobody: {escape(nobody)}</p>' if nobody else ""
	lead = f"Share of the customers, and of the value of the last {period}."
	return section(title, lead, f"{bars}{_legend(rows)}{note}{more}")


class _Group:
	"""A tier or stage with its shares of all customers and of all value, 0 to 1."""

	def __init__(self, name: str, colour: str, row: dict[str, Any], total: int, worth: float) -> None:
		self.name, self.colour, self.parties, self.health = name, colour, row["parties"], row["health"]
		self.share = row["parties"] / total if total else 0.0
		self.value_share = max(row["value"], 0.0) / worth if worth > 0 else 0.0


def _legend(rows: Sequence[_Group]) -> str:
	lines = "".join(
		f'<tr><th scope="row"><i class="key" style="background:{row.colour}"></i>{escape(row.name)}</th>'
		f"<td>{words.count(row.parties)}</td><td>{words.percent(row.share)}</td><td>{words.percent(row.value_share)}</td>"
		f"<td>{words.decimal(row.health, 0)}</td></tr>"
		for row in rows
	)
	head = "".join(f'<th scope="col">{name}</th>' for name in ("Customers", "Share", "Value", "Health"))
	return f'<table class="legend"><thead><tr><th></th>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _matrix(connection: duckdb.DuckDBPyConnection, tiers: list[str], stages: list[str]) -> str:
	found = queries.tiers_by_stage(connection)
	rows = tiers + sorted({tier for tier, _ in found} - set(tiers))
	columns = [
		name
		for name in stages + sorted({stage for _, stage in found} - set(stages))
		if any((tier, name) in found for tier in rows)
	]
	if not found or len(columns) < 2:
		return ""
	body = []
	for tier in rows:
		size = sum(found.get((tier, stage), 0) for stage in columns)
		cells = [
			(words.count(n), n / size, f"{words.percent(n / size)} of {tier or 'no tier'}")
			if (n := found.get((tier, stage), 0))
			else None
			for stage in columns
		]
		body.append((tier or "none", words.count(size), cells))
	table = charts.heat_table([name or "none" for name in columns], body, ("Tier", "Customers"))
	return section(
		"Tiers by stage",
		"Where each tier stands in its lifecycle; the darker, the larger the share of the tier.",
		table,
	)


def _moves(connection: duckdb.DuckDBPyConnection) -> str:
	"""Who changed tier since the state that was given; nothing without one."""
	found = queries.moves(connection)
	if not found:
		return ""
	items = "".join(
		f"<tr><td>{escape(str(row['from_value']))} → {escape(str(row['to_value'] or 'no tier'))}</td>"
		f'<td class="number">{words.count(row["parties"])}</td></tr>'
		for row in found
	)
	return f'<h3>Moves between tiers since the state before</h3><table class="plain">{items}</table>'

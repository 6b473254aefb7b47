"""How customers buy: by month, by customer, by recency and frequency, and cohort by cohort."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import duckdb

from . import charts, queries, words
from .parts import section


def by_month(connection: duckdb.DuckDBPyConnection, as_of: datetime.date) -> str:
	months = queries.value_by_month(connection, as_of)
	total = sum(max(new, 0) + max(again, 0) for _, new, again in months)
	if len(months) < 2 or not total:
		return ""
	share = sum(max(again, 0) for _, _, again in months) / total
	lead = (
		f"Returning customers bring {words.percent(share)} of the value of these {len(months)} months. "
		'<span class="legend"><i class="swatch again"></i>returning <i class="swatch new"></i>new</span>'
	)
	return section("Value by month", lead, charts.stacked_months(months))


def curve(connection: duckdb.DuckDBPyConnection) -> str:
	points = queries.value_curve(connection)
	if len(points) < 3:
		return ""
	share = charts.value_of_top(points, 0.2)
	lead = f"The top 20% of customers bring {words.percent(share)} of all value; the dashed line is where all are equal."
	return section("Value curve", lead, charts.value_curve(points))


def recency_map(connection: duckdb.DuckDBPyConnection) -> str:
	found = queries.recency_by_frequency(connection)
	if not found:
		return ""
	peak = max(row["parties"] for row in found.values())
	used = sorted({days for _, days in found})
	columns = range(used[0], used[-1] + 1)
	body = []
	for recency, (_, name) in enumerate(queries.RECENCY_BINS):
		cells = [_map_cell(found.get((recency, days)), peak) for days in columns]
		if any(cells):
			body.append((name if "year" in name else f"{name} days", "", cells))
	table = charts.heat_table([queries.DAYS_BINS[days][1] for days in columns], body, ("Last purchase", ""))
	lead = "Customers by days since the last purchase (down) and number of days with a purchase (across). Right and far down: frequent buyers who fell silent."
	return section("Recency by frequency", lead, table)


def _map_cell(row: Mapping[str, Any] | None, peak: int) -> tuple[str, float, str] | None:
	if row is None:
		return None
	alive = f", mean probability alive {row['alive']:.2f}" if row["alive"] is not None else ""
	title = f"{words.count(row['parties'])} customers, total value {words.money(row['value'])}{alive}"
	return words.count(row["parties"]), (row["parties"] / peak) ** 0.5, title


def cohorts(connection: duckdb.DuckDBPyConnection, as_of: datetime.date) -> str:
	found = queries.cohorts(connection, as_of)
	if found is None:
		return ""
	periods = {cohort: _periods_between(cohort, found.last, found.unit) for cohort in found.sizes}
	longest = min(max(periods.values(), default=0), queries.MAX_PERIODS)
	if not longest:
		return ""
	shares = [count / found.sizes[cohort] for (cohort, _), count in found.returned.items()]
	peak = max(shares, default=0.0) or 1.0
	body = []
	for cohort, size in found.sizes.items():
		cells: list[tuple[str, float, str] | None] = []
		for n in range(1, longest + 1):
			if n > periods[cohort]:
				cells.append(None)
				continue
			share = found.returned.get((cohort, n), 0) / size
			running = n == periods[cohort]
			title = f"{words.count(found.returned.get((cohort, n), 0))} of {words.count(size)}{', period still running' if running else ''}"
			cells.append((f"{100 * share:.0f}{'*' if running else ''}", share / peak, title))
		body.append((_period_name(cohort, found.unit), words.count(size), cells))
	table = charts.heat_table([str(n) for n in range(1, longest + 1)], body, ("First purchase", "Customers"))
	lead = (
		f"Of those who first bought in a {found.unit}, the percentage that bought again in each later {found.unit}. "
		"* the last period may still be running."
	)
	return section("Cohort retention", lead, table)


def _periods_between(first: datetime.date, last: datetime.date, unit: str) -> int:
	months = (last.year - first.year) * 12 + last.month - first.month
	return {"month": months, "quarter": months // 3, "year": last.year - first.year}[unit]


def _period_name(day: datetime.date, unit: str) -> str:
	if unit == "quarter":
		return f"{day.year} Q{(day.month + 2) // 3}"
	return str(day.year) if unit == "year" else f"{day:%b %Y}"

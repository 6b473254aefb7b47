"""What the report shows, as SQL over the results of a cycle.

Tables: ``profiles`` (a row a party) and ``purchases`` (as read). Each function returns few rows whatever the size
of the data. A purchase is a row with an amount of zero or more, as in the engine.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

ALIVE_FROM, ALIVE_UPTO = 0.2, 0.9
RECENCY_BINS = (
	(30, "0-30"),
	(90, "31-90"),
	(180, "91-180"),
	(365, "181-365"),
	(730, "1-2 years"),
	(None, "over 2 years"),
)
DAYS_BINS = ((1, "1"), (2, "2"), (4, "3-4"), (9, "5-9"), (19, "10-19"), (None, "20+"))
MAX_COHORTS = 12
MAX_PERIODS = 18


# Bought again at least once, silent for longer than the own rhythm, and not yet given up.
_SLIPPING = (
	f"frequency >= 1 AND overdue_ratio > 1 AND probability_alive BETWEEN {ALIVE_FROM} AND {ALIVE_UPTO}"
)
# Without a model the own rhythm alone says who slips: silent for half as long again, up to four times as long.
_OVERDUE = "probability_alive IS NULL AND frequency >= 2 AND overdue_ratio > 1.5 AND overdue_ratio <= 4"
_LATELY = "greatest(monetary_12m, monetary_prior_12m, 0)"
# What the customer is worth over the horizon if he still buys, times the probability that he does not any more.
AT_RISK = (
	f"CASE WHEN {_SLIPPING} THEN coalesce(lifetime_value / probability_alive, {_LATELY}) * (1 - probability_alive) "
	f"WHEN {_OVERDUE} THEN {_LATELY} END"
)


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
	"""The rows of a query as dictionaries."""
	cursor = connection.execute(sql)
	names = [column[0] for column in cursor.description or ()]
	return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def headline(connection: duckdb.DuckDBPyConnection, period: int) -> dict[str, Any]:
	"""One row: parties, buyers, active (bought in the period), repeaters, value and value_prior of the period and
	the one before, expected (lifetime value), at_risk (see ``FIRST_CALLS``), all in base currency.
	"""
	return rows(
		connection,
		f"""
		SELECT count(*) AS parties, count(first_purchase) AS buyers,
			count(*) FILTER (recency_days < {period}) AS active,
			count(*) FILTER (frequency > 0) AS repeaters,
			sum(monetary_12m) AS value, sum(monetary_prior_12m) AS value_prior,
			sum(lifetime_value) AS expected, count(lifetime_value) AS valued, sum({AT_RISK}) AS at_risk,
			count(*) FILTER ({AT_RISK} > 0) AS slipping, avg(probability_alive) AS alive
		FROM profiles
		""",
	)[0]


def first_calls(connection: duckdb.DuckDBPyConnection, limit: int) -> list[dict[str, Any]]:
	"""Profiles with the most value at risk, column ``at_risk``, base currency; the highest first."""
	return rows(
		connection,
		f"SELECT *, {AT_RISK} AS at_risk FROM profiles WHERE {AT_RISK} > 0 ORDER BY at_risk DESC, party LIMIT {limit}",
	)


def groups(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, dict[str, Any]]:
	"""By the value of ``tier`` or ``stage`` ("" where there is none): parties, value of the period, alive (mean
	probability) and health (mean).
	"""
	found = rows(
		connection,
		f"""
		SELECT coalesce({column}, '') AS name, count(*) AS parties, coalesce(sum(monetary_12m), 0) AS value,
			avg(probability_alive) AS alive, avg(health) AS health
		FROM profiles GROUP BY 1
		""",
	)
	return {str(row["name"]): row for row in found}


def tiers_by_stage(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
	"""Number of parties by tier and stage."""
	found = connection.execute(
		"SELECT coalesce(tier, ''), coalesce(stage, ''), count(*) FROM profiles GROUP BY 1, 2"
	).fetchall()
	return {(str(tier), str(stage)): int(count) for tier, stage, count in found}


def moves(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
	"""Tier changes of parties that had a tier before: from_value, to_value, parties; the most frequent first."""
	return rows(
		connection,
		"""
		SELECT from_value, to_value, count(*) AS parties FROM changes
		WHERE kind = 'Tier' AND from_value IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20
		""",
	)


def value_curve(connection: duckdb.DuckDBPyConnection) -> list[tuple[float, float]]:
	"""Points (share of customers, share of value), both 0 to 1, customers with the most value first."""
	found = connection.execute(
		"""
		WITH ranked AS (
			SELECT monetary_total AS value, row_number() OVER (ORDER BY monetary_total DESC) AS place,
				count(*) OVER () AS n
			FROM profiles WHERE monetary_total > 0
		), steps AS (
			SELECT CAST(ceil(100.0 * place / n) AS INTEGER) AS step, max(place) / any_value(n) AS share, sum(value) AS value
			FROM ranked GROUP BY 1
		)
		SELECT share, sum(value) OVER (ORDER BY step) / sum(value) OVER () FROM steps ORDER BY step
		"""
	).fetchall()
	return [(0.0, 0.0), *((float(share), float(value)) for share, value in found)] if found else []


def _binned(column: str, bins: Sequence[tuple[int | None, str]]) -> str:
	cases = " ".join(
		f"WHEN {column} <= {edge} THEN {index}" for index, (edge, _) in enumerate(bins) if edge is not None
	)
	return f"CASE {cases} ELSE {len(bins) - 1} END"


def recency_by_frequency(connection: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], dict[str, Any]]:
	"""By index in ``RECENCY_BINS`` (days) and ``DAYS_BINS`` (purchase days): parties, value (total), alive."""
	found = rows(
		connection,
		f"""
		SELECT {_binned("recency_days", RECENCY_BINS)} AS recency, {_binned("frequency + 1", DAYS_BINS)} AS days,
			count(*) AS parties, sum(monetary_total) AS value, avg(probability_alive) AS alive
		FROM profiles WHERE frequency IS NOT NULL GROUP BY 1, 2
		""",
	)
	return {(int(row["recency"]), int(row["days"])): row for row in found}


@dataclass(frozen=True)
class Cohorts:
	"""``unit`` is month, quarter or year. ``sizes``: buyers by first day of the cohort's period; ``returned``: of
	them, how many bought in the nth period after, by (cohort, n); ``last`` is the first day of the period of
	``as_of``, which may still be running.
	"""

	unit: str
	sizes: dict[datetime.date, int]
	returned: dict[tuple[datetime.date, int], int]
	last: datetime.date


def cohorts(connection: duckdb.DuckDBPyConnection, as_of: datetime.date) -> Cohorts | None:
	"""Repeat buying by period of the first purchase; the latest ``MAX_COHORTS`` cohorts. None without a buyer."""
	first = connection.execute("SELECT min(first_purchase) FROM profiles").fetchone()
	if first is None or first[0] is None:
		return None
	days = (as_of - first[0]).days
	unit = "month" if days <= 750 else "quarter" if days <= 365 * 6 else "year"
	period = f"CAST(date_trunc('{unit}', {{}}) AS DATE)".format
	found = connection.execute(
		f"""
		WITH started AS (
			SELECT party, {period("first_purchase")} AS cohort FROM profiles WHERE first_purchase IS NOT NULL
		), latest AS (
			SELECT party, cohort FROM started
			WHERE cohort IN (SELECT DISTINCT cohort FROM started ORDER BY cohort DESC LIMIT {MAX_COHORTS})
		), bought AS (
			SELECT DISTINCT party, cohort, date_diff('{unit}', cohort, {period("day")}) AS n
			FROM purchases JOIN latest USING (party) WHERE amount >= 0 AND day <= DATE '{as_of.isoformat()}'
		)
		SELECT cohort, n, count(*) FROM bought GROUP BY 1, 2 ORDER BY 1, 2
		"""
	).fetchall()
	sizes = {cohort: int(count) for cohort, n, count in found if n == 0}
	returned = {(cohort, int(n)): int(count) for cohort, n, count in found if 0 < n <= MAX_PERIODS}
	last = connection.execute(
		f"SELECT CAST(date_trunc('{unit}', DATE '{as_of.isoformat()}') AS DATE)"
	).fetchone()
	assert last is not None
	return Cohorts(unit, sizes, returned, last[0])


def value_by_month(
	connection: duckdb.DuckDBPyConnection, as_of: datetime.date
) -> list[tuple[datetime.date, float, float]]:
	"""(first day of the month, value from new customers, value from returning ones), base currency, for up to 24
	months. New is who buys for the first time in that month; returns are taken off.
	"""
	last = as_of.isoformat()
	return connection.execute(
		f"""
		WITH months AS (
			SELECT CAST(unnest(generate_series(
				greatest(date_trunc('month', (SELECT min(first_purchase) FROM profiles)),
					date_trunc('month', DATE '{last}') - INTERVAL 23 MONTH),
				date_trunc('month', DATE '{last}'), INTERVAL 1 MONTH)) AS DATE) AS month
		), sold AS (
			SELECT CAST(date_trunc('month', day) AS DATE) AS month,
				sum(amount) FILTER (day <= last_day(first_purchase)) AS fresh,
				sum(amount) FILTER (day > last_day(first_purchase)) AS again
			FROM purchases JOIN (SELECT party, first_purchase FROM profiles) USING (party)
			WHERE day <= DATE '{last}' AND day >= (SELECT min(month) FROM months) GROUP BY 1
		)
		SELECT month, coalesce(fresh, 0), coalesce(again, 0) FROM months LEFT JOIN sold USING (month) ORDER BY 1
		"""
	).fetchall()


def empty_signals(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> list[str]:
	"""Those of ``columns`` that no profile has a value in."""
	if not columns:
		return []
	counts = ", ".join(f'count("{name}")' for name in columns)
	found = connection.execute(f"SELECT {counts} FROM profiles").fetchone()
	return [name for name, count in zip(columns, found or (), strict=True) if not count]


def columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
	"""Names of the columns of ``profiles``."""
	return [str(row[0]) for row in connection.execute("DESCRIBE profiles").fetchall()]

"""Deterministic purchases of any size: the same arguments give the same rows on any machine.

Randomness is the MD5 of a row's number, so nothing depends on a seed, a library's version or the number of threads.
Every party has a start, an active span and a usual amount of its own; purchases fall anywhere in that span. A few
buy every week, some never, and every twentieth row is a return.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import duckdb

AS_OF = datetime.date(2025, 6, 30)
YEARS = 3
HEAD = 0.1  # the smaller, the more the few big buyers buy
GROUPS = ("Commercial", "Government", "Individual", "Non Profit")


@dataclass(frozen=True)
class Size:
	"""How much to make."""

	parties: int
	purchases: int

	def __str__(self) -> str:
		return f"{self.parties:,} parties, {self.purchases:,} purchases"


def create(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
	"""Tables ``parties`` (party, party_type, customer_group) and ``purchases`` (party, day, amount, discount)."""
	connection.execute(_drawn("drawn_parties", "party", size.parties))
	connection.execute(_parties())
	connection.execute(_drawn("drawn_purchases", "purchase", size.purchases))
	connection.execute(_purchases(size))
	connection.execute("DROP TABLE drawn_parties; DROP TABLE drawn_purchases")


def _drawn(table: str, kind: str, rows: int) -> str:
	"""A row a number: i and four numbers in [0, 1), each from 32 bits of the MD5 of kind and number."""
	parts = ", ".join(
		f"(({half} >> {shift}) & 4294967295) / 4294967296.0 AS {name}"
		for name, half, shift in (("a", "low", 0), ("b", "low", 32), ("c", "high", 0), ("d", "high", 32))
	)
	return f"""
		CREATE OR REPLACE TEMPORARY TABLE {table} AS
		SELECT i, {parts}
		FROM (
			SELECT i, md5_number_lower(text) AS low, md5_number_upper(text) AS high
			FROM (SELECT i, '{kind}-' || i AS text FROM range({rows}) AS numbers(i))
		)
	"""


NAME = "'CUST-' || lpad(CAST(i AS VARCHAR), 7, '0')"


def _parties() -> str:
	groups = ", ".join(f"'{group}'" for group in GROUPS)
	return f"""
		CREATE OR REPLACE TABLE parties AS
		SELECT
			{NAME} AS party,
			'Customer' AS party_type,
			[{groups}][1 + CAST(floor(a * {len(GROUPS)}) AS INTEGER)] AS customer_group
		FROM drawn_parties
		ORDER BY i
	"""


def _purchases(size: Size) -> str:
	days = 365 * YEARS
	low, high = HEAD**3, 1 - HEAD**3
	return f"""
		CREATE OR REPLACE TABLE purchases AS
		WITH owners AS (
			SELECT
				i AS owner,
				{NAME} AS party,
				floor(b * {days}) AS begun,
				({days} - floor(b * {days})) * least(1, 1.6 * c) AS span,
				exp(3 + 3 * d) AS usual
			FROM drawn_parties
		), placed AS (
			SELECT *, CAST(floor({size.parties} * (pow({HEAD} + {1 - HEAD} * a, 3) - {low}) / {high}) AS BIGINT) AS owner
			FROM drawn_purchases
		)
		SELECT
			party,
			DATE '{AS_OF}' - CAST({days - 1} - begun - floor(b * span) AS INTEGER) AS day,
			CASE WHEN d < 0.05 THEN -1 ELSE 1 END * round(usual * (0.5 + c), 2) AS amount,
			CASE WHEN d > 0.7 THEN round(usual * 0.1, 2) ELSE 0 END AS discount
		FROM placed JOIN owners USING (owner)
		ORDER BY day, i
	"""

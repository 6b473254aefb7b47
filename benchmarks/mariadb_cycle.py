"""The engine on MariaDB against the bare grouped aggregate over the same covering index.

	MARIADB_USER=root MARIADB_PASSWORD=root python -m benchmarks.mariadb_cycle --parties 100000 --purchases 1000000

Fills a scratch database (created and dropped) with the generated purchases and an index over party, day, amount and
discount, then takes the two sides in turns. A cycle here ends with its work tables; benchmarks/site.py measures a
site, documents and writes included. The scoring pass is the steps signals, lifetime and scores.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from crm_retention.backends.dbapi import MariaDB
from crm_retention.engine.config import parse
from crm_retention.engine.cycle import run_cycle
from crm_retention.setup.defaults import DEFAULTS

from .data import AS_OF, Size, create
from .measure import heading, in_turns, show_budget, show_steps, show_times

BUDGET = Size(100_000, 1_000_000)
SCRATCH = f"retention_benchmark_{os.getpid()}"
SCHEMAS = {
	"parties": {"party": "string", "party_type": "string", "customer_group": "string"},
	"purchases": {"party": "string", "day": "date", "amount": "float64", "discount": "float64"},
}
BUDGET = Size(100_000, 1_000_000)
BARE = (
	"SELECT COUNT(*) FROM (SELECT party, MIN(day) AS first, MAX(day) AS last, COUNT(*) AS n, SUM(amount) AS total "
	f"FROM purchases WHERE day <= '{AS_OF}' GROUP BY party) AS bare"
)
SCORING = ("signals", "lifetime", "scores")


def main() -> None:
	"""Read the options and measure."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--parties", type=int, default=100_000)
	parser.add_argument("--purchases", type=int, default=1_000_000)
	parser.add_argument("--rounds", type=int, default=3)
	options = parser.parse_args()
	measure(Size(options.parties, options.purchases), options.rounds)


def connect() -> Any:
	"""The server that MARIADB_HOST, _PORT, _SOCKET, _USER and _PASSWORD name, else the one of this machine.

	Raises LookupError, saying why, where there is none.
	"""
	try:
		import pymysql
	except ImportError as error:
		raise LookupError("pymysql is not installed") from error
	where: dict[str, Any] = {"unix_socket": os.environ.get("MARIADB_SOCKET", "/run/mysqld/mysqld.sock")}
	if "MARIADB_HOST" in os.environ:
		where = {"host": os.environ["MARIADB_HOST"], "port": int(os.environ.get("MARIADB_PORT", "3306"))}
	user = {
		"user": os.environ.get("MARIADB_USER", "root"),
		"password": os.environ.get("MARIADB_PASSWORD", "root"),
	}
	try:
		return pymysql.connect(charset="utf8mb4", **where, **user)
	except pymysql.Error as error:
		raise LookupError(str(error)) from error


def measure(size: Size, rounds: int) -> None:
	"""Print times and ratios, or why there are none."""
	try:
		connection = connect()
	except LookupError as error:
		heading(f"MariaDB is left out: {error}")
		return
	cursor = connection.cursor()
	cursor.execute("SELECT VERSION()")
	heading(f"MariaDB {cursor.fetchone()[0]}, engine alone: {size}")
	cursor.execute(f"CREATE DATABASE {SCRATCH} COLLATE utf8mb4_unicode_ci")
	try:
		connection.select_db(SCRATCH)
		fill(connection, size)
		compare(connection, rounds, judged=size == BUDGET)
	finally:
		cursor.execute(f"DROP DATABASE {SCRATCH}")
		connection.close()


def fill(connection: Any, size: Size) -> None:
	"""Tables as Frappe declares them, with the generated rows."""
	source = duckdb.connect()
	create(source, size)
	cursor = connection.cursor()
	text, money = "VARCHAR(140)", "DECIMAL(21,9) NOT NULL DEFAULT 0"
	cursor.execute(
		f"CREATE TABLE parties (party {text} PRIMARY KEY, party_type {text}, customer_group {text})"
	)
	cursor.execute(
		f"CREATE TABLE purchases (name INT AUTO_INCREMENT PRIMARY KEY, party {text}, day DATE, amount {money}, "
		f"discount {money}, INDEX covering (party, day, amount, discount))"
	)
	for table, columns in SCHEMAS.items():
		rows = source.execute(f"SELECT {', '.join(columns)} FROM {table}")
		marks = ", ".join("%s" for _ in columns)
		while batch := rows.fetchmany(20_000):
			cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", batch)
	connection.commit()
	cursor.execute("ANALYZE TABLE purchases")
	cursor.fetchall()


def compare(connection: Any, rounds: int, judged: bool) -> None:
	"""Both sides in turns."""
	backend = MariaDB(connection, SCHEMAS)
	config = parse(DEFAULTS)
	scoring: list[float] = []
	steps: dict[str, float] = {}

	@contextmanager
	def step(name: str) -> Iterator[None]:
		begun = time.perf_counter()
		yield
		steps[name] = time.perf_counter() - begun

	def aggregate() -> None:
		backend.query(BARE)

	def cycle() -> None:
		run_cycle(backend, config, AS_OF, step)
		scoring.append(sum(steps[name] for name in SCORING))

	times = in_turns({"aggregate": aggregate, "cycle": cycle}, rounds)
	times["scoring pass"] = scoring
	middle = show_times(times)
	show_steps(steps.items())
	ratio = middle["scoring pass"] / middle["aggregate"]
	show_budget("scoring pass over the bare aggregate", ratio, 4, judged=judged)
	print(f"  whole cycle over it: {middle['cycle'] / middle['aggregate']:.1f}x")


if __name__ == "__main__":
	main()

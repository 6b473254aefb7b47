"""A whole cycle on DuckDB against the bare grouped aggregate over the same table.

	python -m benchmarks.duckdb_cycle --parties 1000000 --purchases 10000000

Makes the data first (in a process of its own, kept in --folder for the next time), then takes the two sides in turns.
The cycle counts from reading the purchases to the last row of profiles and changes, lifetime model included. The
aggregate is what SQL for recency, frequency and monetary value has to do: first and last day, different days, number
and sum. The same without the different days is shown beside it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import duckdb

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.engine.config import parse
from crm_retention.engine.cycle import run_cycle
from crm_retention.setup.defaults import DEFAULTS

from .data import AS_OF, Size, create
from .measure import heading, in_turns, peak_gib, show_budget, show_steps, show_times

BUDGET = Size(1_000_000, 10_000_000)
PLAIN = "SELECT party, MIN(day), MAX(day), COUNT(*), SUM(amount) FROM purchases WHERE day <= ? GROUP BY party"
BARE = PLAIN.replace("COUNT(*)", "COUNT(*), COUNT(DISTINCT day)")


def main() -> None:
	"""Read the options and measure."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--parties", type=int, default=1_000_000)
	parser.add_argument("--purchases", type=int, default=10_000_000)
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument(
		"--folder", type=Path, default=Path(tempfile.gettempdir()) / "crm-retention-benchmarks"
	)
	options = parser.parse_args()
	measure(Size(options.parties, options.purchases), options.rounds, options.folder)


def measure(size: Size, rounds: int, folder: Path) -> None:
	"""Make the data where it is missing, then print times, ratio and peak memory."""
	path = folder / f"{size.parties}-{size.purchases}.duckdb"
	context = get_context("spawn")
	for work, arguments in ((_make, (path, size)), (_measure, (path, size, rounds))):
		process = context.Process(
			target=work, args=arguments
		)  # so that peak memory is that of the cycle alone
		process.start()
		process.join()
		if process.exitcode:
			raise SystemExit(process.exitcode)


def _make(path: Path, size: Size) -> None:
	if not path.exists():
		path.parent.mkdir(parents=True, exist_ok=True)
		fresh = path.with_suffix(".new")
		fresh.unlink(missing_ok=True)
		with duckdb.connect(str(fresh)) as connection:
			connection.execute("SET enable_progress_bar = false")
			create(connection, size)
		fresh.rename(path)


def _measure(path: Path, size: Size, rounds: int) -> None:
	heading(f"DuckDB {duckdb.__version__}, whole cycle: {size}")
	connection = duckdb.connect(str(path), read_only=True)
	connection.execute("SET memory_limit = '3GB'")
	connection.execute("SET enable_progress_bar = false")
	backend = DuckDBBackend(connection)
	config = parse(DEFAULTS)
	steps: dict[str, float] = {}

	@contextmanager
	def step(name: str) -> Iterator[None]:
		begun = time.perf_counter()
		yield
		steps[name] = time.perf_counter() - begun

	def cycle() -> None:
		result = run_cycle(backend, config, AS_OF, step)
		connection.execute(f"CREATE OR REPLACE TEMP TABLE profiles AS {backend.compile(result.profiles)}")

	def aggregate(sql: str) -> None:
		connection.execute(f"CREATE OR REPLACE TEMP TABLE bare AS {sql}", [AS_OF])

	sides = {
		"aggregate without days": lambda: aggregate(PLAIN),
		"aggregate": lambda: aggregate(BARE),
		"cycle": cycle,
	}
	middle = show_times(in_turns(sides, rounds))
	show_steps(steps.items())
	show_budget(
		"whole cycle over the bare aggregate", middle["cycle"] / middle["aggregate"], 3, judged=size == BUDGET
	)
	print(f"  over the aggregate without days: {middle['cycle'] / middle['aggregate without days']:.2f}x")
	show_budget("peak memory", peak_gib(), 4, " GiB", judged=size == BUDGET)


if __name__ == "__main__":
	main()

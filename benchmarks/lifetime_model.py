"""Fitting and predicting against the package lifetimes, on the same customers.

	python -m benchmarks.lifetime_model --customers 1000000

Both sides start from frequency, recency, age and repeat value of each customer, fit BG/NBD and Gamma-Gamma, and
predict the probability alive, the purchases of 30, 90 and 365 days and the value of a purchase. Ours also discounts
the lifetime value month by month, which is not counted to its favour.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from crm_retention.engine.lifetime import fit, predictions
from crm_retention.engine.values import LifetimeSettings

from .data import AS_OF, Size, create
from .measure import heading, in_turns, show_budget, show_times

Columns = dict[str, npt.NDArray[Any]]
SUMMARY = """
	WITH days AS (
		SELECT party, day, SUM(amount) AS value FROM purchases WHERE amount >= 0 AND day <= ? GROUP BY party, day
	), parties AS (
		SELECT party, COUNT(*) - 1 AS x, MIN(day) AS first, MAX(day) AS last, SUM(value) - arg_min(value, day) AS rest
		FROM days GROUP BY party
	)
	SELECT x AS frequency, last - first AS recency, CAST(? AS DATE) - first AS age,
		CASE WHEN x > 0 THEN round(rest / x, 6) ELSE 0 END AS value
	FROM parties ORDER BY party
"""


def main() -> None:
	"""Read the options and measure."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument(
		"--customers", type=int, default=1_000_000, help="of the large comparison; 0 leaves it out"
	)
	parser.add_argument("--rounds", type=int, default=3, help="of the comparison on CDNOW")
	options = parser.parse_args()
	measure(options.customers, options.rounds)


def measure(customers: int, rounds: int) -> None:
	"""Print both comparisons."""
	summary = cdnow()
	heading(f"Lifetime model against lifetimes: CDNOW, {len(summary['frequency']):,} customers")
	middle = show_times(in_turns({"lifetimes": peer(summary), "ours": ours(summary)}, rounds))
	show_budget("faster than lifetimes", middle["lifetimes"] / middle["ours"], 1, least=True)
	if customers:
		summary = generated(customers)
		heading(f"Lifetime model against lifetimes: {len(summary['frequency']):,} customers")
		middle = show_times(in_turns({"lifetimes": peer(summary), "ours": ours(summary)}, 1))
		ratio = middle["lifetimes"] / middle["ours"]
		show_budget("faster than lifetimes", ratio, 5, least=True, judged=customers >= 1_000_000)


def cdnow() -> Columns:
	"""The whole CDNOW file, which lifetimes carries, at the end of its 18 months."""
	spec = find_spec("lifetimes")
	if spec is None or not spec.submodule_search_locations:
		raise SystemExit("lifetimes is not installed: pip install lifetimes==0.11.3")
	path = Path(spec.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"
	connection = duckdb.connect()
	fields = "regexp_extract_all(trim(line), '[^ ]+')"
	connection.execute(
		f"CREATE TABLE purchases AS SELECT {fields}[1] AS party, strptime({fields}[2], '%Y%m%d')::DATE AS day, "
		f"{fields}[4]::DOUBLE AS amount FROM read_csv(?, columns = {{'line': 'VARCHAR'}}, header = false, "
		"delim = '~', skip = 1)",
		[str(path)],
	)
	return connection.execute(SUMMARY, ["1998-06-30", "1998-06-30"]).fetchnumpy()


def generated(customers: int) -> Columns:
	"""Customers of ``data.create`` with ten purchases each on average; those without any are left out."""
	connection = duckdb.connect()
	create(connection, Size(customers, customers * 10))
	return connection.execute(SUMMARY, [AS_OF, AS_OF]).fetchnumpy()


def ours(summary: Columns) -> Callable[[], Any]:
	"""Our side; grouping customers that are alike is part of it."""

	def work() -> Columns:
		settings = LifetimeSettings()
		rows = np.stack([summary[name] for name in ("frequency", "recency", "age")]).astype(np.int64)
		code = (rows[0] * 100_000 + rows[1]) * 100_000 + rows[2]
		unique, first, place, n = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
		assert len(unique) == len(n)
		triple = dict(zip(("frequency", "recency", "age"), rows[:, first], strict=True))
		bought = (summary["frequency"] > 0) & (summary["value"] > 0)
		value = {
			"frequency": rows[0][bought],
			"value": summary["value"][bought],
			"n": np.ones(int(bought.sum())),
		}
		model = fit({**triple, "n": n}, value, settings)
		if model.bgnbd is None or model.gamma_gamma is None:
			raise SystemExit(f"the model could not be fitted: {model.reasons}")
		found = {name: column[place] for name, column in predictions(model.bgnbd, triple, settings).items()}
		return {**found, "value": model.gamma_gamma.expected_value(summary["frequency"], summary["value"])}

	return work


def peer(summary: Columns) -> Callable[[], Any]:
	"""The side of lifetimes."""

	def work() -> list[Any]:
		import pandas
		from lifetimes import BetaGeoFitter, GammaGammaFitter

		frame = pandas.DataFrame({name: column.astype(float) for name, column in summary.items()})
		x, t_x, age = frame["frequency"], frame["recency"] / 7, frame["age"] / 7
		repeated = frame[(x > 0) & (frame["value"] > 0)]
		with warnings.catch_warnings():
			warnings.simplefilter("ignore")
			bgnbd = BetaGeoFitter().fit(x, t_x, age)
			gamma_gamma = GammaGammaFitter().fit(repeated["frequency"], repeated["value"])
			found = [bgnbd.conditional_probability_alive(x, t_x, age)]
			for days in (30, 90, 365):
				found.append(bgnbd.conditional_expected_number_of_purchases_up_to_time(days / 7, x, t_x, age))
			found.append(gamma_gamma.conditional_expected_average_profit(x, frame["value"]))
		return found

	return work


if __name__ == "__main__":
	main()

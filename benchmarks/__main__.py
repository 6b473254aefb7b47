"""All benchmarks that need no site, one after the other.

	python -m benchmarks            the sizes of the budgets
	python -m benchmarks --small    a hundredth of them, to see that everything runs

benchmarks/site.py, touchpoints.py, daily.py and timeline.py, which need a site, are started by themselves.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from . import duckdb_cycle, lifetime_model
from .data import Size


def main() -> None:
	"""Say what the machine is, then measure."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--small", action="store_true", help="a hundredth of the sizes")
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument(
		"--folder", type=Path, default=Path(tempfile.gettempdir()) / "crm-retention-benchmarks"
	)
	options = parser.parse_args()
	part = 100 if options.small else 1
	packages = ", ".join(f"{name} {version(name)}" for name in ("ibis-framework", "numpy", "scipy"))
	print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {packages}")
	duckdb_cycle.measure(Size(1_000_000 // part, 10_000_000 // part), options.rounds, options.folder)
	lifetime_model.measure(1_000_000 // part, options.rounds)


if __name__ == "__main__":
	main()

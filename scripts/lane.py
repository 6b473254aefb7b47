"""One of the sites that a bench's test run makes, and the pytest processes on it. `site_tests.py` starts it.

Makes a bench of its own beside the real one, a disposable site with this checkout's app on it, and runs the modules
that it is dealt there. Whatever happens, it leaves no process, database or file behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchkit.database import database_name, read_config
from benchkit.deal import Deal, write_whole
from benchkit.disposable import create_site, ensure_template
from benchkit.services import ServiceError, end_with_parent, exit_on_first_signal
from benchkit.stores import Store, choose_store
from benchkit.suites import ON_BENCH, arguments_of, modules_of
from benchkit.workbench import APP, Workbench


def main() -> int:
	options = read_options()
	exit_on_first_signal()
	end_with_parent()
	config = read_config(options.bench / "sites")
	try:
		store = choose_store(options.bench, config)
		options.lane.mkdir()
		(options.lane / f"pid-{store.kind}").write_text(str(os.getpid()))
		run_lane(options, config, store)
		return 0
	except (ServiceError, subprocess.CalledProcessError) as error:
		print(f"error: {error}", file=sys.stderr)
		return 1
	finally:
		shutil.rmtree(options.lane, ignore_errors=True)


def read_options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--bench", type=Path, required=True)
	parser.add_argument("--run", type=Path, required=True, help="folder of the run; the checkout is in it")
	parser.add_argument("--lane", type=Path, required=True, help="folder that this lane makes, and removes")
	parser.add_argument("--suites", nargs="+", choices=ON_BENCH, required=True)
	parser.add_argument("--pytest-args", nargs=argparse.REMAINDER, default=[])
	return parser.parse_args()


def run_lane(options: argparse.Namespace, config: dict, store: Store) -> None:
	workbench = Workbench(options.lane, options.bench)
	site = f"{options.lane.name}.localhost"
	try:
		started = time.monotonic()
		shutil.copytree(options.run / "apps" / APP, options.lane / "apps" / APP, symlinks=True)
		prepare_site(workbench, config, store, site)
		print(f"Site {site} is ready after {time.monotonic() - started:.0f} s", flush=True)
		for suite in options.suites:
			if Deal(options.run / "deal" / suite).has_left(modules_of(workbench.path / "apps" / APP, suite)):
				run_pytest(workbench, site, suite, options)
	finally:
		workbench.stop()
		store.drop(database_name(site))


def prepare_site(workbench: Workbench, config: dict, store: Store, site: str) -> None:
	templates = workbench.path.parent.parent / "templates"
	workbench.build(config)
	workbench.start_redis()
	template = ensure_template(workbench, store, templates)
	create_site(workbench, store, template, site)
	workbench.set_apps(["frappe", "erpnext", APP])
	workbench.build_app_assets()
	workbench.frappe("--site", site, "install-app", APP)


def run_pytest(workbench: Workbench, site: str, suite: str, options: argparse.Namespace) -> None:
	"""Run what is dealt; the output and how it ended go into the folder of the deal."""
	deal = options.run / "deal" / suite
	environment = workbench.environment() | {
		"CRM_RETENTION_SITE": site,
		"CRM_RETENTION_DEAL": str(deal),
		"CRM_RETENTION_BASELINE": str(workbench.path / "baseline"),
		"CRM_RETENTION_SCREENSHOTS": str(options.run / "screenshots"),
	}
	command = [
		workbench.python, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.support.dealing",
		*arguments_of(suite, options.pytest_args),
	]  # fmt: skip
	began, output = time.monotonic(), deal / f"{options.lane.name}.log"
	with output.open("wb") as out:
		process = subprocess.Popen(
			[str(part) for part in command], cwd=workbench.path / "apps" / APP, env=environment,
			stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
		)  # fmt: skip
		try:
			code = process.wait()
		finally:
			if process.poll() is None:
				process.terminate()
	ended = {"site": site, "code": code, "seconds": round(time.monotonic() - began, 2)}
	write_whole(output.with_suffix(".json"), ended)


if __name__ == "__main__":
	sys.exit(main())

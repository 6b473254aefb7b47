"""The half of `make test` that needs a bench. `test.py` starts it as the bench's owner, in the bench's environment.

Makes a bench of its own beside the real one, a disposable site with this checkout's app on it, and runs the suites
there with pytest. Whatever happens, it leaves no process, database or file behind.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchkit.database import database_name, read_config
from benchkit.disposable import create_site, ensure_template
from benchkit.services import ServiceError, end_with_parent, exit_on_first_signal, stop_marked
from benchkit.stores import Store, choose_store
from benchkit.workbench import APP, RUN_MARK, Workbench

SUITES = {"site": "tests/site", "e2e": "tests/e2e"}


def main() -> int:
	options = read_options()
	exit_on_first_signal()
	end_with_parent()
	config = read_config(options.bench / "sites")
	try:
		store = choose_store(options.bench, config)
		clean_up_after_killed_runs(options.run.parent, store)
		(options.run / f"pid-{store.kind}").write_text(str(os.getpid()))
		return run_suites(options, config, store)
	except (ServiceError, subprocess.CalledProcessError) as error:
		print(f"error: {error}", file=sys.stderr)
		return 1


def read_options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--bench", type=Path, required=True)
	parser.add_argument(
		"--run", type=Path, required=True, help="folder of this run; the checkout's copy is in it"
	)
	parser.add_argument("--result", type=Path, required=True, help="where each suite's exit code is written")
	parser.add_argument("--suites", nargs="+", choices=SUITES, required=True)
	parser.add_argument("--pytest-args", nargs=argparse.REMAINDER, default=[])
	return parser.parse_args()


def run_suites(options: argparse.Namespace, config: dict, store: Store) -> int:
	workbench = Workbench(options.run, options.bench)
	site = f"{options.run.name}.localhost"
	try:
		started = time.monotonic()
		prepare_site(workbench, config, store, site)
		print(f"Site {site} is ready after {time.monotonic() - started:.0f} s", flush=True)
		codes = {}
		for suite in options.suites:
			codes[suite] = run_pytest(workbench, site, suite, options.pytest_args)
			options.result.write_text(json.dumps(codes))
		return max(codes.values())
	finally:
		workbench.stop()
		store.drop(database_name(site))


def prepare_site(workbench: Workbench, config: dict, store: Store, site: str) -> None:
	templates = workbench.path.parent.parent / "templates"
	install_requirements(workbench)
	workbench.build(config)
	workbench.start_redis()
	template = ensure_template(workbench, store, templates)
	create_site(workbench, store, template, site)
	workbench.set_apps(["frappe", "erpnext", APP])
	workbench.build_app_assets()
	workbench.frappe("--site", site, "install-app", APP)


def install_requirements(workbench: Workbench) -> None:
	"""Add what this app and its tests need to the bench's environment; never change a version that is there."""
	python = workbench.bench / "env/bin/python"
	checkout = workbench.path / "apps" / APP
	missing = subprocess.run(
		[python, checkout / "scripts/missing_requirements.py", checkout / "pyproject.toml", "--tests"],
		check=True, capture_output=True, text=True,
	).stdout.splitlines()  # fmt: skip
	if not missing:
		return
	print(f"Adding to the bench's environment: {', '.join(missing)}", flush=True)
	frozen = subprocess.run(
		[python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
	)
	constraints = workbench.path / "constraints.txt"
	constraints.write_text(frozen.stdout)
	install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints]
	subprocess.run([*install, *missing], check=True)


def run_pytest(workbench: Workbench, site: str, suite: str, arguments: list[str]) -> int:
	environment = workbench.environment() | {
		"CRM_RETENTION_SITE": site,
		"CRM_RETENTION_SCREENSHOTS": str(workbench.path / "screenshots"),
	}
	command = [workbench.python, "-m", "pytest", "-p", "no:cacheprovider", SUITES[suite], *arguments]
	process = subprocess.Popen([str(c) for c in command], cwd=workbench.path / "apps" / APP, env=environment)
	try:
		return process.wait()
	finally:
		if process.poll() is None:
			process.terminate()


def clean_up_after_killed_runs(runs: Path, store: Store) -> None:
	"""A run that was killed without warning could not tidy up: the next one does."""
	for run in runs.iterdir():
		pid = run / f"pid-{store.kind}"
		if not pid.exists() or is_running(int(pid.read_text() or 0)):
			continue
		print(f"Removing what the killed run {run.name} left", flush=True)
		stop_marked(RUN_MARK, run.name)
		store.drop(database_name(f"{run.name}.localhost"))
		shutil.rmtree(run, ignore_errors=True)


def is_running(pid: int) -> bool:
	try:
		return b"site_tests" in Path(f"/proc/{pid}/cmdline").read_bytes()
	except OSError:
		return False


if __name__ == "__main__":
	sys.exit(main())

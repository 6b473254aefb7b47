"""Run the test suites: `make test`, or `make test SUITE=engine|site|e2e`.

engine    everywhere, in this checkout's own environment
site      on a disposable site, wherever there is a bench
e2e       in a real browser on the same site

Fails if any suite fails, or has no tests. What cannot run here is named, with the way to get it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchkit.bench import Bench, Unusable, find_bench, searched
from benchkit.browser import find_browser
from benchkit.checkout import ROOT, copy_checkout
from benchkit.database import admin_from, read_config, stop_mariadb
from benchkit.services import ServiceError, ensure_mariadb, exit_on_first_signal
from benchkit.stores import database_kind

SUITES = ("engine", "site", "e2e")
NO_TESTS_COLLECTED = 5
TIME_LIMIT = int(os.environ.get("TEST_TIME_LIMIT", 25 * 60))  # seconds, all suites together


@dataclass
class Report:
	closing: dict[str, str] = field(default_factory=dict)  # suite -> pytest's last line, or why there is none
	left_out: dict[str, str] = field(default_factory=dict)
	failed: list[str] = field(default_factory=list)

	def add(self, suite: str, code: int, closing: str) -> None:
		if code == NO_TESTS_COLLECTED:
			closing = "no tests were found, which is an error"
		self.closing[suite] = closing
		if code:
			self.failed.append(suite)

	def print(self) -> None:
		print("\n=== Summary")
		for suite, line in sorted(self.closing.items(), key=lambda item: SUITES.index(item[0])):
			print(f"{suite:9} {'FAILED  ' if suite in self.failed else 'passed  '} {line}")
		for suite, reason in self.left_out.items():
			print(f"{suite:9} LEFT OUT {reason}")


def main() -> int:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--suite", choices=(*SUITES, "all"), default="all")
	parser.add_argument("pytest_args", nargs="*", help="after --, passed on to pytest")
	options = parser.parse_args()
	wanted = list(SUITES) if options.suite == "all" else [options.suite]
	exit_on_first_signal()

	report, deadline = Report(), time.monotonic() + TIME_LIMIT
	on_bench = [suite for suite in wanted if suite != "engine"]
	together = "engine" in wanted and (os.cpu_count() or 1) > 1
	if on_bench:
		beside = (
			engine_beside(report, options.pytest_args, deadline) if together else contextlib.nullcontext()
		)
		run_on_bench(report, on_bench, options.pytest_args, deadline, beside)
	if "engine" in wanted and "engine" not in report.closing:
		run_engine(report, options.pytest_args, deadline)
	report.print()
	# asked for by name, a suite that cannot run is a failure
	return 1 if report.failed or (options.suite != "all" and report.left_out) else 0


ENGINE = "engine: tests/engine, in this checkout's environment"


def run_engine(report: Report, arguments: list[str], deadline: float) -> None:
	heading(ENGINE)
	code, output = run_and_show(engine_command(arguments), deadline, cwd=ROOT)
	report.add("engine", code, last_line(output))


def engine_command(arguments: list[str]) -> list[str]:
	return [sys.executable, "-m", "pytest", *writable_cache(), "tests/engine", *arguments]


@contextlib.contextmanager
def engine_beside(report: Report, arguments: list[str], deadline: float) -> Iterator[None]:
	"""Run the engine suite beside what the block does; its output comes after the block's."""
	heading(f"{ENGINE}: begins now, its output comes at the end")
	with tempfile.TemporaryFile("w+") as output:
		process = subprocess.Popen(
			engine_command(arguments),
			cwd=ROOT,
			stdin=subprocess.DEVNULL,
			stdout=output,
			stderr=subprocess.STDOUT,
		)
		try:
			yield
			with contextlib.suppress(subprocess.TimeoutExpired):
				process.wait(max(1, deadline - time.monotonic()))
		finally:
			if process.poll() is None:
				process.terminate()
				process.wait(60)
		output.seek(0)
		text = output.read()
		heading(ENGINE)
		print(text, flush=True)
		report.add("engine", process.returncode, last_line(text))


def writable_cache() -> list[str]:
	return [] if os.access(ROOT, os.W_OK) else ["-p", "no:cacheprovider"]


def run_on_bench(
	report: Report,
	suites: list[str],
	arguments: list[str],
	deadline: float,
	beside: contextlib.AbstractContextManager[None],
) -> None:
	"""``beside`` is entered once the database runs, and left before it is stopped again."""
	try:
		bench = find_bench()
	except Unusable as error:
		report.left_out |= dict.fromkeys(suites, str(error))
		return
	if bench is None:
		report.left_out |= dict.fromkeys(suites, f"no bench in {searched()}: `make bench` prepares one")
		return
	if "e2e" in suites and not find_browser():
		report.left_out["e2e"] = (
			"no browser: sudo apt-get install chromium, or CHROMIUM=/path/to/chrome make test"
		)
		suites = [suite for suite in suites if suite != "e2e"]
	if suites:
		heading(f"{', '.join(suites)}: on a disposable site of {bench.path}, as {bench.owner.pw_name}")
		try:
			with mariadb_running(bench), beside, run_folder(bench) as run:
				run_site_tests(report, bench, run, suites, arguments, deadline)
		except ServiceError as error:
			for suite in suites:
				report.add(suite, 1, str(error))


def run_site_tests(
	report: Report, bench: Bench, run: Path, suites: list[str], arguments: list[str], deadline: float
) -> None:
	result = run / "result.json"
	command = [
		bench.python, run / "apps/crm_retention/scripts/site_tests.py",
		"--bench", bench.path, "--run", run, "--result", result, "--suites", *suites, "--pytest-args", *arguments,
	]  # fmt: skip
	environment = bench.environment(PYTHONDONTWRITEBYTECODE="1", CHROMIUM=find_browser() or "")
	code, output = run_and_show(command, deadline, start=bench.popen, cwd=run, env=environment)
	codes = json.loads(result.read_text()) if result.exists() else {}
	closing = iter(closing_lines(output))
	for suite in suites:
		ran = suite in codes
		report.add(suite, codes.get(suite, code or 1), next(closing, "") if ran else "did not run, see above")
	save_screenshots(run / "screenshots")


@contextlib.contextmanager
def mariadb_running(bench: Bench) -> Iterator[None]:
	config = read_config(bench.sites)
	admin = admin_from(config)
	started_here = database_kind(bench.path, config) == "mariadb" and ensure_mariadb(admin.host, admin.port)
	try:
		yield
	finally:
		if started_here:
			stop_mariadb(admin)


@contextlib.contextmanager
def run_folder(bench: Bench) -> Iterator[Path]:
	"""A folder of the bench's owner, with a copy of this checkout in it: that user may not be able to read ours."""
	runs = bench.path / "crm-retention-tests" / "runs"
	run = runs / f"crm-retention-test-{os.getpid()}"
	try:
		copy_checkout(run / "apps" / "crm_retention")
		for path in (runs.parent, runs, run, *run.rglob("*")):
			bench.own(path)
		yield run
	finally:
		shutil.rmtree(run, ignore_errors=True)


def run_and_show(
	command: list, deadline: float, start: Callable = subprocess.Popen, **options: Any
) -> tuple[int, str]:
	"""Run a command, show its output as it comes, and return its exit code with that output."""
	options |= {
		"stdin": subprocess.DEVNULL,
		"stdout": subprocess.PIPE,
		"stderr": subprocess.STDOUT,
		"text": True,
	}
	process = start([str(part) for part in command], **options)
	out_of_time = False

	def give_up(*_: object) -> None:
		nonlocal out_of_time
		out_of_time = True
		print(f"error: the time limit of {TIME_LIMIT} s for all suites is over", flush=True)
		process.terminate()

	signal.signal(signal.SIGALRM, give_up)
	signal.alarm(max(1, round(deadline - time.monotonic())))
	lines = []
	try:
		for line in process.stdout:
			print(line, end="", flush=True)
			lines.append(line)
		return process.wait() or int(out_of_time), "".join(lines)
	except BaseException:  # Ctrl-C or a kill: let it clean up, and wait for it
		process.terminate()
		process.wait(60)
		raise
	finally:
		signal.alarm(0)


def closing_lines(output: str) -> list[str]:
	"""Pytest's last line of each run, such as `3 passed in 1.20s`."""
	found = re.findall(
		r"^=*\s*((?:no tests ran|\d+ (?:passed|failed|skipped|error|deselected)).* in [\d.]+s.*?)\s*=*$",
		output,
		re.M,
	)
	return [re.sub(r"\x1b\[[\d;]*m", "", line) for line in found]


def last_line(output: str) -> str:
	lines = closing_lines(output)
	return lines[-1] if lines else "did not run to its end, see above"


def save_screenshots(taken: Path) -> None:
	target = Path(os.environ.get("SCREENSHOTS", ROOT / "screenshots"))
	if taken.is_dir():
		shutil.copytree(taken, target, dirs_exist_ok=True)
		print(f"Screenshots are in {target}")


def heading(text: str) -> None:
	print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
	sys.exit(main())

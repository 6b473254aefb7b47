"""Run the test suites: `make test`, or `make test SUITE=engine|site|e2e` (or two of them: SUITE="site e2e").

engine    everywhere, in this checkout's own environment
site      on disposable sites, wherever there is a bench; on every bench if there are several
e2e       in a real browser on the same sites

Fails if any suite fails, or has no tests. What cannot run here is named, with the way to get it.
TEST_SITES says how many sites to make at once, if not one for each processor.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchkit.bench import Bench, Unusable, find_benches, searched
from benchkit.browser import find_browser
from benchkit.checkout import ROOT, pack_checkout
from benchkit.database import admin_from, read_config, stop_mariadb
from benchkit.engine import Engine
from benchkit.results import RESULT_MARK, Report, heading
from benchkit.running import Running
from benchkit.services import ServiceError, ensure_mariadb, exit_on_first_signal
from benchkit.stores import database_kind
from benchkit.suites import FOLDERS, is_asked_for, is_selection

TIME_LIMIT = int(os.environ.get("TEST_TIME_LIMIT", 25 * 60))  # seconds, all suites on a bench together
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> int:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--suite", nargs="+", choices=(*FOLDERS, "all"), default=["all"])
	parser.add_argument("pytest_args", nargs="*", help="after --, passed on to pytest")
	options = parser.parse_args()
	by_name = "all" not in options.suite
	wanted = [suite for suite in FOLDERS if suite in options.suite or not by_name]
	wanted = [suite for suite in wanted if is_asked_for(suite, options.pytest_args)]
	exit_on_first_signal()
	report = run(wanted, options.pytest_args)
	report.print()
	# asked for by name, a suite that cannot run is a failure
	return 1 if report.failed or not wanted or (by_name and report.left_out) else 0


def run(suites: list[str], arguments: list[str]) -> Report:
	report, running = Report(), Running()
	on_bench = [suite for suite in suites if suite != "engine"]
	engine = Engine(arguments, running) if "engine" in suites else None
	benches = benches_for(on_bench, report)
	with contextlib.ExitStack() as services, running.limited_to(TIME_LIMIT * max(1, len(benches))):
		tests = BenchTests(arguments, report, running, engine)
		if engine and (CORES == 1 or not benches):
			engine.start()
			engine.report_to(report)
		for bench in benches:
			try:
				if bench.owner:  # behind a command, services are that place's own
					services.enter_context(mariadb_running(bench))
				tests.run(bench, on_bench)
			except ServiceError as error:
				for suite in on_bench:
					report.add(suite, 1, str(error), platform_of(bench))
			if engine:
				engine.start()  # unless it runs, because the bench could not be used
				engine.report_to(report)
	return report


def benches_for(suites: list[str], report: Report) -> list[Bench]:
	if not suites:
		return []
	try:
		benches = find_benches()
	except Unusable as error:
		report.leave_out(suites, str(error))
		return []
	if not benches:
		report.leave_out(suites, f"no bench in {searched()}: `make bench` prepares one")
	return benches


def platform_of(bench: Bench) -> str:
	return f"Frappe {bench.frappe_version}"


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


@dataclass
class BenchTests:
	"""The suites that need a bench, run on one after the other."""

	arguments: list[str]
	report: Report
	running: Running
	engine: Engine | None = None
	sites: int = field(default=int(os.environ.get("TEST_SITES", 0)))

	def run(self, bench: Bench, suites: list[str]) -> None:
		heading(f"{', '.join(suites)}: on disposable sites of {bench}, {platform_of(bench)}")
		if self.engine:
			self.engine.start()
		with run_folder(bench) as run:
			code, result = self.run_there(bench, run, suites)
			save_screenshots(bench, run)
		for suite, reason in result.get("left_out", {}).items():
			self.report.leave_out([suite], reason, platform_of(bench))
		for suite in suites:
			if suite not in result.get("left_out", {}):
				did = result.get("suites", {}).get(suite, {})
				closing = did.get("closing", "did not run to its end, see above")
				self.report.add(suite, did.get("code", code or 1), closing, platform_of(bench))

	def run_there(self, bench: Bench, run: Path, suites: list[str]) -> tuple[int, dict]:
		"""Start the bench's half, show what it prints, and return its exit code and result."""
		sites = self.sites or (1 if is_selection(self.arguments) else CORES)
		busy = self.engine is not None and self.engine.runs
		later = ["--later"] if busy and sites >= CORES else []
		command = [
			bench.python, run / "apps/crm_retention/scripts/site_tests.py", "--bench", bench.path, "--run", run,
			"--suites", *suites, "--sites", sites, *later, "--pytest-args", *self.arguments,
		]  # fmt: skip
		extra = {"CHROMIUM": find_browser() or ""} if bench.owner else {}
		pipe = subprocess.PIPE
		process = bench.popen(
			command, cwd=run, env=bench.environment(PYTHONDONTWRITEBYTECODE="1", **extra),
			stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT,
		)  # fmt: skip
		self.running.add(process)
		if later:
			threading.Thread(target=say_when_ended, args=(self.engine, process), daemon=True).start()
		result = show(process)
		return process.wait() or int(self.running.out_of_time), result


def say_when_ended(engine: Engine, process: subprocess.Popen) -> None:
	"""The last site waits for the processor that the engine's tests have."""
	engine.process.wait()
	with contextlib.suppress(OSError):
		process.stdin.write(b"\n")
		process.stdin.flush()


def show(process: subprocess.Popen) -> dict:
	"""Print what a process prints as it comes, but for its result, which is returned."""
	result = {}
	for line in process.stdout:
		text = line.decode(errors="replace")
		if text.startswith(RESULT_MARK):
			result = json.loads(text.removeprefix(RESULT_MARK))
		else:
			print(text, end="", flush=True)
	return result


@contextlib.contextmanager
def run_folder(bench: Bench) -> Iterator[Path]:
	"""A folder of the bench's owner with a copy of this checkout in it."""
	run = bench.path / "crm-retention-tests" / "runs" / run_name(bench)
	checkout = run / "apps" / "crm_retention"
	try:
		for command, given in (
			(["mkdir", "-p", checkout], b""),
			(["tar", "-xf", "-", "-C", checkout], pack_checkout()),
		):
			done = bench.run(command, given)
			if done.returncode:
				raise ServiceError(
					f"{bench} takes no copy of this checkout: {done.stderr.decode(errors='replace')}"
				)
		yield run
	finally:
		bench.run(["rm", "-rf", run])


def run_name(bench: Bench) -> str:
	"""Two benches may share one database server, which knows sites by their names."""
	return f"crm-retention-test-{os.getpid()}-on-{bench.frappe_version.partition('.')[0]}"


def save_screenshots(bench: Bench, run: Path) -> None:
	packed = bench.run(["tar", "-cf", "-", "-C", run / "screenshots", "."])
	if packed.returncode:
		return  # nothing was photographed
	target = Path(os.environ.get("SCREENSHOTS", ROOT / "screenshots"))
	target.mkdir(parents=True, exist_ok=True)
	with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
		for member in archive.getmembers():
			if member.isfile() and (file := archive.extractfile(member)):
				(target / Path(member.name).name).write_bytes(file.read())
	print(f"Screenshots are in {target}")


if __name__ == "__main__":
	sys.exit(main())

"""The half of `make test` that needs a bench. `test.py` starts it as the bench's owner, where the bench is.

Runs the suites on several disposable sites at once, each with pytest processes of its own that are dealt one test
module after the other. Prints the output of each process whole when it ends, and last of all the result as one line.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import select
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchkit.browser import find_browser
from benchkit.database import database_name, read_config
from benchkit.deal import Deal, write_whole
from benchkit.requirements import install_requirements
from benchkit.results import CLOSING_LINE, NO_TESTS_COLLECTED, RESULT_MARK, closing_line
from benchkit.services import ServiceError, end_with_parent, exit_on_first_signal
from benchkit.stores import Store, choose_store
from benchkit.suites import ON_BENCH, modules_of
from benchkit.workbench import APP, Workbench

NO_BROWSER = "no browser: sudo apt-get install chromium, or CHROMIUM=/path/to/chrome make test"


def main() -> int:
	options = read_options()
	exit_on_first_signal()
	end_with_parent()
	be_at_home()
	result: dict = {"left_out": {}, "suites": {}}
	if "e2e" in options.suites and not find_browser():
		result["left_out"]["e2e"] = NO_BROWSER
		options.suites.remove("e2e")
	try:
		store = choose_store(options.bench, read_config(options.bench / "sites"))
		clean_up_after_killed_runs(options.run.parent, store)
		(options.run / f"pid-{store.kind}").write_text(str(os.getpid()))
		install_requirements(Workbench(options.run, options.bench))
		if options.suites:
			result["suites"] = run_suites(options)
	except (ServiceError, subprocess.CalledProcessError) as error:
		print(f"error: {error}", file=sys.stderr)
		return 1
	print(RESULT_MARK + json.dumps(result), flush=True)
	return 0


def read_options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--bench", type=Path, required=True)
	parser.add_argument(
		"--run", type=Path, required=True, help="folder of this run; the checkout's copy is in it"
	)
	parser.add_argument("--suites", nargs="+", choices=ON_BENCH, required=True)
	parser.add_argument("--sites", type=int, default=1, help="how many sites to make")
	parser.add_argument("--later", action="store_true", help="make the last one on a line from stdin")
	parser.add_argument("--pytest-args", nargs=argparse.REMAINDER, default=[])
	return parser.parse_args()


def be_at_home() -> None:
	"""A command in front (a container's, another root's) may have left somebody else's home in the environment."""
	me = pwd.getpwuid(os.geteuid())
	if me.pw_uid == 0:
		raise SystemExit(
			"error: Frappe refuses to run as root; let the command in front of the bench change to its owner"
		)
	path = f"{me.pw_dir}/.local/bin:{os.environ.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
	os.environ |= {"HOME": me.pw_dir, "USER": me.pw_name, "LOGNAME": me.pw_name, "PATH": path}


def run_suites(options: argparse.Namespace) -> dict[str, dict]:
	memory = options.run.parent.parent / "seconds.json"
	known = json.loads(memory.read_text()) if memory.exists() else {}
	deals = {suite: Deal(options.run / "deal" / suite) for suite in options.suites}
	for deal in deals.values():
		deal.make(known)
	lanes = Lanes(options, deals)
	try:
		lanes.run()
	finally:
		lanes.stop()
	if not options.pytest_args:
		seconds = {name: done.seconds for deal in deals.values() for name, done in deal.done().items()}
		write_whole(memory, known | seconds)
	return {suite: result_of(deal, lanes.failed) for suite, deal in deals.items()}


class Lanes:
	"""The processes that make a site each and run what they are dealt, and what they have to say."""

	def __init__(self, options: argparse.Namespace, deals: dict[str, Deal]) -> None:
		self.options, self.deals = options, deals
		self.processes: list[subprocess.Popen] = []
		self.shown: set[str | Path] = set()

	@property
	def failed(self) -> bool:
		return any(process.poll() for process in self.processes)

	def run(self) -> None:
		"""Until everything is run. The last site may have to wait until the machine has time for it."""
		for _ in range(self.options.sites - self.options.later):
			self.begin()
		waits = self.options.later
		while any(process.poll() is None for process in self.processes) or (waits and self.has_left()):
			if said_to_begin(within=0.5):
				waits = False
				if self.has_left():
					self.begin()
			self.show()
		self.show()

	def begin(self) -> None:
		run = self.options.run
		lane = run.with_name(f"{run.name}-{len(self.processes) + 1}")
		command = [
			sys.executable, Path(__file__).with_name("lane.py"), "--bench", self.options.bench,
			"--run", run, "--lane", lane, "--suites", *self.deals, "--pytest-args", *self.options.pytest_args,
		]  # fmt: skip
		self.processes.append(subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL))

	def has_left(self) -> bool:
		checkout = self.options.run / "apps" / APP
		return any(deal.has_left(modules_of(checkout, suite)) for suite, deal in self.deals.items())

	def show(self) -> None:
		for deal in self.deals.values():
			for module, done in deal.done().items():
				if module not in self.shown:
					self.shown.add(module)
					print(f"    {module}: {done.words}", flush=True)
			for ended in sorted(deal.folder.glob("crm-*.json")):
				if ended not in self.shown:
					self.shown.add(ended)
					show_output(deal.folder.name, ended)

	def stop(self) -> None:
		for process in self.processes:
			if process.poll() is None:
				process.terminate()
		for process in self.processes:
			process.wait(60)


def said_to_begin(within: float) -> bool:
	"""Whether `test.py` has said that there is time for the last site. Without it there is nothing to run for."""
	readable, _, _ = select.select([sys.stdin], [], [], within)
	if readable and not os.read(sys.stdin.fileno(), 1):
		raise SystemExit("error: `make test` ended before its tests")
	return bool(readable)


def show_output(suite: str, ended: Path) -> None:
	"""All that a pytest process printed but its closing line: the suite gets one for all its processes."""
	print(f"\n--- {suite} on {json.loads(ended.read_text())['site']}", flush=True)
	output = ended.with_suffix(".log").read_text(errors="replace")
	print(CLOSING_LINE.sub("", output).rstrip(), flush=True)


def result_of(deal: Deal, lane_failed: bool) -> dict:
	"""Exit code and closing line of a suite, from what its modules and processes came to."""
	ended = [json.loads(file.read_text()) for file in deal.folder.glob("crm-*.json")]
	counts = sum((done.counts for done in deal.done().values()), Counter())
	code = max((row["code"] for row in ended if row["code"] != NO_TESTS_COLLECTED), default=0)
	if lost := deal.unfinished():
		print(f"error: taken and not brought to an end: {', '.join(lost)}", flush=True)
	code = code or int(bool(lost or lane_failed or counts["failed"] or counts["error"]))
	if not code and not counts:
		code = NO_TESTS_COLLECTED
	closing = closing_line(counts, sum(row["seconds"] for row in ended))
	if ended:
		print(
			f"\n=== {deal.folder.name}: {len(ended)} processes together\n{f' {closing} ':=^100}", flush=True
		)
	return {"code": code, "closing": closing if ended else "did not run, see above"}


def clean_up_after_killed_runs(runs: Path, store: Store) -> None:
	"""A run that was killed without warning could not tidy up: the next one does."""
	for folder in runs.iterdir():
		pid = folder / f"pid-{store.kind}"
		if not pid.exists() or is_running(int(pid.read_text() or 0)):
			continue
		print(f"Removing what the killed run {folder.name} left", flush=True)
		Workbench(folder, runs.parent.parent).stop()
		store.drop(database_name(f"{folder.name}.localhost"))
		shutil.rmtree(folder, ignore_errors=True)


def is_running(pid: int) -> bool:
	try:
		command = Path(f"/proc/{pid}/cmdline").read_bytes()
	except OSError:
		return False
	return b"site_tests" in command or b"lane.py" in command


if __name__ == "__main__":
	sys.exit(main())

"""How suites ended: pytest's closing lines, read and written, and the summary of a run."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .suites import FOLDERS

NO_TESTS_COLLECTED = 5
RESULT_MARK = (
	"crm-retention-result "  # begins the line in which site_tests.py tells test.py how the suites ended
)
CLOSING_LINE = re.compile(
	r"^(?:\x1b\[[\d;]*m)*=*\s*(?:\x1b\[[\d;]*m)*"
	r"((?:no tests ran|\d+ (?:passed|failed|skipped|errors?|deselected|xfailed|xpassed|warnings?)).* in [\d.]+s.*?)\s*=*(?:\x1b\[[\d;]*m)*$",
	re.MULTILINE,
)
ORDER = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")


def closing_line(counts: Mapping[str, int], seconds: float) -> str:
	"""As pytest puts it: `1 failed, 3 passed in 61.20s (0:01:01)`."""
	parts = [f"{counts[name]} {name}" for name in ORDER if counts.get(name)]
	took = f"{seconds:.2f}s"
	if seconds >= 60:
		took += f" ({datetime.timedelta(seconds=int(seconds))})"
	return f"{', '.join(parts) or 'no tests ran'} in {took}"


def last_closing_line(output: str) -> str:
	lines = CLOSING_LINE.findall(output)
	return re.sub(r"\x1b\[[\d;]*m", "", lines[-1]) if lines else "did not run to its end, see above"


@dataclass
class Report:
	"""Of suites, each on no or one platform (`Frappe 15.101.1`)."""

	closing: dict[tuple[str, str], str] = field(default_factory=dict)
	left_out: dict[tuple[str, str], str] = field(default_factory=dict)
	failed: set[tuple[str, str]] = field(default_factory=set)

	def add(self, suite: str, code: int, closing: str, platform: str = "") -> None:
		if code == NO_TESTS_COLLECTED:
			closing = "no tests were found, which is an error"
		self.closing[suite, platform] = closing
		if code:
			self.failed.add((suite, platform))

	def leave_out(self, suites: Sequence[str], reason: str, platform: str = "") -> None:
		self.left_out |= {(suite, platform): reason for suite in suites}

	def print(self) -> None:
		print("\n=== Summary")
		order = {suite: number for number, suite in enumerate(FOLDERS)}
		for key, line in sorted(self.closing.items(), key=lambda item: order[item[0][0]]):
			self.print_line(key, "FAILED  " if key in self.failed else "passed  ", line)
		for key, reason in self.left_out.items():
			self.print_line(key, "LEFT OUT", reason)

	def print_line(self, key: tuple[str, str], verdict: str, line: str) -> None:
		suite, platform = key
		print(f"{suite:9} {verdict} {line}{f' on {platform}' if platform else ''}")


def heading(text: str) -> None:
	print(f"\n=== {text}", flush=True)

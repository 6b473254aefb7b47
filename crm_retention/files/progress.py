"""What a person sees while a run works, and how long each step took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

LABELS = {
	"signals": "Signals",
	"lifetime": "Lifetime model",
	"scores": "Scores",
	"tiers": "Tiers and stages",
	"changes": "Changes",
	"write": "Writing results",
	"report": "Report",
}


class Progress:
	"""Times steps by name, in seconds, and shows a bar on a terminal (standard error), else nothing."""

	def __init__(self, steps: int, quiet: bool = False) -> None:
		self.seconds: dict[str, float] = {}
		self._steps = steps
		self._bar: Any = None
		self._task: Any = None
		self._quiet = quiet or not sys.stderr.isatty()

	def show(self) -> AbstractContextManager[Any]:
		"""The block in which the bar is on the screen."""
		if self._quiet:
			return nullcontext()
		try:
			from rich.console import Console
			from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
			from rich.progress import Progress as Bar
		except ImportError:
			return nullcontext()
		columns = (TextColumn("{task.description:<28}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
		self._bar = Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
		self._task = self._bar.add_task("", total=self._steps)
		return self._bar

	@contextmanager
	def step(self, name: str) -> Iterator[None]:
		"""One step: its time is kept under its name."""
		if self._bar:
			self._bar.update(self._task, description=LABELS.get(name, name.capitalize()))
		start = time.perf_counter()
		try:
			yield
		finally:
			spent = time.perf_counter() - start
			self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)
			if self._bar:
				self._bar.advance(self._task)

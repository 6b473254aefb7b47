"""The suite that needs no bench. It runs beside what runs on one, and its output comes afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

from .checkout import ROOT
from .results import Report, heading, last_closing_line
from .running import Running
from .suites import arguments_of

TITLE = "engine: tests/engine, in this checkout's environment"


class Engine:
	def __init__(self, arguments: Sequence[str], running: Running) -> None:
		cache = [] if os.access(ROOT, os.W_OK) else ["-p", "no:cacheprovider"]
		self.command = [sys.executable, "-m", "pytest", *cache, *arguments_of("engine", arguments)]
		self.running = running
		self.process: subprocess.Popen | None = None
		self.output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
		self.reported = False

	def start(self) -> None:
		"""Once; again is nothing."""
		if self.process is None:
			heading(f"{TITLE}: begins now, its output comes at the end")
			null, out = subprocess.DEVNULL, self.output
			process = subprocess.Popen(
				self.command, cwd=ROOT, stdin=null, stdout=out, stderr=subprocess.STDOUT
			)
			self.process = self.running.add(process)

	@property
	def runs(self) -> bool:
		return self.process is not None and self.process.poll() is None

	def report_to(self, report: Report) -> None:
		"""Wait for its end and show what it printed; once, again is nothing."""
		if self.reported or self.process is None:
			return
		code = self.process.wait() or int(self.running.out_of_time)
		self.output.seek(0)
		text = self.output.read().decode(errors="replace")
		heading(TITLE)
		print(text, flush=True)
		report.add("engine", code, last_closing_line(text))
		self.reported = True

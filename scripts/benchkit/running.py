"""The processes of a test run: all end when the time is over, or when the run does."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator


class Running:
	def __init__(self) -> None:
		self.processes: list[subprocess.Popen] = []
		self.out_of_time = False

	def add(self, process: subprocess.Popen) -> subprocess.Popen:
		self.processes.append(process)
		return process

	@contextlib.contextmanager
	def limited_to(self, seconds: int) -> Iterator[None]:
		def give_up(*_: object) -> None:
			self.out_of_time = True
			print(f"error: the time limit of {seconds} s for all suites is over", flush=True)
			self.terminate()

		signal.signal(signal.SIGALRM, give_up)
		signal.alarm(seconds)
		try:
			yield
		finally:  # Ctrl-C or a kill: let them clean up, and wait for it
			signal.alarm(0)
			self.terminate()
			for process in self.processes:
				process.wait(60)

	def terminate(self) -> None:
		for process in self.processes:
			if process.poll() is None:
				process.terminate()

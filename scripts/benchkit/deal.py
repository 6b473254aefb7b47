"""Test modules dealt one by one to the pytest processes of several sites, through a folder that all of them see.

Whoever makes a module's file in ``taken`` has the module: making a file that is there already fails, whoever tries
and from whichever container. What came of it is in ``done``. Longest first, so that all end at about the same time.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECONDS_OF_A_TEST = 1.0  # of a module that never ran here


@dataclass
class Done:
	"""What came of a module: how long it took, and how many of its tests ended how."""

	seconds: float = 0.0
	counts: Counter = field(default_factory=Counter)

	@property
	def words(self) -> str:
		bad = self.counts["failed"] + self.counts["error"]
		tests = f"{bad} of {self.counts.total()} FAILED" if bad else f"{self.counts.total()} tests"
		return f"{tests}, {self.seconds:.0f} s"


@dataclass(frozen=True)
class Deal:
	folder: Path

	def make(self, known_seconds: Mapping[str, float]) -> None:
		for name in ("taken", "done"):
			(self.folder / name).mkdir(parents=True, exist_ok=True)
		write_whole(self.folder / "seconds.json", dict(known_seconds))

	def take(self, modules: Mapping[str, int]) -> str | None:
		"""The longest module that nobody has yet; `modules` says how many tests each has."""
		if (self.folder / "stopped").exists():
			return None
		known = json.loads((self.folder / "seconds.json").read_text())
		expected = {name: known.get(name, count * SECONDS_OF_A_TEST) for name, count in modules.items()}
		for name in sorted(modules, key=lambda name: (-expected[name], name)):
			try:
				(self.folder / "taken" / flat(name)).touch(exist_ok=False)
			except FileExistsError:
				continue
			return name
		return None

	def stop(self) -> None:
		"""Nobody takes another module: `pytest -x`, or somebody pressed Ctrl-C."""
		(self.folder / "stopped").touch()

	def finish(self, module: str, done: Done) -> None:
		write_whole(self.folder / "done" / flat(module), {"module": module, **vars(done)})

	def has_left(self, modules: list[str]) -> bool:
		return not (self.folder / "stopped").exists() and any(
			not (self.folder / "taken" / flat(module)).exists() for module in modules
		)

	def done(self) -> dict[str, Done]:
		found = {}
		for file in (self.folder / "done").glob("tests*"):
			row = json.loads(file.read_text())
			found[row["module"]] = Done(row["seconds"], Counter(row["counts"]))
		return found

	def unfinished(self) -> list[str]:
		"""Modules that a process took and never came back from."""
		taken = {file.name for file in (self.folder / "taken").iterdir()}
		return sorted(taken - {flat(module) for module in self.done()})


def flat(module: str) -> str:
	return module.replace("/", "+")


def write_whole(file: Path, value: dict) -> None:
	"""Readers see the file whole or not at all."""
	draft = file.with_name(f".{file.name}.{os.getpid()}")
	draft.write_text(json.dumps(value))
	draft.replace(file)

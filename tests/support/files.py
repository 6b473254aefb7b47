"""Files as people send them, and the command run on them as a person would."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from crm_retention.cli import main
from crm_retention.files.errors import InputError
from crm_retention.files.load import Loaded, load
from crm_retention.files.options import ReadOptions

ROOT = Path(__file__).resolve().parents[2]
CDNOW = ROOT / "examples" / "cdnow" / "CDNOW_sample.txt"
COMMAND = [sys.executable, "-m", "crm_retention.cli"]


class Reader:
	"""Writes a text into a file and loads it as a relation."""

	def __init__(self, folder: Path) -> None:
		self.folder = folder
		self.connection = duckdb.connect()
		self.loaded: Loaded | None = None

	def write(self, text: str | bytes, name: str = "sales.csv") -> Path:
		path = self.folder / name
		path.write_bytes(text if isinstance(text, bytes) else text.encode())
		return path

	def read(
		self,
		path: Path,
		relation: str = "purchases",
		extra: dict[str, str | None] | None = None,
		**options: Any,
	) -> Loaded:
		work = self.folder / "work"
		work.mkdir(exist_ok=True)
		self.connection.execute(f"DROP TABLE IF EXISTS {relation}")
		self.loaded = load(self.connection, relation, path, ReadOptions(**options), work, extra or {})
		return self.loaded

	def load(self, path: Path, relation: str = "purchases", **more: Any) -> list[tuple]:
		"""The rows in the order of their values: a relation has none of its own."""
		self.read(path, relation, **more)
		found = self.connection.execute(f"FROM {relation}").fetchall()
		return sorted(found, key=lambda row: [(value is None, str(value)) for value in row])

	def rows(self, text: str | bytes, relation: str = "purchases", **options: Any) -> list[tuple]:
		return self.load(self.write(text), relation, **options)

	def faults(self, text: str | bytes, relation: str = "purchases", **options: Any) -> list[str]:
		"""What is said about a file that is refused."""
		try:
			rows = self.rows(text, relation, **options)
		except InputError as error:
			return error.messages
		raise AssertionError(f"the file was read: {rows}")


@dataclass(frozen=True)
class Result:
	"""How a command ended."""

	returncode: int
	stdout: str
	stderr: str


def command(*arguments: str | Path, cwd: Path = ROOT) -> Result:
	"""Run `crm-retention` here, as the installed command does."""
	out, err = io.StringIO(), io.StringIO()
	before = Path.cwd()
	os.chdir(cwd)
	try:
		with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
			code = main([str(argument) for argument in arguments])
	except SystemExit as stop:  # how the options' reader ends
		code = int(stop.code or 0)
	finally:
		os.chdir(before)
	return Result(code, out.getvalue(), err.getvalue())


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
	"""Start `crm-retention` as a process of its own."""
	environment = {
		**os.environ,
		"PYTHONPATH": str(ROOT),
		"PYTHONIOENCODING": "utf-8",
		**options.pop("env", {}),
	}
	return subprocess.Popen([*COMMAND, *map(str, arguments)], cwd=ROOT, env=environment, **options)

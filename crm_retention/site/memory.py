"""The DuckDB in which the engine computes: bounded in memory, with a private folder for what does not fit, gone afterwards."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import frappe
import ibis
import ibis.expr.types as ir
from frappe import _

from crm_retention.backends.duckdb import DuckDBBackend

MIB = 1024 * 1024
MOST, LEAST = 2048 * MIB, 64 * MIB
OF_A_REQUEST = 512 * MIB  # the most that a form or a message may take
UNITS = {"": MIB, "MIB": MIB, "MB": MIB, "M": MIB, "GIB": 1024 * MIB, "GB": 1024 * MIB, "G": 1024 * MIB}
FOLDER = "retention_spill"
LOCK, A_MINUTE = "in_use", 60
CGROUPS = (
	("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
	("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
# DuckDB computes here and does nothing else: no file but its own, no network, no extension
PLAIN = {
	"autoinstall_known_extensions": "false",
	"autoload_known_extensions": "false",
	"python_enable_replacements": "false",
	"preserve_insertion_order": "false",
}


class DoesNotFit(frappe.ValidationError):
	"""What is computed takes more memory, and more of the disk beside it, than there is."""


class SiteBackend(DuckDBBackend):
	"""A DuckDB that may take ``limit`` bytes; its relations are what was read of the site. Raises DoesNotFit."""

	def __init__(self, connection: duckdb.DuckDBPyConnection, limit: int) -> None:
		super().__init__(connection)
		self.limit = limit
		self.known: dict[str, ir.Table] = {}

	def relations(self) -> Mapping[str, ir.Table]:
		return dict(self.known)

	def add(self, name: str, schema: Mapping[str, Any]) -> None:
		"""A table of this name, with these columns, is one of the relations from now on."""
		self.known[name] = ibis.table(schema, name=name)

	def add_view(self, name: str, table: ir.Table) -> None:
		"""A relation that is another way of looking at one that was read."""
		self.execute(f"CREATE OR REPLACE VIEW {self.quote(name)} AS {self.compile(table)}")
		self.add(name, table.schema())

	def open(self, sql: str) -> duckdb.DuckDBPyConnection:
		"""A result to be fetched bit by bit, before anything else is asked."""
		with saying_what_does_not_fit(self):
			return self.connection.execute(sql)

	def put(self, sql: str, values: Sequence[Any]) -> None:
		"""Run a statement with parameters."""
		with saying_what_does_not_fit(self):
			self.connection.execute(sql, values)

	def execute(self, sql: str) -> None:
		with saying_what_does_not_fit(self):
			super().execute(sql)

	def query(self, sql: str) -> Sequence[Sequence[Any]]:
		with saying_what_does_not_fit(self):
			return super().query(sql)

	def fetch(self, table: ir.Table) -> dict[str, Any]:
		with saying_what_does_not_fit(self):
			return super().fetch(table)

	def load(self, name: str, columns: Mapping[str, Any]) -> ir.Table:
		with saying_what_does_not_fit(self):
			return super().load(name, columns)


@contextmanager
def saying_what_does_not_fit(backend: SiteBackend) -> Iterator[None]:
	"""DuckDB's refusals for want of room, as a sentence that an administrator can act on."""
	try:
		yield
	except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
		message = _(
			"The run does not fit into the {0} of memory that it is given, nor into the disk beside it ({1}). "
			"Raise retention_memory_limit in the site's configuration, or free some disk."
		)
		size = f"{backend.limit // MIB} MiB"
		raise DoesNotFit(message.format(size, str(error).splitlines()[0])) from error


@contextmanager
def engine_of_run(threads: int | None = None) -> Iterator[SiteBackend]:
	"""A DuckDB for a run: what does not fit into memory goes into a folder that only the site's user may open.

	It computes on all cores, or on so many ``threads``.
	"""
	clear_spilled()
	with spill_folder() as folder, opened(get_limit(), folder, threads) as backend:
		yield backend


@contextmanager
def engine_of_request() -> Iterator[SiteBackend]:
	"""A DuckDB for a form or a message. Nothing goes to the disk."""
	with opened(min(get_limit(), OF_A_REQUEST), None, threads=1) as backend:
		yield backend


@contextmanager
def opened(limit: int, folder: Path | None, threads: int | None = None) -> Iterator[SiteBackend]:
	"""A DuckDB that may take ``limit`` bytes."""
	settings = {"memory_limit": f"{limit // MIB}MiB", "temp_directory": str(folder or "")}
	if threads:
		settings["threads"] = str(threads)
	connection = duckdb.connect(":memory:", config=settings | PLAIN)
	try:
		connection.execute("SET enable_external_access = false")
		connection.execute("SET lock_configuration = true")
		yield SiteBackend(connection, limit)
	finally:
		connection.close()


def get_limit() -> int:
	"""Bytes that a run may take: ``retention_memory_limit`` of the site's configuration (a number of MiB, or with its unit,
	such as 1GiB), else half of what is free, 2 GiB at the most. Raises ValidationError for what says no size.
	"""
	given = frappe.conf.get("retention_memory_limit")
	if given in (None, ""):
		return max(min(get_free() // 2, MOST), LEAST)
	size = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(given))
	if not size or size[2].upper() not in UNITS or float(size[1]) <= 0:
		frappe.throw(_("retention_memory_limit: {0} is no size. Write 512 for MiB, or 2GiB.").format(given))
	return max(int(float(size[1]) * UNITS[size[2].upper()]), MIB)


def get_free() -> int:
	"""Bytes that are free for this process: of the machine, or of the container that it runs in."""
	free = []
	with suppress(OSError, ValueError, KeyError):
		lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
		free.append(int(lines["MemAvailable"].split()[0]) * 1024)
	for limit, used in CGROUPS:
		with suppress(OSError, ValueError):  # "max" is no number, and no limit
			free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
	return max(min(free), 0) if free else MOST


@contextmanager
def spill_folder() -> Iterator[Path]:
	"""A folder of this run alone (0700), locked as long as the process lives, and gone afterwards."""
	parent = get_spill_path()
	parent.mkdir(mode=0o700, parents=True, exist_ok=True)
	parent.chmod(0o700)
	folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
	with ExitStack() as stack:
		stack.callback(remove_empty, parent)
		stack.callback(shutil.rmtree, folder, ignore_errors=True)
		lock = stack.enter_context(open(folder / LOCK, "w"))
		fcntl.flock(lock, fcntl.LOCK_EX)
		yield folder


def clear_spilled() -> None:
	"""Remove what runs left behind that were killed: whose lock nobody holds any more."""
	for folder in get_spill_path().glob("run-*"):
		with suppress(OSError):
			if is_abandoned(folder):
				shutil.rmtree(folder, ignore_errors=True)


def forget_spilled() -> None:
	"""Remove the folder of all runs with what is in it."""
	shutil.rmtree(get_spill_path(), ignore_errors=True)


def is_abandoned(folder: Path) -> bool:
	"""Whether no process holds a run's folder."""
	try:
		with open(folder / LOCK) as lock:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
	except BlockingIOError:
		return False
	except FileNotFoundError:  # it is being made, or was being removed
		return time.time() - folder.stat().st_mtime > A_MINUTE
	return True


def get_spill_path() -> Path:
	"""The folder in which runs have theirs. It is no part of a backup."""
	return Path(os.path.abspath(frappe.get_site_path("private", FOLDER)))


def remove_empty(folder: Path) -> None:
	"""Remove a folder that nobody uses."""
	with suppress(OSError):
		folder.rmdir()

"""How a run or a sweep uses Frappe's own connection: what its transactions lock, and locks of the site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import frappe

LOCK = "retention_cycle"


class Busy(Exception):
	"""Another cycle is at work on this site."""


@contextmanager
def reading_what_is_committed() -> Iterator[None]:
	"""Transactions that hold no lock on what they read. Commits at both ends.

	Under REPEATABLE READ, which is what sites run, ``CREATE TABLE ... AS SELECT`` and ``INSERT ... SELECT`` lock every row
	that they read until the commit, and whoever sells meanwhile waits. Where the binary log is one of statements, the
	database would refuse to write under anything less, so it stays as it is.
	"""
	if frappe.db.db_type != "mariadb" or writes_log_of_statements():
		yield
		return
	before = get_session(("tx_isolation",))
	frappe.db.commit()
	set_session({"tx_isolation": "READ-COMMITTED"})
	frappe.db.commit()  # it begins with the next transaction
	try:
		yield
	finally:
		with suppress(frappe.db.OperationalError, frappe.db.InternalError):
			set_session(before)
			frappe.db.commit()


def writes_log_of_statements() -> bool:
	"""Whether the server logs statements as they are, for replicas that carry them out again."""
	row = frappe.db.sql("SELECT @@GLOBAL.log_bin, @@SESSION.binlog_format")[0]
	return bool(row[0]) and row[1] == "STATEMENT"


def get_session(names: Sequence[str]) -> dict[str, Any]:
	"""Variables of the session with their values."""
	if not names:
		return {}
	variables = ", ".join(f"@@SESSION.{name}" for name in names)
	return dict(zip(names, frappe.db.sql(f"SELECT {variables}")[0], strict=True))


def set_session(values: Mapping[str, Any]) -> None:
	"""Set variables of the session."""
	for name, value in values.items():
		frappe.db.sql(f"SET SESSION {name} = %s", (value,))


@contextmanager
def only_one(lock: str = LOCK, wait: int = 0) -> Iterator[None]:
	"""Hold a lock of the site; it goes with the connection or process, however that ends.

	Raises Busy when another holds it for ``wait`` seconds more.
	"""
	if frappe.db.db_type == "mariadb":
		name = f"{lock}:{frappe.conf.db_name}"
		if frappe.db.sql("SELECT GET_LOCK(%s, %s)", (name, wait))[0][0] != 1:
			raise Busy
		try:
			yield
		finally:
			frappe.db.sql("SELECT RELEASE_LOCK(%s)", name)
		return
	with _file_lock(lock, wait):
		yield


@contextmanager
def _file_lock(lock: str, wait: int) -> Iterator[None]:
	from frappe.utils.file_lock import LockTimeoutError
	from frappe.utils.synchronization import filelock

	held = False
	try:
		with filelock(lock, timeout=wait):
			held = True
			yield
	except LockTimeoutError as error:
		if held:
			raise
		raise Busy from error

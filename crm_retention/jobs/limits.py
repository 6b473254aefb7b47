"""How long a run may take: each of its statements, and all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import frappe
from frappe import _
from frappe.utils import cint

STATEMENT_SECONDS = 900
RUN_MINUTES = 180


class TooLong(frappe.ValidationError):
	"""A run has used up the time that it is given."""


class Deadline:
	"""The end of the time of a run that begins now; Retention Settings say how many minutes, 0 being the usual ones."""

	def __init__(self) -> None:
		given = cint(frappe.db.get_single_value("Retention Settings", "run_minutes"))
		self.minutes = given if given > 0 else RUN_MINUTES
		self.end = time.monotonic() + self.minutes * 60

	def get_seconds_left(self) -> float:
		"""Seconds until the time is over."""
		return max(self.end - time.monotonic(), 0)

	def check(self) -> None:
		"""Raises TooLong once the time is over."""
		if time.monotonic() > self.end:
			message = _("The run was stopped after {0} minutes, the time that Retention Settings give it.")
			frappe.throw(message.format(self.minutes), TooLong)


@contextmanager
def limited_statements() -> Iterator[None]:
	"""No statement of this connection goes on for ever; what the session said before is put back.

	``retention_statement_seconds`` in the site's configuration changes the limit.
	"""
	if frappe.db.db_type != "mariadb":
		yield
		return
	before = frappe.db.sql("SELECT @@SESSION.max_statement_time")[0][0]
	set_limit(cint(frappe.conf.get("retention_statement_seconds")) or STATEMENT_SECONDS)
	try:
		yield
	finally:
		with suppress(frappe.db.OperationalError, frappe.db.InternalError):  # the connection may be gone
			set_limit(before)


def set_limit(seconds: float) -> None:
	"""The limit of each statement of this connection, 0 being none."""
	frappe.db.sql("SET SESSION max_statement_time = %s", (float(seconds),))

"""What of the stored configuration can be used: each part is read by itself, and one that is broken is left out.

Forms refuse what is wrong, but rows come into a database by other ways too, fields and records that rules name are
deleted later, and bounds are newer than some rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import frappe
from frappe import _
from frappe.utils import cstr, strip_html

from crm_retention import bounds
from crm_retention.engine.errors import EngineError, Problem

T = TypeVar("T")
LONGEST = 400  # characters of a message
# Errors of MariaDB that repeat a value of a row: a duplicate, a wrong or truncated value. Not everybody may see it.
TELLING = (1062, 1265, 1292, 1366, 1411)


class Usable:
	"""Reads parts of the configuration; ``problems`` says what was left out, with table, row and field."""

	def __init__(self) -> None:
		self.problems: list[Problem] = []

	def read(self, table: str, row: str, make: Callable[[], T]) -> T | None:
		"""What ``make`` gives, or None and a problem for whatever it raises."""
		try:
			return make()
		except EngineError as error:
			self.problems += [Problem(table, row, item.field, item.message) for item in error.problems]
		except Exception as error:
			frappe.clear_last_message() if isinstance(error, frappe.ValidationError) else None
			self.problems.append(Problem(table, row, "", say(error)))
		return None

	def is_sound(self, table: str, doc: Any, *, rows: bool = True) -> bool:
		"""Whether a document is within its bounds; without ``rows``, whether its own fields are."""
		faults = [fault for fault in bounds.get_faults(doc) if rows or not fault.table]
		self.report(table, doc, faults)
		return not faults

	def is_sound_row(self, table: str, name: str, row: Any) -> bool:
		"""Whether one row of a document is within its bounds."""
		found = list(bounds.get_field_faults(row))
		place = _("{0}, row {1}").format(name, row.idx)
		self.problems += [Problem(table, place, field, message) for field, message in found]
		return not found

	def report(self, table: str, doc: Any, faults: list[bounds.Fault]) -> None:
		"""Faults as problems."""
		for fault in faults:
			name = cstr(doc.name)
			place = _("{0}, row {1}").format(name, fault.idx) if fault.table else name
			self.problems.append(Problem(table, place, fault.field, fault.message))


def say(error: BaseException) -> str:
	"""An error as a message for people."""
	text = strip_html(str(error)).strip() or type(error).__name__
	if isinstance(error, frappe.ValidationError):
		return text[:LONGEST]
	if error.args and error.args[0] in TELLING:
		return _("cannot be used (the database refused a value)")
	return _("cannot be used ({0})").format(text)[:LONGEST]

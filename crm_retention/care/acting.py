"""Work that is done in somebody's name: with what they may read, and not with what the scheduler may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import frappe


@contextmanager
def acting_as(user: str) -> Iterator[None]:
	"""Read and write as a user; afterwards whoever it was before is again."""
	before = frappe.session.user
	frappe.set_user(user)
	try:
		yield
	finally:
		frappe.set_user(before)


@contextmanager
def speaking_to(user: str) -> Iterator[None]:
	"""Read with a user's permissions and write in their language."""
	language = frappe.local.lang
	with acting_as(user):
		frappe.local.lang = frappe.db.get_value("User", user, "language") or language
		try:
			yield
		finally:
			frappe.local.lang = language

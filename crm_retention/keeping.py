"""How long rows of the past are kept: shorter is for ever, so it is asked, counted and a System Manager's to decide."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.utils import add_days, cint, getdate, nowdate

if TYPE_CHECKING:
	from frappe.model.document import Document

# setting in days, where 0 is for ever: DocType and the field of its rows' day
PERIODS = {
	"log_keep_days": ("Interaction Log", "occurred_on"),
	"history_keep_days": ("Tier Change", "on_date"),
}
AGREED = "agreed_rows"


class RowsWouldGoError(frappe.ValidationError):
	"""A shorter period would delete rows, and nobody has agreed to so many."""


def validate_periods(settings: Document) -> None:
	"""Raises PermissionError unless a System Manager shortens a period, RowsWouldGoError until the rows are agreed to.

	``agreed_rows`` is sent with the settings and not stored: the number of rows that may go.
	"""
	before = settings.get_doc_before_save()
	shortened = [field for field in PERIODS if is_shorter(settings.get(field), before and before.get(field))]
	if not shortened:
		return
	labels = ", ".join(_(settings.meta.get_label(field)) for field in shortened)
	if "System Manager" not in frappe.get_roles():
		message = _("{0}: only a System Manager may shorten it.")
		frappe.throw(message.format(labels), frappe.PermissionError)
	rows = sum(count_rows(field, cint(settings.get(field))) for field in shortened)
	if rows > cint(settings.get(AGREED)):
		message = _("{0}: {1} rows are older and would be deleted for ever. Agree to that number first.")
		frappe.throw(message.format(labels, rows), RowsWouldGoError)


def is_shorter(days: object, before: object) -> bool:
	"""Whether a period lets rows go that the one before keeps; 0 days are for ever."""
	return cint(days) > 0 and (cint(before) <= 0 or cint(days) < cint(before))


def get_first_day(days: int) -> datetime.date:
	"""The first day that a period of so many days keeps."""
	return getdate(add_days(nowdate(), -days))


def get_kept_since(field: str) -> datetime.date | None:
	"""The first day that the setting ``field`` keeps; None keeps all."""
	days = cint(frappe.db.get_single_value("Retention Settings", field))
	return get_first_day(days) if days > 0 else None


def count_rows(field: str, days: int) -> int:
	"""Rows that a period would let go."""
	doctype, day = PERIODS[field]
	return frappe.db.count(doctype, {day: ("<", get_first_day(days))})

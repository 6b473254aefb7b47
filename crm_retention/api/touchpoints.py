"""Acting on touchpoints, for the desk, phones and other clients. docs/api.md shows every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_to_date

from crm_retention.care import actions
from crm_retention.care.rules import DEFAULT_MINUTES

TRIES = 3
MOST_ROWS = 500


def again_after_deadlock(method: Callable[..., Any]) -> Callable[..., Any]:
	"""The whole request is the transaction: where the database chose it as the victim, it is done again."""

	@wraps(method)
	def call(*args: Any, **kwargs: Any) -> Any:
		for attempt in range(TRIES):
			try:
				return method(*args, **kwargs)
			except frappe.QueryDeadlockError:
				frappe.db.rollback()
				if attempt == TRIES - 1:
					raise
		return None

	return call


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def complete(
	name: str,
	outcome: str,
	note: str | None = None,
	minutes: int | None = None,
	next_step: str | None = None,
	next_date: str | None = None,
	request_id: str | None = None,
) -> dict[str, Any]:
	"""Done. See ``care.actions.complete``."""
	return actions.complete(name, outcome, note, minutes, next_step, next_date, request_id)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def skip(name: str, reason: str, request_id: str | None = None) -> dict[str, Any]:
	"""Skipped. See ``care.actions.skip``."""
	return actions.skip(name, reason, request_id)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def cancel(name: str, reason: str, request_id: str | None = None) -> dict[str, Any]:
	"""Cancelled. See ``care.actions.cancel``."""
	return actions.cancel(name, reason, request_id)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def reschedule(
	name: str, due_date: str, reason: str, starts_at: str | None = None, request_id: str | None = None
) -> dict[str, Any]:
	"""Another day. See ``care.actions.reschedule``."""
	return actions.reschedule(name, due_date, reason, starts_at, request_id)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def reassign(names: str | list, user: str) -> dict[str, Any]:
	"""Another person. See ``care.actions.reassign``."""
	return actions.reassign(get_names(names), user)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def complete_each(names: str | list, outcome: str, note: str | None = None) -> dict[str, Any]:
	"""Done, for a selection: {done: [names], failed: [{name, title, error}]}."""
	return actions.complete_each(get_names(names), outcome, note)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def skip_each(names: str | list, reason: str) -> dict[str, Any]:
	"""Skipped, for a selection."""
	return actions.skip_each(get_names(names), reason)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def cancel_each(names: str | list, reason: str) -> dict[str, Any]:
	"""Cancelled, for a selection."""
	return actions.cancel_each(get_names(names), reason)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def reschedule_each(names: str | list, due_date: str, reason: str) -> dict[str, Any]:
	"""Another day, for a selection."""
	return actions.reschedule_each(get_names(names), due_date, reason)


@frappe.whitelist(methods=["POST"])
@again_after_deadlock
def move(args: str, field_map: str | None = None) -> None:  # noqa: ARG001
	"""The calendar's drag and drop: ``args`` names the touchpoint with its new start."""
	given = json.loads(args)
	starts = given.get("starts_at") or given.get("due_date") or given.get("start")
	timed = frappe.db.get_value("Touchpoint", given["name"], "starts_at")
	reason = _("Moved in the calendar")
	actions.reschedule(given["name"], str(starts)[:10], reason, starts if timed else None)


@frappe.whitelist(methods=["POST"])
def retry_message(name: str) -> dict[str, Any]:
	"""Send a message that failed again. See ``care.actions.retry_message``."""
	return actions.retry_message(name)


def get_names(names: str | list) -> list[str]:
	"""A selection from JSON or a list. Raises ValidationError for none and for more than ``MOST_ROWS``."""
	found = frappe.parse_json(names)
	if not isinstance(found, list) or not found or not all(isinstance(name, str) for name in found):
		frappe.throw(_("{0}: choose at least one touchpoint.").format("names"))
	if len(found) > MOST_ROWS:
		frappe.throw(_("{0}: at most {1} touchpoints at once.").format("names", MOST_ROWS))
	return found


@frappe.whitelist()
def get_events(
	start: str, end: str, filters: str | list | None = None, **_kwargs: Any
) -> list[dict[str, Any]]:
	"""What the calendar shows between two days: meetings at their time, everything else for the whole day."""
	conditions = [
		*(
			condition[:4] for condition in frappe.parse_json(filters) or []
		),  # the desk adds whether it is hidden
		["Touchpoint", "due_date", "between", [start[:10], end[:10]]],
	]
	fields = ["name", "title", "status", "due_date", "starts_at", "duration", "touchpoint_type"]
	conditions.append(["Touchpoint", "status", "not in", ["Cancelled", "Suppressed"]])
	rows = frappe.get_list("Touchpoint", filters=conditions, fields=fields, limit=2000)
	colours = dict(frappe.get_all("Touchpoint Type", fields=["name", "colour"], as_list=True))
	return [as_event(row, colours.get(row.touchpoint_type)) for row in rows]


def as_event(row: Any, colour: str | None) -> dict[str, Any]:
	"""A row as the calendar wants it."""
	starts = row.starts_at or row.due_date
	ends = (
		add_to_date(row.starts_at, minutes=row.duration or DEFAULT_MINUTES) if row.starts_at else row.due_date
	)
	title = row.title if row.status in ("Open", "Waiting") else f"{_(row.status)}: {row.title}"
	return {
		"doctype": "Touchpoint",
		"name": row.name,
		"title": title,
		"start": str(starts),
		"end": str(ends),
		"all_day": 0 if row.starts_at else 1,
		"color": colour,
		"status": row.status,
	}

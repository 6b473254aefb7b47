"""Acting on touchpoints, for the desk, phones and other clients. docs/api.md shows every call."""

from typing import Any

import frappe
from frappe import _
from frappe.utils import add_to_date

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import (
	Day,
	DayKind,
	Minutes,
	Moment,
	MomentKind,
	Name,
	NameOf,
	Names,
	Prose,
	RequestId,
	Rows,
	Values,
	Word,
	throw_missing,
)
from crm_retention.care import actions
from crm_retention.care.rules import DEFAULT_MINUTES
from crm_retention.fields import check_filters
from crm_retention.views.access import get_document

MOST_EVENTS = 2000


@endpoint("POST")
def complete(
	name: Name,
	outcome: Word,
	note: Prose | None = None,
	minutes: Minutes | None = None,
	next_step: Word | None = None,
	next_date: Day | None = None,
	request_id: RequestId | None = None,
) -> dict[str, Any]:
	"""Done. See ``care.actions.complete``."""
	return actions.complete(name, outcome, note, minutes, next_step, next_date, request_id)


@endpoint("POST")
def skip(name: Name, reason: Prose, request_id: RequestId | None = None) -> dict[str, Any]:
	"""Skipped. See ``care.actions.skip``."""
	return actions.skip(name, reason, request_id)


@endpoint("POST")
def cancel(name: Name, reason: Prose, request_id: RequestId | None = None) -> dict[str, Any]:
	"""Cancelled. See ``care.actions.cancel``."""
	return actions.cancel(name, reason, request_id)


@endpoint("POST")
def reschedule(
	name: Name,
	due_date: Day,
	reason: Prose,
	starts_at: Moment | None = None,
	request_id: RequestId | None = None,
) -> dict[str, Any]:
	"""Another day. See ``care.actions.reschedule``."""
	return actions.reschedule(name, due_date, reason, starts_at, request_id)


@endpoint("POST")
def reassign(names: Names, user: Name) -> dict[str, Any]:
	"""Another person. See ``care.actions.reassign``."""
	return actions.reassign(check_any(names), user)


@endpoint("POST")
def complete_each(names: Names, outcome: Word, note: Prose | None = None) -> dict[str, Any]:
	"""Done, for a selection: {done: [names], failed: [{name, title, error}]}."""
	return actions.complete_each(check_any(names), outcome, note)


@endpoint("POST")
def skip_each(names: Names, reason: Prose) -> dict[str, Any]:
	"""Skipped, for a selection."""
	return actions.skip_each(check_any(names), reason)


@endpoint("POST")
def cancel_each(names: Names, reason: Prose) -> dict[str, Any]:
	"""Cancelled, for a selection."""
	return actions.cancel_each(check_any(names), reason)


@endpoint("POST")
def reschedule_each(names: Names, due_date: Day, reason: Prose) -> dict[str, Any]:
	"""Another day, for a selection."""
	return actions.reschedule_each(check_any(names), due_date, reason)


@endpoint("POST")
def move(args: Values, field_map: Values | None = None) -> None:  # noqa: ARG001
	"""The calendar's drag and drop: ``args`` names the touchpoint with its new start."""
	starts = args.get("starts_at") or args.get("due_date") or args.get("start")
	if not starts:
		throw_missing("starts_at")
	name = NameOf().read("name", args.get("name"))
	day, moment = DayKind().read("starts_at", starts), MomentKind().read("starts_at", starts)
	timed = get_document("Touchpoint", name).starts_at
	actions.reschedule(name, day, _("Moved in the calendar"), moment if timed else None)


@endpoint("POST")
def retry_message(name: Name) -> dict[str, Any]:
	"""Send a message that failed again. See ``care.actions.retry_message``."""
	return actions.retry_message(name)


def check_any(names: list[str]) -> list[str]:
	"""Raises PermissionError for whoever has nothing to do with touchpoints, ValidationError for an empty selection."""
	frappe.has_permission("Touchpoint", "write", throw=True)
	if not names:
		frappe.throw(_("{0}: choose at least one touchpoint.").format("names"))
	return names


@endpoint()
def get_events(start: Day, end: Day, filters: Rows | None = None) -> list[dict[str, Any]]:
	"""What the calendar shows between two days: meetings at their time, everything else for the whole day."""
	frappe.has_permission("Touchpoint", "read", throw=True)
	conditions = [
		*check_filters("Touchpoint", filters or []),
		["Touchpoint", "due_date", "between", [start, end]],
	]
	fields = ["name", "title", "status", "due_date", "starts_at", "duration", "touchpoint_type"]
	conditions.append(["Touchpoint", "status", "not in", ["Cancelled", "Suppressed"]])
	rows = frappe.get_list("Touchpoint", filters=conditions, fields=fields, limit=MOST_EVENTS)
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

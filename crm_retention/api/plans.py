"""What the form of a Maintenance Plan asks for: new versions, the difference, pausing, and the forecast."""

from typing import Any

import frappe
from frappe import _

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Day, Json, Name, Rows, Values
from crm_retention.fields import read_document, read_rows
from crm_retention.plans import clock, versions
from crm_retention.plans.difference import read_aloud
from crm_retention.plans.forecast import forecast
from crm_retention.plans.steps import describe
from crm_retention.readable import validate_conditions
from crm_retention.views.access import get_document

CONDITIONS = ("party_conditions_json", "signal_conditions_json")
MOST_CONDITIONS = 100


@endpoint("POST")
def make_new_version(plan: Name) -> dict[str, Any]:
	"""Insert a draft that follows the running version of the plan; returns {name} of the draft."""
	frappe.has_permission("Maintenance Plan", "create", throw=True)
	get_plan(plan, "read")
	draft = versions.make_new_version(plan)
	draft.insert()
	return {"name": draft.name}


@endpoint()
def get_difference(plan: Name) -> dict[str, Any]:
	"""What a version changes against the one that it follows, for people; ``{}`` for a first version.

	{previous, added, removed [{step, text}], changed [{step, field, label, before, after}], targets, settings
	[{field, label, before, after}]}.
	"""
	doc = get_plan(plan, "read")
	if not doc.previous_version:
		return {}
	return {"previous": doc.previous_version, **read_aloud(get_plan(doc.previous_version, "read"), doc)}


@endpoint("POST")
def pause(plan: Name, on: Day | None = None) -> dict[str, Any]:
	"""Stop the clock of a plan on a day (YYYY-MM-DD, today by default)."""
	doc = get_plan(plan, "submit")
	clock.pause(doc, on)
	return {"status": doc.status}


@endpoint("POST")
def resume(plan: Name, on: Day | None = None) -> dict[str, Any]:
	"""Start the clock of a plan again on a day (YYYY-MM-DD, today by default). Returns {status, days}."""
	doc = get_plan(plan, "submit")
	days = clock.resume(doc, on)
	return {"status": doc.status, "days": days}


@endpoint("POST")
def get_forecast(doc: Values) -> dict[str, Any]:
	"""The load that a plan brings, saved or as it stands in the form. See ``plans.forecast.forecast``."""
	frappe.has_permission("Maintenance Plan", "write", throw=True)
	if doc.get("doctype") != "Maintenance Plan":
		frappe.throw(_("{0} is no plan").format("doc"))
	plan = frappe.get_doc(read_document("Maintenance Plan", doc))
	check_conditions(plan)
	return forecast(plan)


def get_stored(name: str | None) -> Any:
	"""The plan as it is stored, if it is."""
	return frappe.get_doc("Maintenance Plan", name) if frappe.db.exists("Maintenance Plan", name) else None


@endpoint("POST")
def describe_steps(steps: Rows) -> list[str]:
	"""Each step as a sentence."""
	frappe.has_permission("Maintenance Plan", "read", throw=True)
	if not all(isinstance(row, dict) for row in steps):
		frappe.throw(_("{0}: a list of steps is expected.").format("steps"))
	rows = read_rows("Maintenance Plan Step", steps, _("Steps"))
	return [describe(frappe.get_doc({"doctype": "Maintenance Plan Step", **row})) for row in rows]


def check_conditions(plan: Any) -> None:
	"""Counting answers what fields hold: conditions that are not those of the stored plan ask for fields that the user reads.

	Raises ValidationError for what is no list of conditions, PermissionError.
	"""
	for field in CONDITIONS:
		if len(Json(list).read(field, plan.get(field) or "[]")) > MOST_CONDITIONS:
			frappe.throw(_("{0}: at most {1} at once.").format(_("Conditions"), MOST_CONDITIONS))
	validate_conditions(plan, get_stored(plan.name))


def get_plan(plan: str, permission: str) -> Any:
	"""The plan. Raises PermissionError unless the user has the permission on it."""
	doc = get_document("Maintenance Plan", plan)
	doc.check_permission(permission)
	return doc

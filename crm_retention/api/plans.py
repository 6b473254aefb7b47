"""What the form of a Maintenance Plan asks for: new versions, the difference, pausing, and the forecast."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _

from crm_retention.plans import clock, versions
from crm_retention.plans.difference import read_aloud
from crm_retention.plans.forecast import forecast
from crm_retention.plans.steps import describe
from crm_retention.readable import validate_conditions


@frappe.whitelist(methods=["POST"])
def make_new_version(plan: str) -> dict[str, Any]:
	"""Insert a draft that follows the running version of the plan; returns {name} of the draft."""
	frappe.has_permission("Maintenance Plan", "create", throw=True)
	get_plan(plan, "read")
	draft = versions.make_new_version(plan)
	draft.insert()
	return {"name": draft.name}


@frappe.whitelist()
def get_difference(plan: str) -> dict[str, Any]:
	"""What a version changes against the one that it follows, for people; ``{}`` for a first version.

	{previous, added, removed [{step, text}], changed [{step, field, label, before, after}], targets, settings
	[{field, label, before, after}]}.
	"""
	doc = get_plan(plan, "read")
	if not doc.previous_version:
		return {}
	return {"previous": doc.previous_version, **read_aloud(get_plan(doc.previous_version, "read"), doc)}


@frappe.whitelist(methods=["POST"])
def pause(plan: str, on: str | None = None) -> dict[str, Any]:
	"""Stop the clock of a plan on a day (YYYY-MM-DD, today by default)."""
	doc = get_plan(plan, "submit")
	clock.pause(doc, on)
	return {"status": doc.status}


@frappe.whitelist(methods=["POST"])
def resume(plan: str, on: str | None = None) -> dict[str, Any]:
	"""Start the clock of a plan again on a day (YYYY-MM-DD, today by default). Returns {status, days}."""
	doc = get_plan(plan, "submit")
	days = clock.resume(doc, on)
	return {"status": doc.status, "days": days}


@frappe.whitelist(methods=["POST"])
def get_forecast(doc: str | dict[str, Any]) -> dict[str, Any]:
	"""The load that a plan brings, saved or as it stands in the form. See ``plans.forecast.forecast``."""
	frappe.has_permission("Maintenance Plan", "write", throw=True)
	values = json.loads(doc) if isinstance(doc, str) else doc
	if values.get("doctype") != "Maintenance Plan":
		frappe.throw(_("{0} is no plan").format(values.get("doctype")))
	plan = frappe.get_doc(values)
	validate_conditions(plan, get_stored(plan.name))
	return forecast(plan)


def get_stored(name: str | None) -> Any:
	"""The plan as it is stored, if it is."""
	return frappe.get_doc("Maintenance Plan", name) if frappe.db.exists("Maintenance Plan", name) else None


@frappe.whitelist(methods=["POST"])
def describe_steps(steps: str | list[dict[str, Any]]) -> list[str]:
	"""Each step as a sentence."""
	frappe.has_permission("Maintenance Plan", "read", throw=True)
	rows = json.loads(steps) if isinstance(steps, str) else steps
	return [describe(frappe._dict(row)) for row in rows]


def get_plan(plan: str, permission: str) -> Any:
	"""The plan. Raises PermissionError unless the user has the permission on it."""
	doc = frappe.get_doc("Maintenance Plan", plan)
	doc.check_permission(permission)
	return doc

"""What is different between two versions of a plan, for people. ``difference`` itself is pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention import filters
from crm_retention.plans.steps import describe

Plain = Mapping[str, Any]
Change = dict[str, Any]

STEP_FIELDS = (
	"step_name",
	"touchpoint_type",
	"channel",
	"department",
	"owner_rule",
	"role",
	"user",
	"minutes",
	"cost",
	"service_level_days",
	"timing",
	"every",
	"unit",
	"rhythm",
	"occasion",
	"event",
	"event_value",
	"offset_days",
	"email_template",
	"send_by_itself",
	"sms_text",
	"instructions",
)
ONLY_FOR = {"every": "Every", "unit": "Every", "rhythm": "Buying Rhythm"}
SETTINGS = (
	"title",
	"priority",
	"hours_per_party",
	"money_per_party",
	"holdout_share",
	"review_every",
	"starts_on",
	"ends_on",
	"description",
)


def difference(old: Plain, new: Plain) -> dict[str, list[Change]]:
	"""What ``new`` adds, removes and changes against ``old``; both as ``Document.as_dict`` gives them.

	``added`` and ``removed``: steps as they are. ``changed``: {step, field, before, after} for each field of a step
	that both have. ``targets`` and ``settings``: {field, before, after}; goals count as settings.
	"""
	before = {step["step_key"]: step for step in old.get("steps") or ()}
	after = {step["step_key"]: step for step in new.get("steps") or ()}
	changed = [
		{"step": after[key]["step_name"], **change}
		for key in after
		if key in before
		for change in _compare(before[key], after[key], STEP_FIELDS)
	]
	return {
		"added": [dict(step) for key, step in after.items() if key not in before],
		"removed": [dict(step) for key, step in before.items() if key not in after],
		"changed": changed,
		"targets": _compare(_targets(old), _targets(new), _targets(new)),
		"settings": _compare(_settings(old), _settings(new), (*SETTINGS, "goals")),
	}


def _compare(before: Plain, after: Plain, fields: Iterable[str]) -> list[Change]:
	return [
		{"field": field, "before": before.get(field), "after": after.get(field)}
		for field in fields
		if _plain(before, field) != _plain(after, field)
	]


def _plain(row: Plain, field: str) -> Any:
	"""A value to compare: empty, 0 and nothing are the same, and so is what the timing does not use."""
	if field in ONLY_FOR and row.get("timing") != ONLY_FOR[field]:
		return None
	value = row.get(field)
	return None if value in ("", 0, None) or value == [] else str(value)


def _targets(plan: Plain) -> dict[str, Any]:
	return {
		"tiers": sorted(row["tier"] for row in plan.get("tiers") or ()),
		"stages": sorted(row["stage"] for row in plan.get("stages") or ()),
		"party_conditions_json": filters.read(plan.get("party_conditions_json")),
		"signal_conditions_json": filters.read(plan.get("signal_conditions_json")),
	}


def _settings(plan: Plain) -> dict[str, Any]:
	goals = [(row["kpi"], float(row["target"] or 0), str(row["by_date"])) for row in plan.get("goals") or ()]
	return {**{field: plan.get(field) for field in SETTINGS}, "goals": sorted(goals)}


def read_aloud(old: Any, new: Any) -> dict[str, list[Change]]:
	"""The difference of two plans with labels and values as people read them: steps as sentences."""
	found = difference(old.as_dict(), new.as_dict())
	step, plan = frappe.get_meta("Maintenance Plan Step"), new.meta
	for name in ("added", "removed"):
		found[name] = [{"step": row["step_name"], "text": describe(frappe._dict(row))} for row in found[name]]
	for change in found["changed"]:
		_label(change, step, _show_value)
	for name in ("targets", "settings"):
		for change in found[name]:
			_label(change, plan, _show_setting)
	return found


def _label(change: Change, meta: Any, show: Callable[[Any, Any], str]) -> None:
	df = meta.get_field(change["field"])
	change["label"] = _(df.label, context=meta.name)
	change["before"], change["after"] = show(change["before"], df), show(change["after"], df)


def _show_value(value: Any, df: Any) -> str:
	if df.fieldtype == "Check":
		return _("Yes") if cint(value) else _("No")
	if value in (None, ""):
		return ""
	if df.fieldtype in ("Select", "Link"):
		return _(str(value))
	return frappe.utils.strip_html(str(frappe.format_value(value, df.as_dict())))


def _show_setting(value: Any, df: Any) -> str:
	if df.fieldname in ("tiers", "stages"):
		return ", ".join(_(name) for name in value) or _("all")
	if df.fieldname in ("party_conditions_json", "signal_conditions_json"):
		doctype = "Customer" if df.fieldname.startswith("party") else "Retention Profile"
		return "; ".join(_show_condition(row, doctype) for row in value) or _("no condition")
	if df.fieldname == "goals":
		rows = (f"{_(kpi)} {target:g} {_('by')} {frappe.format(day, 'Date')}" for kpi, target, day in value)
		return "; ".join(rows)
	return _show_value(value, df)


def _show_condition(row: list[Any], doctype: str) -> str:
	meta = frappe.get_meta(doctype)
	label = _(meta.get_label(row[1]), context=doctype) if meta.has_field(row[1]) else row[1]
	return f"{label} {row[2]} {row[3]}"

"""The steps of a plan: their keys, what they take from their touchpoint type, and how they read as a sentence."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, flt

EVENTS_OF_A_PLACE = {"Tier Entered": "Customer Tier", "Stage Entered": "Lifecycle Stage"}
KEY_LENGTH = 10
# Which fields belong to which timing; those of the others are emptied.
TIMING_FIELDS = {
	"Every": (),
	"Buying Rhythm": (),
	"Occasion": ("occasion", "offset_days"),
	"Event": ("event", "event_value", "offset_days"),
}
FROM_TYPE = ("channel", "department", "minutes", "cost")


def set_keys(plan: Any) -> None:
	"""Give each step a key of its own that stays with it through all versions; a copied row in the grid is new."""
	seen: set[str] = set()
	for step in plan.steps:
		if not step.step_key or step.step_key in seen:
			step.step_key = frappe.generate_hash(length=KEY_LENGTH)
		seen.add(step.step_key)


def set_details(plan: Any) -> None:
	"""Write what the step takes from its touchpoint type into the step, so that a plan in use stays what it was."""
	for step in plan.steps:
		kind = frappe.db.get_value("Touchpoint Type", step.touchpoint_type, FROM_TYPE, as_dict=True) or {}
		for field in FROM_TYPE:
			if not step.get(field):
				step.set(field, kind.get(field))
		if not cint(step.minutes) and step.channel:
			step.minutes = cint(frappe.db.get_value("Contact Channel", step.channel, "minutes"))


def clear_unused(plan: Any) -> None:
	"""Empty what the form hides for a step's timing and owner rule: it says nothing."""
	for step in plan.steps:
		for field in ("occasion", "event", "event_value"):
			if field not in TIMING_FIELDS.get(step.timing, ()):
				step.set(field, None)
		if "offset_days" not in TIMING_FIELDS.get(step.timing, ()):
			step.offset_days = 0
		if step.event not in EVENTS_OF_A_PLACE:
			step.event_value = None
		if not (step.owner_rule or "").startswith("Role"):
			step.role = None
		if step.owner_rule != "User":
			step.user = None


def get_channel(step: Any) -> str | None:
	"""The channel of a step, its own or that of its touchpoint type."""
	return step.channel or frappe.db.get_value("Touchpoint Type", step.touchpoint_type, "channel")


def describe(step: Any) -> str:
	"""A step as a sentence: when, what, by whom, through which channel."""
	when, what = describe_timing(step), translate(step.touchpoint_type, "Touchpoint Type")
	text = _("{0}: {1}, by {2}").format(when, what, describe_owner(step))
	return (
		_("{0}, through {1}").format(text, translate(step.channel, "Contact Channel"))
		if step.channel
		else text
	)


def translate(name: str | None, doctype: str | None = None) -> str:
	"""What a record of a DocType or a choice is called in the reader's language; nothing is called nothing."""
	return _(name, context=doctype) if name else ""


def describe_owner(step: Any) -> str:
	"""Who does a step."""
	if step.owner_rule == "Role, Round Robin":
		return _("{0} in turn").format(translate(step.role))
	if step.owner_rule == "Role, Least Loaded":
		return _("the least loaded {0}").format(translate(step.role))
	return step.user or "" if step.owner_rule == "User" else _("the account manager")


def describe_timing(step: Any) -> str:
	"""When a step falls due."""
	if step.timing == "Every":
		return _describe_every(cint(step.every), step.unit)
	if step.timing == "Buying Rhythm":
		return _("Every {0} of the buying rhythm").format(f"{flt(step.rhythm):g}")
	days = cint(step.offset_days)
	if step.timing == "Event" and step.event == "Silent":
		return _("After {0} days without purchase and contact").format(days)
	what = (
		translate(step.occasion, "Care Occasion")
		if step.timing == "Occasion"
		else translate(step.event, "Maintenance Plan Step")
	)
	if step.event_value:
		entered = "Customer Tier" if step.event == "Tier Entered" else "Lifecycle Stage"
		what = _("{0} ({1})").format(what, translate(step.event_value, entered))
	if not days:
		return _("On {0}").format(what)
	return (_("{0} days after {1}") if days > 0 else _("{0} days before {1}")).format(abs(days), what)


def _describe_every(every: int, unit: str | None) -> str:
	single = {"Days": _("Every day"), "Weeks": _("Every week"), "Months": _("Every month")}
	single["Quarters"] = _("Every quarter")
	many = {"Days": _("Every {0} days"), "Weeks": _("Every {0} weeks"), "Months": _("Every {0} months")}
	many["Quarters"] = _("Every {0} quarters")
	return single.get(unit or "", "") if every == 1 else many.get(unit or "", "{0}").format(every)

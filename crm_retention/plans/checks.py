"""What must be right about a plan before it is saved: every fault names the row and the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, flt, getdate

from crm_retention.care.text_checks import get_row_faults
from crm_retention.plans.steps import EVENTS_OF_A_PLACE, get_channel

Fault = tuple[str, str]


def get_faults(plan: Any) -> Iterator[str]:
	"""Everything that is wrong with the plan, as lines for people."""
	for field, text in _get_plan_faults(plan):
		yield _("{0}: {1}").format(_(plan.meta.get_label(field)), text)
	for table, check in (("steps", _get_step_faults), ("goals", _get_goal_faults)):
		for row in plan.get(table):
			for field, text in check(row):
				place = _("{0}, row {1}, {2}").format(
					_(plan.meta.get_label(table)), row.idx, _(row.meta.get_label(field))
				)
				yield _("{0}: {1}").format(place, text)


def _get_plan_faults(plan: Any) -> Iterator[Fault]:
	if not plan.steps:
		yield "steps", _("a plan needs at least one step")
	if not 0 <= flt(plan.holdout_share) < 100:
		yield "holdout_share", _("must be from 0 to less than 100")
	if plan.starts_on and plan.ends_on and getdate(plan.ends_on) <= getdate(plan.starts_on):
		yield "ends_on", _("must be after {0}").format(_(plan.meta.get_label("starts_on")))
	yield from _get_doubles(plan, "tiers", "tier")
	yield from _get_doubles(plan, "stages", "stage")


def _get_doubles(plan: Any, table: str, field: str) -> Iterator[Fault]:
	names = [row.get(field) for row in plan.get(table)]
	for name in sorted({name for name in names if names.count(name) > 1}):
		yield table, _("{0} is there twice").format(_(name))


def _get_step_faults(step: Any) -> Iterator[Fault]:
	yield from _get_timing_faults(step)
	yield from _get_owner_faults(step)
	yield from _get_disabled(step)
	if cint(step.send_by_itself):
		yield from _get_sending_faults(step)
	yield from get_row_faults(step)


def _get_timing_faults(step: Any) -> Iterator[Fault]:
	if step.timing == "Every":
		if cint(step.every) < 1:
			yield "every", _("must be 1 or more")
		if not step.unit:
			yield "unit", _("is needed")
	elif step.timing == "Buying Rhythm":
		if flt(step.rhythm) <= 0:
			yield "rhythm", _("must be more than 0")
	elif step.timing == "Occasion":
		if not step.occasion:
			yield "occasion", _("is needed")
		if abs(cint(step.offset_days)) > 365:
			yield "offset_days", _("must be within a year")
	else:
		yield from _get_event_faults(step)


def _get_event_faults(step: Any) -> Iterator[Fault]:
	days = cint(step.offset_days)
	if not step.event:
		yield "event", _("is needed")
	elif step.event == "Silent" and days < 1:
		yield "offset_days", _("must be 1 or more: that many days without purchase and contact")
	elif step.event != "Contract End" and days < 0:
		yield "offset_days", _("must not be negative: {0} cannot be known before").format(_(step.event))
	doctype = EVENTS_OF_A_PLACE.get(step.event)
	if doctype and step.event_value and not frappe.db.exists(doctype, step.event_value):
		yield "event_value", _("there is no {0} {1}").format(_(doctype), step.event_value)


def _get_owner_faults(step: Any) -> Iterator[Fault]:
	if step.owner_rule.startswith("Role") and not step.role:
		yield "role", _("is needed for {0}").format(_(step.owner_rule))
	if step.owner_rule == "User":
		if not step.user:
			yield "user", _("is needed for {0}").format(_(step.owner_rule))
		elif not cint(frappe.db.get_value("User", step.user, "enabled")):
			yield "user", _("{0} is disabled").format(step.user)


def _get_disabled(step: Any) -> Iterator[Fault]:
	for field in ("touchpoint_type", "channel", "occasion"):
		name, doctype = step.get(field), step.meta.get_field(field).options
		if name and frappe.db.get_value(doctype, name, "enabled") == 0:
			yield field, _("{0} is disabled").format(_(name))


def _get_sending_faults(step: Any) -> Iterator[Fault]:
	channel = get_channel(step)
	sends = frappe.db.get_value("Contact Channel", channel, "sends") if channel else None
	if not sends:
		yield "channel", _("a channel that can send is needed to send by itself")
	elif sends == "Email" and not step.email_template:
		yield "email_template", _("is needed to send by itself")
	elif sends == "SMS" and not (step.sms_text or "").strip():
		yield "sms_text", _("is needed to send by itself")


def _get_goal_faults(goal: Any) -> Iterator[Fault]:
	if goal.by_date and getdate(goal.by_date) <= getdate():
		yield "by_date", _("must be in the future")

"""Which fields conditions and scorecards may use, with the labels and units that people read."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from crm_retention.configuration import LIFETIME_RESULTS
from crm_retention.engine.signals import SIGNALS
from crm_retention.filters import PARTY_PREFIX

NUMBER_TYPES = ("Int", "Float", "Currency", "Percent", "Check", "Rating", "Duration")
# What tiers and stages know beyond signals, the lifetime model and the scores.
STATE_FIELDS = ("party_type", "previous_tier", "previous_stage")
SCORES = ("score", "health")
STAGE_FIELDS = ("tier", "tier_rank", "candidate_tier")
# What plans and contact rules know as well: they come after tiers and stages.
CARE_FIELDS = (*STAGE_FIELDS, "stage", "tier_since", "stage_since")
# Names that a signal of an admin cannot take, because expressions use them.
RESERVED = ("party", "party_type", "party_name", "name", "days_in_tier", "days_in_stage")


def get_custom_signals() -> list[Any]:
	"""The enabled Retention Signals."""
	fields = ["name", "label", "unit", "description", "aggregate", "value_field", "source_doctype"]
	return frappe.get_all("Retention Signal", filters={"enabled": 1}, fields=fields, order_by="label")


def get_condition_fields(doctype: str) -> set[str]:
	"""The fields of Retention Profile that the conditions of a tier, stage, plan or contact rule may use."""
	names = {signal.name for signal in SIGNALS} | set(LIFETIME_RESULTS) | set(SCORES) | set(STATE_FIELDS)
	names |= {signal.name for signal in get_custom_signals()}
	if doctype == "Lifecycle Stage":
		names |= set(STAGE_FIELDS)
	if doctype in ("Maintenance Plan", "Contact Rule"):
		names |= set(CARE_FIELDS)
	return names


def get_criterion_options() -> list[dict[str, str]]:
	"""What a scorecard's criterion may use: value, label and description of each."""
	profile = frappe.get_meta("Retention Profile")
	options = [
		{
			"value": signal.name,
			"label": _(signal.label, context="Retention Profile"),
			"description": _(signal.definition),
		}
		for signal in SIGNALS
		if signal.type != "date"
	]
	options += [
		{
			"value": name,
			"label": _(label, context="Retention Profile"),
			"description": _(profile.get_field(name).description or ""),
		}
		for name, label in LIFETIME_RESULTS.items()
	]
	options += [
		{"value": row.name, "label": _(row.label), "description": _(row.source_doctype)}
		for row in get_custom_signals()
		if profile.has_field(row.name) and profile.get_field(row.name).fieldtype in NUMBER_TYPES
	]
	options += [
		{
			"value": f"{PARTY_PREFIX}{df.fieldname}",
			"label": _(df.label, context="Customer"),
			"description": _("Field of Customer"),
		}
		for df in frappe.get_meta("Customer").fields
		if df.fieldtype in NUMBER_TYPES and not df.fieldname.startswith("retention_")
	]
	return options


def get_signal_catalogue() -> list[dict[str, str]]:
	"""Every signal of the site, standard ones first, for people to read."""
	rows = [
		{
			"name": signal.name,
			"label": _(signal.label, context="Retention Profile"),
			"unit": _(signal.unit, context="Retention Signal"),
			"definition": _(signal.definition),
			"source": _(signal.source.title(), context="Retention Signal"),
			"custom": "",
		}
		for signal in SIGNALS
	]
	rows += [
		{
			"name": row.name,
			"label": _(row.label),
			"unit": _(row.unit) if row.unit else "",
			"definition": _(row.description) if row.description else "",
			"source": _(row.source_doctype),
			"custom": row.name,
		}
		for row in get_custom_signals()
	]
	return rows

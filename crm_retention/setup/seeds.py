"""The tiers, stages and scorecards of a new site, from ``defaults``. From then on they belong to the admin."""

from __future__ import annotations

import json
from typing import Any

import frappe

from crm_retention import filters
from crm_retention.setup import boards, care_defaults, interaction_defaults
from crm_retention.setup.defaults import ABOUT, DEFAULTS

SEEDED = "retention_seeded"


def seed() -> None:
	"""Create what was never created before: what an admin deleted stays deleted."""
	done = set(json.loads(frappe.db.get_default(SEEDED) or "[]"))
	for doc in get_docs():
		name = get_name(doc)
		key = f"{doc['doctype']}: {name}"
		if key not in done and not frappe.db.exists(doc["doctype"], name):
			frappe.get_doc(doc).insert(ignore_permissions=True)
		done.add(key)
	frappe.db.set_default(SEEDED, json.dumps(sorted(done)))


def is_owed() -> bool:
	"""Whether the site was never seeded to the end: what was seeded is written down with the last record."""
	return frappe.db.get_default(SEEDED) is None


def get_docs() -> list[dict[str, Any]]:
	"""Everything a new site starts with, those that others link to first."""
	rules = (*get_scorecards(), *get_tiers(), *get_stages())
	return [*rules, *interaction_defaults.get_docs(), *care_defaults.get_docs(), *boards.get_docs()]


def get_name(doc: dict[str, Any]) -> str:
	"""What a default is called: its own name, or the value of the field that names its DocType."""
	if "name" in doc:
		return doc["name"]
	field = frappe.get_meta(doc["doctype"]).autoname or ""
	return doc[field.removeprefix("field:")] if field.startswith("field:") else doc["title"]


def get_scorecards() -> list[dict[str, Any]]:
	"""The default scorecards as documents; active unless the site has another one for the purpose."""
	docs = []
	for card in DEFAULTS["scorecards"]:
		purpose = card["purpose"].title()
		taken = frappe.db.exists("Customer Scorecard", {"is_active": 1, "purpose": purpose})
		docs.append(
			{
				"doctype": "Customer Scorecard",
				"title": card["name"],
				"purpose": purpose,
				"is_active": 0 if taken else 1,
				"criteria": [get_criterion(item) for item in card["criteria"]],
				"bands": [
					get_band(item["signal"], band)
					for item in card["criteria"]
					for band in item.get("bands", ())
				],
			}
		)
	return docs


def get_criterion(item: dict[str, Any]) -> dict[str, Any]:
	"""A criterion as a row."""
	return {
		"signal": item["signal"],
		"weight": item["weight"],
		"method": item.get("method", "percentile").title(),
		"direction": item.get("direction", "higher").title(),
		"missing": item.get("missing", "skip").title(),
	}


def get_band(signal: str, band: dict[str, Any]) -> dict[str, Any]:
	"""A band as a row; an open end is empty."""
	start, end = ("" if band[key] is None else f"{band[key]:g}" for key in ("start", "end"))
	return {"signal": signal, "from_value": start, "to_value": end, "score": band["score"]}


def get_tiers() -> list[dict[str, Any]]:
	"""The default tiers as documents."""
	docs = []
	for tier in DEFAULTS["tiers"]:
		row, about = dict(tier), dict(ABOUT["tiers"].get(tier["name"], {}))
		name, conditions = row.pop("name"), get_conditions(row.pop("conditions", ()))
		docs.append(
			{
				"doctype": "Customer Tier",
				"tier_name": name,
				**row,
				**about,
				**conditions,
			}
		)
	return docs


def get_stages() -> list[dict[str, Any]]:
	"""The default stages as documents."""
	docs = []
	for stage in DEFAULTS["stages"]:
		about = dict(ABOUT["stages"].get(stage["name"], {}))
		docs.append(
			{
				"doctype": "Lifecycle Stage",
				"stage_name": stage["name"],
				"sequence": stage["order"],
				**about,
				**get_conditions(stage.get("conditions", ())),
			}
		)
	return docs


def get_conditions(conditions: Any) -> dict[str, str]:
	"""Conditions of the engine as the two groups of the form."""
	groups = filters.from_conditions(conditions)
	return {
		"party_conditions_json": json.dumps(groups["party"], ensure_ascii=False),
		"signal_conditions_json": json.dumps(groups["signal"], ensure_ascii=False),
	}


def forget() -> None:
	"""Forget what was seeded, for an uninstall."""
	frappe.db.delete("DefaultValue", {"defkey": SEEDED})
	frappe.clear_cache()

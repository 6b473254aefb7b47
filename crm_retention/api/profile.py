"""What the Customer form shows about a party: its profile with every number explained."""

import json
from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Name
from crm_retention.catalogue import get_custom_signals
from crm_retention.configuration import get_config
from crm_retention.engine.conditions import column_name
from crm_retention.engine.config import Config, parse
from crm_retention.engine.explain import explain as explain_row
from crm_retention.parties import profile_name
from crm_retention.readable import hide_values
from crm_retention.site.reach import reaching
from crm_retention.views.access import check_party, is_readable, may_read_any

HISTORY_ROWS = 100


@endpoint()
def explain(party_type: Name, party: Name) -> dict[str, Any]:
	"""The profile of a party, explained by the rules that made it; ``{}`` when there is none, or none for this user.

	Adds to ``engine.explain``: as_of, party_name, override, ``rules_changed`` (the rules are no longer those of
	the profile) and history [{on, kind, from, to, reason, score, health}]. Conditions on fields that the user may not
	read have no ``actual``.
	"""
	party = check_party(party_type, party)
	name = profile_name(party_type, party)
	if not is_readable("Retention Profile", name):
		return {}
	row = get_row(name)
	config, current = get_rules(row)
	with reaching() as reach:
		result = explain_row(row, config, getdate(row["as_of"]), reach)
	add_labels(result)
	hide_values(result, party_type)
	return result | {
		"as_of": row["as_of"],
		"party": party,
		"party_name": row["party_name"],
		"rules_changed": not current,
		"override": {
			key: row.get(f"override_{key}") for key in ("tier", "stage", "until", "reason", "by", "on")
		},
		"history": get_history(party_type, party),
	}


def get_row(name: str) -> dict[str, Any]:
	"""The profile as the engine knows it, with the party's own fields as ``party__NAME``."""
	row = frappe.db.get_value("Retention Profile", name, "*", as_dict=True)
	fields = frappe.db.get_value(row.party_type, row.party, "*", as_dict=True) or {}
	# a date that the database cannot read comes as a text, and says nothing
	unread = {name: None for name, value in row.items() if str(value).startswith("0000-00-00")}
	return {**row, **unread, **{column_name(f"party.{key}"): value for key, value in fields.items()}}


def get_rules(row: dict[str, Any]) -> tuple[Config, bool]:
	"""The rules that made the profile, and whether they are still in force."""
	config = get_config()
	if config.version == row.get("rule_version"):
		return config, True
	snapshot = (
		frappe.db.get_value("Retention Run", row.get("run"), "config_snapshot") if row.get("run") else None
	)
	return (parse(json.loads(snapshot)), False) if snapshot else (config, False)


def add_labels(result: dict[str, Any]) -> None:
	"""Labels in the user's language; those of the admin's own signals and of fields of the party."""
	known = {signal.name: signal for signal in get_custom_signals()}
	rows = [*result["signals"], *(item for card in result["scorecards"] for item in card["criteria"])]
	rows += (result["next_tier"] or {}).get("needed", [])
	for item in rows:
		signal = known.get(item.get("signal") or item.get("name"))
		item["label"] = _(signal.label) if signal else _(item["label"], context="Retention Profile")


def get_history(party_type: str, party: str) -> list[dict[str, Any]]:
	"""Changes of tier and stage that the user may read, the latest first."""
	if not may_read_any("Tier Change"):
		return []
	rows = frappe.get_list(
		"Tier Change",
		filters={"party_type": party_type, "party": party},
		fields=["on_date", "kind", "from_value", "to_value", "reason", "score", "health"],
		order_by="on_date desc, creation desc",
		limit=HISTORY_ROWS,
	)
	renamed = {"on_date": "on", "from_value": "from", "to_value": "to"}
	return [{renamed.get(key, key): value for key, value in row.items()} for row in rows]

"""What the desk's forms say, read once into the engine's ``Config``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import frappe
from frappe.utils import cint, flt

from crm_retention import filters
from crm_retention.engine.config import Condition, Config, parse
from crm_retention.engine.plans import Care
from crm_retention.filters import PARTY_PREFIX

LIFETIME_RESULTS = {
	"probability_alive": "Probability Alive",
	"expected_purchases_30d": "Expected Purchases, 30 Days",
	"expected_purchases_90d": "Expected Purchases, 90 Days",
	"expected_purchases_365d": "Expected Purchases, 365 Days",
	"expected_value": "Expected Purchase Value",
	"lifetime_value": "Lifetime Value",
}


@dataclass(frozen=True)
class SignalSource:
	"""Where an admin's signal comes from, as the site's database has it.

	The party is in ``party_field``; its type is ``party_type``, or, for a dynamic link, in ``party_type_field``.
	``columns`` are all columns that the signal reads; ``name`` is also the engine's name of the relation.
	"""

	name: str
	doctype: str
	party_field: str
	party_type: str | None
	party_type_field: str | None
	date_field: str | None
	value_field: str | None
	columns: tuple[str, ...]


def get_config() -> Config:
	"""The configuration of this site. Raises ConfigError, naming every table, row and field at fault."""
	return parse(get_plain_config())


def get_plain_config() -> dict[str, Any]:
	"""The configuration as plain data, in the shape that ``engine.config.parse`` reads."""
	data: dict[str, Any] = {
		"scorecards": [
			get_plain_scorecard(doc)
			for doc in _get_docs("Customer Scorecard", {"is_active": 1}, "purpose desc")
		],
		"tiers": [
			get_plain_tier(doc)
			for doc in _get_docs("Customer Tier", {"enabled": 1}, "`tabCustomer Tier`.`rank`")
		],
		"stages": [get_plain_stage(doc) for doc in _get_docs("Lifecycle Stage", {"enabled": 1}, "sequence")],
		"signals": [get_plain_signal(doc) for doc in _get_docs("Retention Signal", {"enabled": 1})],
		**get_plain_settings(frappe.get_cached_doc("Retention Settings")),
	}
	data["trees"] = get_trees([*data["tiers"], *data["stages"]])
	return data


def get_plain_settings(settings: Any) -> dict[str, Any]:
	"""Windows and lifetime settings of a Retention Settings document."""
	return {
		"windows": {
			"period": cint(settings.period_days),
			"contact": cint(settings.contact_days),
			"complaint": cint(settings.complaint_days),
		},
		"lifetime": {
			"enabled": bool(cint(settings.lifetime_enabled)),
			"horizon_days": cint(settings.horizon_days),
			"discount_rate": flt(settings.discount_rate) / 100,
			"min_parties": cint(settings.min_parties),
			"min_repeaters": cint(settings.min_repeaters),
		},
	}


def get_plain_scorecard(doc: Any) -> dict[str, Any]:
	"""A Customer Scorecard as plain data."""
	return {
		"name": doc.title,
		"purpose": (doc.purpose or "").lower(),
		"criteria": [
			{
				"signal": row.signal,
				"weight": flt(row.weight),
				"method": (row.method or "").lower(),
				"direction": (row.direction or "").lower(),
				"missing": (row.missing or "").lower(),
				"bands": [
					{"start": band.from_value, "end": band.to_value, "score": flt(band.score)}
					for band in doc.bands
					if band.signal == row.signal and row.method == "Bands"
				],
			}
			for row in doc.criteria
		],
	}


def get_plain_tier(doc: Any) -> dict[str, Any]:
	"""A Customer Tier as plain data; a minimum score of 0 is no minimum."""
	return {
		"name": doc.tier_name,
		"rank": cint(doc.rank),
		"min_score": flt(doc.min_score) or None,
		"margin": flt(doc.margin),
		"min_stay_days": cint(doc.min_stay_days),
		"conditions": get_conditions(doc),
	}


def get_plain_stage(doc: Any) -> dict[str, Any]:
	"""A Lifecycle Stage as plain data."""
	return {"name": doc.stage_name, "order": cint(doc.sequence), "conditions": get_conditions(doc)}


def get_conditions(doc: Any) -> list[filters.PlainCondition]:
	"""Both groups of conditions of a tier or stage, those on the customer first."""
	return [
		*filters.to_conditions(filters.read(doc.party_conditions_json), prefix=PARTY_PREFIX),
		*filters.to_conditions(filters.read(doc.signal_conditions_json)),
	]


def get_plain_signal(doc: Any) -> dict[str, Any]:
	"""A Retention Signal as plain data; its relation is the signal's own, see ``get_signal_sources``."""
	rows = filters.resolve_trees(filters.read(doc.filters_json), doc.source_doctype)
	conditions = list(filters.to_conditions(rows))
	if cint(doc.only_submitted) and frappe.get_meta(doc.source_doctype).is_submittable:
		conditions.append(["docstatus", "=", 1])
	return {
		"name": doc.signal_name,
		"relation": doc.signal_name,
		"aggregate": (doc.aggregate or "").lower(),
		"party_field": doc.party_field,
		"date_field": doc.date_field or None,
		"value_field": doc.value_field or None,
		"window_days": cint(doc.window_days) or None,
		"conditions": conditions,
	}


def get_signal_sources(config: Config) -> list[SignalSource]:
	"""What to read from the database for each of the admin's signals in ``config``."""
	known = {signal.name: signal for signal in config.signals}
	return [
		_get_source(doc, known[doc.name])
		for doc in _get_docs("Retention Signal", {"name": ("in", list(known))})
	]


def _get_source(doc: Any, signal: Any) -> SignalSource:
	df = frappe.get_meta(doc.source_doctype).get_field(doc.party_field)
	dynamic = bool(df and df.fieldtype == "Dynamic Link")
	columns = {
		signal.party_field,
		signal.date_field,
		signal.value_field,
		*(c.field for c in signal.conditions),
	}
	if dynamic:
		columns.add(df.options)
	return SignalSource(
		name=doc.name,
		doctype=doc.source_doctype,
		party_field=doc.party_field,
		party_type=None if dynamic or not df else df.options,
		party_type_field=df.options if dynamic else None,
		date_field=doc.date_field or None,
		value_field=doc.value_field or None,
		columns=tuple(sorted(column for column in columns if column)),
	)


def get_trees(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, str | None]]:
	"""Child to parent of every tree that a condition of the rows asks for, by the field that links to it."""
	trees: dict[str, dict[str, str | None]] = {}
	for field, op, *_value in (condition for row in rows for condition in row["conditions"]):
		name = field.removeprefix(PARTY_PREFIX)
		if op == "descendants of" and name not in trees:
			tree = _get_tree("Customer" if field.startswith(PARTY_PREFIX) else "Retention Profile", name)
			if tree is not None:
				trees[name] = tree
	return trees


def _get_tree(doctype: str, field: str) -> dict[str, str | None] | None:
	df = frappe.get_meta(doctype).get_field(field)
	if not df or df.fieldtype != "Link" or not frappe.get_meta(df.options).is_nested_set():
		return None
	meta = frappe.get_meta(df.options)
	parent = meta.get("nsm_parent_field") or f"parent_{frappe.scrub(df.options)}"
	rows = frappe.get_all(df.options, fields=["name", f"{parent} as parent"], limit=0)
	return {row.name: row.parent or None for row in rows}


def party_fields(config: Config, care: Care | None = None, party_type: str = "Customer") -> list[str]:
	"""The fields of a party type that rules and plans use and that it has, sorted."""
	meta = frappe.get_meta(party_type)
	used = {name for name in iter_fields(config, care) if name.startswith(PARTY_PREFIX)}
	names = {name.removeprefix(PARTY_PREFIX) for name in used}
	return sorted(name for name in names if meta.has_field(name) or name in filters.STANDARD_FIELDS)


def iter_fields(config: Config, care: Care | None = None) -> Iterator[str]:
	"""Every field named by a condition of a tier, stage, plan or contact rule, or by a criterion."""
	rows: list[Any] = [*config.tiers, *config.stages, *((*care.plans, *care.rules) if care else ())]
	conditions: list[Condition] = [c for row in rows for c in row.conditions]
	yield from (condition.field for condition in conditions)
	yield from (item.signal for card in config.scorecards for item in card.criteria)


def config_snapshot(config: Config) -> str:
	"""The configuration as JSON, to be kept with the run that used it."""
	return json.dumps(asdict(config), indent=1, sort_keys=True, default=str, ensure_ascii=False)


def _get_docs(doctype: str, conditions: dict[str, Any], order_by: str = "name") -> list[Any]:
	names = frappe.get_all(doctype, filters=conditions, pluck="name", order_by=order_by, limit=0)
	return [frappe.get_doc(doctype, name) for name in names]

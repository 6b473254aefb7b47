"""What the desk's forms say, read once into the engine's ``Config``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, flt

from crm_retention import filters
from crm_retention.engine.conditions import unreadable
from crm_retention.engine.config import Condition, Config, Stage, Tier, parse
from crm_retention.engine.errors import ConfigError, Problem
from crm_retention.engine.plans import Care
from crm_retention.filters import PARTY_PREFIX
from crm_retention.usable import Usable

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
	"""What can be used of the configuration of this site."""
	return read_config()[0]


def read_config() -> tuple[Config, list[Problem]]:
	"""What can be used of the configuration of this site, and what cannot, naming table, row and field.

	A tier or stage that cannot be decided stays, so that nobody loses it: it takes nobody in and lets nobody go.
	"""
	usable = Usable()
	cards = read_scorecards(usable)
	tiers, broken_tiers = read_ruled("tiers", get_tier_docs(), get_plain_tier)
	stages, broken_stages = read_ruled("stages", get_stage_docs(), get_plain_stage)
	if "value" not in {card["purpose"] for card in cards} and has_scorecard("Value"):
		message = _("the scorecard that it goes by cannot be used")
		broken_tiers |= {tier["name"]: message for tier in tiers if tier["min_score"] is not None}
	data: dict[str, Any] = {"scorecards": cards, "tiers": tiers, "stages": stages}
	data["signals"] = read_signals(usable)
	data |= read_settings(usable)
	config = parse_together(usable, data, {"tiers": broken_tiers, "stages": broken_stages})
	return config, usable.problems


def parse_together(usable: Usable, data: dict[str, Any], broken: dict[str, dict[str, str]]) -> Config:
	"""The rows that go together; a row that does not is left out, as one that is broken by itself is."""
	every = {table: data[table] for table in broken}
	while True:
		sound = {table: [row for row in every[table] if row["name"] not in broken[table]] for table in every}
		try:
			config = parse({**data, **sound, "trees": get_trees([*sound["tiers"], *sound["stages"]])})
			break
		except ConfigError as error:
			# the cycle itself reports tiers and stages that it cannot decide
			usable.problems += [problem for problem in error.problems if problem.table not in broken]
			leave_out(data, broken, error)
	tiers = (
		Tier(row["name"], row["rank"], conditions=why) for row, why in get_broken(every, broken, "tiers")
	)
	stages = (Stage(row["name"], row["order"], why) for row, why in get_broken(every, broken, "stages"))
	return replace(config, tiers=(*config.tiers, *tiers), stages=(*config.stages, *stages))


def leave_out(data: dict[str, Any], broken: dict[str, dict[str, str]], error: ConfigError) -> None:
	"""Take out what an error names. Raises the error where it names nothing that could be taken out."""
	taken = False
	for problem in error.problems:
		named = [row for row in data.get(problem.table) or () if is_named(row, problem)]
		for row in named:
			taken = True
			if problem.table in broken:
				broken[problem.table].setdefault(row["name"], problem.message)
			else:
				data[problem.table] = [other for other in data[problem.table] if other is not row]
	if not taken:
		raise error


def is_named(row: Any, problem: Problem) -> bool:
	"""Whether a problem is about a row."""
	return isinstance(row, dict) and (
		problem.row == row["name"] or problem.row.startswith(f"{row['name']}, ")
	)


def get_broken(
	every: dict[str, list[dict[str, Any]]], broken: dict[str, dict[str, str]], table: str
) -> Iterator[tuple[dict[str, Any], tuple[Condition]]]:
	"""The rows that cannot be decided, each with the condition that says why."""
	for row in every[table]:
		if row["name"] in broken[table]:
			yield row, (unreadable(broken[table][row["name"]]),)


def read_ruled(
	table: str, docs: list[Any], to_plain: Callable[[Any], dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
	"""Tiers or stages as plain data, and what is wrong with those that are broken by themselves."""
	rows, broken = [], {}
	for doc in docs:
		order = (
			{"order": cint(doc.sequence)}
			if table == "stages"
			else {"rank": cint(doc.rank), "min_score": None}
		)
		alone = Usable()
		plain = alone.read(table, doc.name, lambda doc=doc: to_plain(doc))
		if plain is not None and alone.is_sound(table, doc):
			alone.read(table, doc.name, lambda plain=plain: parse({table: [plain]}))
		if alone.problems:
			broken[doc.name] = "; ".join(
				f"{item.field}: {item.message}" if item.field else item.message for item in alone.problems
			)
		rows.append(plain if plain and not alone.problems else {"name": doc.name, **order})
	return rows, broken


def read_scorecards(usable: Usable) -> list[dict[str, Any]]:
	"""Active scorecards without the criteria that cannot be used."""
	cards = []
	for doc in _get_docs("Customer Scorecard", {"is_active": 1}, "purpose desc"):
		sound = [row for row in doc.criteria if usable.is_sound_row("scorecards", doc.title, row)]
		plain = usable.read("scorecards", doc.title, lambda doc=doc: get_plain_scorecard(doc))
		if plain is None:
			continue
		kept = {row.idx for row in sound}
		pairs = zip(doc.criteria, plain["criteria"], strict=True)
		plain["criteria"] = [
			item for row, item in pairs if row.idx in kept and is_criterion(usable, plain, item)
		]
		if usable.read("scorecards", doc.title, lambda plain=plain: parse({"scorecards": [plain]})):
			cards.append(plain)
	return cards


def is_criterion(usable: Usable, card: dict[str, Any], item: dict[str, Any]) -> bool:
	"""Whether a criterion can be used by itself; one without weight counts for nothing, which is no fault."""
	alone = {**card, "criteria": [item if item["weight"] else item | {"weight": 1.0}]}
	return usable.read("scorecards", card["name"], lambda: parse({"scorecards": [alone]})) is not None


def read_signals(usable: Usable) -> list[dict[str, Any]]:
	"""Enabled signals of admins that can be used."""
	rows = []
	for doc in _get_docs("Retention Signal", {"enabled": 1}):
		if not usable.is_sound("signals", doc):
			continue
		plain = usable.read("signals", doc.name, lambda doc=doc: get_plain_signal(doc))
		if plain and usable.read("signals", doc.name, lambda plain=plain: parse({"signals": [plain]})):
			rows.append(plain)
	return rows


def read_settings(usable: Usable) -> dict[str, Any]:
	"""Windows and lifetime settings; a table of them that cannot be used is as if nobody had set it."""
	plain = get_plain_settings(frappe.get_cached_doc("Retention Settings"))
	return {
		table: values
		for table, values in plain.items()
		if usable.read("Retention Settings", "", lambda table=table, values=values: parse({table: values}))
	}


def get_tier_docs() -> list[Any]:
	"""Enabled tiers by rank."""
	return _get_docs("Customer Tier", {"enabled": 1}, "`tabCustomer Tier`.`rank`")


def get_stage_docs() -> list[Any]:
	"""Enabled stages in their order."""
	return _get_docs("Lifecycle Stage", {"enabled": 1}, "sequence")


def has_scorecard(purpose: str) -> bool:
	"""Whether a scorecard is active for a purpose."""
	return bool(frappe.db.exists("Customer Scorecard", {"is_active": 1, "purpose": purpose}))


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
		*filters.to_conditions(read_filters(doc, "party_conditions_json"), prefix=PARTY_PREFIX),
		*filters.to_conditions(read_filters(doc, "signal_conditions_json")),
	]


def read_filters(doc: Any, field: str) -> list[filters.DeskFilter]:
	"""The filters in a field of a document. Raises ConfigError for what is none, or too much."""
	try:
		rows = filters.read(doc.get(field))
		fault = filters.get_size_fault(rows)
	except ValueError:
		fault = _("this is not a list of conditions")
	if fault:
		raise ConfigError([Problem(doc.doctype, cstr(doc.name), field, fault)])
	return rows


def get_plain_signal(doc: Any) -> dict[str, Any]:
	"""A Retention Signal as plain data; its relation is the signal's own, see ``get_signal_sources``."""
	rows = filters.resolve_trees(read_filters(doc, "filters_json"), doc.source_doctype)
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
	docs = _get_docs("Retention Signal", {"name": ("in", list(known))})
	# one whose documents are gone is read from nowhere, and the cycle says so
	sources = (
		Usable().read("signals", doc.name, lambda doc=doc: _get_source(doc, known[doc.name])) for doc in docs
	)
	return [source for source in sources if source]


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

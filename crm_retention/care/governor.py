"""Contact rules at the moment of sending: the same rules as when a touchpoint is planned, asked again with the clock.

What they stop is recorded as a Contact Stop, with the rule.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import frappe
import ibis.expr.types as ir

from crm_retention.backends.site_care import consents
from crm_retention.backends.site_relations import (
	STORED,
	Sources,
	cases,
	interactions,
	only_of,
	parties,
	stored_profiles,
)
from crm_retention.configuration import get_config, party_fields
from crm_retention.engine import contact
from crm_retention.engine.calendar import integers, number, texts
from crm_retention.engine.conditions import column_name
from crm_retention.engine.contact import Facts
from crm_retention.engine.plans import Care, ContactRule
from crm_retention.engine.touchpoints import wanted_columns
from crm_retention.parties import profile_name
from crm_retention.plans.configuration import get_care, read_rules
from crm_retention.site.memory import SiteBackend, engine_of_request
from crm_retention.site.read import own_connection, read
from crm_retention.site.spelling import get_own_names, respell
from crm_retention.sources import get_sources

AGAIN_AFTER = datetime.timedelta(
	days=1
)  # what a rule without a clock of its own postpones is asked again then


@dataclass(frozen=True)
class Stop:
	"""Why a contact must not be made now. ``until``: when to ask again, site time; None for what is dropped."""

	rule: str
	action: str  # Drop or Postpone
	until: datetime.datetime | None
	because: str = ""


def check(names: list[str], at: datetime.datetime) -> dict[str, Stop]:
	"""Which of these touchpoints must not leave at ``at`` (site time), by name; records what it stops.

	Touchpoints that do not exist, and those that no rule stops, are left out.
	"""
	if not names:
		return {}
	rows = get_rows(names)
	care = Care(rules=read_rules(at.date(), at.date() + datetime.timedelta(days=contact.AHEAD)))
	stopped = {row.name: stop for row in rows if (stop := by_clock(row, care, at))}
	rest = [row for row in rows if row.name not in stopped]
	stopped |= by_facts(rest, care, at)
	record(stopped, {row.name: row for row in rows}, at)
	return stopped


def get_rows(names: list[str]) -> list[Any]:
	"""The touchpoints with what rules ask of them."""
	touchpoint, kind = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("Touchpoint Type")
	query = (
		frappe.qb.from_(touchpoint)
		.join(kind)
		.on(kind.name == touchpoint.touchpoint_type)
		.select(
			touchpoint.name, touchpoint.party_type, touchpoint.party, touchpoint.party_name, touchpoint.channel,
			touchpoint.touchpoint_type, touchpoint.send_by_itself, kind.nature,
			touchpoint.priority, kind.priority.as_("type_priority"),
		)
		.where(touchpoint.name.isin(names))
		.orderby(touchpoint.name)
	)  # fmt: skip
	return query.run(as_dict=True)


def by_clock(row: Any, care: Care, at: datetime.datetime) -> Stop | None:
	"""Quiet hours and quiet days."""
	for rule in care.rules:
		if applies(rule, row) and (until := contact.quiet_until(rule, at)):
			return stop_by(rule, until)
	return None


def applies(rule: ContactRule, row: Any) -> bool:
	"""Whether a rule is about a touchpoint."""
	nature, sends = row.nature or "Care", bool(row.send_by_itself)
	return contact.applies_to(rule, row.touchpoint_type, row.channel or None, nature, sends)


def stop_by(rule: ContactRule, until: datetime.datetime) -> Stop:
	"""The stop that a rule makes."""
	because = frappe.get_cached_value("Contact Rule", rule.name, "because") or ""
	dropped = rule.action == "drop"
	return Stop(rule.name, rule.action.capitalize(), None if dropped else until, because)


def by_facts(rows: list[Any], care: Care, at: datetime.datetime) -> dict[str, Stop]:
	"""Caps, consent, cool-downs and conditions, all touchpoints in one go."""
	asked = [rule for rule in care.rules if rule.kind not in ("quiet hours", "quiet days")]
	if not rows or not any(applies(rule, row) for rule in asked for row in rows):
		return {}
	as_of = at.date()
	full = get_care(as_of)
	config = get_config()
	sources = get_sources(config, as_of, full)
	fields = party_fields(config, full)
	keys = get_keys(rows)
	with engine_of_request() as backend:
		read_facts(backend, sources, sorted(set(keys)), sorted(wanted_columns(full)))
		candidates, names = load(backend, rows, keys, as_of)
		people = standing(backend, names, wanted_columns(full), fields)
		held = contact.stops(
			candidates,
			full,
			Facts(backend.relations(), people, names, as_of),
			backend.materialise,
		)
		found = backend.fetch(held)
	again = at + AGAIN_AFTER
	return {
		rows[int(one)].name: stop_by(full.rules[int(rule)], again)
		for one, rule in zip(found["id"], found["rule_nr"], strict=True)
	}


def read_facts(backend: SiteBackend, sources: Sources, keys: list[str], wanted: list[str]) -> None:
	"""What rules ask of these parties. What is still planned may yet be moved: at the moment of sending, only what happened counts."""
	relations = {
		"parties": only_of(parties(sources), keys),
		"interactions": interactions(keys),
		"cases": only_of(cases(), keys),
		"consents": only_of(consents(), keys),
		STORED: only_of(stored_profiles(wanted), keys, "name"),
	}
	read(backend, own_connection(), relations)
	respell(backend, own_connection(), {})


def get_keys(rows: list[Any]) -> list[str]:
	"""The engine's key of the party of each touchpoint, as the party is called."""
	stored = [profile_name(row.party_type, row.party) for row in rows]
	called = dict(get_own_names(own_connection(), sorted(set(stored))))
	return [called.get(key, key) for key in stored]


def load(
	backend: SiteBackend, rows: list[Any], keys: list[str], as_of: datetime.date
) -> tuple[ir.Table, ir.Table]:
	"""The touchpoints as candidates of the engine, and nr and party of those whom they are for."""
	numbers = {party: nr for nr, party in enumerate(dict.fromkeys(keys))}
	columns = {
		"id": integers(range(len(rows))),
		"nr": integers(numbers[key] for key in keys),
		"party": texts(keys),
		"day": integers(number(as_of) for _row in rows),
		"touchpoint_type": texts(row.touchpoint_type for row in rows),
		"channel": texts(row.channel or None for row in rows),
		"nature": texts(row.nature or "Care" for row in rows),
		"sends": integers(int(row.send_by_itself or 0) for row in rows),
		"priority": integers(int(row.priority or row.type_priority or 0) for row in rows),
		"key": texts(row.name for row in rows),
	}
	names = {"nr": integers(numbers.values()), "party": texts(numbers)}
	return backend.load("sending", columns), backend.load("sending_parties", names)


def standing(backend: SiteBackend, names: ir.Table, wanted: set[str], fields: list[str]) -> ir.Table:
	"""The stored profiles of these parties with what conditions ask for."""
	given = backend.relations()
	profile, parties = given[STORED], given["parties"]
	known = {column_name(f"party.{name}"): name for name in fields if name in parties.columns}
	own = parties.select(p_party="party", **known)
	joined = names.left_join(profile, names.party == profile.name).left_join(own, names.party == own.p_party)
	found = joined.select("nr", "party", *(name for name in joined.columns if name in wanted))
	return backend.materialise("sending_standing", found)


def record(stopped: dict[str, Stop], rows: dict[str, Any], at: datetime.datetime) -> None:
	"""A Contact Stop for each, once a day, touchpoint and rule."""
	for name, stop in stopped.items():
		row = rows[name]
		key = f"{name}|Sending|{stop.rule}|{at.date()}"[:255]
		if frappe.db.exists("Contact Stop", {"key": key}):
			continue
		frappe.get_doc(
			{
				"doctype": "Contact Stop",
				"party_type": row.party_type,
				"party": row.party,
				"party_name": row.party_name,
				"on_date": at.date(),
				"rule": stop.rule,
				"action": stop.action,
				"touchpoint": name,
				"touchpoint_type": row.touchpoint_type,
				"channel": row.channel,
				"stage": "Sending",
				"key": key,
			}
		).insert(ignore_permissions=True)

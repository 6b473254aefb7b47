"""What a preview found, for whoever asked for it: a party that the asker may not read is neither named nor counted."""

from __future__ import annotations

from typing import Any

import frappe
import ibis.expr.types as ir

from crm_retention.engine.cycle import CycleResult
from crm_retention.seen_parties import get_seen_parties, only_seen
from crm_retention.site.memory import SiteBackend

MOVES_SHOWN = 1000
COUNTS = ("parties", "tier_changes", "stage_changes")


def compare(backend: SiteBackend, result: CycleResult) -> tuple[dict[str, Any], dict[str, int]]:
	"""What the preview shows, and the counts of its run (``COUNTS``).

	``matrix``: every pair of tiers before and after with its count; ``moves``: the parties that change, ``more`` how many
	others do; ``user``: for whom all of it is counted.
	"""
	seen = get_seen_parties(backend)
	pairs = result.migration if seen is None else get_pairs(backend, result, seen)
	matrix = as_rows(("from", "to", "count"), backend.fetch(pairs.order_by(["from_tier", "to_tier"])))
	counts = result.counts if seen is None else get_counts(backend, result, seen, matrix)
	found = {
		"matrix": matrix,
		"moves": get_moves(backend, result, seen),
		"more": max(counts["tier_changes"] - MOVES_SHOWN, 0),
		"user": frappe.session.user,
	}
	return found, {name: counts[name] for name in COUNTS}


def get_pairs(backend: SiteBackend, result: CycleResult, seen: ir.Table) -> ir.Table:
	"""from_tier, to_tier, parties, as ``engine.cycle.CycleResult.migration``, of the parties that are seen."""
	profiles = result.profiles
	stored = backend.relations()["state"].select(stored_key="party", stored_tier="tier")
	mine = only_seen(
		profiles.select(
			"party_type", key=profiles.party, docname=profiles.party__docname, to_tier=profiles.tier
		),
		seen,
		"docname",
	)
	joined = mine.left_join(stored, mine.key == stored.stored_key)
	grouped = joined.group_by(from_tier=joined.stored_tier.nullif(""), to_tier=joined.to_tier)
	return grouped.aggregate(parties=joined.count())


def get_counts(
	backend: SiteBackend, result: CycleResult, seen: ir.Table, matrix: list[dict[str, Any]]
) -> dict[str, int]:
	"""The counts of the run over the parties that are seen."""
	stages = only_seen(get_named(result, "Stage"), seen, "docname")
	return {
		"parties": sum(cell["count"] for cell in matrix),
		"tier_changes": sum(cell["count"] for cell in matrix if cell["from"] != cell["to"]),
		"stage_changes": int(backend.fetch(stages.aggregate(n=stages.count()))["n"][0]),
	}


def get_moves(backend: SiteBackend, result: CycleResult, seen: ir.Table | None) -> list[dict[str, Any]]:
	"""The parties that change their tier, those of the highest scores first."""
	moved = only_seen(get_named(result, "Tier"), seen, "docname")
	ordered = moved.order_by([moved.score.desc(), "party"]).limit(MOVES_SHOWN)
	rows = ordered.select("party_type", "docname", "party_name", "from_value", "to_value", "score")
	return as_rows(("party_type", "party", "party_name", "from", "to", "score"), backend.fetch(rows))


def get_named(result: CycleResult, kind: str) -> ir.Table:
	"""The changes of a kind (Tier, Stage) with ``docname`` and ``party_name`` of their parties."""
	profiles = result.profiles
	changes = result.changes.filter(result.changes.kind == kind)
	people = profiles.select(
		key=profiles.party, docname=profiles.party__docname, party_name=profiles.party_name
	)
	return changes.inner_join(people, changes.party == people.key).drop("key")


def as_rows(names: tuple[str, ...], columns: dict[str, Any]) -> list[dict[str, Any]]:
	"""Columns as a list of plain dictionaries; NaN, which JSON has not, as None."""
	plain = [[None if value != value else value for value in column.tolist()] for column in columns.values()]
	return [dict(zip(names, row, strict=True)) for row in zip(*plain, strict=True)]

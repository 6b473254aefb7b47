"""Tiers: the highest rank whose minimum score and conditions hold, with rules against flapping."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

import ibis
import ibis.expr.types as ir

from .conditions import Trees, all_hold
from .config import Config, Tier
from .state import with_since


def with_tier(
	table: ir.Table, config: Config, as_of: datetime.date, broken: Callable[[Tier], bool]
) -> ir.Table:
	"""``table`` (with state, score and signals) with tier, tier_rank, tier_since, tier_reason, candidate_tier,
	previous_tier and previous_tier_since.

	``tier_reason`` is one of initial, promoted, demoted, unchanged, held by margin, held by stay, held while
	rules are broken, override, none. A tier for which ``broken`` is true takes nobody in and lets nobody go.
	"""
	tiers = config.tiers_by_rank()
	ranked = table.mutate(
		_candidate=_candidate_rank(table, tiers, config.trees, broken),
		_was=_rank_of(table.was_tier, tiers),
		_set=_rank_of(table.override_tier, tiers),
	)
	held = ranked.mutate(_held=_hold(ranked, tiers, config.trees, broken))
	reason = _reason(held)
	decided = held.mutate(tier_reason=reason)
	kept = decided.tier_reason.isin(["held by margin", "held by stay", "held while rules are broken"])
	rank = ibis.cases(
		(decided["_set"].notnull(), decided["_set"]),
		(kept, decided["_was"]),
		else_=decided["_candidate"],
	)
	final = decided.mutate(tier_rank=rank)
	names = {tier.rank: tier.name for tier in tiers}
	named = final.mutate(
		tier=_names(final.tier_rank, names), candidate_tier=_names(final["_candidate"], names)
	)
	return with_since(named, "tier", as_of).drop("_candidate", "_was", "_set", "_held")


def _candidate_rank(
	table: ir.Table, tiers: list[Tier], trees: Trees, broken: Callable[[Tier], bool]
) -> ir.IntegerColumn:
	branches = []
	for tier in reversed(tiers):
		if not broken(tier):
			branches.append(
				(_score_reaches(table, tier.min_score) & all_hold(table, tier.conditions, trees), tier.rank)
			)
	if not branches:
		return ibis.null("int64")
	return ibis.cases(*branches, else_=ibis.null("int64")).cast("int64")


def _score_reaches(table: ir.Table, least: float | None) -> ir.BooleanValue:
	if least is None:
		return ibis.literal(True)
	return table.score.notnull() & (table.score >= float(least))


def _rank_of(column: ir.StringColumn, tiers: list[Tier]) -> ir.IntegerColumn:
	if not tiers:
		return ibis.null("int64")
	return ibis.cases(*((column == tier.name, tier.rank) for tier in tiers), else_=ibis.null("int64")).cast(
		"int64"
	)


def _hold(
	table: ir.Table, tiers: list[Tier], trees: Trees, broken: Callable[[Tier], bool]
) -> ir.StringColumn:
	"""Why a party whose candidate is lower stays all the same, or null."""
	branches: list[tuple[ir.BooleanValue, str]] = []
	for tier in tiers:
		was = table["_was"] == tier.rank
		if broken(tier):
			branches.append((was, "held while rules are broken"))
			continue
		if tier.min_stay_days:
			branches.append(
				(was & (table.days_in_tier < tier.min_stay_days).fill_null(False), "held by stay")
			)
		if tier.min_score is not None and tier.margin:
			above = _score_reaches(table, tier.min_score - tier.margin)
			branches.append((was & above & all_hold(table, tier.conditions, trees), "held by margin"))
	return ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")


def _reason(t: ir.Table) -> ir.StringColumn:
	candidate, was = t["_candidate"].fill_null(-1), t["_was"]
	return ibis.cases(
		(t["_set"].notnull(), "override"),
		(was.isnull() & t["_candidate"].isnull(), "none"),
		(was.isnull(), "initial"),
		(candidate > was, "promoted"),
		(candidate == was, "unchanged"),
		(t["_held"].notnull(), t["_held"]),
		else_="demoted",
	)


def _names(rank: ir.IntegerColumn, names: Mapping[int, str]) -> ir.StringColumn:
	if not names:
		return ibis.null("string")
	return ibis.cases(*((rank == key, name) for key, name in names.items()), else_=ibis.null("string"))

"""Tiers: the highest rank whose minimum score and conditions hold, with rules against flapping."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

from .conditions import Trees, all_hold
from .signals import Keep, as_is
from .state import since, with_state
from .values import Config, Tier


def tier_outcome(
	table: ir.Table,
	before: ir.Table | None,
	config: Config,
	as_of: datetime.date,
	broken: Callable[[Tier], bool],
	keep: Keep = as_is,
) -> ir.Table:
	"""nr, tier, tier_rank, tier_since, tier_reason, candidate_tier, previous_tier, previous_tier_since.

	``table`` has signals, score and the columns of ``before``. ``tier_reason`` is one of initial, promoted,
	demoted, unchanged, held by margin, held by stay, held while rules are broken, override, none. A tier for
	which ``broken`` is true takes nobody in and lets nobody go.
	"""
	tiers = config.tiers_by_rank()
	columns = {
		"candidate": _candidate_rank(table, tiers, config.trees, broken),
		"was": _rank_of(table.was_tier, tiers),
		"set": _rank_of(table.override_tier, tiers),
		"held": _hold(table, tiers, config.trees, broken),
	}
	ranks = keep("ranks", table.select("nr", **columns))
	names = {tier.rank: tier.name for tier in tiers}
	chosen = ranks.select(
		"nr",
		tier=_names(_rank(ranks), names),
		tier_rank=_rank(ranks),
		tier_reason=_reason(ranks),
		candidate_tier=_names(ranks.candidate, names),
	)
	joined = with_state(keep("tiers", chosen), before)
	return joined.select(*chosen.columns, **since(joined, "tier", as_of))


def _rank(t: ir.Table) -> ir.IntegerColumn:
	"""The override, else the tier held against a lower candidate, else the candidate."""
	lower = t.was.notnull() & (t.candidate.fill_null(-1) < t.was)
	return ibis.cases((t.set.notnull(), t.set), (lower & t.held.notnull(), t.was), else_=t.candidate)


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
	"""Why a party whose candidate is lower stays all the same, or null.

	What holds a tier against flapping does not prolong a decision by hand beyond its last day.
	"""
	gone = [(table.was_tier == tier.name, "held while rules are broken") for tier in tiers if broken(tier)]
	holding: list[tuple[ir.BooleanValue, Any]] = [*gone, (table.lapsed_tier, ibis.null("string"))]
	for tier in tiers:
		was = table.was_tier == tier.name
		if tier.min_stay_days:
			short = (table.days_in_tier < tier.min_stay_days).fill_null(False)
			holding.append((was & short, "held by stay"))
		if tier.min_score is not None and tier.margin and not broken(tier):
			above = _score_reaches(table, tier.min_score - tier.margin)
			holding.append((was & above & all_hold(table, tier.conditions, trees), "held by margin"))
	return ibis.cases(*holding, else_=ibis.null("string"))


def _reason(t: ir.Table) -> ir.StringColumn:
	candidate = t.candidate.fill_null(-1)
	return ibis.cases(
		(t.set.notnull(), "override"),
		(t.was.isnull() & t.candidate.isnull(), "none"),
		(t.was.isnull(), "initial"),
		(candidate > t.was, "promoted"),
		(candidate == t.was, "unchanged"),
		(t.held.notnull(), t.held),
		else_="demoted",
	)


def _names(rank: ir.IntegerColumn, names: Mapping[int, str]) -> ir.StringColumn:
	if not names:
		return ibis.null("string")
	return ibis.cases(*((rank == key, name) for key, name in names.items()), else_=ibis.null("string"))

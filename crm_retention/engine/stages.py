"""Lifecycle stages: the first in order whose conditions all hold."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from .conditions import all_hold
from .signals import Keep, as_is
from .state import since, with_state
from .values import Config, Stage


def stage_outcome(
	table: ir.Table,
	before: ir.Table | None,
	config: Config,
	as_of: datetime.date,
	broken: Callable[[Stage], bool],
	keep: Keep = as_is,
) -> ir.Table:
	"""nr, stage, stage_since, stage_reason, previous_stage, previous_stage_since.

	``table`` has signals, scores, tier and the columns of ``before``. The first stage in order whose conditions
	hold wins. ``stage_reason`` is one of initial, changed, unchanged, override, none. A stage for which
	``broken`` is true takes nobody in and lets nobody go.
	"""
	stages = config.stages_in_order()
	names = [stage.name for stage in stages]
	branches = [(table.override_stage.isin(names), table.override_stage)] if names else []
	for stage in stages:
		rule = (
			all_hold(table, stage.conditions, config.trees)
			if not broken(stage)
			else table.was_stage == stage.name
		)
		branches.append((rule, ibis.literal(stage.name)))
	value = ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")
	staged = with_state(keep("stages", table.select("nr", stage=value)), before)
	overridden = staged.override_stage.isin(names).fill_null(False) if names else ibis.literal(False)
	reason = ibis.cases(
		(overridden, "override"),
		(staged.stage.isnull(), "none"),
		(staged.was_stage.isnull(), "initial"),
		(staged.stage == staged.was_stage, "unchanged"),
		else_="changed",
	)
	return staged.select("nr", "stage", stage_reason=reason, **since(staged, "stage", as_of))

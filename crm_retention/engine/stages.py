"""Lifecycle stages: the first in order whose conditions all hold."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from .conditions import all_hold
from .config import Config, Stage
from .state import with_since


def with_stage(
	table: ir.Table, config: Config, as_of: datetime.date, broken: Callable[[Stage], bool]
) -> ir.Table:
	"""``table`` with stage, stage_since, stage_reason (the stage's own name as rule, override, or kept),
	previous_stage and previous_stage_since. The first stage in order whose conditions hold wins.
	"""
	stages = config.stages_in_order()
	names = [stage.name for stage in stages]
	branches = [(table.override_stage.isin(names), table.override_stage)] if names else []
	for stage in stages:
		if broken(stage):
			branches.append((table.was_stage == stage.name, ibis.literal(stage.name)))
		else:
			branches.append((all_hold(table, stage.conditions, config.trees), ibis.literal(stage.name)))
	value = ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")
	staged = table.mutate(stage=value)
	overridden = staged.override_stage.isin(names).fill_null(False) if names else ibis.literal(False)
	reason = ibis.cases(
		(overridden, "override"),
		(staged.stage.isnull(), "none"),
		(staged.was_stage.isnull(), "initial"),
		(staged.stage == staged.was_stage, "unchanged"),
		else_="changed",
	)
	return with_since(staged.mutate(stage_reason=reason), "stage", as_of)

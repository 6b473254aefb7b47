"""The cycle: the one place that orders the steps, from input relations to profiles and changes.

A cycle is a function of (data, configuration, ``as_of``). It reads; writing the results is the caller's.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from . import lifetime, relations
from .conditions import column_name, fault, faults, is_broken
from .dates import literal
from .errors import DataError, Problem
from .scorecard import scores
from .signals import Keep, signals
from .stages import stage_outcome
from .state import state_before, with_state
from .tables import beside, without
from .tiers import tier_outcome
from .values import Config, CustomSignal, Scorecard, Stage, Tier

STEPS = ("signals", "lifetime", "scores", "tiers", "changes")


class Backend(Protocol):
	"""A place to run: it knows where the relations are and evaluates expressions over them."""

	def relations(self) -> Mapping[str, ir.Table]:
		"""Unbound tables by relation name; ``purchases`` is required, custom signals may name further ones."""

	def materialise(self, name: str, table: ir.Table) -> ir.Table:
		"""Evaluate once into a work table that lives as long as the cycle."""

	def fetch(self, table: ir.Table) -> dict[str, npt.NDArray[Any]]:
		"""Columns of a small result; nulls as NaN or None."""

	def load(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> ir.Table:
		"""A work table from columns of numbers and texts."""


Step = Callable[[str], AbstractContextManager[None]]


@contextmanager
def untimed(name: str) -> Iterator[None]:  # noqa: ARG001
	"""The ``step`` that measures and reports nothing."""
	yield


@dataclass(frozen=True)
class CycleResult:
	"""What a cycle found.

	``profiles``: one row a party. ``changes``: one row a party and kind (Tier, Stage) that differs from what
	the state says now: party, party_type, kind, from_value, to_value, reason, score, health.
	``migration``: how many parties go ``from_tier`` the state says now ``to_tier`` (which may be the same).
	``problems``: rules that could not be used. ``counts``: parties, tier_changes, stage_changes,
	purchases_after (left out, they lie after ``as_of``), buyers_left_out (not among the parties).
	"""

	profiles: ir.Table
	changes: ir.Table
	migration: ir.Table
	model: lifetime.LifetimeModel
	problems: list[Problem]
	counts: dict[str, int]


def run_cycle(backend: Backend, config: Config, as_of: datetime.date, step: Step = untimed) -> CycleResult:
	"""Evaluate everything as of a day. ``step(name)`` wraps each of ``STEPS`` for progress and timing.

	Raises DataError when a required relation or column is missing or a party is there twice.
	"""
	given = backend.relations()
	relations.require(given)
	require_single_rows(backend, given)
	config, problems = without_unusable_signals(config, given)

	kept: dict[str, ir.Table] = {}

	def keep(name: str, table: ir.Table) -> ir.Table:
		kept[name] = backend.materialise(name, table)
		return kept[name]

	with step("signals"):
		known = keep("signals", signals(given, as_of, config.windows, config.signals, keep, problems))
	with step("lifetime"):
		model, predicted = fit_lifetime(backend, known, config)
		valued = beside(known, keep("lifetime", lifetime.results(known, predicted, model)))
	with step("scores"):
		cards, card_problems = usable_scorecards(config, valued)
		scored = keep("scores", scores(valued, cards, keep))
		full = beside(valued, scored)
	with step("tiers"):
		before = before_of(given, kept["parties"], as_of, keep)
		stated = with_state(full, before)
		problems += rule_problems("tiers", config, stated) + card_problems
		tiers = keep("tier_outcome", tier_outcome(stated, before, config, as_of, broken_in(stated), keep))
		tiered = beside(stated, tiers.select("nr", *TIER_FIELDS))
		problems += rule_problems("stages", config, tiered)
		stages = keep("stage_outcome", stage_outcome(tiered, before, config, as_of, broken_in(tiered), keep))
	with step("changes"):
		decided = beside(beside(kept["parties"].select("nr", "party", "party_type"), scored), tiers)
		stored = with_state(beside(decided, stages), before)
		changes = backend.materialise("found_changes", changes_of(stored))
		counts = count(backend, given, kept["parties"], changes, as_of, kept["purchase_totals"])
	profiles = without(beside(beside(full, tiers), stages), "nr")
	return CycleResult(profiles, changes, migration_of(stored), model, problems, counts)


# What a stage's conditions may ask of the tier that was decided just before.
TIER_FIELDS = ("tier", "tier_rank", "candidate_tier")


def before_of(
	given: Mapping[str, ir.Table], parties: ir.Table, as_of: datetime.date, keep: Keep
) -> ir.Table | None:
	"""What was true before ``as_of``, or None without a state."""
	return keep("before", state_before(given["state"], parties, as_of)) if "state" in given else None


def without_unusable_signals(config: Config, given: Mapping[str, ir.Table]) -> tuple[Config, list[Problem]]:
	"""The configuration without custom signals whose relation or field is gone, and what is wrong with those."""
	problems: list[Problem] = []
	usable = []
	for signal in config.signals:
		faults = signal_faults(signal, given)
		problems += faults
		if not faults:
			usable.append(signal)
	return replace(config, signals=tuple(usable)), problems


def signal_faults(signal: CustomSignal, given: Mapping[str, ir.Table]) -> list[Problem]:
	"""What a custom signal needs and the relations do not have."""
	if signal.relation not in given:
		return [Problem("signals", signal.name, "relation", f"there is no relation {signal.relation}")]
	columns, schema = given[signal.relation].columns, given[signal.relation].schema()
	wanted = [("party_field", signal.party_field), ("date_field", signal.date_field)]
	wanted += [("value_field", signal.value_field)]
	wanted += [(f"condition {n}", item.field) for n, item in enumerate(signal.conditions, 1)]
	missing = [
		Problem("signals", signal.name, place, f"{signal.relation} has no field {name}")
		for place, name in wanted
		if name and name not in columns
	]
	return missing or [
		Problem("signals", f"{signal.name}, condition {n}", item.field, message)
		for n, item in enumerate(signal.conditions, 1)
		if (message := fault(item, schema))
	]


def fit_lifetime(
	backend: Backend, known: ir.Table, config: Config
) -> tuple[lifetime.LifetimeModel, ir.Table | None]:
	"""The fitted model and its predictions a triple, or None where BG/NBD could not be fitted."""
	if not config.lifetime.enabled:
		return lifetime.LifetimeModel(None, None, ("switched off",), 0), None
	triple = backend.fetch(lifetime.triples(known))
	value = backend.fetch(lifetime.values(known))
	model = lifetime.fit(triple, value, config.lifetime)
	if model.bgnbd is None:
		return model, None
	predicted = lifetime.predictions(model.bgnbd, triple, config.lifetime)
	if not all(np.isfinite(column).all() for column in predicted.values()):
		return replace(
			model, bgnbd=None, reasons=(*model.reasons, "BG/NBD: its predictions are not finite")
		), None
	return model, backend.load("predictions", predicted)


def usable_scorecards(config: Config, table: ir.Table) -> tuple[list[Scorecard], list[Problem]]:
	"""The scorecards without criteria whose signal is gone, and a problem for each such criterion."""
	problems = [item for item in faults(config, table.schema()) if item.table == "scorecards"]
	cards = []
	for card in config.scorecards:
		criteria = tuple(item for item in card.criteria if column_name(item.signal) in table.columns)
		numeric = tuple(item for item in criteria if table[column_name(item.signal)].type().is_numeric())
		if sum(item.weight for item in numeric) > 0:
			cards.append(replace(card, criteria=numeric))
	return cards, problems


def rule_problems(kind: str, config: Config, table: ir.Table) -> list[Problem]:
	"""Conditions of the ``tiers`` or ``stages`` that this data cannot decide."""
	return [item for item in faults(config, table.schema()) if item.table == kind]


def broken_in(table: ir.Table) -> Callable[[Tier | Stage], bool]:
	"""Whether a tier or stage needs a field that this table does not have."""
	schema = table.schema()
	return lambda row: is_broken(row, schema)


def changes_of(decided: ir.Table) -> ir.Table:
	"""One row for each party whose tier, and for each whose stage, is not what the state says."""
	parts = []
	for kind in ("tier", "stage"):
		differs = ~decided[kind].identical_to(decided[f"stored_{kind}"])
		changed = decided.filter(differs)
		parts.append(
			changed.select(
				party=changed.party,
				party_type=changed.party_type,
				kind=ibis.literal(kind.capitalize()),
				from_value=changed[f"stored_{kind}"].cast("string"),
				to_value=changed[kind].cast("string"),
				reason=changed[f"{kind}_reason"].cast("string"),
				score=changed.score,
				health=changed.health,
			)
		)
	return ibis.union(*parts)


def migration_of(decided: ir.Table) -> ir.Table:
	"""from_tier, to_tier, parties."""
	pairs = decided.group_by(from_tier=decided.stored_tier, to_tier=decided.tier)
	return pairs.aggregate(parties=decided.count())


def count(
	backend: Backend,
	given: Mapping[str, ir.Table],
	parties: ir.Table,
	changes: ir.Table,
	as_of: datetime.date,
	buyers: ir.Table,
) -> dict[str, int]:
	"""The counts of ``CycleResult``."""
	everyone = int(backend.fetch(parties.aggregate(n=parties.count()))["n"][0])
	purchases = given["purchases"]
	late = purchases.filter(purchases.day > literal(as_of))
	unknown = buyers.anti_join(parties, "party")
	kinds = backend.fetch(changes.group_by("kind").aggregate(n=changes.count()))
	by_kind = dict(zip(kinds["kind"].tolist(), kinds["n"].tolist(), strict=True))
	return {
		"parties": everyone,
		"tier_changes": int(by_kind.get("Tier", 0)),
		"stage_changes": int(by_kind.get("Stage", 0)),
		"purchases_after": int(backend.fetch(late.aggregate(n=late.count()))["n"][0]),
		"buyers_left_out": int(backend.fetch(unknown.aggregate(n=unknown.count()))["n"][0]),
	}


def require_single_rows(backend: Backend, given: Mapping[str, ir.Table]) -> None:
	"""Raises DataError when a relation that has one row a party has two, naming relation and parties."""
	problems = []
	for name in ("parties", "state"):
		if name in given:
			rows = given[name].filter(given[name].party.notnull())
			grouped = rows.group_by("party").aggregate(n=rows.count())
			found = backend.fetch(grouped.filter(grouped.n > 1).order_by("party").limit(3))["party"]
			if len(found):
				who = ", ".join(str(party) for party in found)
				problems.append(Problem(name, who, "party", "is there more than once"))
	if problems:
		raise DataError(problems)

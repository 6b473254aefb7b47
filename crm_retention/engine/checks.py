"""Faults of a configuration taken by itself; fields are checked where the data is known."""

from __future__ import annotations

import re
from typing import Any

from .errors import Problem
from .signals import SIGNAL_NAMES
from .state import STATE_COLUMNS
from .values import (
	AGGREGATES,
	DIRECTIONS,
	METHODS,
	MISSING,
	PURPOSES,
	RESULTS,
	Band,
	Config,
	CustomSignal,
	Scorecard,
	Tier,
)

MOST_DAYS = 36_500


def check(config: Config) -> list[Problem]:
	"""Faults of a configuration taken by itself; fields are checked where the data is known."""
	problems: list[Problem] = []
	for card in config.scorecards:
		problems += check_scorecard(card)
	for purpose in PURPOSES:
		names = [card.name for card in config.scorecards if card.purpose == purpose]
		if len(names) > 1:
			problems.append(
				Problem("scorecards", names[1], "purpose", f"{names[0]} is already active for {purpose}")
			)
	problems += check_tiers(config.tiers)
	problems += _duplicates("stages", [(stage.name, stage.order) for stage in config.stages], "order")
	problems += _duplicates("signals", [(signal.name, signal.name) for signal in config.signals], "name")
	for signal in config.signals:
		problems += check_signal(signal)
	days = {("windows", name): getattr(config.windows, name) for name in ("period", "contact", "complaint")}
	days["lifetime", "horizon_days"] = config.lifetime.horizon_days
	for (table, name), value in days.items():
		message = days_fault(value)
		if message:
			problems.append(Problem(table, "", name, message))
	if config.lifetime.discount_rate <= -1:
		problems.append(Problem("lifetime", "", "discount_rate", "must be above -1"))
	return problems


def days_fault(days: int) -> str | None:
	"""What is wrong with a length of time, or None."""
	if days <= 0:
		return "must be more than 0 days"
	return f"must be at most {MOST_DAYS} days" if days > MOST_DAYS else None


def check_scorecard(card: Scorecard) -> list[Problem]:
	"""Weights, choices and bands of one scorecard."""
	problems: list[Problem] = []

	def fault(row: str, name: str, message: str) -> None:
		problems.append(Problem("scorecards", row, name, message))

	if card.purpose not in PURPOSES:
		fault(card.name, "purpose", f"{card.purpose!r} is not one of {', '.join(PURPOSES)}")
	if not card.criteria:
		fault(card.name, "criteria", "at least one criterion is needed")
	elif not sum(item.weight for item in card.criteria) > 0:
		fault(card.name, "weight", "the weights add up to zero")
	seen: set[str] = set()
	for position, item in enumerate(card.criteria, 1):
		row = f"{card.name}, criterion {position} ({item.signal})"
		if item.signal in seen:
			fault(row, "signal", f"{item.signal} is used twice")
		seen.add(item.signal)
		if item.weight < 0:
			fault(row, "weight", "must not be negative")
		for name, choices in (("method", METHODS), ("direction", DIRECTIONS), ("missing", MISSING)):
			if getattr(item, name) not in choices:
				fault(row, name, f"{getattr(item, name)!r} is not one of {', '.join(choices)}")
		if item.method == "bands":
			for message in check_bands(item.bands):
				fault(row, "bands", message)
	return problems


def check_bands(bands: tuple[Band, ...]) -> list[str]:
	"""Bands must cover every value once: no overlap, no hole, open at both ends, 0 to 100 points."""
	if not bands:
		return ["at least one band is needed"]
	messages = []
	low, high = float("-inf"), float("inf")
	ordered = sorted(bands, key=lambda band: low if band.start is None else band.start)
	reach = low
	for band in ordered:
		start = low if band.start is None else band.start
		end = high if band.end is None else band.end
		if not 0 <= band.score <= 100:
			messages.append(f"{_span(start, end)}: {band.score:g} points is not within 0 to 100")
		if start >= end:
			messages.append(f"{_span(start, end)} is empty")
		elif start < reach:
			messages.append(f"{_span(start, end)} overlaps the band before it")
		elif start > reach:
			messages.append(f"values from {reach:g} to {start:g} are in no band")
		reach = max(reach, end)
	if reach < high:
		messages.append(f"values from {reach:g} on are in no band")
	return messages


def _span(start: float, end: float) -> str:
	return f"band from {start:g} to {end:g}"


def check_tiers(tiers: tuple[Tier, ...]) -> list[Problem]:
	"""Ranks are distinct, and a higher rank never asks for a lower score."""
	problems = _duplicates("tiers", [(tier.name, tier.rank) for tier in tiers], "rank")
	floor: Tier | None = None
	for tier in sorted(tiers, key=lambda tier: tier.rank):
		if tier.min_score is not None and not 0 <= tier.min_score <= 100:
			problems.append(
				Problem("tiers", tier.name, "min_score", f"{tier.min_score:g} is not within 0 to 100")
			)
		for name in ("rank", "margin", "min_stay_days"):
			if getattr(tier, name) < 0:
				problems.append(Problem("tiers", tier.name, name, "must not be negative"))
		if floor and (tier.min_score or 0) < (floor.min_score or 0):
			message = f"is below that of {floor.name}, which ranks lower"
			problems.append(Problem("tiers", tier.name, "min_score", message))
		floor = tier
	return problems


def check_signal(signal: CustomSignal) -> list[Problem]:
	"""A custom signal by itself: name, aggregate, value and date where they are needed."""
	problems: list[Problem] = []

	def fault(name: str, message: str) -> None:
		problems.append(Problem("signals", signal.name, name, message))

	if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", signal.name):
		fault("name", "must be small letters, digits and underscores, at most 50, a letter first")
	if signal.name in (*SIGNAL_NAMES, *RESULTS, *STATE_COLUMNS, "nr"):
		fault("name", "is the name of a column that profiles have already")
	if signal.aggregate not in AGGREGATES:
		fault("aggregate", f"{signal.aggregate!r} is not one of {', '.join(AGGREGATES)}")
	if signal.aggregate != "count" and not signal.value_field:
		fault("value_field", f"{signal.aggregate} needs a value field")
	if (signal.window_days is not None or signal.aggregate == "latest") and not signal.date_field:
		fault("date_field", "a window or latest needs a date field")
	message = days_fault(signal.window_days) if signal.window_days is not None else None
	if message:
		fault("window_days", message)
	return problems


def _duplicates(table: str, rows: list[tuple[str, Any]], key: str) -> list[Problem]:
	problems = []
	names: set[str] = set()
	keys: dict[Any, str] = {}
	for name, value in rows:
		if name in names:
			problems.append(Problem(table, name, "name", "is there twice"))
		elif value in keys:
			problems.append(Problem(table, name, key, f"{value} is already that of {keys[value]}"))
		names.add(name)
		keys.setdefault(value, name)
	return problems

"""Configuration as typed values: what a site's DocTypes and a TOML file both become.

``parse`` turns a plain dictionary into a ``Config`` or raises ``ConfigError`` with every fault found, each
naming table, row and field. Nothing here depends on where the dictionary came from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .errors import ConfigError, Problem

PURPOSES = ("value", "health")
METHODS = ("percentile", "bands")
DIRECTIONS = ("higher", "lower")
MISSING = ("skip", "worst", "neutral")
AGGREGATES = ("count", "sum", "average", "minimum", "maximum", "latest")
OPERATORS = (
	"=",
	"!=",
	"<",
	"<=",
	">",
	">=",
	"in",
	"not in",
	"between",
	"like",
	"not like",
	"is set",
	"is not set",
	"descendants of",
)


@dataclass(frozen=True)
class Condition:
	"""``field op value``. A field is a signal, a result or, as ``party.NAME``, any attribute of the party."""

	field: str
	op: str
	value: Any = None


@dataclass(frozen=True)
class Band:
	"""Values from ``start`` (included) to ``end`` (excluded) earn ``score`` points; None is open-ended."""

	start: float | None
	end: float | None
	score: float


@dataclass(frozen=True)
class Criterion:
	"""One signal's part in a scorecard.

	``percentile`` gives the mid-rank percentile among the parties that have the signal, 0 to 100;
	``bands`` gives the points of the band. ``missing`` says what no data means: ``skip`` leaves the criterion
	out and lets the other weights share, ``worst`` gives 0 points, ``neutral`` 50.
	"""

	signal: str
	weight: float
	method: str = "percentile"
	direction: str = "higher"
	missing: str = "skip"
	bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class Scorecard:
	"""Weighted criteria for one purpose; the score is 0 to 100."""

	name: str
	purpose: str
	criteria: tuple[Criterion, ...]


@dataclass(frozen=True)
class Tier:
	"""A tier. A party is demoted only below ``min_score - margin`` and after ``min_stay_days``."""

	name: str
	rank: int
	min_score: float | None = None
	margin: float = 0.0
	min_stay_days: int = 0
	conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Stage:
	"""A lifecycle stage; the first in ``order`` whose conditions all hold is the party's."""

	name: str
	order: int
	conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class CustomSignal:
	"""A signal that an admin defines: an aggregate over the rows of any relation.

	``latest`` takes ``value_field`` of the row with the latest ``date_field``. ``window_days`` keeps the rows
	of that many days up to and including the day of the cycle; None keeps all up to that day.
	"""

	name: str
	relation: str
	aggregate: str
	party_field: str = "party"
	date_field: str | None = "day"
	value_field: str | None = None
	window_days: int | None = None
	conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Windows:
	"""Periods in days: ``period`` for money and trends, ``contact`` for interactions, ``complaint`` for cases."""

	period: int = 365
	contact: int = 90
	complaint: int = 90


@dataclass(frozen=True)
class LifetimeSettings:
	"""How the lifetime model is fitted and valued.

	``horizon_days`` and ``discount_rate`` (a year, 0.1 is 10 %) belong to the lifetime value;
	``min_parties`` and ``min_repeaters`` are the least data on which a fit is tried.
	"""

	enabled: bool = True
	horizon_days: int = 365
	discount_rate: float = 0.1
	min_parties: int = 50
	min_repeaters: int = 20


@dataclass(frozen=True)
class Config:
	"""Everything a cycle needs besides data and ``as_of``."""

	scorecards: tuple[Scorecard, ...] = ()
	tiers: tuple[Tier, ...] = ()
	stages: tuple[Stage, ...] = ()
	signals: tuple[CustomSignal, ...] = ()
	windows: Windows = field(default_factory=Windows)
	lifetime: LifetimeSettings = field(default_factory=LifetimeSettings)
	trees: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

	@property
	def version(self) -> str:
		"""Twelve hex digits that name these rules: the same rules, the same version, on any machine."""
		text = json.dumps(asdict(self), sort_keys=True, default=str)
		return hashlib.sha256(text.encode()).hexdigest()[:12]

	def scorecard(self, purpose: str) -> Scorecard | None:
		"""The scorecard of a purpose, or None."""
		return next((card for card in self.scorecards if card.purpose == purpose), None)

	def tiers_by_rank(self) -> list[Tier]:
		"""Tiers from the lowest rank to the highest."""
		return sorted(self.tiers, key=lambda tier: tier.rank)

	def stages_in_order(self) -> list[Stage]:
		"""Stages in the order in which they are tried."""
		return sorted(self.stages, key=lambda stage: stage.order)


def parse(data: Mapping[str, Any]) -> Config:
	"""A ``Config`` from plain data (TOML, JSON or a site's documents).

	Shape: ``scorecards`` [{name, purpose, criteria: [{signal, weight, method, direction, missing, bands:
	[{start, end, score}]}]}], ``tiers`` [{name, rank, min_score, margin, min_stay_days, conditions}],
	``stages`` [{name, order, conditions}], ``signals`` [{name, relation, aggregate, ...}], ``windows`` {},
	``lifetime`` {}, ``trees`` {field: {child: parent}}. A condition is ``[field, op, value]``.
	Keys that are not known are faults, so that a misspelt one is never silently without effect.

	Raises ConfigError.
	"""
	reader = _Reader()
	config = Config(
		scorecards=tuple(reader.scorecard(row, i) for i, row in enumerate(data.get("scorecards", ()), 1)),
		tiers=tuple(reader.ladder(Tier, "tiers", row, i) for i, row in enumerate(data.get("tiers", ()), 1)),
		stages=tuple(
			reader.ladder(Stage, "stages", row, i) for i, row in enumerate(data.get("stages", ()), 1)
		),
		signals=tuple(
			reader.ladder(CustomSignal, "signals", row, i) for i, row in enumerate(data.get("signals", ()), 1)
		),
		windows=reader.value(Windows, "windows", "", data.get("windows", {})),
		lifetime=reader.value(LifetimeSettings, "lifetime", "", data.get("lifetime", {})),
		trees={name: dict(tree) for name, tree in data.get("trees", {}).items()},
	)
	known = {f.name for f in fields(Config)}
	reader.problems += [Problem(key, "", "", "unknown table") for key in data if key not in known]
	if not reader.problems:
		reader.problems += check(config)
	if reader.problems:
		raise ConfigError(reader.problems)
	return config


class _Reader:
	"""Turns rows into values and collects what is wrong with them instead of stopping at the first fault."""

	def __init__(self) -> None:
		self.problems: list[Problem] = []

	def value(self, kind: type, table: str, row: str, data: Mapping[str, Any]) -> Any:
		known = {f.name: f for f in fields(kind)}
		for key in data:
			if key not in known:
				self.problems.append(Problem(table, row, key, "unknown field"))
		values: dict[str, Any] = {}
		for name, spec in known.items():
			if name not in data:
				continue
			values[name] = self.cast(str(spec.type), data[name], table, row, name)
		try:
			return kind(**values)
		except TypeError:
			required = [f.name for f in fields(kind) if f.name not in values]
			missing = [name for name in required if not _has_default(known[name])]
			self.problems += [Problem(table, row, name, "is required") for name in missing]
			return None

	def cast(self, annotation: str, value: Any, table: str, row: str, name: str) -> Any:
		if value is None or value == "":
			if "None" in annotation or annotation == "Any":
				return None
			self.problems.append(Problem(table, row, name, "is required"))
			return value
		wanted = annotation.split(" | ")[0]
		try:
			if wanted == "float":
				return float(value)
			if wanted == "int":
				return int(value)
			if wanted == "bool":
				return bool(value)
		except (TypeError, ValueError):
			self.problems.append(Problem(table, row, name, f"{value!r} is not a number"))
			return 0
		return value

	def scorecard(self, row: Mapping[str, Any], index: int) -> Any:
		where = str(row.get("name") or f"row {index}")
		criteria = []
		for position, data in enumerate(row.get("criteria", ()), 1):
			spot = f"{where}, criterion {position} ({data.get('signal', '')})"
			bands = tuple(
				self.value(Band, "scorecards", f"{spot}, band {n}", {"start": None, "end": None, **band})
				for n, band in enumerate(data.get("bands") or (), 1)
			)
			criteria.append(self.value(Criterion, "scorecards", spot, {**data, "bands": bands}))
		return self.value(Scorecard, "scorecards", where, {**row, "criteria": tuple(criteria)})

	def ladder(self, kind: type, table: str, row: Mapping[str, Any], index: int) -> Any:
		where = str(row.get("name") or f"row {index}")
		conditions = tuple(
			self.condition(table, f"{where}, condition {n}", item)
			for n, item in enumerate(row.get("conditions") or (), 1)
		)
		return self.value(kind, table, where, {**row, "conditions": conditions})

	def condition(self, table: str, row: str, item: Any) -> Condition:
		if isinstance(item, Mapping):
			item = [item.get("field"), item.get("op"), item.get("value")]
		if not isinstance(item, (list, tuple)) or len(item) not in (2, 3) or not isinstance(item[0], str):
			self.problems.append(Problem(table, row, "", f"{item!r} is not [field, operator, value]"))
			return Condition("", "=")
		name, op, value = (*item, None)[:3]
		op = str(op).strip().lower()
		if op == "is" and str(value).strip().lower() in ("set", "not set"):
			op, value = f"is {str(value).strip().lower()}", None
		problem = _condition_fault(op, value)
		if problem:
			self.problems.append(Problem(table, row, name, problem))
		if op in ("in", "not in", "between"):
			value = tuple(split_list(value))
		return Condition(name, op, value)


def _has_default(spec: Any) -> bool:

	return spec.default is not NO_DEFAULT or spec.default_factory is not NO_DEFAULT


def split_list(value: Any) -> list[Any]:
	"""A list from a list, or from text with commas as the desk's filters keep it."""
	if isinstance(value, str):
		return [part.strip() for part in value.split(",")]
	return list(value) if isinstance(value, Iterable) else [value]


def _condition_fault(op: str, value: Any) -> str | None:
	if op not in OPERATORS:
		return f"operator {op!r} is not one of {', '.join(OPERATORS)}"
	if op in ("is set", "is not set"):
		return None
	if value is None or value == "":
		return f"operator {op!r} needs a value"
	if op == "between" and len(split_list(value)) != 2:
		return "between needs two values"
	if op in ("in", "not in") and not split_list(value):
		return f"operator {op!r} needs at least one value"
	return None


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
	for name in ("period", "contact", "complaint"):
		if getattr(config.windows, name) <= 0:
			problems.append(Problem("windows", "", name, "must be more than 0 days"))
	if config.lifetime.horizon_days <= 0:
		problems.append(Problem("lifetime", "", "horizon_days", "must be more than 0 days"))
	if config.lifetime.discount_rate <= -1:
		problems.append(Problem("lifetime", "", "discount_rate", "must be above -1"))
	return problems


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
		for name in ("margin", "min_stay_days"):
			if getattr(tier, name) < 0:
				problems.append(Problem("tiers", tier.name, name, "must not be negative"))
		if floor and (tier.min_score or 0) < (floor.min_score or 0):
			message = f"is below that of {floor.name}, which ranks lower"
			problems.append(Problem("tiers", tier.name, "min_score", message))
		floor = tier
	return problems


def check_signal(signal: CustomSignal) -> list[Problem]:
	"""A custom signal by itself: aggregate, value and date where they are needed."""
	problems = []
	if signal.aggregate not in AGGREGATES:
		message = f"{signal.aggregate!r} is not one of {', '.join(AGGREGATES)}"
		problems.append(Problem("signals", signal.name, "aggregate", message))
	if signal.aggregate != "count" and not signal.value_field:
		problems.append(
			Problem("signals", signal.name, "value_field", f"{signal.aggregate} needs a value field")
		)
	if (signal.window_days or signal.aggregate == "latest") and not signal.date_field:
		problems.append(
			Problem("signals", signal.name, "date_field", "a window or latest needs a date field")
		)
	if signal.window_days is not None and signal.window_days <= 0:
		problems.append(Problem("signals", signal.name, "window_days", "must be more than 0 days"))
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

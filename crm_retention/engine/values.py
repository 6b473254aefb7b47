"""What a configuration is made of: typed values, whatever they were read from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
# Columns of a profile beside its signals, attributes (``party__NAME``) and an admin's own signals.
LIFETIME_RESULTS = (
	"probability_alive",
	"expected_purchases_30d",
	"expected_purchases_90d",
	"expected_purchases_365d",
	"expected_value",
	"lifetime_value",
)
SCORE_RESULTS = ("score", "score_parts", "health", "health_parts")
TIER_RESULTS = (
	"tier",
	"tier_rank",
	"tier_since",
	"tier_reason",
	"candidate_tier",
	"previous_tier",
	"previous_tier_since",
)
STAGE_RESULTS = ("stage", "stage_since", "stage_reason", "previous_stage", "previous_stage_since")
PARTY = ("party", "party_type", "party_name")
RESULTS = (
	*PARTY,
	*LIFETIME_RESULTS,
	*SCORE_RESULTS,
	*TIER_RESULTS,
	*STAGE_RESULTS,
	"days_in_tier",
	"days_in_stage",
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

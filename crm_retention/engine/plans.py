"""What care is planned by: plans with their steps, occasions, contact rules and people, as typed values."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .values import Condition

TIMINGS = ("every", "rhythm", "occasion", "event")
EVENTS = (
	"tier entered",
	"stage entered",
	"complaint opened",
	"complaint closed",
	"detractor feedback",
	"contract end",
	"first purchase",
	"silent",
)
NOTICE = "Notice"  # the nature that rules leave alone unless they name it: what a contract demands is said


@dataclass(frozen=True)
class Step:
	"""One recurring or triggered act of a plan.

	``timing`` every: each ``days`` or ``months``. rhythm: after each ``rhythm`` of the party's mean interval since its
	last purchase. occasion: ``offset`` days after ``occasion``. event: ``offset`` days after ``event``
	(of ``event_value``); for silent, that many days without purchase and contact; for a contract's end, offset
	is negative. ``people`` are the users of the role or the one user that ``owner_rule`` asks for.
	"""

	key: str
	name: str
	timing: str
	touchpoint_type: str
	nature: str = "Care"
	channel: str | None = None
	days: int = 0
	months: int = 0
	rhythm: float = 1.0
	occasion: str | None = None
	event: str | None = None
	event_value: str | None = None
	offset: int = 0
	owner_rule: str = "manager"
	people: tuple[str, ...] = ()
	priority: int = 0
	sends: bool = False
	service_days: int = 3


@dataclass(frozen=True)
class Plan:
	"""A version of a maintenance plan.

	``current`` versions take members in; others keep those who move at their next step. A paused plan stands
	still: nobody enters, leaves or is due. ``holdout`` is the share, 0 to 1, that gets nothing. ``since``: when this
	version took over or the plan was resumed; what its intervals would have asked for until then is not made up for.
	"""

	name: str
	family: str
	version: int = 1
	steps: tuple[Step, ...] = ()
	priority: int = 0
	tiers: tuple[str, ...] = ()
	stages: tuple[str, ...] = ()
	conditions: tuple[Condition, ...] = ()
	holdout: float = 0.0
	starts: datetime.date | None = None
	ends: datetime.date | None = None
	since: datetime.date | None = None
	paused: bool = False
	current: bool = True

	def runs_on(self, day: datetime.date) -> bool:
		"""Whether the plan is at work on a day."""
		begun = self.starts is None or self.starts <= day
		return begun and not self.paused and (self.ends is None or day <= self.ends)


@dataclass(frozen=True)
class Occasion:
	"""Days worth remembering: ``days`` for everybody, or the dates of the relation ``occasion_dates`` by its name.

	``on_28th`` says where a 29 February falls in other years: on the 28th or on 1 March.
	"""

	name: str
	days: tuple[datetime.date, ...] = ()
	on_28th: bool = True


@dataclass(frozen=True)
class ContactRule:
	"""When a contact is held back. Empty ``channels`` and ``types`` mean all; no ``nature`` means all but notices.

	cap: at most ``maximum`` contacts (None: no limit) within any ``window`` days. quiet days: ``quiet``.
	quiet hours: ``hours`` from and to, may cross midnight. consent: a no, or with ``opt_in`` no yes. cool-down: an
	open case of ``case_kind`` or one closed less than ``cool_down`` days ago. condition: ``conditions`` hold.
	"""

	name: str
	kind: str
	action: str = "postpone"
	channels: tuple[str, ...] = ()
	types: tuple[str, ...] = ()
	nature: str | None = None
	only_sent: bool = False
	maximum: int | None = None
	window: int = 7
	per_channel: bool = False
	count_inbound: bool = False
	quiet: frozenset[datetime.date] = frozenset()
	hours: tuple[datetime.time, datetime.time] | None = None
	opt_in: bool = False
	case_kind: str | None = "Complaint"
	cool_down: int = 0
	conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Person:
	"""Someone who cares for customers: touchpoints a day (None: no limit) and the name of the calendar of days off.

	``unseen`` says which of some parties, by their keys, this person may not see (None: none is hidden): these are given
	to somebody else.
	"""

	user: str
	a_day: int | None = None
	calendar: str = ""
	unseen: Callable[[Sequence[str]], Collection[str]] | None = None


@dataclass(frozen=True)
class Care:
	"""Everything that planning needs besides data and ``as_of``.

	``calendars`` are days off by name; "" is that of whoever has no other. ``horizon``: days ahead.
	``fallback``: the user responsible where the rule of a step finds nobody. ``begun``: families that took members in
	before ``as_of``; in its first run a family's members are spread over the first interval of each step.
	"""

	plans: tuple[Plan, ...] = ()
	rules: tuple[ContactRule, ...] = ()
	occasions: tuple[Occasion, ...] = ()
	people: tuple[Person, ...] = ()
	calendars: Mapping[str, frozenset[datetime.date]] = field(default_factory=dict)
	horizon: int = 14
	fallback: str | None = None
	begun: frozenset[str] = frozenset()
	trees: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)


def draw(party: str, family: str) -> tuple[float, float]:
	"""Two numbers from 0 to below 1 that belong to a party and plan family for ever: its lot and its phase.

	From SHA-256, so that they are the same on every machine and database. A party is in the holdout arm when its lot
	is below the plan's holdout share: raising the share keeps everybody who was in it.
	"""
	digest = hashlib.sha256(f"{family}\0{party}".encode()).digest()
	whole = 2.0**48
	return int.from_bytes(digest[:6], "big") / whole, int.from_bytes(digest[6:12], "big") / whole

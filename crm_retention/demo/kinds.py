"""The kinds of customers that every company has, as numbers that a story is told from."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
	"""How customers of one kind behave. A range is drawn from once a customer; days are days before ``as_of``.

	``first`` and ``last``: days of the first and the last purchase; ``interval``: days between two purchases,
	None for a single one; ``back``: days of the first purchase after a long silence. ``basket``: value of a
	purchase in the company's currency. ``discounts``: share of purchases with a discount, ``rate`` in percent.
	``late``: days from due date to payment; ``unpaid``: share of the purchases of the last 150 days that stay
	unpaid. ``returns``: share of purchases with a return. ``complaints`` and ``contacts``: how many of the last
	80 days and of the last year. ``contract``: share with a supply contract.
	"""

	name: str
	count: int
	first: Range
	last: Range
	interval: Range | None
	basket: Range
	back: Range | None = None
	discounts: float = 0.1
	rate: Range = (3, 8)
	late: Range = (-8, 2)
	unpaid: float = 0.0
	returns: float = 0.02
	complaints: Range = (0, 0)
	contacts: Range = (1, 5)
	contract: float = 0.0


# Two hundred customers at scale 1.
KINDS = (
	Kind("Big account", 12, (800, 1090), (1, 12), (12, 20), (2500, 6000), late=(5, 20), contacts=(10, 20),
		contract=0.8),
	Kind("Loyal regular", 46, (420, 1090), (2, 22), (24, 38), (250, 900), contacts=(3, 8), contract=0.2),
	Kind("Newcomer", 22, (40, 160), (3, 25), (22, 40), (150, 700), contacts=(2, 6)),
	Kind("Discount-only buyer", 20, (500, 1050), (8, 50), (50, 100), (200, 600), discounts=1.0, rate=(15, 30)),
	Kind("One-time buyer", 18, (15, 340), (15, 340), None, (120, 4200), contacts=(0, 2)),
	Kind("One-time buyer of old", 8, (380, 1050), (380, 1050), None, (120, 2500), contacts=(0, 1)),
	Kind("Fading", 18, (500, 1050), (85, 150), (25, 36), (250, 900), late=(10, 35), contacts=(1, 3)),
	Kind("Dormant", 16, (700, 1080), (375, 690), (25, 50), (200, 800), contacts=(0, 1)),
	Kind("Lost", 14, (900, 1090), (735, 860), (20, 45), (200, 800), contacts=(0, 0)),
	Kind("Won back", 8, (850, 1080), (430, 560), (25, 45), (250, 900), back=(12, 44), contacts=(2, 5)),
	Kind("Complainer", 10, (400, 1000), (10, 40), (25, 40), (250, 900), late=(8, 30), unpaid=0.3, returns=0.15,
		complaints=(1, 3), contacts=(4, 10)),
	Kind("Slow payer", 8, (400, 1000), (5, 30), (26, 42), (300, 1200), late=(20, 60), unpaid=0.5),
)  # fmt: skip
PROSPECTS = 6  # customers without a purchase
LEADS = 14


def sized(count: int, scale: float) -> int:
	"""How many of a kind at a scale: two at least, so that no kind is missing."""
	return max(2, round(count * scale))

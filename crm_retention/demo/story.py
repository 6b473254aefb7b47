"""What happens between the company and its customers: purchases, returns, payments, told in plain values.

No database and no clock: the same seed, scale and ``as_of`` tell the same story.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from crm_retention.demo.kinds import KINDS, PROSPECTS, Kind, Range, sized
from crm_retention.demo.names import Name, get_names
from crm_retention.demo.products import EVERYDAY, PRODUCTS, Product

TERM_DAYS = 30
MACHINES = tuple(item for item in PRODUCTS if item.group == "Machines")


@dataclass(frozen=True)
class Line:
	"""So many of a product at its price."""

	product: Product
	qty: float

	@property
	def amount(self) -> float:
		return round(self.qty * self.product.price, 2)


@dataclass
class Return:
	"""A part of the first line comes back on a day."""

	day: datetime.date
	qty: float


@dataclass
class Purchase:
	"""An invoice, what of it comes back, and when the rest is paid (None: not yet)."""

	day: datetime.date
	lines: list[Line]
	discount_percent: float = 0.0
	returned: Return | None = None
	paid: datetime.date | None = None

	@property
	def due(self) -> datetime.date:
		return self.day + datetime.timedelta(days=TERM_DAYS)


@dataclass
class Buyer:
	"""A customer with its kind and everything it buys, the oldest first."""

	name: Name
	kind: Kind | None
	known_since: datetime.date
	purchases: list[Purchase] = field(default_factory=list)


def tell(as_of: datetime.date, scale: float = 1.0) -> list[Buyer]:
	"""All customers with their purchases up to ``as_of``."""
	sizes = [(kind, sized(kind.count, scale)) for kind in KINDS]
	prospects = sized(PROSPECTS, scale)
	names = iter(get_names(sum(size for _kind, size in sizes) + prospects))
	buyers = []
	for kind, size in sizes:
		for number in range(size):
			rng = random.Random(f"{kind.name} {number}")
			purchases = list(get_purchases(kind, as_of, rng))
			since = purchases[0].day - datetime.timedelta(days=rng.randint(3, 40))
			buyers.append(Buyer(next(names), kind, since, purchases))
	for number in range(prospects):
		since = as_of - datetime.timedelta(days=20 + 11 * number)
		buyers.append(Buyer(next(names), None, since))
	shape_first_sale(buyers)
	return buyers


def get_purchases(kind: Kind, as_of: datetime.date, rng: random.Random) -> Iterator[Purchase]:
	"""One customer's purchases, the oldest first."""
	basket = rng.uniform(*kind.basket)
	for ago in get_days(kind, rng):
		day = as_of - datetime.timedelta(days=ago)
		value = basket * rng.lognormvariate(0, 0.25)
		yield get_purchase(kind, day, value, as_of, rng)


def get_days(kind: Kind, rng: random.Random) -> list[int]:
	"""Days before ``as_of`` with a purchase, the most distant first."""
	ago, first = float(draw(kind.last, rng)), draw(kind.first, rng)
	if kind.interval is None:
		return [int(ago)]
	days = []
	interval = rng.uniform(*kind.interval)
	while ago <= max(first, kind.last[1]):
		days.append(round(ago))
		ago += max(2.0, rng.gauss(interval, interval * 0.2))
	if kind.back:
		first_back = draw(kind.back, rng)
		days = [day for day in (first_back - 9, first_back) if day > 0] + days
	return sorted(set(days), reverse=True)


def get_purchase(
	kind: Kind, day: datetime.date, value: float, as_of: datetime.date, rng: random.Random
) -> Purchase:
	"""A purchase of about ``value`` with what becomes of it."""
	purchase = Purchase(day, get_lines(value, rng))
	if rng.random() < kind.discounts:
		purchase.discount_percent = float(round(rng.uniform(*kind.rate)))
	back = day + datetime.timedelta(days=rng.randint(4, 18))
	if rng.random() < kind.returns and back <= as_of and purchase.lines[0].qty >= 2:
		purchase.returned = Return(back, max(1.0, purchase.lines[0].qty // 3))
	recent = (as_of - day).days <= 150
	paid = purchase.due + datetime.timedelta(days=draw(kind.late, rng))
	paid = max(paid, purchase.returned.day if purchase.returned else day)
	if paid <= as_of and not (recent and rng.random() < kind.unpaid):
		purchase.paid = paid
	return purchase


def get_lines(value: float, rng: random.Random) -> list[Line]:
	"""One to five different products for about ``value``; now and then a machine."""
	lines = []
	fitting = [item for item in MACHINES if item.price < value * 0.8]
	if fitting and rng.random() < 0.12:
		machine = rng.choice(fitting)
		lines.append(Line(machine, 1.0))
		value -= machine.price
	products = rng.sample(EVERYDAY, rng.randint(1, 5))
	for product in products:
		qty = max(1, round(value / len(products) / product.price))
		lines.append(Line(product, float(qty)))
	return lines


def shape_first_sale(buyers: list[Buyer]) -> None:
	"""Give one old sale that is paid a discount, a return and amounts that all differ: the pattern of the others."""
	paid = [(sale.day, n) for n, buyer in enumerate(buyers) for sale in buyer.purchases[:1] if sale.paid]
	day, number = min(paid)
	sale = buyers[number].purchases[0]
	sale.lines = [Line(EVERYDAY[0], 17.0)]
	sale.discount_percent = 6.0
	sale.returned = Return(day + datetime.timedelta(days=5), 3.0)


def draw(between: Range, rng: random.Random) -> int:
	"""A whole number from a range, its ends included."""
	return rng.randint(round(between[0]), round(between[1]))

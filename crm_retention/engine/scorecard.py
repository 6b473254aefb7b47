"""Scorecards: weighted criteria on signals, 0 to 100 points.

Percentile points are the mid-rank percentile among the parties that have the signal,
``100 * (below + equal / 2) / n``, so that ties share their place and a single party stands at 50.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from .conditions import column_name
from .config import Band, Criterion, Scorecard
from .signals import number

MISSING_POINTS = {"worst": 0.0, "neutral": 50.0}


def with_score(table: ir.Table, card: Scorecard, score: str, parts: str) -> ir.Table:
	"""``table`` with two more columns.

	``score``: float 0 to 100, null when every criterion was left out for want of data. ``parts``: JSON text,
	signal to points in hundredths (an integer, so that every database writes the same characters) or null.
	"""
	points = {item.signal: f"_points_{index}" for index, item in enumerate(card.criteria)}
	scored = table.mutate(**{points[item.signal]: criterion_points(table, item) for item in card.criteria})
	total: ir.Value = ibis.literal(0.0)
	weight: ir.Value = ibis.literal(0.0)
	for item in card.criteria:
		value = scored[points[item.signal]]
		total = total + (value * float(item.weight)).fill_null(0.0)
		weight = weight + ibis.ifelse(value.isnull(), 0.0, float(item.weight))
	result = number(total / ibis.ifelse(weight > 0, weight, ibis.null("float64")))
	columns = {score: result.round(4), parts: parts_json(scored, points)}
	return scored.mutate(**columns).drop(*points.values())


def criterion_points(table: ir.Table, item: Criterion) -> ir.FloatingColumn:
	"""Points of one criterion, 0 to 100; null where the signal is missing and the rule is ``skip``."""
	value = table[column_name(item.signal)].cast("float64")
	points = banded(value, item.bands) if item.method == "bands" else percentile(value)
	if item.method == "percentile" and item.direction == "lower":
		points = 100.0 - points
	points = points.round(4)
	if item.missing in MISSING_POINTS:
		points = points.fill_null(MISSING_POINTS[item.missing])
	return points


def percentile(value: ir.FloatingColumn) -> ir.FloatingColumn:
	"""Mid-rank percentile of a column among its non-null values; null stays null."""
	known = value.isnull()
	order = ibis.window(group_by=known, order_by=value)
	n = value.count().over(ibis.window(group_by=known)).cast("float64")
	below = ibis.rank().over(order).cast("float64") / ibis.ifelse(n > 0, n, ibis.null("float64"))
	upto = ibis.cume_dist().over(order)
	return ibis.ifelse(value.isnull(), ibis.null("float64"), 50.0 * (below + upto))


def value_reaching(table: ir.Table, signal: str, points: float, direction: str) -> ir.Table:
	"""One row, column ``value``: the nearest value of the signal whose percentile points reach ``points``.

	The smallest such value where higher is better, the largest where lower is; null when no party has one.
	"""
	value = table[column_name(signal)].cast("float64")
	known = table.filter(value.notnull()).select(value=value)
	counted = known.group_by("value").aggregate(n=known.count())
	running = ibis.window(order_by=counted.value, preceding=None, following=0)
	upto, total = counted.n.sum().over(running), counted.n.sum().over(ibis.window())
	middle = upto.cast("float64") - counted.n.cast("float64") / 2.0
	placed = counted.mutate(points=100.0 * middle / total.cast("float64"))
	higher = direction == "higher"
	enough = placed.filter((placed.points if higher else 100.0 - placed.points) >= points)
	return enough.aggregate(value=enough.value.min() if higher else enough.value.max())


def banded(value: ir.FloatingColumn, bands: tuple[Band, ...]) -> ir.FloatingColumn:
	"""Points of the band that holds the value; null stays null."""
	branches = []
	for band in sorted(bands, key=lambda band: float("-inf") if band.start is None else band.start):
		branches.append((value.notnull() if band.end is None else value < float(band.end), float(band.score)))
	return ibis.cases(*branches, else_=ibis.null("float64"))


def band_points(value: float, bands: tuple[Band, ...]) -> float:
	"""The same for one Python value."""
	for band in bands:
		if (band.start is None or value >= band.start) and (band.end is None or value < band.end):
			return band.score
	raise ValueError(f"{value:g} is in no band")


def parts_json(scored: ir.Table, points: dict[str, str]) -> ir.StringColumn:
	"""``{"signal": hundredths, ...}`` as text."""
	text: ir.StringValue = ibis.literal("{")
	for index, (signal, column) in enumerate(points.items()):
		hundredths = (scored[column] * 100.0).round(0).cast("int64").cast("string").fill_null("null")
		text = text + ibis.literal(f'{", " if index else ""}"{signal}": ') + hundredths
	return text + ibis.literal("}")

"""Scorecards: weighted criteria on signals, 0 to 100 points.

Percentile points are the mid-rank percentile among the parties that have the signal,
``100 * (below + equal / 2) / n``, so that ties share their place and a single party stands at 50.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from .conditions import column_name
from .signals import Keep, as_is
from .values import Band, Criterion, Scorecard

PURPOSE_COLUMNS = {"value": "score", "health": "health"}
MISSING_POINTS = {"worst": 0.0, "neutral": 50.0}


def scores(table: ir.Table, cards: Sequence[Scorecard], keep: Keep = as_is) -> ir.Table:
	"""nr; score and score_parts (purpose value), health and health_parts (purpose health).

	Scores are floats from 0 to 100, null when every criterion was left out for want of data or there is no card.
	Parts are JSON text, signal to points in hundredths (an integer, so that every database writes the same
	characters) or null. Percentiles are taken over the few columns that the cards need: databases sort whole rows.
	"""
	chosen = {PURPOSE_COLUMNS[card.purpose]: card for card in cards}
	criteria = {
		f"{column}_{index}": item
		for column, card in chosen.items()
		for index, item in enumerate(card.criteria)
	}
	inputs = table.select("nr", *sorted({column_name(item.signal) for item in criteria.values()}))
	ranked = [column_name(item.signal) for item in criteria.values() if item.method == "percentile"]
	if ranked:
		inputs = with_sizes(keep("score_inputs", inputs), ranked)
	earned = {name: criterion_points(inputs, item) for name, item in criteria.items()}
	points = keep("score_points", inputs.select("nr", **earned))
	columns: dict[str, ir.Value] = {}
	for column in PURPOSE_COLUMNS.values():
		card = chosen.get(column)
		names = [f"{column}_{index}" for index in range(len(card.criteria))] if card else []
		columns[column] = weighted(points, card, names) if card else ibis.null("float64")
		columns[f"{column}_parts"] = parts_json(points, card, names) if card else ibis.null("string")
	return points.select("nr", **columns)


def weighted(points: ir.Table, card: Scorecard, names: Sequence[str]) -> ir.FloatingColumn:
	"""The mean of the points that are known, by the criteria's weights."""
	total: ir.Value = ibis.literal(0.0)
	weight: ir.Value = ibis.literal(0.0)
	for item, name in zip(card.criteria, names, strict=True):
		value = points[name]
		total = total + (value * float(item.weight)).fill_null(0.0)
		weight = weight + ibis.ifelse(value.isnull(), 0.0, float(item.weight))
	return (total / ibis.ifelse(weight > 0, weight, ibis.null("float64"))).round(4)


def with_sizes(table: ir.Table, names: Sequence[str]) -> ir.Table:
	"""``table`` with what percentiles are taken of: ``_all`` parties, ``_known_SIGNAL`` parties that have it."""
	known = {f"_known_{name}": table[name].count() for name in names}
	return table.cross_join(table.aggregate(_all=table.count(), **known))


def criterion_points(sized: ir.Table, item: Criterion) -> ir.FloatingColumn:
	"""Points of one criterion, 0 to 100; null where the signal is missing and the rule is ``skip``."""
	name = column_name(item.signal)
	value = sized[name].cast("float64")
	if item.method == "bands":
		points = banded(value, item.bands)
	else:
		points = percentile(value, sized[f"_known_{name}"], sized["_all"])
	if item.method == "percentile" and item.direction == "lower":
		points = 100.0 - points
	points = points.round(4)
	if item.missing in MISSING_POINTS:
		points = points.fill_null(MISSING_POINTS[item.missing])
	return points


def percentile(
	value: ir.FloatingColumn, known: ir.IntegerColumn, everyone: ir.IntegerColumn
) -> ir.FloatingColumn:
	"""Mid-rank percentile of a column among its ``known`` non-null values; null stays null.

	Nulls sort last, so one ordering of all rows gives rank and cumulative distribution of those that are known.
	"""
	order = ibis.window(order_by=value)
	n = ibis.ifelse(known > 0, known, ibis.null("int64")).cast("float64")
	below = ibis.rank().over(order).cast("float64")
	upto = ibis.cume_dist().over(order) * everyone.cast("float64")
	return ibis.ifelse(value.isnull(), ibis.null("float64"), 50.0 * (below + upto) / n)


def value_reaching(table: ir.Table, signal: str, points: float, direction: str) -> ir.Table:
	"""One row, column ``value``: the nearest value of the signal that earns a party at least ``points``.

	The party comes from a worse value, so that at its new one it has one party fewer below it and one more beside
	it. The smallest such value among those that parties have where higher is better, the largest where lower is;
	null when none is enough.
	"""
	value = table[column_name(signal)].cast("float64")
	known = table.filter(value.notnull()).select(value=value)
	counted = known.group_by("value").aggregate(n=known.count())
	running = ibis.window(order_by=counted.value, preceding=None, following=0)
	upto, total = (
		counted.n.sum().over(running).cast("float64"),
		counted.n.sum().over(ibis.window()).cast("float64"),
	)
	higher = direction == "higher"
	from_below = (upto - counted.n.cast("float64") / 2.0 - 0.5) / total
	from_above = 1.0 - (upto - counted.n.cast("float64") / 2.0 + 0.5) / total
	placed = counted.mutate(points=100.0 * (from_below if higher else from_above))
	enough = placed.filter(placed.points >= points)
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


def parts_json(points: ir.Table, card: Scorecard, names: Sequence[str]) -> ir.StringColumn:
	"""``{"signal": hundredths, ...}`` as text."""
	pieces: list[ir.StringValue] = []
	for item, name in zip(card.criteria, names, strict=True):
		pieces.append(ibis.literal(f"{', ' if pieces else '{'}{json.dumps(item.signal)}: "))
		hundredths = (points[name] * 100.0).round(0).cast("int64").cast("string")
		pieces.append(hundredths.fill_null("null"))
	return ibis.literal("").join([*pieces, ibis.literal("}")])

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
	ranked = list(
		dict.fromkeys(column_name(item.signal) for item in criteria.values() if item.method == "percentile")
	)
	if ranked:
		inputs = with_standings(keep("score_inputs", inputs), ranked, keep)
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


def with_standings(table: ir.Table, names: Sequence[str], keep: Keep) -> ir.Table:
	"""``table`` with the percentile of each of these columns as ``_standing_NAME``, null where it is null.

	Worked out once for each different value and joined, which takes databases less than a window over every row.
	"""
	joined, columns = table, {}
	for index, name in enumerate(names):
		value = table[name].cast("float64")
		found = standings(table, name)
		points = 100.0 * (found.upto - found.n / 2.0) / found.known
		placed = keep(f"standings_{index}", found.select(_value=found.value, _standing=points))
		joined = joined.left_join(placed, value == placed["_value"], rname=f"{{name}}_{index}")
		columns[f"_standing_{name}"] = f"_standing_{index}" if index else "_standing"
	return joined.select(*table.columns, **{name: joined[column] for name, column in columns.items()})


def standings(table: ir.Table, name: str) -> ir.Table:
	"""A row for each value of a column: value, n rows with it, upto rows with it or less, known rows with any."""
	value = table[name].cast("float64")
	known = table.filter(value.notnull()).select(value=value)
	counted = known.group_by("value").aggregate(n=known.count().cast("float64"))
	running = ibis.window(order_by=counted.value, preceding=None, following=0)
	return counted.mutate(upto=counted.n.sum().over(running), known=counted.n.sum().over(ibis.window()))


def criterion_points(inputs: ir.Table, item: Criterion) -> ir.FloatingColumn:
	"""Points of one criterion, 0 to 100; null where the signal is missing and the rule is ``skip``."""
	name = column_name(item.signal)
	if item.method == "bands":
		points = banded(inputs[name].cast("float64"), item.bands)
	else:
		points = inputs[f"_standing_{name}"]
		points = 100.0 - points if item.direction == "lower" else points
	points = points.round(4)
	if item.missing in MISSING_POINTS:
		points = points.fill_null(MISSING_POINTS[item.missing])
	return points


def value_reaching(table: ir.Table, signal: str, points: float, direction: str) -> ir.Table:
	"""One row, column ``value``: the nearest value of the signal that earns a party at least ``points``.

	The party comes from a worse value, so that at its new one it has one party fewer below it and one more beside
	it. The smallest such value among those that parties have where higher is better, the largest where lower is;
	null when none is enough.
	"""
	found = standings(table, column_name(signal))
	higher = direction == "higher"
	middle = found.upto - found.n / 2.0
	share = (middle - 0.5) / found.known if higher else 1.0 - (middle + 0.5) / found.known
	enough = found.mutate(points=100.0 * share).filter(lambda t: t.points >= points)
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

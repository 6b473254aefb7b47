"""Charts as inline SVG and HTML: plain text that scales, prints, and takes its colours from the page's style."""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Sequence
from html import escape

from . import words


def value_curve(points: Sequence[tuple[float, float]]) -> str:
	"""Share of value against share of customers, both 0 to 1, best customers first; a dashed line if all were
	equal.
	"""
	left, top, width, height = 58, 12, 468, 268

	def at(x: float, y: float) -> str:
		return f"{left + x * width:.1f},{top + (1 - y) * height:.1f}"

	grid = "".join(
		_horizontal(left, width, top + (1 - tick / 4) * height, f"{25 * tick}%") for tick in range(5)
	)
	marks = "".join(
		f'<text class="tick" x="{left + tick * width / 4:.1f}" y="{top + height + 20}" '
		f'text-anchor="{"end" if tick == 4 else "middle"}">{25 * tick}%</text>'
		for tick in range(5)
	)
	line = " ".join(at(x, y) for x, y in points)
	share = value_of_top(points, 0.2)
	x, y = (float(part) for part in at(0.2, share).split(","))
	label = f"The top 20% bring {words.percent(share)} of the value"
	return (
		f'<svg class="chart" viewBox="0 0 540 326" role="img" aria-label="{label}">{grid}{marks}'
		f'<polygon class="area" points="{at(0, 0)} {line} {at(1, 0)}"/>'
		f'<line class="equal" x1="{left}" y1="{top + height}" x2="{left + width}" y2="{top}"/>'
		f'<polyline class="curve" points="{line}"/>'
		f'<line class="drop" x1="{x}" y1="{y}" x2="{x}" y2="{top + height}"/><circle class="dot" cx="{x}" cy="{y}" r="5"/>'
		f'<text class="note" x="{x + 12}" y="{y + 24:.1f}">Top 20%: {words.percent(share)}</text>'
		f'<text class="axis" x="{left + width / 2}" y="{top + height + 42}" text-anchor="middle">'
		"Share of customers, the most valuable first</text></svg>"
	)


def value_of_top(points: Sequence[tuple[float, float]], share: float) -> float:
	"""Share of value at a share of customers, between the points as on the line."""
	for (x0, y0), (x1, y1) in itertools.pairwise(points):
		if x0 <= share <= x1 and x1 > x0:
			return y0 + (y1 - y0) * (share - x0) / (x1 - x0)
	return points[-1][1] if points else 0.0


def _horizontal(left: float, width: float, y: float, label: str) -> str:
	return (
		f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}"/>'
		f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
	)


def stacked_months(months: Sequence[tuple[datetime.date, float, float]]) -> str:
	"""A bar a month of value from new (below) and returning (above) customers, base currency."""
	left, top, width, height = 58, 12, 468, 268
	peak = _nice(max((max(new, 0) + max(again, 0) for _, new, again in months), default=1.0) or 1.0)
	scale = height / peak
	grid = "".join(
		_horizontal(left, width, top + height - peak * tick / 4 * scale, words.short(peak * tick / 4))
		for tick in range(5)
	)
	slot = width / max(len(months), 1)
	every = max(1, math.ceil(len(months) / 6))
	bars = []
	for index, (month, new, again) in enumerate(months):
		x, bar = left + index * slot + slot * 0.14, slot * 0.72
		low, high = max(new, 0) * scale, max(again, 0) * scale
		title = f"{month:%B %Y}: {words.money(again)} returning, {words.money(new)} new"
		bars.append(
			f"<g><title>{title}</title>"
			f'<rect class="new" x="{x:.1f}" y="{top + height - low:.1f}" width="{bar:.1f}" height="{low:.1f}"/>'
			f'<rect class="again" x="{x:.1f}" y="{top + height - low - high:.1f}" width="{bar:.1f}" height="{high:.1f}"/></g>'
		)
		if index % every == 0:
			bars.append(
				f'<text class="tick" x="{x + bar / 2:.1f}" y="{top + height + 20}" text-anchor="middle">{month:%b %y}</text>'
			)
	return (
		'<svg class="chart" viewBox="0 0 540 326" role="img" aria-label="Value by month from new and returning customers">'
		f"{grid}{''.join(bars)}</svg>"
	)


def _nice(value: float) -> float:
	"""The next round number at or above ``value`` that quarters well."""
	power = 10.0 ** math.floor(math.log10(value))
	return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value * 0.999)


def stacked_bar(label: str, parts: Sequence[tuple[str, str, float]]) -> str:
	"""One bar of the whole: (name, colour, share of one)."""
	pieces = "".join(
		f'<i style="width:{100 * share:.2f}%;background:{colour}" title="{escape(name)}: {words.percent(share)}"></i>'
		for name, colour, share in parts
		if share > 0
	)
	return f'<div class="stack"><span>{escape(label)}</span><div>{pieces}</div></div>'


def heat_table(
	head: Sequence[str],
	body: Sequence[tuple[str, str, Sequence[tuple[str, float, str] | None]]],
	corner: tuple[str, str],
) -> str:
	"""A table whose cells are the darker the higher their share of one.

	``body``: (row name, second column, cells as (text, share, title) or None for an empty place). ``corner``: heads
	of the first two columns, the second left out when empty.
	"""
	second = f'<th scope="col" class="size">{escape(corner[1])}</th>' if corner[1] else ""
	top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
	lines = []
	for name, size, cells in body:
		first = f'<th scope="row">{escape(name)}</th>' + (
			f'<td class="size">{size}</td>' if corner[1] else ""
		)
		lines.append(f"<tr>{first}{''.join(map(_heat_cell, cells))}</tr>")
	return (
		f'<div class="scroll"><table class="heat"><thead><tr><th scope="col">{escape(corner[0])}</th>{second}{top}</tr>'
		f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
	)


def _heat_cell(cell: tuple[str, float, str] | None) -> str:
	if cell is None:
		return "<td></td>"
	text, share, title = cell
	strong = " hi" if share > 0.72 else ""
	return f'<td class="cell{strong}" style="--v:{min(max(share, 0.0), 1.0):.3f}" title="{escape(title)}">{text}</td>'

"""Numbers, dates and reasons as people read them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any


def count(value: float | None) -> str:
	"""A whole number with commas between thousands; a dash for nothing known."""
	return "–" if value is None else f"{round(value):,}"


def things(number: int, thing: str) -> str:
	"""A number of things: 1 customer, 2,357 customers."""
	return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def money(value: float | None) -> str:
	"""An amount: cents below 100, thousands apart, millions from ten on."""
	if value is None or not math.isfinite(value):
		return "–"
	size = abs(value)
	if size >= 1e10:
		return f"{value / 1e9:,.1f} bn"
	if size >= 1e7:
		return f"{value / 1e6:,.1f} m"
	return f"{value:,.2f}" if 0 < size < 100 else f"{value:,.0f}"


def percent(share: float | None, digits: int = 0) -> str:
	"""A share of one as a percentage; "<1%" rather than a zero that is not one."""
	if share is None:
		return "–"
	if 0 < share < 0.5 * 10 ** -(digits + 2):
		return f"<{10**-digits:g}%"
	return f"{100 * share:.{digits}f}%"


def decimal(value: float | None, digits: int = 2) -> str:
	"""A number with a fixed number of decimals."""
	return "–" if value is None else f"{value:,.{digits}f}"


def date(day: datetime.date | None) -> str:
	"""30 June 1998."""
	return "–" if day is None else f"{day.day} {day:%B %Y}"


def span(days: int) -> str:
	"""A period in words: 12 months for 365 days."""
	return "12 months" if days == 365 else f"{days} days"


def reasons(row: Mapping[str, Any], period: int) -> list[str]:
	"""Why this customer is to be called, in the order in which one would say it. ``period`` is in days."""
	parts = [_rhythm(row), _value(row, period)]
	alive = row.get("probability_alive")
	parts.append(f"probability alive {alive:.2f}" if alive is not None else "")
	complaints = row.get("open_complaints") or 0
	if complaints:
		parts.append(things(complaints, "open complaint"))
	if row.get("nps") is not None and row["nps"] <= 6:
		parts.append(f"last recommendation score {row['nps']:g} of 10")
	ends = row.get("days_to_contract_end")
	if ends is not None and ends <= 90:
		parts.append("contract ends today" if ends == 0 else f"contract ends in {things(ends, 'day')}")
	silent = row.get("days_since_contact")
	if silent is not None and silent >= 60:
		parts.append(f"not in touch for {things(silent, 'day')}")
	return [part for part in parts if part]


def _rhythm(row: Mapping[str, Any]) -> str:
	interval, silent = row.get("mean_interval_days"), row.get("recency_days")
	if interval is None or silent is None:
		return ""
	every = "buys every day" if round(interval) <= 1 else f"buys every {round(interval)} days"
	return f"{every}, silent for {silent}"


def _value(row: Mapping[str, Any], period: int) -> str:
	now, before = row.get("monetary_12m"), row.get("monetary_prior_12m")
	if now is None:
		return ""
	if now <= 0 and before and before > 0:
		return f"nothing in the last {span(period)}, {money(before)} in the {span(period)} before"
	text = f"{span(period).replace(' months', '-month').replace(' days', '-day')} value {money(now)}"
	trend = row.get("trend")
	if trend is not None and abs(trend) >= 0.2:
		text += f" ({'up' if trend > 0 else 'down'} {percent(abs(trend))})"
	return text


def capital(text: str) -> str:
	"""The text with its first letter as a capital."""
	return text[:1].upper() + text[1:]


def condition(field: str, op: str, value: Any) -> str:
	"""A rule's condition as text: ``recency_days >= 365``."""
	shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
	return f"{field} {op}" if value is None else f"{field} {op} {shown}"


def short(value: float) -> str:
	"""An amount for an axis: 1.2k, 3m."""
	for size, sign in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
		if abs(value) >= size:
			return f"{value / size:.3g}{sign}"
	return f"{value:.3g}"

"""Quiet days as people write them: weekdays by name, days of the year as MM-DD. Pure: no site, no clock."""

from __future__ import annotations

import datetime
import re

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LINE = re.compile(r"(\d\d)-(\d\d)(?:\s+to\s+(\d\d)-(\d\d))?")

MonthDay = tuple[int, int]


def get_weekdays(text: str | None) -> list[int]:
	"""Weekdays (0 is Monday) of names separated by commas or lines. Raises ValueError with what is none."""
	known = {name.casefold(): index for index, name in enumerate(WEEKDAYS)}
	days = set()
	for part in re.split(r"[,;\n]", text or ""):
		name = part.strip()
		if name and name.casefold() not in known:
			raise ValueError(name)
		if name:
			days.add(known[name.casefold()])
	return sorted(days)


def parse_month_days(text: str | None) -> list[tuple[MonthDay, MonthDay]]:
	"""Spans (first, last) of the year, each (month, day), both included; one that ends before it begins crosses
	the year's end. Raises ValueError with the line that says none."""
	spans = []
	for line in (text or "").splitlines():
		if not line.strip():
			continue
		found = LINE.fullmatch(line.strip())
		numbers = [int(part) for part in found.groups() if part] if found else []
		pairs = [(numbers[i], numbers[i + 1]) for i in range(0, len(numbers), 2)]
		if not pairs or not all(_exists(*pair) for pair in pairs):
			raise ValueError(line.strip())
		spans.append((pairs[0], pairs[-1]))
	return spans


def is_in_spans(day: datetime.date, spans: list[tuple[MonthDay, MonthDay]]) -> bool:
	"""Whether a day lies in one of the spans of ``parse_month_days``."""
	at = (day.month, day.day)
	return any(first <= at <= last if first <= last else at >= first or at <= last for first, last in spans)


def _exists(month: int, day: int) -> bool:
	try:
		datetime.date(2024, month, day)  # a leap year: 29 February is a day
	except ValueError:
		return False
	return True

"""Days as whole numbers, counted from 1970-01-01, and the small tables by which expressions turn them into dates.

Databases agree on whole numbers; on adding months to dates they do not. So planning counts in days, and asks these
tables for months, anniversaries and days off.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from .dates import EPOCH, days_between, literal

Columns = dict[str, npt.NDArray[Any]]


def number(day: datetime.date) -> int:
	"""The number of a day."""
	return (day - EPOCH).days


def day_of(number: int) -> datetime.date:
	"""The day of a number."""
	return EPOCH + datetime.timedelta(days=int(number))


def day_number(column: ir.DateValue) -> ir.IntegerValue:
	"""The number of a date, as an expression."""
	return days_between(column, literal(EPOCH))


def month_of(day: datetime.date) -> int:
	"""Months since the year 0."""
	return day.year * 12 + day.month - 1


def integers(values: Iterable[int]) -> npt.NDArray[Any]:
	"""A column of whole numbers, right also when there are none."""
	return np.array(list(values), dtype=np.int64)


def texts(values: Iterable[str | None]) -> npt.NDArray[Any]:
	"""A column of texts, right also when there are none."""
	return np.array(list(values), dtype=object)


def days_table(first: int, last: int) -> Columns:
	"""``n``, ``iso`` (text), ``month`` (see ``month_of``) and ``dom`` (1 to 31) of every day from first to last."""
	days = [day_of(n) for n in range(first, last + 1)]
	return {
		"n": integers(range(first, last + 1)),
		"iso": texts(day.isoformat() for day in days),
		"month": integers(map(month_of, days)),
		"dom": integers(day.day for day in days),
	}


def months_table(first: int, last: int) -> Columns:
	"""``month``, ``m_start`` (number of its first day) and ``length`` of every month from first to last."""
	months = range(first, last + 1)
	starts = [number(datetime.date(month // 12, month % 12 + 1, 1)) for month in range(first, last + 2)]
	return {
		"month": integers(months),
		"m_start": integers(starts[:-1]),
		"length": integers(starts[at + 1] - starts[at] for at in range(len(starts) - 1)),
	}


def anniversaries_table(first: int, last: int) -> Columns:
	"""Which days are anniversaries of a month and day: ``md`` (month x 100 + day), ``on_28th`` (0 or 1), ``n``.

	A 29 February falls on itself in leap years, else on the 28th or on 1 March, as ``on_28th`` says.
	"""
	rows = []
	for n in range(first, last + 1):
		day = day_of(n)
		rows += [(day.month * 100 + day.day, policy, n) for policy in (0, 1)]
		if (day.month, day.day) == (3, 1) and day_of(n - 1).day == 28:  # a year without a 29 February
			rows += [(229, 1, n - 1), (229, 0, n)]
	names = ("md", "on_28th", "n")
	return {name: integers(row[at] for row in rows) for at, name in enumerate(names)}


def next_allowed(first: int, last: int, off: Iterable[datetime.date]) -> Mapping[int, int]:
	"""For each day from first to last that is off, the next one that is not."""
	closed = {number(day) for day in off}
	moved = {}
	for n in range(first, last + 1):
		if n in closed:
			later = n
			while later in closed:
				later += 1
			moved[n] = later
	return moved

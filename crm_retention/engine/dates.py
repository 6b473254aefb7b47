"""Dates in expressions. Whole days between dates is the one operation that backends spell differently."""

from __future__ import annotations

import datetime

import ibis
import ibis.expr.types as ir

EPOCH = datetime.date(1970, 1, 1)
# what lies outside is a slip, or no day at all
FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2200, 12, 31)


def days_between(
	later: ir.DateValue | datetime.date, earlier: ir.DateValue | datetime.date
) -> ir.IntegerColumn:
	"""Whole days from ``earlier`` to ``later``; negative when they are the other way round, null if either is."""
	return _date(later).delta(_date(earlier), unit="day").cast("int64")


def _date(value: ir.DateValue | datetime.date) -> ir.DateValue:
	return ibis.literal(value, type="date") if isinstance(value, datetime.date) else value


def literal(day: datetime.date) -> ir.DateScalar:
	"""A date literal."""
	return ibis.literal(day, type="date")

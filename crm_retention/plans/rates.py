"""How often the steps of a plan fall due: by their cadence, by the calendar, or by how often an event happened."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_days, cint, flt

from crm_retention.plans import occasions
from crm_retention.seen_parties import count, get_counted

WEEKS = 13
DAYS = {"Days": 1.0, "Weeks": 7.0, "Months": 365.2425 / 12, "Quarters": 365.2425 / 4}
YEAR = 365


class NotCounted(Exception):
	"""A step whose touchpoints cannot be told ahead; says why, for people."""


def get_weekly(
	step: Any, parties: int, purchases_a_day: float, weeks: Sequence[datetime.date]
) -> list[float]:
	"""Expected touchpoints of a step in each of the weeks (their Mondays) for so many parties, whose rhythms promise
	so many purchases a day. Raises NotCounted.
	"""
	if step.timing == "Every":
		return [parties * 7 / (max(cint(step.every), 1) * DAYS[step.unit or "Months"])] * len(weeks)
	if step.timing == "Buying Rhythm":
		return [7 * purchases_a_day / (flt(step.rhythm) or 1.0)] * len(weeks)
	if step.timing == "Occasion":
		days = get_occasion_days(step.occasion, weeks)
		return [float(parties * number) for number in _in_weeks(days, cint(step.offset_days), weeks)]
	return get_event_weekly(step, weeks)


def get_occasion_days(name: str, weeks: Sequence[datetime.date]) -> list[datetime.date]:
	"""The days of an occasion that is the same for everybody, around the weeks. Raises NotCounted for others."""
	occasion = frappe.get_cached_doc("Care Occasion", name)
	years = range(weeks[0].year - 1, weeks[-1].year + 2)
	if occasion.kind == "Fixed Date":
		return occasions.fixed_days(occasion.month, occasion.day, years, occasion.leap_day or "28 February")
	if occasion.kind == "Lunar Date":
		return occasions.lunar_days(occasion.month, occasion.day, years)
	if occasion.kind == "Public Holiday":
		code = (frappe.db.get_value("Country", occasion.country, "code") or "").upper()
		return occasions.public_holidays(code, occasion.holiday, years)
	raise NotCounted(_("its dates are each customer's own"))


def get_event_weekly(step: Any, weeks: Sequence[datetime.date]) -> list[float]:
	"""Events of a week going by the last year; ends of contracts by their dates. Raises NotCounted."""
	if step.event == "Contract End":
		ending = {"docstatus": 1, "party_type": "Customer", "end_date": ("is", "set")}
		rows = get_counted("Contract", ending, "end_date")
		return [float(number) for number in _in_weeks(rows, cint(step.offset_days), weeks)]
	a_year = _count_events(step, add_days(weeks[0], -YEAR))
	return [a_year * 7 / YEAR] * len(weeks)


def _count_events(step: Any, since: datetime.date) -> int:
	if step.event in ("Tier Entered", "Stage Entered"):
		conditions: dict[str, Any] = {"kind": step.event.split()[0], "on_date": (">=", since)}
		if step.event_value:
			conditions["to_value"] = step.event_value
		return count("Tier Change", conditions | {"from_value": ("is", "set")})
	if step.event == "First Purchase":
		return count("Retention Profile", {"first_purchase": (">=", since)})
	if step.event in ("Complaint Opened", "Complaint Closed"):
		issues = count("Issue", {"issue_type": "Complaint", "opening_date": (">=", since)})
		return issues + count("Warranty Claim", {"docstatus": ("<", 2), "complaint_date": (">=", since)})
	raise NotCounted(_("nothing is known about how often it happens"))


def _in_weeks(days: Sequence[Any], offset: int, weeks: Sequence[datetime.date]) -> list[int]:
	counts = [0] * len(weeks)
	for day in days:
		place = (day + datetime.timedelta(days=offset) - weeks[0]).days // 7
		if 0 <= place < len(weeks):
			counts[place] += 1
	return counts

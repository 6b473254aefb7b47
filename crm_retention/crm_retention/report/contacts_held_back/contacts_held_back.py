"""What contact rules stopped: how often, where, and for how many customers and leads."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Max, Sum
from frappe.utils import add_days, add_months, get_first_day, getdate

from crm_retention.arguments import read_filters
from crm_retention.views.access import only_readable

STOP = "Contact Stop"
DAYS = 30
MOST_PERIODS = 60
GROUPS = {
	"Rule": ("rule",),
	"Rule and Channel": ("rule", "channel"),
	"Rule and Touchpoint Type": ("rule", "touchpoint_type"),
	"Channel": ("channel",),
	"Touchpoint Type": ("touchpoint_type",),
	"Party": ("party_type", "party"),
}
EQUAL = ("rule", "channel", "touchpoint_type", "action", "stage", "party_type", "party")
LINKS = {"rule": "Contact Rule", "channel": "Contact Channel", "touchpoint_type": "Touchpoint Type"}


def execute(filters: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
	"""Columns and rows, the most stopped first. Filters: from_date, to_date, group_by, period (Week or Month), ``EQUAL``."""
	filters = read_filters(filters, ("from_date", "to_date"), (*EQUAL, "group_by", "period"))
	fields = GROUPS.get(filters.group_by, GROUPS["Rule"])
	return get_columns(fields, filters.period), get_rows(filters, fields)


def get_rows(filters: frappe._dict, fields: tuple[str, ...]) -> list[dict[str, Any]]:
	"""One row a group: stops, of them postponed and dropped, different touchpoints and parties, and the last day."""
	stop, first, last = frappe.qb.DocType(STOP), *get_days(filters)
	groups = [stop[field] for field in fields]
	query = frappe.qb.from_(stop).where((stop.on_date >= first) & (stop.on_date <= last))
	if filters.period:
		period = get_period(stop, get_starts(filters.period, first, last))
		query = query.select(period.as_("period"))
		groups.insert(0, period)
	for field in EQUAL:
		if filters.get(field):
			query = query.where(stop[field] == filters[field])
	query = query.select(
		*[stop[field] for field in fields],
		*([Max(stop.party_name).as_("party_name")] if "party" in fields else []),
		Count(stop.name).as_("stops"),
		Sum(Case().when(stop.action == "Postpone", 1).else_(0)).as_("postponed"),
		Sum(Case().when(stop.action == "Drop", 1).else_(0)).as_("dropped"),
		Count(stop.touchpoint).distinct().as_("touchpoints"),
		Count(stop.party).distinct().as_("parties"),
		Max(stop.on_date).as_("last_on"),
	).groupby(*groups)
	rows = only_readable(query, STOP).run(as_dict=True)
	return sorted(map(as_row, rows), key=lambda row: (row.get("period") or "", -row["stops"]))


def get_days(filters: frappe._dict) -> tuple[datetime.date, datetime.date]:
	"""First and last day; the last month unless given. Raises ValidationError if they are the wrong way round."""
	last = getdate(filters.to_date)  # today where none is given
	first = getdate(filters.from_date or add_days(last, -DAYS))
	if first > last:
		frappe.throw(_("{0} must not be before {1}").format(_("To Date"), _("From Date")))
	return first, last


def get_starts(period: str, first: datetime.date, last: datetime.date) -> list[datetime.date]:
	"""The first days of the weeks (Mondays) or months from ``first`` to ``last``."""
	monthly = period == "Month"
	day = getdate(get_first_day(first)) if monthly else getdate(add_days(first, -first.weekday()))
	starts = []
	while day <= last:
		starts.append(day)
		day = getdate(add_months(day, 1) if monthly else add_days(day, 7))
	if len(starts) > MOST_PERIODS:
		frappe.throw(_("{0}: choose a shorter time, or months.").format(_("Period", context="Contact Stop")))
	return starts


def get_period(stop: Any, starts: list[datetime.date]) -> Any:
	"""The first day of the period that a row falls into, as text; every database compares dates alike."""
	case = Case()
	for start, following in pairwise(starts):
		case = case.when(stop.on_date < following, str(start))
	return (
		case.else_(str(starts[-1]))
		if len(starts) > 1
		else Case().when(stop.on_date.isnotnull(), str(starts[0]))
	)


def as_row(row: dict[str, Any]) -> dict[str, Any]:
	"""Whole numbers, whatever the database made of the sums."""
	return row | {name: int(row[name] or 0) for name in ("stops", "postponed", "dropped")}


def get_columns(fields: tuple[str, ...], period: str | None) -> list[dict[str, Any]]:
	"""Typed columns."""
	columns = [column("period", _("From"), "Date")] if period else []
	if "party" in fields:
		columns += [
			column("party_type", _("Party Type"), "Data"),
			column("party", _("Party"), "Dynamic Link", options="party_type", width=160),
			column("party_name", _("Party Name"), "Data", width=180),
		]
	meta = frappe.get_meta(STOP)
	columns += [
		column(field, _(meta.get_label(field)), "Link", options=LINKS[field], width=200)
		for field in fields
		if field in LINKS
	]
	columns += [
		column("stops", _("Held Back"), "Int"),
		column("postponed", _("Postponed"), "Int"),
		column("dropped", _("Dropped"), "Int"),
		column("touchpoints", _("Touchpoints"), "Int"),
	]
	if "party" not in fields:
		columns.append(column("parties", _("Customers and Leads"), "Int", width=170))
	return [*columns, column("last_on", _("Last On"), "Date")]


def column(fieldname: str, label: str, fieldtype: str, width: int = 110, **values: Any) -> dict[str, Any]:
	"""A column of the report."""
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **values}

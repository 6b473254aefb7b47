"""Occasions of one party in the days ahead: those its plans use, and the dates that its documents carry.

Planning asks the same of all parties at once (``backends.site_care``); here one party is looked up by its key.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import frappe
from frappe.utils import cint, getdate

from crm_retention.closed_doctypes import why_closed
from crm_retention.parties import PARTY_TYPES
from crm_retention.plans.configuration import get_days
from crm_retention.plans.occasions import anniversary
from crm_retention.readable import may_read_field
from crm_retention.views.access import may_read_any

DAYS_AHEAD = 90
MOST_DOCUMENTS = 100


def get_ahead(
	party_type: str, party: str, plans: list[str], as_of: datetime.date, days: int = DAYS_AHEAD
) -> list[dict[str, Any]]:
	"""occasion, day, in_days, and the document that carries the date or the steps that use it; soonest first.

	``plans`` are the names of the plans that the party is treated by.
	"""
	until = as_of + datetime.timedelta(days=days)
	steps = get_steps(plans)
	found = []
	for doc in frappe.get_all("Care Occasion", {"enabled": 1}, ["*"], order_by="name", limit=0):
		if doc.kind == "Date Field":
			dates = get_field_dates(doc, party_type, party, as_of, until)
		elif doc.name in steps:
			years = range(as_of.year, until.year + 1)
			dates = [(day, None) for day in get_days(doc, years) if as_of <= day <= until]
		else:
			continue
		for day, document in dates:
			row = {"occasion": doc.name, "day": str(day), "in_days": (day - as_of).days}
			found.append(row | {"document": document, "steps": steps.get(doc.name, [])})
	return sorted(found, key=lambda row: (row["day"], row["occasion"]))


def get_steps(plans: list[str]) -> dict[str, list[str]]:
	"""Names of the steps that use each occasion."""
	if not plans:
		return {}
	filters = {"parent": ("in", plans), "parenttype": "Maintenance Plan", "timing": "Occasion"}
	steps: dict[str, list[str]] = {}
	for row in frappe.get_all(
		"Maintenance Plan Step", filters, ["occasion", "step_name"], order_by="parent, idx"
	):
		steps.setdefault(row.occasion, []).append(row.step_name)
	return steps


def get_field_dates(
	doc: Any, party_type: str, party: str, as_of: datetime.date, until: datetime.date
) -> Iterable[tuple[datetime.date, dict[str, str] | None]]:
	"""The days of an occasion from ``as_of`` to ``until``, with the document that has the date."""
	for row in get_documents(doc, party_type, party):
		document = {"doctype": doc.document_type, "name": row.name}
		for day in get_returns(getdate(row.day), doc, as_of, until):
			yield day, (None if (doc.document_type, row.name) == (party_type, party) else document)


def get_returns(
	first: datetime.date, doc: Any, as_of: datetime.date, until: datetime.date
) -> list[datetime.date]:
	"""The date itself, or its anniversaries, within the days."""
	if not cint(doc.every_year):
		return [first] if as_of <= first <= until else []
	leap = doc.leap_day or "28 February"
	days = (anniversary(first, year, leap) for year in range(as_of.year, until.year + 1))
	return [day for day in days if day and as_of <= day <= until]


def get_documents(doc: Any, party_type: str, party: str) -> list[Any]:
	"""name and day of the documents with the date that belong to the party and that the user may read."""
	doctype, field = doc.document_type, doc.date_field
	if not doctype or not frappe.db.exists("DocType", doctype) or not may_read_any(doctype):
		return []
	if why_closed(doctype) or not may_read_field(doctype, field):
		return []
	meta = frappe.get_meta(doctype)
	filters = get_party_filters(doc, meta, party_type, party)
	if filters is None or not meta.has_field(field):
		return []
	filters += [[doctype, field, "is", "set"], [doctype, "docstatus", "<", 2]]
	fields = ["name", f"`tab{doctype}`.`{field}` as day"]
	return frappe.get_list(doctype, filters=filters, fields=fields, limit=MOST_DOCUMENTS, distinct=True)


def get_party_filters(doc: Any, meta: Any, party_type: str, party: str) -> list[list[Any]] | None:
	"""What leads from the documents to the party; None where nothing does."""
	doctype = meta.name
	field = meta.get_field(doc.party_field) if doc.party_field else None
	if doc.party_field and not field:
		return None
	if field and field.fieldtype == "Dynamic Link":
		return [[doctype, field.options, "=", party_type], [doctype, field.fieldname, "=", party]]
	if field:
		same = field.fieldtype == "Link" and field.options == party_type
		return [[doctype, field.fieldname, "=", party]] if same else None
	if doctype in PARTY_TYPES:
		return [[doctype, "name", "=", party]] if doctype == party_type else None
	if not any(df.options == "Dynamic Link" for df in meta.get_table_fields()):
		return None
	link = "Dynamic Link"
	return [[link, "link_doctype", "=", party_type], [link, "link_name", "=", party]]

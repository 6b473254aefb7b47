"""How complete the log is, by party and department: of the facts that its kinds require, which are missing."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Count, Max, Sum
from frappe.utils import add_days, cint, flt, getdate

from crm_retention.arguments import read_filters
from crm_retention.views.access import only_readable

LOG = "Interaction Log"
DAYS = 90
MOST_ROWS = 2000
NUMBERS = ("minutes",)
GROUPS = {
	"Party and Department": ("party_type", "party", "department"),
	"Party": ("party_type", "party"),
	"Department": ("department",),
}
EQUAL = ("party_type", "party", "kind", "department", "user")


def execute(filters: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
	"""Columns and rows, the most missing first. Filters: from_date, to_date, group_by, below (percent) and ``EQUAL``."""
	filters = read_filters(filters, ("from_date", "to_date"), (*EQUAL, "group_by"))
	facts = get_required_facts(filters.kind)
	fields = GROUPS.get(filters.group_by, GROUPS["Party and Department"])
	return get_columns(fields, facts), get_rows(filters, fields, facts)


def get_required_facts(kind: str | None = None) -> dict[str, list[str]]:
	"""The kinds that require a fact, by fact."""
	conditions = {"parenttype": "Interaction Kind"} | ({"parent": kind} if kind else {})
	facts: dict[str, list[str]] = {}
	for row in frappe.get_all("Interaction Fact", conditions, ["fact", "parent"], order_by="fact, parent"):
		facts.setdefault(row.fact, []).append(row.parent)
	return facts


def get_rows(
	filters: frappe._dict, fields: tuple[str, ...], facts: dict[str, list[str]]
) -> list[dict[str, Any]]:
	"""One row a group: interactions, required facts, those present, completeness in percent, and what is missing."""
	if not facts:
		return []
	log = frappe.qb.DocType(LOG)
	missing = {fact: Sum(get_missing(log, fact, kinds)) for fact, kinds in facts.items()}
	required = Sum(total(Case().when(log.kind.isin(kinds), 1).else_(0) for kinds in facts.values()))
	lacking = total(missing.values())
	query = get_query(log, filters).select(
		*[log[field] for field in fields],
		Max(log.party_name).as_("party_name"),
		Count(log.name).as_("interactions"),
		required.as_("required"),
		*[value.as_(f"missing_{fact}") for fact, value in missing.items()],
	)
	query = query.groupby(*[log[field] for field in fields]).having(required > 0)
	if filters.below:
		query = query.having((required - lacking) * 100 < required * flt(filters.below))
	rows = query.orderby(lacking, order=frappe.qb.desc).limit(MOST_ROWS).run(as_dict=True)
	return [with_score(row, facts) for row in rows]


def get_query(log: Any, filters: frappe._dict) -> Any:
	"""Rows of the period that no other row corrects and that the user's list has."""
	other = frappe.qb.DocType(LOG).as_("other")
	corrected = frappe.qb.from_(other).select(other.supersedes).where(other.supersedes.isnotnull())
	last = getdate(filters.to_date)  # today where none is given
	start = getdate(filters.from_date or add_days(last, -DAYS))
	end = getdate(add_days(last, 1))
	query = frappe.qb.from_(log).where(log.occurred_on >= start).where(log.occurred_on < end)
	query = query.where(log.name.notin(corrected))
	for field in EQUAL:
		if filters.get(field):
			query = query.where(log[field] == filters[field])
	return only_readable(query, LOG)


def get_missing(log: Any, fact: str, kinds: list[str]) -> Any:
	"""1 where the fact is required and missing, else 0."""
	empty = Coalesce(log[fact], 0) == 0 if fact in NUMBERS else Coalesce(log[fact], "") == ""
	return Case().when(log.kind.isin(kinds) & empty, 1).else_(0)


def total(terms: Any) -> Any:
	"""The sum of some terms."""
	first, *rest = terms
	for term in rest:
		first = first + term
	return first


def with_score(row: dict[str, Any], facts: dict[str, list[str]]) -> dict[str, Any]:
	"""The row with how many facts are present and the share of them, 0 to 100."""
	required = cint(row["required"])
	present = required - sum(cint(row[f"missing_{fact}"]) for fact in facts)
	return row | {"required": required, "present": present, "completeness": 100 * present / required}


def get_columns(fields: tuple[str, ...], facts: dict[str, list[str]]) -> list[dict[str, Any]]:
	"""Typed columns; one for each fact that some kind requires."""
	meta = frappe.get_meta(LOG)
	columns = []
	if "party" in fields:
		columns += [
			column("party_type", _("Party Type"), "Data", width=100),
			column("party", _("Party"), "Dynamic Link", options="party_type", width=160),
			column("party_name", _("Party Name"), "Data", width=180),
		]
	if "department" in fields:
		columns.append(column("department", _("Department"), "Link", options="Department", width=150))
	columns += [
		column("interactions", _("Interactions"), "Int"),
		column("required", _("Required Facts"), "Int"),
		column("present", _("Present"), "Int"),
		column("completeness", _("Completeness"), "Percent", width=120),
	]
	for fact in facts:
		label = _("Missing: {0}").format(_(meta.get_label(fact)))
		columns.append(column(f"missing_{fact}", label, "Int", width=140))
	return columns


def column(fieldname: str, label: str, fieldtype: str, width: int = 110, **values: Any) -> dict[str, Any]:
	"""A column of the report."""
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **values}

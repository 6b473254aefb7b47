"""My Day: what a person has to do, for the desk's page, phones and other clients. docs/api.md shows the calls."""

from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from pypika import Case

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Word
from crm_retention.care import rules
from crm_retention.care.my_day import Day, get_my_day
from crm_retention.jobs.runs import today
from crm_retention.permissions import only_where, touchpoint_query


@endpoint()
def my_day(user: Word | None = None) -> Day:
	"""The day of the session's user, or of ``user`` for managers ("Nobody": what has no responsible person).

	Raises PermissionError for the day of somebody else.
	"""
	frappe.has_permission("Touchpoint", "read", throw=True)
	wanted = user or frappe.session.user
	if wanted != frappe.session.user and not rules.is_manager():
		frappe.throw(_("Only Retention Managers see the day of others."), frappe.PermissionError)
	return get_my_day("" if wanted == "Nobody" else wanted, today())


@endpoint()
def people() -> list[dict[str, Any]]:
	"""Whose day a manager may look at: {user, full_name, open, overdue}, busiest first; [] for others."""
	frappe.has_permission("Touchpoint", "read", throw=True)
	if not rules.is_manager():
		return []
	t, user = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("User")
	late = Case().when(t.due_date < today(), 1).else_(0)
	query = (
		frappe.qb.from_(t)
		.left_join(user)
		.on(user.name == t.assigned_to)
		.select(t.assigned_to.as_("user"), user.full_name, Count("*").as_("open"), Sum(late).as_("overdue"))
		.where(t.status == "Open")
		.groupby(t.assigned_to, user.full_name)
	)
	rows = only_where(query, touchpoint_query()).run(as_dict=True)
	return sorted(rows, key=lambda row: (not row.user, -row.open, row.user or ""))

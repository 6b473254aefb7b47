"""Whoever may not read a party sees nothing of it: one rule for lists, reports, charts and single records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frappe
from pypika.terms import LiteralValue

from crm_retention import compat
from crm_retention.parties import PARTY_TYPES
from crm_retention.sql_text import without_percent_signs

if TYPE_CHECKING:
	from frappe.model.document import Document


def get_party_condition(doctype: str, user: str | None = None) -> str:
	"""SQL over ``doctype`` (with party_type and party) that keeps the rows of parties that ``user`` may list.

	Frappe's own list query of each party type is the condition, so that roles, user permissions, shares and
	other apps' rules all apply. Empty when nothing is hidden. The query builder takes it with ``only_where``.
	"""
	parts = [_get_type_condition(doctype, party_type, user) for party_type in PARTY_TYPES]
	if all(hides_nothing for _sql, hides_nothing in parts):
		return ""
	return "(" + " or ".join(sql for sql, _hides_nothing in parts) + ")"


def _get_type_condition(doctype: str, party_type: str, user: str | None) -> tuple[str, bool]:
	of_type = f"`tab{doctype}`.`party_type` = {frappe.db.escape(party_type)}"
	query = get_readable_query(party_type, user)
	if query is None:
		return "1 = 0", False
	if " where " not in f" {' '.join(query.lower().split())} ":
		return of_type, True
	return f"({of_type} and `tab{doctype}`.`party` in ({query}))", False


def get_readable_query(party_type: str, user: str | None = None) -> str | None:
	"""The SQL that lists the names of all parties of a type that ``user`` may read; None if there are none."""
	try:
		query = compat.get_list_sql(
			party_type,
			fields=[f"`tab{party_type}`.`name`"],
			user=user or frappe.session.user,
			order_by=None,
			limit=0,
			as_list=True,
		)
	except frappe.PermissionError:
		frappe.clear_last_message()
		return None
	return without_percent_signs(query)


def only_where(query: Any, condition: str) -> Any:
	"""The query builder's ``query`` under a condition in SQL; the same query where the condition is empty.

	Statements of the query builder are run with parameters, so that % is written twice.
	"""
	return query.where(LiteralValue(condition.replace("%", "%%"))) if condition else query


def retention_profile_query(user: str | None = None) -> str:
	"""List filter of Retention Profile."""
	return get_party_condition("Retention Profile", user)


def tier_change_query(user: str | None = None) -> str:
	"""List filter of Tier Change."""
	return get_party_condition("Tier Change", user)


def interaction_log_query(user: str | None = None) -> str:
	"""List filter of Interaction Log."""
	return get_party_condition("Interaction Log", user)


def touchpoint_query(user: str | None = None) -> str:
	"""List filter of Touchpoint."""
	return get_party_condition("Touchpoint", user)


def plan_enrollment_query(user: str | None = None) -> str:
	"""List filter of Plan Enrollment."""
	return get_party_condition("Plan Enrollment", user)


def contact_preference_query(user: str | None = None) -> str:
	"""List filter of Contact Preference."""
	return get_party_condition("Contact Preference", user)


def contact_stop_query(user: str | None = None) -> str:
	"""List filter of Contact Stop."""
	return get_party_condition("Contact Stop", user)


def has_party_permission(doc: Document, user: str | None = None) -> bool:
	"""Whether ``user`` may read the party of a single record."""
	if not doc.get("party_type") or not doc.get("party"):
		return True
	if not frappe.db.exists(doc.party_type, doc.party):
		return False
	return bool(frappe.has_permission(doc.party_type, "read", doc.party, user=user or frappe.session.user))

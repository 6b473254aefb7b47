"""Whoever may not read a party sees nothing of it: one rule for lists, reports, charts and single records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import frappe
from pypika.terms import LiteralValue

from crm_retention import compat
from crm_retention.parties import PARTY_TYPES
from crm_retention.sql_text import without_percent_signs

if TYPE_CHECKING:
	from frappe.model.document import Document

REASONS = "has_permission_check_logs"  # Frappe's flag
MANAGERS = {"Retention Manager", "System Manager"}


def get_party_condition(doctype: str, user: str | None = None) -> str:
	"""SQL over ``doctype`` (with party_type and party) that keeps the rows of parties that ``user`` may list.

	Frappe's own list query of each party type is the condition, so that roles, user permissions, shares and
	other apps' rules all apply. Rows of a party that was deleted are for managers from whom nothing is hidden.
	Empty when nothing is hidden. The query builder takes it with ``only_where``.
	"""
	parts = [_get_type_condition(doctype, party_type, user) for party_type in PARTY_TYPES]
	sees_all = all(is_whole for _sql, is_whole in parts)
	conditions = [] if sees_all else ["(" + " or ".join(sql for sql, _is_whole in parts) + ")"]
	if not (sees_all and is_manager(user)) and has_deleted_parties(doctype):
		conditions.append(f"`tab{doctype}`.`party_deleted` = 0")
	return " and ".join(conditions)


def _get_type_condition(doctype: str, party_type: str, user: str | None) -> tuple[str, bool]:
	of_type = f"`tab{doctype}`.`party_type` = {frappe.db.escape(party_type)}"
	query = get_readable_query(party_type, user)
	if query is None:
		return "1 = 0", False
	if hides_nothing(query):
		return of_type, True
	return f"({of_type} and `tab{doctype}`.`party` in ({query}))", False


def get_readable_query(doctype: str, user: str | None = None) -> str | None:
	"""The SQL that lists the names of all documents of a type that ``user`` may read; None if there are none."""
	try:
		query = compat.get_list_sql(
			doctype,
			fields=[f"`tab{doctype}`.`name`"],
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


def hides_nothing(query: str) -> bool:
	"""Whether a list query has no condition."""
	return " where " not in f" {' '.join(query.lower().split())} "


def is_manager(user: str | None = None) -> bool:
	"""Whether ``user`` manages retention."""
	user = user or frappe.session.user
	return user == "Administrator" or bool(MANAGERS.intersection(frappe.get_roles(user)))


def has_deleted_parties(doctype: str) -> bool:
	"""Whether any row is of a party that was deleted; answered by an index, so that usual lists pay nothing."""
	return frappe.get_meta(doctype).has_field("party_deleted") and bool(
		frappe.db.exists(doctype, {"party_deleted": 1})
	)


def retention_profile_query(user: str | None = None) -> str:
	"""List filter of Retention Profile."""
	return get_party_condition("Retention Profile", user)


def tier_change_query(user: str | None = None) -> str:
	"""List filter of Tier Change."""
	return get_party_condition("Tier Change", user)


def interaction_log_query(user: str | None = None) -> str:
	"""List filter of Interaction Log: of parties, and of the documents that rows were captured from."""
	from crm_retention.origins import get_origin_condition

	conditions = (get_party_condition("Interaction Log", user), get_origin_condition(user))
	return " and ".join(condition for condition in conditions if condition)


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
	"""Whether ``user`` may have anything to do with a single record.

	Judged on what is stored, by the condition of the list, and on what was sent: a record of a hidden party is not
	reached by sending a party of one's own, and a record of one's own is not given to a hidden party.
	"""
	stored, sent = get_stored(doc), (doc.get("party_type"), doc.get("party"))
	if stored and not is_listed(doc.doctype, doc.name, user):
		return False
	if stored and not may_read_party(*stored, user, gone=True):
		return False
	return sent == stored or may_read_party(*sent, user)


def get_stored(doc: Document) -> tuple[str | None, str | None] | None:
	"""(party_type, party) of a record as the database has it; None for one that is not stored."""
	name = doc.get("name")
	row: Any = name and frappe.db.get_value(doc.doctype, str(name), ["party_type", "party"])
	return tuple(row) if row else None


def is_listed(doctype: str, name: str, user: str | None) -> bool:
	"""Whether the list of ``user`` has a stored record, as far as its party and its origin go."""
	condition = QUERIES[doctype](user)
	if not condition:
		return True
	named = f"`name` = {frappe.db.escape(name, percent=False)}"
	return bool(frappe.db.sql(f"select 1 from `tab{doctype}` where {named} and {condition}"))


def may_read_party(party_type: Any, party: Any, user: str | None, gone: bool = False) -> bool:
	"""Whether ``user`` may read a party that a record names; ``gone``: what to say of one that does not exist.

	A record that names none is not saved: a form begins with it. What is no text names nothing, and Frappe would
	look for it as a filter or a number.
	"""
	if party_type in (None, "") or party in (None, ""):
		return True
	if not isinstance(party, str) or party_type not in PARTY_TYPES:
		return gone
	if not frappe.db.exists(party_type, party):
		return gone
	with unsaid():
		return bool(frappe.has_permission(party_type, "read", party, user=user or frappe.session.user))


@contextmanager
def unsaid() -> Iterator[None]:
	"""Why something may not be read is nobody's business: Frappe's reasons name what is hidden.

	They go to the messages, and where a permission is asked for within another one to the reasons of that one.
	"""
	messages, reasons = list(frappe.local.message_log), frappe.flags.get(REASONS)
	kept = {} if reasons is None else {REASONS: list(reasons)}
	try:
		yield
	finally:
		frappe.local.message_log = messages
		frappe.flags.pop(REASONS, None)
		frappe.flags.update(kept)


QUERIES = {
	"Contact Preference": contact_preference_query,
	"Contact Stop": contact_stop_query,
	"Interaction Log": interaction_log_query,
	"Plan Enrollment": plan_enrollment_query,
	"Retention Profile": retention_profile_query,
	"Tier Change": tier_change_query,
	"Touchpoint": touchpoint_query,
}

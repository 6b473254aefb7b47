"""The parties that the user may read, as a relation: what is counted for somebody counts nobody whom that person may not see."""

from __future__ import annotations

from typing import Any

import frappe
import ibis.expr.types as ir
import numpy as np

from crm_retention.parties import PARTY_TYPES
from crm_retention.readable import may_read_all
from crm_retention.site.memory import SiteBackend

WORK_TABLE = "seen"


def sees_all_parties() -> bool:
	"""Whether no customer and no lead is hidden from the user."""
	return all(may_read_all(party_type) for party_type in PARTY_TYPES)


def get_seen_parties(backend: SiteBackend) -> ir.Table | None:
	"""seen_type and seen_party of those that the user may read, as a work table; None where nothing is hidden."""
	if sees_all_parties():
		return None
	pairs = [(party_type, name) for party_type in PARTY_TYPES for name in get_seen_names(party_type)]
	columns = {
		"seen_type": np.array([party_type for party_type, _name in pairs], dtype=object),
		"seen_party": np.array([name for _type, name in pairs], dtype=object),
	}
	return backend.load(WORK_TABLE, columns)


def get_seen_names(doctype: str) -> list[str]:
	"""Names of the documents that the user's list of a DocType has."""
	return get_seen(doctype, {}, "name")


def get_seen(doctype: str, conditions: dict[str, Any], field: str) -> list[Any]:
	"""A field of the documents that fit and that the user's list of their type has."""
	try:
		return frappe.get_list(doctype, filters=conditions, pluck=field, order_by=field, limit=0)
	except frappe.PermissionError:
		frappe.clear_last_message()
		return []


def get_counted(doctype: str, conditions: dict[str, Any], field: str) -> list[Any]:
	"""A field of the documents that count for the user: all that fit, or where parties are hidden those that the user sees."""
	if sees_all_parties():
		return frappe.get_all(doctype, conditions, pluck=field, limit=0)
	return get_seen(doctype, conditions, field)


def count(doctype: str, conditions: dict[str, Any]) -> int:
	"""How many documents count for the user, see ``get_counted``."""
	if sees_all_parties():
		return frappe.db.count(doctype, conditions)
	return len(get_seen(doctype, conditions, "name"))


def only_seen(table: ir.Table, seen: ir.Table | None, party: str = "party") -> ir.Table:
	"""Rows of parties that are seen, of a table with ``party_type`` and in ``party`` the party's name; all without ``seen``."""
	if seen is None:
		return table
	return table.semi_join(seen, [table.party_type == seen.seen_type, table[party] == seen.seen_party])

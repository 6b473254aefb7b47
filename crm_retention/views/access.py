"""What the session's user may read: rows of our DocTypes as an SQL condition, and documents that these rows name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import frappe
from frappe.permissions import get_role_permissions

from crm_retention import compat

Document = tuple[str, str]


def may_read_any(doctype: str) -> bool:
	"""Whether the user's roles read a DocType at all; a single shared record is not enough."""
	return bool(get_role_permissions(frappe.get_meta(doctype), user=frappe.session.user).get("read"))


def only_readable(query: Any, doctype: str) -> Any:
	"""The query builder's ``query`` over ``doctype`` without the rows that the user may not read.

	User permissions, shares and this app's rule about parties all apply.
	"""
	condition = compat.get_permission_criterion(doctype)
	return query if condition is None else query.where(condition)


def get_readable(documents: Iterable[Document], party: Document) -> set[Document]:
	"""Those of the (doctype, name) that the user may read; one query for each DocType.

	``party`` is one that the user may read. An email may be read with what it was written about, as in Frappe.
	"""
	wanted = by_doctype(documents)
	found = {(doctype, name) for doctype, names in wanted.items() for name in get_listed(doctype, names)}
	letters = wanted.get("Communication", set()) - {name for kind, name in found if kind == "Communication"}
	return found | get_readable_letters(letters, party)


def by_doctype(documents: Iterable[Document]) -> dict[str, set[str]]:
	"""Names by DocType, without what is empty."""
	names: dict[str, set[str]] = defaultdict(set)
	for doctype, name in documents:
		if doctype and name:
			names[doctype].add(name)
	return names


def get_listed(doctype: str, names: set[str]) -> list[str]:
	"""Those of the names that the user's list of a DocType has."""
	if not frappe.db.exists("DocType", doctype) or not may_read_any(doctype):
		return []
	return frappe.get_list(doctype, filters={"name": ("in", sorted(names))}, pluck="name", limit=0)


def get_readable_letters(names: set[str], party: Document) -> set[Document]:
	"""Communications about the party itself, or about a document that the user may read."""
	if not names:
		return set()
	fields = ["name", "reference_doctype", "reference_name"]
	rows = frappe.get_all("Communication", {"name": ("in", sorted(names))}, fields)
	about = {row.name: (row.reference_doctype, row.reference_name) for row in rows}
	others = by_doctype(subject for subject in about.values() if subject != party)
	others.pop("Communication", None)
	readable = {(kind, name) for kind, found in others.items() for name in get_listed(kind, found)}
	return {
		("Communication", name) for name, subject in about.items() if subject == party or subject in readable
	}


def get_existing(documents: Iterable[Document]) -> set[Document]:
	"""Those of the (doctype, name) that are there at all, readable or not."""
	found = set()
	for doctype, names in by_doctype(documents).items():
		if frappe.db.exists("DocType", doctype) and frappe.db.table_exists(doctype):
			rows = frappe.get_all(doctype, {"name": ("in", sorted(names))}, pluck="name", limit=0)
			found |= {(doctype, name) for name in rows}
	return found


def get_full_names(users: Iterable[str | None]) -> dict[str, str]:
	"""What people call the users, in one query."""
	wanted = sorted({user for user in users if user})
	if not wanted:
		return {}
	rows = frappe.get_all("User", {"name": ("in", wanted)}, ["name", "full_name"], limit=0)
	return {row.name: row.full_name or row.name for row in rows}

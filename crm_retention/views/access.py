"""What the session's user may read: one document, rows of our DocTypes as an SQL condition, documents that rows name.

Whoever asks for a document that is not there and for one that is not theirs gets the same answer, after the same query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.permissions import get_role_permissions

from crm_retention import compat
from crm_retention.parties import PARTY_TYPES
from crm_retention.permissions import unsaid

Document = tuple[str, str]


def check_party(party_type: str, party: str) -> str:
	"""The name of a Customer or Lead as it is stored. Raises PermissionError unless it is there and may be read."""
	if party_type not in PARTY_TYPES:
		frappe.throw(_("party_type: {0} is not a kind of party").format(escape(party_type)))
	if not isinstance(party, str) or not party.strip():
		frappe.throw(_("{0} is missing.").format("party"), frappe.MandatoryError)
	return get_document(party_type, party).name


def get_document(doctype: str, name: str, for_update: bool = False) -> Any:
	"""A document that may be read. Raises PermissionError, whether it is there or not."""
	stored = find_listed(doctype, name)
	if stored:
		doc = frappe.get_doc(doctype, stored, for_update=for_update)
		if may(doc, "read"):
			return doc
	message = _("{0} {1} does not exist, or you may not see it.")
	frappe.throw(message.format(_(doctype), escape(name)), frappe.PermissionError)


def is_readable(doctype: str, name: str) -> bool:
	"""Whether a document is there and may be read."""
	stored = find_listed(doctype, name)
	return bool(stored) and may(frappe.get_doc(doctype, stored), "read")


def may_change(doctype: str, name: str) -> bool:
	"""Whether a document is there and may be read and written."""
	stored = find_listed(doctype, name)
	doc = frappe.get_doc(doctype, stored) if stored else None
	return bool(doc) and may(doc, "read") and may(doc, "write")


def find_listed(doctype: str, name: str) -> str | None:
	"""The stored name of a document that the user's list of the DocType has."""
	messages = list(frappe.local.message_log)
	try:
		rows = frappe.get_list(doctype, filters={"name": str(name)}, pluck="name", limit=1)
	except frappe.PermissionError:
		frappe.local.message_log = messages
		return None
	return rows[0] if rows else None


def may(doc: Any, permission: str) -> bool:
	"""Whether the user has a permission on a document; why not is nobody's business."""
	with unsaid():
		return bool(frappe.has_permission(doc.doctype, permission, doc=doc))


def escape(text: Any) -> str:
	"""Text of a client as a message may repeat it."""
	return frappe.utils.escape_html(str(text)[:140])


def may_read_any(doctype: str, user: str | None = None) -> bool:
	"""Whether the user's roles read a DocType at all; a single shared record is not enough."""
	return bool(get_role_permissions(frappe.get_meta(doctype), user=user or frappe.session.user).get("read"))


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


def get_full_names(users: Iterable[str | None]) -> dict[str, str]:
	"""What people call the users, in one query."""
	wanted = sorted({user for user in users if user})
	if not wanted:
		return {}
	rows = frappe.get_all("User", {"name": ("in", wanted)}, ["name", "full_name"], limit=0)
	return {row.name: row.full_name or row.name for row in rows}

"""Who may care for a party, and for what is written to it."""

from __future__ import annotations

import frappe


def may_care(user: str, party_type: str, party: str) -> bool:
	"""Whether a touchpoint of the party can be this user's: enabled, and may read the party."""
	if not frappe.db.get_value("User", user, "enabled"):
		return False
	return bool(frappe.has_permission(party_type, "read", party, user=user))


def may_tell(user: str, doctype: str, name: str) -> bool:
	"""Whether what a document says may stand in a message of the user's: it is there, and theirs to read."""
	return bool(frappe.db.exists(doctype, name)) and may_care(user, doctype, name)

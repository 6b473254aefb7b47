"""Who may care for a party, and how a touchpoint that may not be is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe
from frappe import _

if TYPE_CHECKING:
	from frappe.model.document import Document


def may_care(user: str, party_type: str, party: str) -> bool:
	"""Whether a touchpoint of the party can be this user's: enabled, and may read the party."""
	if not frappe.db.get_value("User", user, "enabled"):
		return False
	return bool(frappe.has_permission(party_type, "read", party, user=user))


def throw_field(
	doc: Document, field: str, message: str, error: type[Exception] = frappe.ValidationError
) -> None:
	"""Refuse, naming the field."""
	frappe.throw(_("{0}: {1}").format(_(doc.meta.get_label(field)), message), error)

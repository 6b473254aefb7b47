"""Following a document: Frappe mails its changes and comments to whoever follows it, and asks nobody whether they may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe

from crm_retention.batches import read_in_batches
from crm_retention.parties import PARTY_TYPES
from crm_retention.permissions import unsaid
from crm_retention.records import RECORDS

if TYPE_CHECKING:
	from frappe.model.document import Document

FOLLOW = "Document Follow"
JUDGED = (*RECORDS, *PARTY_TYPES)


def on_update(follow: Document, _method: str | None = None) -> None:
	"""Nobody follows a customer, or a record of one, that they may not read.

	Frappe follows by itself what somebody saves, comments on or is assigned to: to refuse would refuse that, too.
	"""
	if follow.ref_doctype in JUDGED and not may_follow(follow):
		frappe.db.delete(FOLLOW, {"name": follow.name})


def drop_unreadable() -> int:
	"""End the following of what its follower may not read any more; returns how many."""
	follow, dropped = frappe.qb.DocType(FOLLOW), 0
	query = frappe.qb.from_(follow).select(follow.name, follow.user, follow.ref_doctype, follow.ref_docname)
	for row in read_in_batches(query.where(follow.ref_doctype.isin(JUDGED)), follow.name):
		if not may_follow(row):
			frappe.db.delete(FOLLOW, {"name": row.name})
			dropped += 1
	return dropped


def may_follow(follow: Document | frappe._dict) -> bool:
	"""Whether the follower may read the document; whether it is there is nobody's business either."""
	if not frappe.db.exists(follow.ref_doctype, follow.ref_docname):
		return False
	doc = frappe.get_doc(follow.ref_doctype, follow.ref_docname)
	with unsaid():
		return bool(frappe.has_permission(doc.doctype, "read", doc=doc, user=follow.user))

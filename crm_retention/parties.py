"""A party is a Customer or a Lead; its profile and its history follow it when it is renamed, merged or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe
from frappe.model.rename_doc import rename_doc

if TYPE_CHECKING:
	from frappe.model.document import Document

PARTY_TYPES = ("Customer", "Lead")
COMPUTED_FIELDS = ("retention_tier", "retention_stage")


def profile_name(party_type: str, party: str) -> str:
	"""The name of a party's Retention Profile, and its key in the engine: unique over all kinds of party."""
	return party if party_type == "Customer" else f"{party_type}: {party}"


def before_party_rename(doc: Document, _method: str, old: str, _new: str, merge: bool = False) -> None:
	"""Merging keeps what the surviving party has: two profiles of one party cannot exist."""
	if merge:
		delete_party_records(doc.doctype, old)


def after_party_rename(doc: Document, _method: str, old: str, new: str, merge: bool = False) -> None:
	"""Profile and history go by the new name, whoever renames and whatever Frappe's map of links knew."""
	if merge:
		return
	for doctype in ("Retention Profile", "Tier Change"):
		table = frappe.qb.DocType(doctype)
		of_party = (table.party_type == doc.doctype) & (table.party == old)
		frappe.qb.update(table).set(table.party, new).where(of_party).run()
	before, after = profile_name(doc.doctype, old), profile_name(doc.doctype, new)
	if frappe.db.exists("Retention Profile", before):
		rename_doc("Retention Profile", before, after, force=True, ignore_permissions=True, show_alert=False)


def keep_computed_fields(doc: Document, _method: str | None = None) -> None:
	"""Only the cycle sets tier and stage: a form that was open while it ran, or an import, does not undo it."""
	stored = doc.get_doc_before_save()
	for field in COMPUTED_FIELDS:
		doc.set(field, stored.get(field) if stored else None)


def on_party_trash(doc: Document, _method: str | None = None) -> None:
	"""Leaves nothing of a deleted party behind."""
	delete_party_records(doc.doctype, doc.name)


def delete_party_records(party_type: str, party: str) -> None:
	"""Deletes a party's profile and tier changes."""
	frappe.db.delete("Tier Change", {"party_type": party_type, "party": party})
	for name in frappe.get_all("Retention Profile", {"party_type": party_type, "party": party}, pluck="name"):
		frappe.delete_doc(
			"Retention Profile", name, force=True, ignore_permissions=True, delete_permanently=True
		)

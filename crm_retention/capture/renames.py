"""Documents that are renamed keep their rows in the log: the next sweep finds them by their new name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe

from crm_retention.capture.candidates import LOG

if TYPE_CHECKING:
	from frappe.model.document import Document


def after_rename(doc: Document, _method: str, old: str, new: str, merge: bool = False) -> None:
	"""Put the new name into the keys of what a document had logged.

	Of a document that is merged into another both rows stay, the merged one without a key.
	"""
	if frappe.flags.in_install or not is_captured(doc.doctype):
		return
	filters = {"reference_doctype": doc.doctype, "reference_name": ("in", (old, new))}
	fields = ["name", "source", "reference_key"]
	for row in frappe.get_all(LOG, filters=filters, fields=fields, limit=0):
		before, after = (f"{row.source}|{doc.doctype}|{name}" for name in (old, new))
		if not (row.reference_key or "").startswith(before):
			continue
		rest = row.reference_key[len(before) :]
		if rest and not rest.startswith("|"):
			continue  # of a document whose name begins with the old one
		values = {"reference_key": None if merge else after + rest, "reference_name": new}
		frappe.db.set_value(LOG, row.name, values, update_modified=False)


def is_captured(doctype: str) -> bool:
	"""Whether any source reads documents of this type."""
	return bool(frappe.db.table_exists(LOG)) and bool(
		frappe.db.exists("Interaction Source", {"document_type": doctype})
	)

"""Rows of the past go on saying what they said: what they name is not merged, and their words are not deleted.

To rename a word without merging changes how it is written, and nothing of what was said with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe
from frappe import _

from crm_retention.departures import HISTORY
from crm_retention.parties import PARTY_TYPES

if TYPE_CHECKING:
	from frappe.model.document import Document

# two records of one person are one person: their rows go together
PEOPLE = (*PARTY_TYPES, "Contact")
# Frappe lets them be deleted though rows of the log name them
VOCABULARY = ("Contact Channel", "Interaction Kind")


def before_rename(doc: Document, _method: str, old: str, _new: str, merge: bool = False) -> None:
	"""Raises ValidationError for a merge that would change what rows of the past say."""
	if not merge or doc.doctype in PEOPLE or frappe.flags.in_install:
		return
	if doctype := get_naming(doc.doctype, old):
		message = _("{0} {1} is named in {2}: rows of the past keep what they said. Disable it instead.")
		text = message.format(_(doc.doctype), frappe.bold(frappe.utils.escape_html(old)), _(doctype))
		frappe.throw(text, title=_("Cannot Be Merged"))


def on_trash(doc: Document, _method: str | None = None) -> None:
	"""Raises LinkExistsError for a word that rows of the past are written in."""
	doctype = get_naming(doc.doctype, doc.name) if doc.doctype in VOCABULARY else None
	if doctype:
		message = _("{0} {1} is named in {2}: rows of the past keep what they said. Disable it instead.")
		text = message.format(_(doc.doctype), frappe.bold(frappe.utils.escape_html(doc.name)), _(doctype))
		frappe.throw(text, frappe.LinkExistsError)


def get_naming(doctype: str, name: str) -> str | None:
	"""A DocType of the past with a row that links to a document; None if there is none."""
	for other in HISTORY:
		for df in frappe.get_meta(other).get("fields", {"fieldtype": "Link", "options": doctype}):
			if frappe.db.exists(other, {df.fieldname: name}):
				return other
	return None

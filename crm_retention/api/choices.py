"""What the forms of sources, signals and occasions offer: the document types that whoever asks may use."""

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention import readable
from crm_retention.closed_doctypes import get_open_doctypes

FORMS = ("Interaction Source", "Retention Signal", "Care Occasion")
MOST = 50


# no postponed annotations here: Frappe checks arguments by real ones only
@frappe.whitelist()
def search_document_types(
	doctype: str = "DocType",  # noqa: ARG001
	txt: str = "",
	searchfield: str | None = None,  # noqa: ARG001
	start: int = 0,
	page_len: int = 20,
	filters: dict | list | str | None = None,  # noqa: ARG001
) -> list[list[str]]:
	"""[name] of the DocTypes that the user may make something of and whose name, or its translation, has ``txt`` in it.

	The signature is that of a search of a link field. Raises PermissionError for whoever writes none of ``FORMS``.
	"""
	if not any(frappe.has_permission(form, "write") for form in FORMS):
		frappe.throw(_("You may not change what is read of documents."), frappe.PermissionError)
	found, wanted = [], txt.strip().lower()
	first = max(cint(start), 0)
	last = first + min(max(cint(page_len), 1), MOST)
	for name in get_open_doctypes():
		if (wanted in name.lower() or wanted in _(name).lower()) and readable.may_read_all(name):
			found.append([name])
		if len(found) == last:
			break
	return found[first:]

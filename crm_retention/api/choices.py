"""What the forms of sources, signals and occasions offer: the document types that whoever asks may use."""

from typing import Annotated

import frappe
from frappe import _

from crm_retention import readable
from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Number, Values, Word
from crm_retention.closed_doctypes import get_open_doctypes

FORMS = ("Interaction Source", "Retention Signal", "Care Occasion")
MOST = 50


@endpoint()
def search_document_types(
	doctype: Word = "DocType",  # noqa: ARG001
	txt: Word = "",
	searchfield: Word | None = None,  # noqa: ARG001
	start: Annotated[int, Number(0, whole=True)] = 0,
	page_len: Annotated[int, Number(whole=True)] = 20,
	filters: Values | None = None,  # noqa: ARG001
) -> list[list[str]]:
	"""[name] of the DocTypes that the user may make something of and whose name, or its translation, has ``txt`` in it.

	The signature is that of a search of a link field. Raises PermissionError for whoever writes none of ``FORMS``.
	"""
	if not any(frappe.has_permission(form, "write") for form in FORMS):
		frappe.throw(_("You may not change what is read of documents."), frappe.PermissionError)
	found, wanted = [], txt.strip().lower()
	last = start + min(max(page_len, 1), MOST)
	for name in get_open_doctypes():
		if (wanted in name.lower() or wanted in _(name).lower()) and readable.may_read_all(name):
			found.append([name])
		if len(found) == last:
			break
	return found[start:]

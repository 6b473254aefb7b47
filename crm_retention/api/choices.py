"""What link fields offer: document types that whoever asks may use, and records of customers that they may read."""

from typing import Annotated, Any

import frappe
from frappe import _
from frappe.desk.search import relevance_sorter

from crm_retention import readable
from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Conditions, Flag, Number, Values, Word
from crm_retention.closed_doctypes import get_open_doctypes
from crm_retention.fields import check_filters
from crm_retention.records import RECORDS
from crm_retention.views.access import escape

FORMS = ("Interaction Source", "Retention Signal", "Care Occasion")
MOST = 50
# what can be searched in with a part of a text
TEXTS = ("Data", "Text", "Small Text", "Long Text", "Link", "Dynamic Link", "Select", "Read Only")


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


@endpoint()
def search_records(
	doctype: Word = "Retention Profile",
	txt: Word = "",
	searchfield: Word = "name",
	start: Annotated[int, Number(0, whole=True)] = 0,
	page_len: Annotated[int, Number(whole=True)] = 20,
	filters: Conditions | None = None,
	as_dict: Flag = False,
) -> list[Any]:
	"""What a link field, or a search for one, offers of records of customers: those of the user's list, and no others.

	Frappe's own search shows all of them to whoever asks it to ignore user permissions, which is a word that a client
	sends. A row has the name, the title and the fields of ``search_fields``. Raises ValidationError for other DocTypes,
	PermissionError for whoever may not list them.
	"""
	if doctype not in RECORDS:
		frappe.throw(_("{0}: {1} is no kind of record.").format("doctype", escape(doctype)))
	meta = frappe.get_meta(doctype)
	fields = get_shown_fields(meta, searchfield)
	rows = frappe.get_list(
		doctype,
		filters=check_filters(doctype, as_rows(filters or [])),
		or_filters=[[doctype, field, "like", f"%{txt}%"] for field in fields if is_text(meta, field) and txt],
		fields=fields,
		order_by="modified desc",
		limit_start=start,
		limit=min(max(page_len, 1), MOST),
	)
	rows.sort(key=lambda row: relevance_sorter(row, txt, True))
	return rows if as_dict else [list(row.values()) for row in rows]


def as_rows(filters: dict[str, Any] | list[Any]) -> list[Any]:
	"""Filters as rows: a dictionary has values, and pairs of an operator and a value."""
	if isinstance(filters, list):
		return filters
	pairs = {field: value if is_pair(value) else ["=", value] for field, value in filters.items()}
	return [[field, *pair] for field, pair in pairs.items()]


def is_pair(value: Any) -> bool:
	"""Whether a value says how it is compared."""
	return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def get_shown_fields(meta: Any, searchfield: str) -> list[str]:
	"""Name, title and what the DocType is searched by, each once."""
	fields = ["name", meta.title_field, searchfield, *meta.get_search_fields()]
	return [field for field in dict.fromkeys(fields) if field == "name" or meta.has_field(field)]


def is_text(meta: Any, field: str) -> bool:
	"""Whether a field holds text."""
	return field == "name" or meta.get_field(field).fieldtype in TEXTS

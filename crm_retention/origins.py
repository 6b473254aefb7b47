"""A captured row says what a document says: whoever may not read the document does not read the row.

One rule, as SQL over the Interaction Log, for lists, counts, reports, exports and single rows. The timeline of a party,
which has to show that something happened, folds such rows up instead of leaving them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import frappe

from crm_retention.permissions import get_readable_query, hides_nothing

LOG = "Interaction Log"
LETTER = "Communication"
FOLDED = "retention_rows_are_folded"


def get_origin_condition(user: str | None = None) -> str:
	"""SQL over Interaction Log that leaves out rows whose document is hidden from ``user``.

	Of a deleted document nobody can say who might read it: its rows are for those to whom its type hides nothing. A correction has the document of the row that it corrects; what was entered by hand has none. Empty where nothing is
	hidden. An email may be read with what it was written about, as in Frappe.
	"""
	if frappe.local.flags.get(FOLDED):
		return ""
	conditions = {doctype: get_document_condition(doctype, user) for doctype in get_types(LOG)}
	limited = {doctype: sql for doctype, sql in conditions.items() if sql}
	if not limited:
		return ""
	log = f"`tab{LOG}`"
	free = f"coalesce({log}.`reference_doctype`, '') not in ({', '.join(map(frappe.db.escape, limited))})"
	return f"({' or '.join([free, *limited.values()])})"


def get_document_condition(doctype: str, user: str | None) -> str:
	"""SQL that holds for the rows of a document type that ``user`` may read; empty if that is all of them."""
	of_type = f"`tab{LOG}`.`reference_doctype` = {frappe.db.escape(doctype)}"
	if not is_stored(doctype):
		return ""
	name = f"`tab{LOG}`.`reference_name`"
	query = get_readable_query(doctype, user)
	if query is not None and hides_nothing(query):
		return ""
	ways = [f"{name} in ({query})"] if query is not None else []
	if doctype == LETTER:
		ways.append(get_letter_condition(name, user))
	return f"({of_type} and ({' or '.join(ways) or '1=0'}))"


def get_letter_condition(name: str, user: str | None) -> str:
	"""SQL that holds for letters about the party itself, or about a document that ``user`` may list."""
	log = f"`tab{LOG}`"
	subjects = [
		f"(letter.`reference_doctype` = {log}.`party_type` and letter.`reference_name` = {log}.`party`)"
	]
	for doctype in get_types(LETTER):
		query = get_readable_query(doctype, user) if doctype != LETTER and is_stored(doctype) else None
		if query is not None:
			about = f"letter.`reference_doctype` = {frappe.db.escape(doctype)}"
			within = "" if hides_nothing(query) else f" and letter.`reference_name` in ({query})"
			subjects.append(f"({about}{within})")
	return f"exists (select 1 from `tab{LETTER}` letter where letter.`name` = {name} and ({' or '.join(subjects)}))"


def get_types(doctype: str) -> list[str]:
	"""The document types that rows of ``doctype`` refer to; answered by the index over them alone."""
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table).select(table.reference_doctype).distinct()
	return [name for name in query.run(pluck=True) if name]


def is_stored(doctype: str) -> bool:
	"""Whether there are documents of a type at all; an app that was removed may have left its name."""
	return bool(frappe.db.exists("DocType", doctype)) and bool(frappe.db.table_exists(doctype))


def get_shown(names: Iterable[str], user: str | None = None) -> set[str]:
	"""Those of the rows that do not tell of a hidden document."""
	rows = sorted(set(names))
	condition = get_origin_condition(user) if rows else ""
	if not condition:
		return set(rows)
	listed = ", ".join(frappe.db.escape(name, percent=False) for name in rows)
	return set(
		frappe.db.sql_list(f"select `name` from `tab{LOG}` where `name` in ({listed}) and {condition}")
	)


@contextmanager
def folded() -> Iterator[None]:
	"""Queries inside find hidden rows too, for a caller who folds them up with ``get_shown``."""
	before = frappe.local.flags.get(FOLDED)
	frappe.local.flags[FOLDED] = True
	try:
		yield
	finally:
		frappe.local.flags[FOLDED] = before

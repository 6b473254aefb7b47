"""Many documents after the pattern of one.

ERPNext itself inserts and submits the first document of a kind. The rows that this left, in every table, are the
pattern; further documents are the same rows with other names, dates and amounts, inserted in bulk. So each row
has what this version of ERPNext, with this site's custom fields, writes: ledgers included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import frappe

if TYPE_CHECKING:
	from frappe.model.document import Document

LEDGERS = ("GL Entry", "Payment Ledger Entry")
ROWS_PER_INSERT = 2000

Row = dict[str, Any]


@dataclass
class Pattern:
	"""The rows of one document by DocType: its own, its children's and its ledger entries'."""

	rows: dict[str, list[Row]]

	@classmethod
	def of(cls, doc: Document) -> Pattern:
		"""Read what the database holds of ``doc``."""
		rows = {doc.doctype: read_rows(doc.doctype, {"name": doc.name})}
		for df in doc.meta.get_table_fields():
			rows[df.options] = read_rows(df.options, {"parent": doc.name, "parenttype": doc.doctype})
		for ledger in LEDGERS:
			rows[ledger] = read_rows(ledger, {"voucher_type": doc.doctype, "voucher_no": doc.name})
		return cls({doctype: found for doctype, found in rows.items() if found})

	def first(self, doctype: str) -> Row:
		"""The first row of a DocType."""
		return self.rows[doctype][0]


def read_rows(doctype: str, filters: dict[str, Any]) -> list[Row]:
	"""Rows as stored, without what is empty anyway: a column left out gets the default of the database."""
	order = "idx" if frappe.get_meta(doctype).istable else "creation"
	found = frappe.get_all(doctype, filters=filters, fields=["*"], order_by=order, limit=0)
	keep = {name for name in frappe.db.get_table_columns(doctype) if not name.startswith("_")}
	# on SQLite a column that allows nothing has no default, and a customer without a 0 in "disabled" would be neither
	empty = (None,) if frappe.db.db_type == "sqlite" else (None, 0)
	filled = {df.fieldname for df in frappe.get_meta(doctype).fields if df.default not in (None, "", "0")}
	return [
		{
			name: value
			for name, value in row.items()
			if name in keep and (name in filled or value not in empty)
		}
		for row in found
	]


def follow(row: Row, swap: Mapping[Any, Any], **own: Any) -> Row:
	"""A row after a pattern: each value that ``swap`` names is replaced, then the fields in ``own`` are set.

	Amounts are swapped with their sign. Whole numbers of type int (idx, docstatus) are never amounts.
	"""
	new = {}
	for name, value in row.items():
		if isinstance(value, float):
			value = swap[value] if value in swap else -swap[-value] if -value in swap else value
		elif value and type(value) is not int:
			value = swap.get(value, value)
		new[name] = value
	return new | own


@dataclass
class Bulk:
	"""Rows to insert, collected by DocType and columns."""

	rows: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = field(default_factory=dict)

	def add(self, doctype: str, row: Row) -> None:
		"""Keep a row for ``insert``."""
		self.rows.setdefault((doctype, tuple(row)), []).append(list(row.values()))

	def insert(self) -> int:
		"""Insert all that was collected; returns the number of rows."""
		count = 0
		for (doctype, columns), values in self.rows.items():
			frappe.db.bulk_insert(doctype, list(columns), values, chunk_size=ROWS_PER_INSERT)
			count += len(values)
		self.rows.clear()
		return count


def new_name() -> str:
	"""A name for a row that nobody refers to."""
	return frappe.generate_hash(length=10)

"""Rows as they stand now, and not as they stood when the transaction began.

A transaction sees what was committed before its first statement. Whoever then waits for a lock that a run holds would
miss what the run wrote meanwhile: a plan that ends would leave the last touchpoints of the run open.
"""

from __future__ import annotations

from typing import Any

import frappe


def get_newest(doctype: str, filters: Any, fields: list[str]) -> list[Any]:
	"""Rows by name as dictionaries of ``fields``, locked until the transaction ends."""
	locking = frappe.db.db_type != "sqlite"  # a writer there has the database for itself
	return frappe.db.get_values(doctype, filters, fields, as_dict=True, order_by="name", for_update=locking)


def get_newest_names(doctype: str, filters: Any) -> list[str]:
	"""Names of the rows, locked until the transaction ends."""
	return [row.name for row in get_newest(doctype, filters, ["name"])]

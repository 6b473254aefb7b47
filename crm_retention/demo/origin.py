"""How documents of the demo are told from others: by their remarks."""

from __future__ import annotations

import frappe
from frappe import _

REMARKS = "Demo data of CRM Retention"
CDNOW_REMARKS = "CDNOW sample"


def refuse_real_books() -> None:
	"""Raises ValidationError where somebody else's invoices are."""
	filters: dict[str, object] = {"docstatus": 1}
	count = frappe.db.count("Sales Invoice", filters)
	count -= frappe.db.count("Sales Invoice", filters | {"remarks": ("in", (REMARKS, CDNOW_REMARKS))})
	if count:
		message = _("This site has {0} submitted Sales Invoices of its own; demo data would mix with them.")
		frappe.throw(message.format(count))

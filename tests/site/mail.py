"""What tests of mail share."""

from __future__ import annotations

import frappe


def make_outgoing_account(name: str) -> None:
	"""The account that the site sends by, inserted without a call to its server."""
	account = {"doctype": "Email Account", "email_account_name": name, "email_id": "us@example.com"}
	account |= {"enable_outgoing": 1, "default_outgoing": 1, "smtp_server": "localhost"}
	doc = frappe.get_doc(account | {"no_smtp_authentication": 1})
	before = frappe.flags.in_test, getattr(frappe, "in_test", None)
	frappe.flags.in_test = frappe.in_test = True  # the latter is Frappe 16's
	try:
		doc.insert()
	finally:
		frappe.flags.in_test, frappe.in_test = before

"""Bulk edit and import commit row by row, and what they may not write they leave."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.desk.doctype.bulk_update.bulk_update import submit_cancel_or_update_docs

from tests.site.desk import make_customer, make_profile, make_user

pytestmark = pytest.mark.commits
MANAGER = "bulk.manager@example.com"
EDIT = {"party": "Mine", "override_tier": "High Value", "override_reason": "x"}


def test_foreign_profile_is_neither_edited_nor_imported() -> None:
	for name, group in (("Mine", "Commercial"), ("Foreign", "Government")):
		make_customer(name, customer_group=group)
		make_profile(name)
	make_user(MANAGER, "Retention Manager", "Sales User")
	permission = {"doctype": "User Permission", "user": MANAGER, "allow": "Customer Group"}
	permission |= {"for_value": "Commercial", "apply_to_all_doctypes": 1}
	frappe.get_doc(permission).insert()
	frappe.db.commit()
	frappe.set_user(MANAGER)
	assert submit_cancel_or_update_docs("Retention Profile", ["Foreign"], "update", EDIT) == ["Foreign"]
	assert submit_cancel_or_update_docs("Retention Profile", ["Mine"], "update", EDIT | {"party": "Foreign"})
	row = {"doctype": "Retention Profile", "docname": "Foreign"} | EDIT
	assert frappe.client.bulk_update(json.dumps([row]))["failed_docs"]
	assert not frappe.has_permission("Retention Profile", "import")
	frappe.set_user("Administrator")
	for name in ("Mine", "Foreign"):
		assert frappe.db.get_value("Retention Profile", name, ["party", "override_tier"]) == (name, None)

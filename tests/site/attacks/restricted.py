"""People from whom part of the customers is hidden."""

from __future__ import annotations

import frappe


def make_territories(*names: str) -> None:
	"""Territories under the root of the tree."""
	root = frappe.db.get_value("Territory", {"parent_territory": ("in", ("", None))})
	for name in names:
		frappe.get_doc({"doctype": "Territory", "territory_name": name, "parent_territory": root}).insert()


def limit(user: str, territory: str) -> None:
	"""Let a user see what belongs to one territory, and no more."""
	permission = {"doctype": "User Permission", "user": user, "allow": "Territory", "for_value": territory}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", user)

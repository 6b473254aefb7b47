"""The two roles of the app."""

from __future__ import annotations

import frappe

ROLES = ("Retention Manager", "Retention User")


def create_roles() -> None:
	"""Create the roles that are missing; System Managers and Administrator need neither."""
	for name in ROLES:
		if not frappe.db.exists("Role", name):
			frappe.get_doc({"doctype": "Role", "role_name": name, "desk_access": 1}).insert(
				ignore_permissions=True
			)


def delete_roles() -> None:
	"""Delete the roles and take them from whoever has them."""
	for name in ROLES:
		for doctype in ("Has Role", "Custom DocPerm", "DocPerm"):
			frappe.db.delete(doctype, {"role": name})
		frappe.delete_doc("Role", name, force=True, ignore_permissions=True, ignore_missing=True)

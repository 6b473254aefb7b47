"""Frappe 16 made a sidebar and an icon of the workspace by itself: the app's own are imported only where there are none."""

import frappe

from crm_retention import compat

NAME = "Retention"


def execute() -> None:
	"""Delete what no file stands behind; what users made of the sidebar for themselves stays."""
	if not compat.HAS_SIDEBARS:
		return
	if frappe.db.exists("Workspace Sidebar", {"name": NAME, "standard": 0}):
		frappe.db.delete("Workspace Sidebar Item", {"parent": NAME})
		frappe.db.delete("Workspace Sidebar", {"name": NAME})
	if frappe.db.exists("Desktop Icon", {"name": NAME, "standard": 0}):
		frappe.db.delete("Desktop Icon", {"name": NAME})

"""What an uninstallation takes away besides the app's own DocTypes, which Frappe removes itself."""

from __future__ import annotations

import frappe

from crm_retention import compat
from crm_retention.setup import approval, boards, custom_fields, indexes, letters, roles, seeds
from crm_retention.site.memory import forget_spilled

MODULE = "CRM Retention"


def before_uninstall() -> None:
	"""Leave nothing behind: fields, property setters, roles, dashboards, workflows, letters, defaults."""
	custom_fields.delete_custom_fields()
	indexes.delete_indexes()
	delete_signal_fields()
	delete_records_about_doctypes()
	delete_desk_entries()
	approval.delete_workflows()
	letters.delete_letters()
	roles.delete_roles()
	seeds.forget()
	forget_spilled()


def delete_signal_fields() -> None:
	"""Custom fields on the app's own DocTypes, which a signal or an admin made."""
	for doctype in get_doctypes():
		frappe.db.delete("Custom Field", {"dt": doctype})
		frappe.db.delete("Property Setter", {"doc_type": doctype})
		frappe.db.delete("Custom DocPerm", {"parent": doctype})


def delete_records_about_doctypes() -> None:
	"""Records of the framework that name the app's DocTypes."""
	doctypes = get_doctypes()
	if not doctypes:
		return
	for doctype, field in (
		("Logs To Clear", "ref_doctype"),
		("Version", "ref_doctype"),
		("Comment", "reference_doctype"),
		("List Filter", "reference_doctype"),
		("User Permission", "allow"),
		("DocShare", "share_doctype"),
		("ToDo", "reference_type"),
		("Notification Log", "document_type"),
	):
		frappe.db.delete(doctype, {field: ("in", doctypes)})
	boards.delete_boards()
	frappe.db.delete("DefaultValue", {"defkey": ("like", "retention_%_digest%")})
	frappe.db.delete("Singles", {"doctype": ("in", doctypes)})
	frappe.db.delete("Scheduled Job Type", {"method": ("like", "crm_retention.%")})
	frappe.db.delete("Series", {"name": ("like", "RUN-%")})


def delete_desk_entries() -> None:
	"""The sidebar and the icon of Frappe 16, and the copies that users made of the sidebar."""
	if not compat.HAS_SIDEBARS:
		return
	sidebars = frappe.get_all("Workspace Sidebar", filters={"module": MODULE}, pluck="name")
	if sidebars:
		frappe.db.delete("Workspace Sidebar Item", {"parent": ("in", sidebars)})
		frappe.db.delete("Workspace Sidebar", {"name": ("in", sidebars)})
		frappe.db.delete("Desktop Icon", {"link_to": ("in", sidebars), "link_type": ("like", "Workspace%")})
	frappe.db.delete("Desktop Icon", {"app": "crm_retention"})


def get_doctypes() -> list[str]:
	"""The app's own DocTypes."""
	return frappe.get_all("DocType", filters={"module": MODULE}, pluck="name")

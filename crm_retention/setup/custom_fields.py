"""Fields on other apps' DocTypes. The same table creates and deletes them."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields as create

from crm_retention.setup.columns import drop_column

CUSTOM_FIELDS: dict[str, list[dict[str, Any]]] = {
	"Customer": [
		{
			"fieldname": "retention_tab",
			"fieldtype": "Tab Break",
			"label": "Retention",
			"insert_after": "portal_users",
		},
		{
			"fieldname": "retention_tier",
			"fieldtype": "Link",
			"options": "Customer Tier",
			"label": "Tier",
			"insert_after": "retention_tab",
			"read_only": 1,
			"no_copy": 1,
			"in_standard_filter": 1,
			"search_index": 1,
			"ignore_user_permissions": 1,
			"allow_in_quick_entry": 0,
		},
		{
			"fieldname": "retention_column_break_stage",
			"fieldtype": "Column Break",
			"insert_after": "retention_tier",
		},
		{
			"fieldname": "retention_stage",
			"fieldtype": "Link",
			"options": "Lifecycle Stage",
			"label": "Lifecycle Stage",
			"insert_after": "retention_column_break_stage",
			"read_only": 1,
			"no_copy": 1,
			"in_standard_filter": 1,
			"search_index": 1,
			"ignore_user_permissions": 1,
		},
		{
			"fieldname": "retention_profile_section",
			"fieldtype": "Section Break",
			"insert_after": "retention_stage",
		},
		{
			"fieldname": "retention_html",
			"fieldtype": "HTML",
			"label": "Retention Profile",
			"insert_after": "retention_profile_section",
		},
	],
	"Lead": [
		{
			"fieldname": "retention_tab",
			"fieldtype": "Tab Break",
			"label": "Retention",
			"insert_after": "notes",
		},
		{
			"fieldname": "retention_html",
			"fieldtype": "HTML",
			"label": "Retention Profile",
			"insert_after": "retention_tab",
		},
	],
}


def create_custom_fields() -> None:
	"""Create what is missing; a field that is there stays as an admin may have changed it."""
	missing = {
		doctype: [
			field for field in fields if not frappe.db.exists("Custom Field", _get_filters(doctype, field))
		]
		for doctype, fields in CUSTOM_FIELDS.items()
	}
	wanted = {
		doctype: [{**field, "module": "CRM Retention"} for field in fields]
		for doctype, fields in missing.items()
	}
	if frappe.db.db_type == "sqlite":  # an index asked for here would cost the table its primary key
		wanted = {
			doctype: [{**field, "search_index": 0} for field in fields] for doctype, fields in wanted.items()
		}
	create({doctype: fields for doctype, fields in wanted.items() if fields}, ignore_validate=True)


def delete_custom_fields() -> None:
	"""Delete the fields, what an admin set on them, and their columns."""
	for doctype, fields in CUSTOM_FIELDS.items():
		for field in fields:
			delete_custom_field(doctype, field["fieldname"])
		frappe.clear_cache(doctype=doctype)


def delete_custom_field(doctype: str, fieldname: str) -> None:
	"""Delete one custom field with its property setters and its column."""
	frappe.db.delete("Property Setter", {"doc_type": doctype, "field_name": fieldname})
	name = frappe.db.get_value("Custom Field", {"dt": doctype, "fieldname": fieldname})
	if name:
		frappe.delete_doc("Custom Field", name, force=True, ignore_permissions=True)
	drop_column(doctype, fieldname)


def _get_filters(doctype: str, field: dict[str, Any]) -> dict[str, str]:
	return {"dt": doctype, "fieldname": field["fieldname"]}

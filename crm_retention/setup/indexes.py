"""Indexes on other apps' tables: what the cycle reads every night stands side by side in one of them."""

from __future__ import annotations

import frappe

# Everything that signals take from a purchase, so that the cycle reads the index alone.
COVERING = {
	"Sales Invoice": (
		"customer",
		"posting_date",
		"docstatus",
		"is_opening",
		"base_net_total",
		"base_discount_amount",
		"due_date",
		"outstanding_amount",
		"company",
	),
}
NAME = "retention_purchases"


def create_indexes() -> None:
	"""Create what is missing; a site whose table lacks a column goes without."""
	for doctype, columns in COVERING.items():
		present = set(frappe.db.get_table_columns(doctype))
		if present.issuperset(columns) and not has_index(doctype):
			frappe.db.commit()
			names = ", ".join(_quote(name) for name in columns)
			frappe.db.sql_ddl(f"CREATE INDEX {_quote(NAME)} ON {_quote('tab' + doctype)} ({names})")


def delete_indexes() -> None:
	"""Take the indexes away again."""
	for doctype in COVERING:
		if has_index(doctype):
			on = f" ON {_quote('tab' + doctype)}" if frappe.db.db_type == "mariadb" else ""
			frappe.db.sql_ddl(f"DROP INDEX {_quote(NAME)}{on}")


def has_index(doctype: str) -> bool:
	"""Whether the table has this app's index."""
	if frappe.db.db_type == "mariadb":
		return bool(frappe.db.has_index(f"tab{doctype}", NAME))
	if frappe.db.db_type == "sqlite":
		return bool(frappe.db.sql("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = %s", NAME))
	return bool(frappe.db.sql("SELECT 1 FROM pg_indexes WHERE indexname = %s", NAME))


def _quote(name: str) -> str:
	return f"`{name}`" if frappe.db.db_type != "postgres" else f'"{name}"'

"""Columns that go, on every database and out of every cache that knows of them, and a key that comes back."""

from __future__ import annotations

import frappe

from crm_retention import compat


def drop_column(doctype: str, column: str) -> None:
	"""Drop a column of a DocType's table, if it is there, with the indexes on it alone. Commits."""
	if not frappe.db.table_exists(doctype):
		return
	compat.forget_columns(doctype)
	if column not in frappe.db.get_table_columns(doctype):
		return
	frappe.db.commit()
	quote = '"' if frappe.db.db_type == "postgres" else "`"
	table = f"{quote}tab{doctype}{quote}"
	if frappe.db.db_type == "sqlite":  # the others drop such indexes with the column
		for name in _get_sqlite_indexes(f"tab{doctype}", column):
			frappe.db.sql_ddl(f"DROP INDEX `{name}`")
	frappe.db.sql_ddl(f"ALTER TABLE {table} DROP COLUMN {quote}{column}{quote}")
	compat.forget_columns(doctype)


def restore_key(doctype: str) -> None:
	"""Make names unique again on SQLite: altering a table, Frappe 16 writes it anew without its primary key."""
	if not any(row[5] for row in frappe.db.sql(f"PRAGMA table_info(`tab{doctype}`)")):
		frappe.db.commit()
		index = f"{frappe.scrub(doctype)}_name"
		frappe.db.sql_ddl(f"CREATE UNIQUE INDEX IF NOT EXISTS `{index}` ON `tab{doctype}` (`name`)")


def _get_sqlite_indexes(table: str, column: str) -> list[str]:
	names = [row[1] for row in frappe.db.sql(f"PRAGMA index_list(`{table}`)") if row[3] == "c"]
	return [
		name
		for name in names
		if [row[2] for row in frappe.db.sql(f"PRAGMA index_info(`{name}`)")] == [column]
	]

"""Numbers that may be unknown. Frappe makes every Int, Float and Currency column NOT NULL DEFAULT 0; here no data
is never zero, so the columns of computed numbers are made nullable after each change of the schema.

Frappe leaves them alone afterwards as long as the column's default equals the field's: decimal fields carry the
default "0" and their columns DEFAULT 0. Whoever inserts rows names every column.
"""

from __future__ import annotations

import re
from typing import Any

import frappe

NULLABLE_DOCTYPES = ("Retention Profile", "Tier Change")
NUMBER_TYPES = ("Int", "Float", "Currency")


def get_nullable_fields(doctype: str) -> list[Any]:
	"""The fields of ``doctype`` whose numbers may be unknown: all numbers that are computed."""
	meta = frappe.get_meta(doctype)
	return [df for df in meta.fields if df.fieldtype in NUMBER_TYPES and df.read_only]


def allow_unknown(doctype: str) -> None:
	"""Make the columns of computed numbers nullable, and unknown in existing rows if they were not nullable yet."""
	wanted = {df.fieldname: df for df in get_nullable_fields(doctype)}
	strict = [name for name in _get_strict_columns(doctype) if name in wanted]
	if not strict:
		return
	_alter(doctype, [wanted[name] for name in strict])
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.update(table)
	for name in strict:
		query = query.set(table[name], None)
	query.run()
	frappe.db.commit()


def _get_strict_columns(doctype: str) -> list[str]:
	table = f"tab{doctype}"
	if frappe.db.db_type == "sqlite":
		return [row[1] for row in frappe.db.sql(f"PRAGMA table_info(`{table}`)") if row[3]]
	columns = frappe.qb.Schema("information_schema").columns
	query = (
		frappe.qb.from_(columns)
		.select(columns.column_name)
		.where((columns.table_name == table) & (columns.is_nullable == "NO"))
	)
	if frappe.db.db_type == "mariadb":
		query = query.where(columns.table_schema == frappe.conf.db_name)
	return [row[0] for row in query.run()]


def _alter(doctype: str, fields: list[Any]) -> None:
	table = f"tab{doctype}"
	if frappe.db.db_type == "mariadb":
		parts = [f"MODIFY `{df.fieldname}` {_get_definition(df)}" for df in fields]
		frappe.db.sql_ddl(f"ALTER TABLE `{table}` {', '.join(parts)}")
	elif frappe.db.db_type == "postgres":
		parts = [f'ALTER COLUMN "{df.fieldname}" DROP NOT NULL' for df in fields]
		frappe.db.sql_ddl(f'ALTER TABLE "{table}" {", ".join(parts)}')
	else:
		_rebuild_sqlite(table, {df.fieldname for df in fields})


def _get_definition(df: Any) -> str:
	from frappe.database.schema import get_definition

	kind = get_definition(df.fieldtype, precision=df.precision, length=df.length)
	return f"{kind} NULL DEFAULT NULL" if df.fieldtype == "Int" else f"{kind} NULL DEFAULT 0"


def _rebuild_sqlite(table: str, names: set[str]) -> None:
	"""SQLite cannot alter a column: the table is written anew from its own definition, with its indexes."""
	definition, *_rest = frappe.db.sql(
		"select sql from sqlite_master where type = 'table' and name = %s", table
	)[0]
	indexes = frappe.db.sql(
		"select sql from sqlite_master where type = 'index' and sql is not null and tbl_name = %s", table
	)
	frappe.db.sql_ddl(f"ALTER TABLE `{table}` RENAME TO `{table} before`")
	frappe.db.sql_ddl(without_not_null(definition, names))
	frappe.db.sql_ddl(f"INSERT INTO `{table}` SELECT * FROM `{table} before`")
	frappe.db.sql_ddl(f"DROP TABLE `{table} before`")
	for (sql,) in indexes:
		frappe.db.sql_ddl(sql)


def without_not_null(definition: str, names: set[str]) -> str:
	"""A ``CREATE TABLE`` whose columns ``names`` are no longer NOT NULL."""
	for name in names:
		column = rf"([`\"]?{re.escape(name)}[`\"]?\s+[\w(), ]*?)\s+not\s+null"
		definition = re.sub(column, r"\1", definition, count=1, flags=re.IGNORECASE)
	return definition

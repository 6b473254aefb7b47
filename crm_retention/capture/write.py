"""What the sweep asks of the site's database and writes there: documents by their last change, and rows of the log set by set."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import frappe
import ibis.expr.types as ir

from crm_retention.capture.candidates import LOG
from crm_retention.parties import PARTY_TYPES
from crm_retention.site.write import WorkTables

ROWS = "log"
STAMPS = {
	"owner": "%(user)s",
	"modified_by": "%(user)s",
	"creation": "%(now)s",
	"modified": "%(now)s",
	"docstatus": "0",
	"idx": "0",
}


@dataclass(frozen=True)
class Place:
	"""Where a sweep stands in the order of (modified, name)."""

	modified: str
	name: str = ""


def get_changed(doctype: str, after: Place, size: int) -> list[tuple[str, Any]]:
	"""(name, modified) of the next documents in the order of (modified, name)."""
	table = frappe.qb.DocType(doctype)
	later = (table.modified > after.modified) | (table.name > after.name)
	query = frappe.qb.from_(table).select(table.name, table.modified)
	query = query.where((table.modified >= after.modified) & later)
	return list(query.orderby(table.modified, table.name).limit(size).run())


def add_rows(tables: WorkTables, doctype: str, rows: ir.Table, now: str) -> int:
	"""Put rows of documents into the log, but for those whose key it has; returns how many.

	What lies after ``now`` has not happened yet, and a document or party that has gone since it was read is not logged.
	The rows are named after the batch and numbered, so that they lie together.
	"""
	columns = list(rows.columns)
	tables.put(ROWS, rows, "reference_key")
	names = ", ".join(tables.quote(name) for name in ["name", *STAMPS, *columns])
	chosen = ", ".join(f"c.{tables.quote(name)}" for name in columns)
	name = joined("%(batch)s", "ROW_NUMBER() OVER (ORDER BY c.reference_key)")
	log = tables.quote(f"tab{LOG}")
	frappe.db.sql(
		f"INSERT INTO {log} ({names}) SELECT {name}, {', '.join(STAMPS.values())}, {chosen} "
		f"FROM {tables.name(ROWS)} c WHERE c.occurred_on <= %(now)s "
		f"AND NOT EXISTS (SELECT 1 FROM {log} l WHERE l.reference_key = c.reference_key) "
		f"AND EXISTS (SELECT 1 FROM {tables.quote(f'tab{doctype}')} d WHERE d.name = c.reference_name) "
		f"AND ({' OR '.join(is_there(tables, party) for party in PARTY_TYPES)})",
		{"now": now, "user": frappe.session.user, "batch": f"{frappe.generate_hash(length=10)}-"},
	)
	return affected()


def is_there(tables: WorkTables, party_type: str) -> str:
	"""Whether a row's party of this type exists, as SQL."""
	table = tables.quote(f"tab{party_type}")
	return f"(c.party_type = '{party_type}' AND EXISTS (SELECT 1 FROM {table} p WHERE p.name = c.party))"


def joined(first: str, second: str) -> str:
	"""Two texts as one, as SQL."""
	if frappe.db.db_type == "mariadb":
		return f"CONCAT({first}, {second})"
	return f"CAST({first} AS VARCHAR) || CAST({second} AS VARCHAR)"


def affected() -> int:
	"""Rows that the last statement on Frappe's cursor wrote."""
	return max(int(frappe.db._cursor.rowcount), 0)


def rewrite_keys(old: str, new: str) -> None:
	"""Put a source's new name before the keys of its rows."""
	length = "CHAR_LENGTH" if frappe.db.db_type == "mariadb" else "LENGTH"
	key = joined("%(new)s", f"SUBSTR(reference_key, {len(old) + 1})")
	frappe.db.sql(
		f"UPDATE `tab{LOG}` SET reference_key = {key} "
		f"WHERE source = %(new)s AND SUBSTR(reference_key, 1, {length}(%(old)s)) = %(old)s",
		{"old": old, "new": new},
	)


def set_swept(source: str, values: Mapping[str, Any]) -> None:
	"""What a sweep leaves on its source; not a change that people made."""
	frappe.db.set_value("Interaction Source", source, dict(values), update_modified=False)


def earlier(moment: str, span: datetime.timedelta) -> str:
	"""A moment before another one, as text."""
	return str(frappe.utils.get_datetime(moment) - span)

"""The SQL of the sweep: batches of document names as work tables, and rows of the log set by set."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir

from crm_retention.backends.site import BACKENDS, connection, site_session
from crm_retention.backends.sql import WORK_PREFIX, SqlBackend
from crm_retention.capture.candidates import LOG

BATCH = f"{WORK_PREFIX}sweep"
CANCELLED = f"{WORK_PREFIX}cancelled"
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


def get_backend() -> SqlBackend:
	"""The compiler and connection of this site."""
	return BACKENDS[frappe.db.db_type](connection(), {})


def load_changed(backend: SqlBackend, doctype: str, after: Place, size: int) -> tuple[int, Place]:
	"""The next documents by (modified, name) into the work table; returns how many, and where the last one stands."""
	modified, name = (frappe.db.escape(value) for value in (after.modified, after.name))
	where = f"modified >= {modified} AND (modified > {modified} OR name > {name})"
	load(backend, doctype, where, "modified, name", size)
	rows = backend.query(
		f"SELECT modified, name FROM {backend.quote(BATCH)} ORDER BY modified DESC, name DESC LIMIT 1"
	)
	return count(backend, BATCH), Place(str(rows[0][0]), rows[0][1]) if rows else after


def load_next(backend: SqlBackend, doctype: str, after: str, size: int) -> tuple[int, str]:
	"""The next documents by name into the work table; returns how many, and the last name."""
	load(backend, doctype, f"name > {frappe.db.escape(after)}", "name", size)
	rows = backend.query(f"SELECT name FROM {backend.quote(BATCH)} ORDER BY name DESC LIMIT 1")
	return count(backend, BATCH), rows[0][0] if rows else after


def load_cancelled(backend: SqlBackend, doctype: str) -> int:
	"""The cancelled documents of the batch into a work table of their own, which is small; returns how many."""
	table = backend.quote(f"tab{doctype}")
	select = f"SELECT d.name, d.modified FROM {table} d JOIN {backend.quote(BATCH)} b ON b.name = d.name"
	backend.drop(CANCELLED)
	backend.execute(backend.create_as(CANCELLED, f"{select} WHERE d.docstatus = 2", ("name",)))
	return count(backend, CANCELLED)


def load(backend: SqlBackend, doctype: str, where: str, order: str, size: int) -> None:
	"""Names and changes of the first documents of an order into the work table."""
	table = backend.quote(f"tab{doctype}")
	select = f"SELECT name, modified FROM {table} WHERE {where} ORDER BY {order} LIMIT {int(size)}"
	backend.drop(BATCH)
	backend.execute(backend.create_as(BATCH, select, ("name",)))


def count(backend: SqlBackend, name: str) -> int:
	"""Documents in a work table."""
	return int(backend.query(f"SELECT COUNT(*) FROM {backend.quote(name)}")[0][0])


def get_batch() -> ir.Table:
	"""The work table as a relation of names."""
	return ibis.table({"name": "string"}, name=BATCH)


def get_cancelled() -> ir.Table:
	"""The cancelled ones of the batch."""
	return ibis.table({"name": "string", "modified": "timestamp"}, name=CANCELLED)


def get_insert(backend: SqlBackend, rows: ir.Table) -> str:
	"""The statement that inserts rows into the log, with the parameters of ``insert_rows``; the same for every batch.

	Rows are named after the batch and numbered, since databases have no random names in common.
	"""
	columns = list(rows.columns)
	names = ", ".join(backend.quote(name) for name in ["name", *STAMPS, *columns])
	chosen = ", ".join(f"c.{backend.quote(name)}" for name in columns)
	number = "ROW_NUMBER() OVER (ORDER BY c.reference_key)"
	mysql = frappe.db.db_type == "mariadb"
	name = f"CONCAT(%(batch)s, {number})" if mysql else f"%(batch)s || CAST({number} AS VARCHAR)"
	select = backend.compile(rows).replace("%", "%%")
	return (
		f"INSERT INTO {backend.quote(f'tab{LOG}')} ({names}) SELECT {name}, {', '.join(STAMPS.values())}, {chosen} "
		f"FROM ({select}) c WHERE c.occurred_on <= %(now)s"
	)


def insert_rows(statement: str, now: str) -> int:
	"""Insert what there is; returns how many rows. What lies after ``now`` has not happened yet."""
	values = {"now": now, "user": frappe.session.user, "batch": f"{frappe.generate_hash(length=10)}-"}
	frappe.db.sql(statement, values)
	return affected()


def affected() -> int:
	"""Rows that the last statement on Frappe's cursor wrote."""
	return max(int(frappe.db._cursor.rowcount), 0)


@site_session()
def rewrite_keys(old: str, new: str) -> None:
	"""Put a source's new name before the keys of its rows."""
	backend = get_backend()
	mysql = frappe.db.db_type == "mariadb"
	rest = f"SUBSTR(reference_key, {len(old) + 1})"
	key = f"CONCAT(%(new)s, {rest})" if mysql else f"%(new)s || {rest}"
	length = "CHAR_LENGTH" if mysql else "LENGTH"
	frappe.db.sql(
		f"UPDATE {backend.quote(f'tab{LOG}')} SET reference_key = {key} "
		f"WHERE source = %(new)s AND SUBSTR(reference_key, 1, {length}(%(old)s)) = %(old)s",
		{"old": old, "new": new},
	)


def set_swept(source: str, values: Mapping[str, Any]) -> None:
	"""What a sweep leaves on its source; not a change that people made."""
	frappe.db.set_value("Interaction Source", source, dict(values), update_modified=False)


def earlier(moment: str, span: datetime.timedelta) -> str:
	"""A moment before another one, as text."""
	return str(frappe.utils.get_datetime(moment) - span)

"""A few rows of a table of the site, by the names that are looked for, into a DuckDB.

What is looked for goes into a work table of the site's database, which finds its rows by their index: as the database compares,
so a name that is spelled in another case finds its document too.
"""

from __future__ import annotations

from collections.abc import Sequence

import frappe
import ibis
import ibis.expr.types as ir
import numpy as np

from crm_retention.backends.site_relations import physical
from crm_retention.backends.sql import WORK_PREFIX
from crm_retention.site.memory import SiteBackend
from crm_retention.site.read import make, own_connection, read
from crm_retention.site.write import WorkTables

KEYS = "keys"
ASKED = "asked for"  # what no field can be called


class Slices:
	"""Reads on Frappe's own connection, so it sees what this transaction has written. Commits nothing."""

	def __init__(self, backend: SiteBackend) -> None:
		self.backend = backend
		self.tables = WorkTables(backend)

	def read(
		self,
		name: str,
		doctype: str,
		columns: Sequence[str],
		among: ir.Column,
		by: str = "name",
		**only: str,
	) -> ir.Table:
		"""The rows of a DocType whose ``by`` is one of ``among``, and which have the values of ``only``, as a relation ``name``.

		It has those of the columns that the DocType has, and ``ASKED``: what found the row, as it was spelled there.
		"""
		keys = self.keep(f"{KEYS} {name}", among.name("key").as_table().distinct())
		keys = keys.filter(keys.key.notnull())
		table = physical(doctype, list(dict.fromkeys([*columns, by, *only])))
		if not self.tables.put(KEYS, as_stored(keys, doctype, by), "key"):
			make(self.backend, name, table)
			return self.backend.relations()[name].mutate(**{ASKED: ibis._[by]})
		table = table.filter(table[by].isin(ibis.table(keys.schema(), name=WORK_PREFIX + KEYS).key))
		for field, value in only.items():
			table = table.filter(table[field].isin([value]))  # unlike ==, looked up in the index
		return self.with_asked(name, self.read_whole(name, table), keys, doctype, by)

	def keep(self, name: str, table: ir.Table) -> ir.Table:
		"""The rows of an expression, computed once."""
		return self.backend.materialise(name, table)

	def has_rows(self, table: ir.Table) -> bool:
		"""Whether an expression has any."""
		return bool(self.backend.query(self.backend.compile(table.limit(1))))

	def read_whole(self, name: str, table: ir.Table) -> ir.Table:
		"""All rows of an expression over the site's tables."""
		read(self.backend, own_connection(), {name: table})
		return self.backend.relations()[name]

	def with_asked(self, name: str, rows: ir.Table, keys: ir.Table, doctype: str, by: str) -> ir.Table:
		"""The rows, each with the key that found it: for every key that the database takes for the same there is one."""
		exact = rows.semi_join(keys, rows[by] == keys.key).mutate(**{ASKED: ibis._[by]})
		if not self.may_differ(rows, keys, by):
			return exact
		pairs = self.load(
			f"{ASKED} {name}", self.get_spellings(doctype, by), ("spelled", "called")
		).distinct()
		others = rows.inner_join(pairs, rows[by] == pairs.called)
		return self.keep(f"found {name}", exact.union(others.select(*rows.columns, **{ASKED: "spelled"})))

	def may_differ(self, rows: ir.Table, keys: ir.Table, by: str) -> bool:
		"""Whether something was found by another spelling of it, as MariaDB finds it: then a key or a row is left over."""
		return frappe.db.db_type == "mariadb" and (
			self.has_rows(keys.anti_join(rows, keys.key == rows[by]))
			or self.has_rows(rows.anti_join(keys, rows[by] == keys.key))
		)

	def get_spellings(self, doctype: str, by: str) -> list[tuple[str, str]]:
		"""Keys that the table spells otherwise, each as it was asked for and as it is spelled there."""
		quote = self.tables.quote
		asked, stored = f"k.{quote('key')}", f"t.{quote(by)}"
		cursor = own_connection().cursor()
		try:
			cursor.execute(
				f"SELECT {asked}, {stored} FROM {self.tables.name(KEYS)} k JOIN {quote(f'tab{doctype}')} t "
				f"ON {stored} = {asked} WHERE BINARY {asked} <> BINARY {stored}"
			)
			return [(str(one), str(other)) for one, other in cursor.fetchall()]
		finally:
			cursor.close()

	def load(self, name: str, rows: Sequence[Sequence[str]], columns: Sequence[str]) -> ir.Table:
		"""Texts as a table."""
		values = zip(*rows, strict=True) if rows else [()] * len(columns)
		arrays = {
			column: np.array(texts, dtype=object) for column, texts in zip(columns, values, strict=True)
		}
		return self.backend.load(name, arrays)


def as_stored(keys: ir.Table, doctype: str, by: str) -> ir.Table:
	"""Keys as the site's database has them: documents may be called by numbers that it counts up."""
	numbered = by == "name" and frappe.get_meta(doctype).autoname == "autoincrement"
	return keys.select(key=keys.key.try_cast("int64")) if numbered else keys

"""A few rows of a table of the site, by the names that are looked for, into a DuckDB.

What is looked for goes into a work table of the site's database, which finds its rows by their index: as the database compares,
so a name that is spelled in another case finds its document too.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np

from crm_retention.backends.site_relations import physical
from crm_retention.backends.sql import WORK_PREFIX
from crm_retention.site.memory import SiteBackend
from crm_retention.site.read import make, own_connection, read
from crm_retention.site.write import WorkTables

KEYS = "keys"
ASKED = "asked"


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

		It has those of the columns that the DocType has, and ``asked``: what found the row, as it was spelled there.
		"""
		keys = self.keep(f"{KEYS} {name}", among.name("key").as_table().distinct())
		keys = keys.filter(keys.key.notnull())
		table = physical(doctype, list(dict.fromkeys([*columns, by, *only])))
		if not self.tables.put(KEYS, keys, "key"):
			make(self.backend, name, table)
			return self.backend.relations()[name].mutate(**{ASKED: ibis._[by]})
		table = table.filter(table[by].isin(ibis.table(keys.schema(), name=WORK_PREFIX + KEYS).key))
		for field, value in only.items():
			table = table.filter(table[field].isin([value]))  # unlike ==, looked up in the index
		read(self.backend, own_connection(), {name: table})
		return self.with_asked(name, doctype, keys, by)

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

	def with_asked(self, name: str, doctype: str, keys: ir.Table, by: str) -> ir.Table:
		"""A relation with the key that each row was found by."""
		rows = self.backend.relations()[name]
		if not self.has_rows(rows.anti_join(keys, rows[by] == keys.key)):
			return rows.mutate(**{ASKED: rows[by]})
		found = self.load(f"{ASKED} {name}", self.get_spellings(doctype, by), ("spelled", "called"))
		others = rows.inner_join(found, rows[by] == found.called)
		return self.keep(f"found {name}", others.select(*rows.columns, **{ASKED: others.spelled}))

	def get_spellings(self, doctype: str, by: str) -> list[tuple[str, str]]:
		"""Each key as it was asked for, and as the table spells it."""
		table, column = self.tables.quote(f"tab{doctype}"), self.tables.quote(by)
		keys = self.tables.name(KEYS)
		sql = f"SELECT DISTINCT k.key, t.{column} FROM {keys} k JOIN {table} t ON t.{column} = k.key"
		cursor = own_connection().cursor()
		try:
			cursor.execute(sql.replace("k.key", f"k.{self.tables.quote('key')}"))
			return list(cursor.fetchall())
		finally:
			cursor.close()

	def load(self, name: str, rows: Sequence[Sequence[str]], columns: Sequence[str]) -> ir.Table:
		"""Texts as a table."""
		arrays = {
			column: np.array([row[i] for row in rows], dtype=object) for i, column in enumerate(columns)
		}
		return self.backend.load(name, arrays)

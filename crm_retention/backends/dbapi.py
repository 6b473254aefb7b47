"""MariaDB, SQLite and PostgreSQL over a plain DB-API connection, and what each dialect needs.

No cycle of a site runs on it: there capture alone does, on the connection that Frappe already holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from .sql import SqlBackend

# Room in memory for what MariaDB sorts and groups, bytes; its default of 16 MiB sends a large site's to disk.
SORT_BYTES = 512 * 1024 * 1024


class DbApiBackend(SqlBackend):
	"""Relations are tables of the connection: ``relations`` gives each one's schema, or an expression over tables.

	Nothing is committed. ``session`` lists the variables that have to be set on the connection while it works, each with
	its value as SQL; where the connection is somebody else's, it is theirs to put them back, see ``site_session``.
	"""

	session: Mapping[str, str] = {}

	def __init__(self, connection: Any, relations: Mapping[str, Any]) -> None:
		super().__init__()
		self.connection = connection
		self._relations = {
			name: given if isinstance(given, ir.Table) else ibis.table(given, name=name)
			for name, given in relations.items()
		}
		for name, value in self.session.items():
			self.execute(f"SET SESSION {name} = {value}")

	def relations(self) -> Mapping[str, ir.Table]:
		return self._relations

	def execute(self, sql: str) -> None:
		cursor = self.connection.cursor()
		try:
			cursor.execute(sql)
		finally:
			cursor.close()

	def query(self, sql: str) -> Sequence[Sequence[Any]]:
		cursor = self.connection.cursor()
		try:
			cursor.execute(sql)
			return list(cursor.fetchall())
		finally:
			cursor.close()


class MariaDB(DbApiBackend):
	"""MariaDB 10.6 and later. Work tables carry an index on their key, without which joins are quadratic.

	Texts made by an expression take the collation of the connection, so that has to be that of the tables.
	"""

	dialect = "mariadb"
	session: Mapping[str, str] = {
		"collation_connection": "@@collation_database",
		"tmp_table_size": str(SORT_BYTES),
		"max_heap_table_size": str(SORT_BYTES),
		"sort_buffer_size": "33554432",
	}
	table_options = "ENGINE=InnoDB"

	def create_as(self, name: str, select: str, key: tuple[str, ...]) -> str:
		columns = ", ".join(self.quote(column) for column in key)
		kind = "PRIMARY KEY" if key == ("nr",) else "KEY"
		index = f" ({kind} ({columns}))" if key else ""
		return f"CREATE TEMPORARY TABLE {self.quote(name)}{index} {self.table_options} AS {select}"

	def key_clause(self, key: tuple[str, ...]) -> str:
		return f", KEY ({', '.join(self.quote(column) for column in key)})" if key else ""

	def drop(self, name: str) -> None:
		self.execute(f"DROP TEMPORARY TABLE IF EXISTS {self.quote(name)}")


class SQLite(DbApiBackend):
	"""SQLite 3.35 and later. It indexes work tables by itself while a query runs."""

	dialect = "sqlite"


class Postgres(DbApiBackend):
	"""PostgreSQL 13 and later. It joins work tables by hashing, so they need no index."""

	dialect = "postgres"

"""Rows out of DuckDB into temporary tables of the site's database, from where keyed statements write them, batch by batch.

A table takes many rows in one INSERT, whose text DuckDB puts together. What one holds goes with the connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import frappe
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from crm_retention.backends.sql import WORK_PREFIX
from crm_retention.site.memory import SiteBackend
from crm_retention.site.read import own_connection

ROWS_PER_FETCH = 1_000
CHARACTERS_PER_INSERT = 500_000  # of SQL; a server takes at least a megabyte by default
WIDEST = 1_000  # characters of a column that has a length; a longer text has none


class WorkTables:
	"""Temporary tables on Frappe's own connection, in whose transactions they are read. Commits nothing."""

	def __init__(self, backend: SiteBackend) -> None:
		self.backend = backend
		self.kind = frappe.db.db_type
		self.backslash = self.kind == "mariadb" and not has_plain_backslashes()

	def put(self, name: str, table: ir.Table, key: str) -> int:
		"""The rows of ``table`` as a work table with an index on ``key``, in the place of one of that name; returns how many."""
		count, widths = self.measure(table)
		self.create(name, table, key, widths)
		if not count:
			return 0
		head = f"INSERT INTO {self.name(name)} ({', '.join(map(self.quote, table.columns))}) VALUES "
		for values in self.chunks(table):
			self.execute(head + values)
		return count

	def measure(self, table: ir.Table) -> tuple[int, dict[str, int]]:
		"""How many rows there are, and the characters of the longest text of each column."""
		texts = [column for column, kind in table.schema().items() if kind.is_string()]
		longest = {column: table[column].length().max() for column in texts}
		count, *widths = self.backend.query(
			self.backend.compile(table.aggregate(_rows=table.count(), **longest))
		)[0]
		return count, {column: int(width or 0) for column, width in zip(texts, widths, strict=True)}

	def create(self, name: str, table: ir.Table, key: str, widths: Mapping[str, int]) -> None:
		"""An empty work table."""
		temporary = "TEMPORARY " if self.kind == "mariadb" else ""
		self.execute(f"DROP {temporary}TABLE IF EXISTS {self.name(name)}")
		columns = [
			f"{self.quote(column)} {self.get_type(kind, widths.get(column, 0))}"
			for column, kind in table.schema().items()
		]
		if self.kind == "mariadb":
			columns.append(f"KEY ({self.quote(key)})")
		self.execute(f"CREATE TEMPORARY TABLE {self.name(name)} ({', '.join(columns)})")

	def get_type(self, kind: dt.DataType, width: int) -> str:
		"""The type of a column in the site's database."""
		if kind.is_string() or kind.is_null():
			if self.kind != "mariadb":
				return "TEXT"
			return f"VARCHAR({max(width, 1)})" if width <= WIDEST else "LONGTEXT"
		if kind.is_floating():
			return "DOUBLE PRECISION"
		if kind.is_timestamp():
			return "DATETIME(6)" if self.kind == "mariadb" else "TIMESTAMP"
		if kind.is_decimal():
			return f"DECIMAL({kind.precision}, {kind.scale})"
		return "DATE" if kind.is_date() else "BIGINT"

	def chunks(self, table: ir.Table) -> Iterator[str]:
		"""The rows as lists of values, so many that an INSERT of them is not too long."""
		values = " || ',' || ".join(
			f"coalesce({self.literal(f't.{self.backend.quote(column)}', kind)}, 'NULL')"
			for column, kind in table.schema().items()
		)
		result = self.backend.open(f"SELECT '(' || {values} || ')' FROM ({self.backend.compile(table)}) AS t")
		waiting: list[str] = []
		length = 0
		while rows := result.fetchmany(ROWS_PER_FETCH):
			for (row,) in rows:
				if waiting and length + len(row) > CHARACTERS_PER_INSERT:
					yield ",".join(waiting)
					waiting, length = [], 0
				waiting.append(row)
				length += len(row) + 1
		if waiting:
			yield ",".join(waiting)

	def literal(self, column: str, kind: dt.DataType) -> str:
		"""DuckDB's expression for a value as SQL of the site's database; null for a null."""
		if kind.is_null():
			return "NULL"
		if kind.is_string():
			return self.text_literal(column)
		if kind.is_floating():
			return f"CASE WHEN isfinite({column}) THEN CAST({column} AS VARCHAR) END"
		if kind.is_boolean():
			return f"CAST(CAST({column} AS INTEGER) AS VARCHAR)"
		if kind.is_numeric():
			return f"CAST({column} AS VARCHAR)"
		return f"'''' || CAST({column} AS VARCHAR) || ''''"

	def text_literal(self, column: str) -> str:
		"""The same for a text, whatever is in it."""
		if self.backslash:
			column = rf"replace(replace({column}, '\', '\\'), chr(0), '\0')"
			return f"'''' || replace({column}, '''', '''''') || ''''"
		escaped = f"replace({column}, '''', '''''')"
		if self.kind == "sqlite":  # a statement there ends with the first NUL
			escaped = f"replace({escaped}, chr(0), ''' || char(0) || ''')"
			return f"'(''' || {escaped} || ''')'"
		return f"'''' || {escaped} || ''''"

	def name(self, name: str) -> str:
		"""A work table as SQL of the site's database."""
		return self.quote(WORK_PREFIX + name)

	def quote(self, name: str) -> str:
		"""An identifier of the site's database."""
		mark = '"' if self.kind == "postgres" else "`"
		return mark + name.replace(mark, mark * 2) + mark

	def execute(self, sql: str) -> None:
		"""Past Frappe, which takes a temporary table for one whose making would commit."""
		cursor = own_connection().cursor()
		try:
			cursor.execute(sql)
		finally:
			cursor.close()


def has_plain_backslashes() -> bool:
	"""Whether a backslash in a text of SQL is only that on this connection."""
	return "NO_BACKSLASH_ESCAPES" in str(frappe.db.sql("SELECT @@SESSION.sql_mode")[0][0])

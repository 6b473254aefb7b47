"""Relations of the site into a DuckDB: plain SELECTs on one connection, so all of them are of one moment.

A row comes over as one text, which is what every driver hands over fastest: a JSON array of its texts, whatever is in them,
and of one more that holds its numbers and dates side by side. DuckDB takes it apart. What a column cannot mean, such as a date
of zeros, is read as null.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import duckdb
import frappe
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot.expressions as sge
from frappe import _
from frappe.utils import cint
from ibis.backends.sql.compilers.base import SQLGlotCompiler

from crm_retention.site.memory import SiteBackend

ROWS_PER_FETCH, ROWS_PER_BATCH = 250, 5_000
CHARACTERS_PER_BATCH = 4_000_000  # one row may be all purchases of a customer
STATEMENTS_KEPT = 256
STATEMENT_SECONDS = 900
NARROW = 18  # digits of a decimal that fit into 64 bits; DuckDB is slow with wider ones


@contextmanager
def snapshot() -> Iterator[Any]:
	"""A connection of its own on which everything is of one moment, and which locks nothing. Sees only what is committed."""
	kind = frappe.db.db_type
	if kind == "sqlite":
		connection = frappe.db.create_connection(read_only=True)
		begin = ["BEGIN"]
	elif kind == "postgres":
		connection = frappe.db.get_connection()
		begin = ["ROLLBACK", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
	else:
		connection = frappe.db.create_connection()
		seconds = cint(frappe.conf.get("retention_statement_seconds")) or STATEMENT_SECONDS
		begin = [
			f"SET SESSION max_statement_time = {seconds}",
			"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
			"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
		]
	try:
		cursor = connection.cursor()
		for statement in begin:
			cursor.execute(statement)
		cursor.close()
		yield connection
	finally:
		with suppress(Exception):  # it reads only: whatever ends it, nothing is lost
			connection.close()


def own_connection() -> Any:
	"""Frappe's own connection, which sees what this request has written."""
	if not frappe.db._conn:
		frappe.db.connect()
	return frappe.db._conn


def read(
	backend: SiteBackend, connection: Any, relations: Mapping[str, ir.Table], grouped: Collection[str] = ()
) -> None:
	"""Each relation into a table of its name, in the place of one that is there.

	Those in ``grouped`` have an index that begins with their one text, so that all rows of one come over as one.
	"""
	for name, table in relations.items():
		make(backend, name, table)
		if name in grouped and frappe.db.db_type == "mariadb":
			append_groups(backend, connection, name, table)
		else:
			append(backend, connection, name, table)


def make(backend: SiteBackend, name: str, table: ir.Table) -> None:
	"""An empty table for a relation."""
	schema = {column: type_in_duckdb(kind) for column, kind in table.schema().items()}
	spec = ", ".join(f"{backend.quote(column)} {sql_type(kind)}" for column, kind in schema.items())
	backend.execute(f"CREATE OR REPLACE TABLE {backend.quote(name)} ({spec})")
	backend.add(name, schema)


def append(backend: SiteBackend, connection: Any, name: str, table: ir.Table) -> None:
	"""The rows of ``table`` into the table of a relation with the same columns. All or none of them."""
	fill(backend, connection, name, rows_as_json(frappe.db.db_type, table.op()), taken_apart(table))


def append_groups(backend: SiteBackend, connection: Any, name: str, table: ir.Table) -> None:
	"""As ``append``; row by row where a group is longer than a row of the server may be."""
	select = groups_as_json(table.op())
	longest = get_longest(connection)
	try:
		limited = f"SET STATEMENT group_concat_max_len = {longest} FOR {select}"
		fill(backend, connection, name, limited, groups_taken_apart(table))
	except duckdb.InvalidInputException:
		append(backend, connection, name, table)


def get_longest(connection: Any) -> int:
	"""Bytes of the longest text that the server hands over."""
	cursor = connection.cursor()
	try:
		cursor.execute("SELECT @@SESSION.max_allowed_packet")
		return max(int(cursor.fetchone()[0]) // 4, 1024)
	finally:
		cursor.close()


def fill(backend: SiteBackend, connection: Any, name: str, query: str, apart: str) -> None:
	"""The rows of a query, taken apart, into a table. All or none of them."""
	insert = f"INSERT INTO {backend.quote(name)} {apart}"
	backend.execute("BEGIN")
	try:
		for rows in batches(connection, query):
			backend.put(insert, [f"[{','.join(rows)}]"])
	except BaseException:
		backend.execute("ROLLBACK")
		raise
	backend.execute("COMMIT")


def batches(connection: Any, sql: str) -> Iterator[list[str]]:
	"""The rows of a query of one text column, so many at a time; they are never all in memory."""
	cursor = streaming_cursor(connection)
	waiting: list[str] = []
	length = 0
	try:
		cursor.execute(sql)
		while rows := cursor.fetchmany(ROWS_PER_FETCH):
			texts = [as_text(row[0]) for row in rows]
			waiting += texts
			length += sum(map(len, texts))
			if len(waiting) >= ROWS_PER_BATCH or length >= CHARACTERS_PER_BATCH:
				yield waiting
				waiting, length = [], 0
		if waiting:
			yield waiting
	finally:
		cursor.close()


def streaming_cursor(connection: Any) -> Any:
	"""A cursor that leaves its rows with the server until they are asked for."""
	driver = type(connection).__module__.split(".")[0]
	if driver == "pymysql":
		from pymysql.cursors import SSCursor

		return connection.cursor(SSCursor)
	if driver == "MySQLdb":
		from MySQLdb.cursors import SSCursor

		return connection.cursor(SSCursor)
	if driver == "psycopg2":
		return connection.cursor(name="retention_read")
	return connection.cursor()


def as_text(value: str | bytes | None) -> str:
	"""A row as text; a driver may take a text that a function made for bytes. Raises ValueError for a row that did not come."""
	if value is None:
		raise ValueError(_("A row is longer than the database hands over: see its max_allowed_packet."))
	return value.decode() if isinstance(value, bytes) else value


def type_in_duckdb(kind: dt.DataType) -> dt.DataType:
	"""What a column of the site is here. Narrow decimals stay exact, so that no sum hangs on the order of its rows."""
	if kind.is_decimal():
		narrow = kind.precision is not None and kind.precision <= NARROW
		return kind if narrow else dt.float64
	if kind.is_integer():
		return dt.int64
	if kind.is_floating():
		return dt.float64
	if kind.is_boolean() or kind.is_date():
		return kind
	return dt.Timestamp() if kind.is_timestamp() else dt.string


def sql_type(kind: dt.DataType) -> str:
	"""The same in DuckDB's words."""
	if kind.is_decimal():
		return f"DECIMAL({kind.precision}, {kind.scale})"
	names = {
		"int64": "BIGINT",
		"float64": "DOUBLE",
		"boolean": "BOOLEAN",
		"date": "DATE",
		"string": "VARCHAR",
	}
	return names.get(str(kind), "TIMESTAMP")


def taken_apart(table: ir.Table) -> str:
	"""DuckDB's query that makes the columns of a relation from its parameter, a JSON array of rows."""
	texts = [name for name, kind in table.schema().items() if is_text(kind)]
	row = f"SELECT v, string_split(v[{len(texts) + 1}], '|') AS w FROM ({LISTS})"
	return f"SELECT {', '.join(get_columns(table))} FROM ({row})"


def groups_taken_apart(table: ir.Table) -> str:
	"""The same from groups: their text, how many rows they have, and the rows. Fails where a group was cut."""
	whole = "CASE WHEN len(rows) = CAST(v[2] AS BIGINT) THEN rows ELSE error('a group is cut') END"
	groups = f"SELECT v, string_split(v[3], ';') AS rows FROM ({LISTS})"
	row = f"SELECT v, string_split(unnest({whole}), '|') AS w FROM ({groups})"
	return f"SELECT {', '.join(get_columns(table))} FROM ({row})"


# The parameter, a JSON array of arrays of texts, as rows of lists.
LISTS = """SELECT from_json(value, '["VARCHAR"]') AS v FROM json_each(?)"""


def get_columns(table: ir.Table) -> list[str]:
	"""The columns of a relation from the list ``v`` of its texts and the list ``w`` of all others."""
	texts = [name for name, kind in table.schema().items() if is_text(kind)]
	others = [name for name in table.columns if name not in texts]
	return [
		f"v[{texts.index(name) + 1}]"
		if name in texts
		else f"TRY_CAST(nullif(w[{others.index(name) + 1}], '') AS {sql_type(type_in_duckdb(kind))})"
		for name, kind in table.schema().items()
	]


@lru_cache(maxsize=STATEMENTS_KEPT)
def rows_as_json(db_type: str, operation: ops.Relation) -> str:
	"""The query of a relation in a site's database, each row as a JSON array."""
	words = DIALECTS[db_type]
	texts, others = get_pieces(db_type, operation)
	if others:
		texts.append(words["quoted"].format(words["joined"].format(words["comma"].join(others))))
	row = words["row"].format(words["between"].join(texts))
	return f"SELECT {row} FROM ({compiled(db_type, operation)}) AS t"


@lru_cache(maxsize=STATEMENTS_KEPT)
def groups_as_json(operation: ops.Relation) -> str:
	"""The query of a relation with one text in MariaDB, all rows of a text as one JSON array."""
	words = DIALECTS["mariadb"]
	(text,), others = get_pieces("mariadb", operation)
	(key,) = [name for name, kind in operation.schema.items() if is_text(kind)]
	rows = f"GROUP_CONCAT({words['joined'].format(words['comma'].join(others))} SEPARATOR ';')"
	row = f"CONCAT('[', {text}, ',', COUNT(*), ',', JSON_QUOTE({rows}), ']')"
	return f"SELECT {row} FROM ({compiled('mariadb', operation)}) AS t GROUP BY t.`{key}`"


def compiled(db_type: str, operation: ops.Relation) -> str:
	"""A relation as SQL of a site's database, by Ibis's own compiler."""
	compiler = compiler_of(db_type)
	return str(compiler.to_sqlglot(operation.to_expr()).sql(compiler.dialect))


def get_pieces(db_type: str, operation: ops.Relation) -> tuple[list[str], list[str]]:
	"""Expressions for the columns of ``t``: those that may hold any text, and all others."""
	words, dialect = DIALECTS[db_type], compiler_of(db_type).dialect
	texts, others = [], []
	for name, kind in operation.schema.items():
		column = f"t.{sge.to_identifier(name, quoted=True).sql(dialect)}"
		if is_text(kind):
			texts.append(words["text"].format(column))
		else:
			others.append(words["float" if kind.is_floating() else "other"].format(column))
	return texts, others


def is_text(kind: dt.DataType) -> bool:
	"""Whether a column may hold any character, other than a number, a truth or a date."""
	return type_in_duckdb(kind).is_string()


# How the pieces of a row are put together. ``text``: a value as JSON; ``other`` and ``float``: as text, nothing for null, a float
# with all its digits.
DIALECTS = {
	"mariadb": {
		"text": "IFNULL(JSON_QUOTE(CONCAT({0})), 'null')",
		"float": "IFNULL({0}, '')",
		"other": "IFNULL({0}, '')",
		"comma": ", ",
		"joined": "CONCAT_WS('|', {0})",
		"quoted": "JSON_QUOTE({0})",
		"between": ", ',', ",
		"row": "CONCAT('[', {0}, ']')",
	},
	"postgres": {
		"text": "coalesce(to_json(CAST({0} AS TEXT))::text, 'null')",
		"float": "coalesce(CAST({0} AS TEXT), '')",
		"other": "coalesce(CAST({0} AS TEXT), '')",
		"comma": " || '|' || ",
		"joined": "{0}",
		"quoted": "'\"' || {0} || '\"'",
		"between": " || ',' || ",
		"row": "'[' || {0} || ']'",
	},
	"sqlite": {
		"text": "json_quote(CAST({0} AS TEXT))",
		"float": "CASE WHEN {0} IS NULL THEN '' ELSE printf('%!.17g', {0}) END",
		"other": "replace(coalesce({0}, ''), '|', ' ')",
		"comma": " || '|' || ",
		"joined": "{0}",
		"quoted": "json_quote({0})",
		"between": " || ',' || ",
		"row": "'[' || {0} || ']'",
	},
}


def compiler_of(db_type: str) -> SQLGlotCompiler:
	"""Ibis's own compiler for a site's database."""
	if db_type == "postgres":
		from ibis.backends.sql.compilers.postgres import PostgresCompiler as Compiler
	elif db_type == "sqlite":
		from ibis.backends.sql.compilers.sqlite import SQLiteCompiler as Compiler
	else:
		from ibis.backends.sql.compilers.mysql import MySQLCompiler as Compiler
	return Compiler()

"""Relations of the site into a DuckDB: plain SELECTs on one connection, so all of them are of one moment.

A row comes over as one text, which is what every driver hands over fastest: a JSON array of its texts, whatever is in them,
and of one more that holds its numbers and dates side by side. DuckDB takes it apart. What a column cannot mean, such as a date
of zeros, is read as null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import frappe
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot.expressions as sge
from frappe.utils import cint
from ibis.backends.sql.compilers.base import SQLGlotCompiler

from crm_retention.site.memory import SiteBackend

ROWS_PER_BATCH = 5_000
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


def read(backend: SiteBackend, connection: Any, relations: Mapping[str, ir.Table]) -> None:
	"""Each relation into a table of its name, in the place of one that is there."""
	for name, table in relations.items():
		make(backend, name, table)
		append(backend, connection, name, table)


def make(backend: SiteBackend, name: str, table: ir.Table) -> None:
	"""An empty table for a relation."""
	schema = {column: type_in_duckdb(kind) for column, kind in table.schema().items()}
	spec = ", ".join(f"{backend.quote(column)} {sql_type(kind)}" for column, kind in schema.items())
	backend.execute(f"CREATE OR REPLACE TABLE {backend.quote(name)} ({spec})")
	backend.add(name, schema)


def append(backend: SiteBackend, connection: Any, name: str, table: ir.Table) -> None:
	"""The rows of ``table`` into the table of a relation with the same columns. All or none of them."""
	insert = f"INSERT INTO {backend.quote(name)} {taken_apart(table)}"
	backend.execute("BEGIN")
	try:
		for rows in batches(connection, rows_as_json(frappe.db.db_type, table.op())):
			backend.put(insert, [f"[{','.join(rows)}]"])
	except BaseException:
		backend.execute("ROLLBACK")
		raise
	backend.execute("COMMIT")


def batches(connection: Any, sql: str) -> Iterator[list[str]]:
	"""The rows of a query of one text column, so many at a time; they are never all in memory."""
	cursor = streaming_cursor(connection)
	try:
		cursor.execute(sql)
		while rows := cursor.fetchmany(ROWS_PER_BATCH):
			yield [as_text(row[0]) for row in rows]
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


def as_text(value: str | bytes) -> str:
	"""A row as text; a driver may take a text that a function made for bytes."""
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
	others = [name for name in table.columns if name not in texts]
	values = []
	for name, kind in table.schema().items():
		if name in texts:
			values.append(f"v[{texts.index(name) + 1}]")
		else:
			value = f"nullif(w[{others.index(name) + 1}], '')"
			values.append(f"TRY_CAST({value} AS {sql_type(type_in_duckdb(kind))})")
	rows = """SELECT from_json(value, '["VARCHAR"]') AS v FROM json_each(?)"""
	return f"SELECT {', '.join(values)} FROM (SELECT v, string_split(v[{len(texts) + 1}], '|') AS w FROM ({rows}))"


@lru_cache(maxsize=STATEMENTS_KEPT)
def rows_as_json(db_type: str, operation: ops.Relation) -> str:
	"""The query of a relation in a site's database, each row as a JSON array."""
	table = operation.to_expr()
	compiler = compiler_of(db_type)
	select = compiler.to_sqlglot(table).sql(compiler.dialect)
	words = DIALECTS[db_type]
	elements, plain = [], []
	for name, kind in table.schema().items():
		column = f"t.{sge.to_identifier(name, quoted=True).sql(compiler.dialect)}"
		if is_text(kind):
			elements.append(words["text"].format(column))
		else:
			plain.append(words["float" if kind.is_floating() else "other"].format(column))
	if plain:
		together = words["joined"].format(words["comma"].join(plain))
		elements.append(words["quoted"].format(together))
	row = words["row"].format(words["between"].join(elements))
	return f"SELECT {row} FROM ({select}) AS t"


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

"""The databases that the engine runs on, each filled with the same plain rows.

A place that this machine does not have says so; tests skip it with those words.
"""

from __future__ import annotations

import datetime
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from crm_retention.backends.dbapi import DbApiBackend, MariaDB, Postgres, SQLite
from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.backends.sql import SqlBackend

from .cycles import SQL_TYPES, Rows, fill, schema_of

# As Frappe declares them: money is decimal, a check is a small integer.
MARIADB_TYPES = {
	"string": "VARCHAR(140)",
	"date": "DATE",
	"timestamp": "DATETIME(6)",
	"float64": "DECIMAL(21,9)",
	"int64": "BIGINT",
	"boolean": "TINYINT(1)",
}
SQLITE_TYPES = dict.fromkeys(MARIADB_TYPES, "TEXT") | {
	"float64": "REAL",
	"int64": "INTEGER",
	"boolean": "INTEGER",
}
POSTGRES_TYPES = SQL_TYPES | {"float64": "DOUBLE PRECISION"}


class Missing(Exception):
	"""This machine does not have the place; the message says what is missing."""


@contextmanager
def duckdb_place(data: Mapping[str, Rows]) -> Iterator[SqlBackend]:
	connection = duckdb.connect()
	fill(connection, data)
	yield DuckDBBackend(connection, list(data))
	connection.close()


@contextmanager
def sqlite_place(data: Mapping[str, Rows]) -> Iterator[SqlBackend]:
	connection = sqlite3.connect(":memory:")
	yield _filled(SQLite, connection, data, SQLITE_TYPES, "?")
	connection.close()


@contextmanager
def mariadb_place(data: Mapping[str, Rows]) -> Iterator[SqlBackend]:
	connection = mariadb_connection()
	scratch = f"retention_test_{os.getpid()}"
	connection.cursor().execute(f"DROP DATABASE IF EXISTS {scratch}")
	connection.cursor().execute(f"CREATE DATABASE {scratch} COLLATE utf8mb4_unicode_ci")
	try:
		connection.select_db(scratch)
		yield _filled(MariaDB, connection, data, MARIADB_TYPES, "%s")
	finally:
		connection.cursor().execute(f"DROP DATABASE {scratch}")
		connection.close()


def mariadb_connection() -> Any:
	"""The server that MARIADB_HOST, _PORT, _SOCKET, _USER and _PASSWORD name, else the one of this machine."""
	try:
		import pymysql
	except ImportError as error:
		raise Missing("MariaDB is left out: pymysql is not installed") from error
	given = {key: os.environ.get(f"MARIADB_{key.upper()}") for key in ("host", "socket", "port")}
	where: dict[str, Any] = {"unix_socket": given["socket"] or "/run/mysqld/mysqld.sock"}
	if given["host"]:
		where = {"host": given["host"], "port": int(given["port"] or 3306)}
	user = {
		"user": os.environ.get("MARIADB_USER", "root"),
		"password": os.environ.get("MARIADB_PASSWORD", "root"),
	}
	try:
		return pymysql.connect(charset="utf8mb4", **where, **user)
	except pymysql.Error as error:
		raise Missing(f"MariaDB is left out: {error}") from error


@contextmanager
def postgres_place(data: Mapping[str, Rows]) -> Iterator[SqlBackend]:
	"""The server that PGHOST and the like name, or the one of this machine; only temporary tables are made."""
	try:
		import psycopg
	except ImportError as error:
		raise Missing("PostgreSQL is left out: psycopg is not installed") from error
	try:
		connection = psycopg.connect(os.environ.get("POSTGRES_DSN", ""), connect_timeout=5)
	except psycopg.OperationalError as error:
		raise Missing(f"PostgreSQL is left out: {str(error).splitlines()[0]}") from error
	yield _filled(Postgres, connection, data, POSTGRES_TYPES, "%s", "TEMPORARY ")
	connection.rollback()
	connection.close()


@contextmanager
def spark_place(data: Mapping[str, Rows]) -> Iterator[SqlBackend]:
	try:
		from crm_retention.backends.spark import SparkBackend
	except ImportError as error:
		raise Missing("Spark is left out: pyspark is not installed") from error
	session = spark_session()
	for name, rows in data.items():
		schema = schema_of(name, rows)
		types = {**SQL_TYPES, "string": "STRING"}
		declared = ", ".join(f"`{key}` {types[kind]}" for key, kind in schema.items())
		values = [tuple(row.get(key) for key in schema) for row in rows]
		session.createDataFrame(values, declared).createOrReplaceTempView(name)
	yield SparkBackend(session, list(data))
	for table in session.catalog.listTables():
		session.catalog.dropTempView(table.name)


def spark_session() -> Any:
	"""A small local session, the same one for a whole test run."""
	from crm_retention.backends.spark import session

	small = {
		"spark.master": "local[2]",
		"spark.driver.memory": "1g",
		"spark.default.parallelism": "1",
		"spark.sql.shuffle.partitions": "1",
		"spark.sql.adaptive.enabled": "false",
	}
	try:
		return session(**small)
	except Exception as error:  # no Java, or none that this Spark takes
		raise Missing(f"Spark is left out: {error}") from error


PLACES = {
	"sqlite": sqlite_place,
	"mariadb": mariadb_place,
	"postgres": postgres_place,
	"spark": spark_place,
}


def _filled(
	kind: type[DbApiBackend],
	connection: Any,
	data: Mapping[str, Rows],
	types: Mapping[str, str],
	mark: str,
	how: str = "",
) -> DbApiBackend:
	schemas = {name: schema_of(name, rows) for name, rows in data.items()}
	backend = kind(connection, schemas)
	for name, schema in schemas.items():
		columns = ", ".join(f"{backend.quote(key)} {types[kind]}" for key, kind in schema.items())
		backend.execute(f"CREATE {how}TABLE {backend.quote(name)} ({columns})")
		marks = ", ".join(mark for _ in schema)
		values = [tuple(_plain(row.get(key), mark) for key in schema) for row in data[name]]
		if values:
			connection.cursor().executemany(f"INSERT INTO {backend.quote(name)} VALUES ({marks})", values)
	return backend


def _plain(value: Any, mark: str) -> Any:
	"""SQLite keeps days and moments as text."""
	if mark == "?" and isinstance(value, datetime.date):
		return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
	return value

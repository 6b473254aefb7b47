"""Where the engine runs, DuckDB and Spark, each filled with the same plain rows.

A machine without Spark says so; tests skip it with those words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.backends.sql import SqlBackend

from .cycles import SQL_TYPES, Rows, fill, schema_of


class Missing(Exception):
	"""This machine does not have the place; the message says what is missing."""


@contextmanager
def duckdb_place(data: Mapping[str, Rows]) -> Iterator[SqlBackend]:
	connection = duckdb.connect()
	fill(connection, data)
	yield DuckDBBackend(connection, list(data))
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

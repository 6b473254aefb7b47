"""Spark from Parquet to Parquet."""

import duckdb
import pytest

from crm_retention.engine.config import parse
from crm_retention.setup.defaults import DEFAULTS
from tests.support.cycles import AS_OF, bought, run
from tests.support.places import Missing, spark_session

pytestmark = pytest.mark.slow

PURCHASES = [bought("A", ago, 100 + ago) for ago in (5, 40, 80)] + [
	bought("B", 500, 20),
	bought("C", 900, 30),
]


@pytest.fixture(scope="module")
def spark():
	pytest.importorskip("pyspark", reason="Spark is left out: pyspark is not installed")
	try:
		yield spark_session()
	except Missing as missing:
		pytest.skip(str(missing))


@pytest.fixture
def purchases(tmp_path):
	path = tmp_path / "purchases.parquet"
	connection = duckdb.connect()
	connection.execute("CREATE TABLE p (party VARCHAR, day DATE, amount DOUBLE)")
	connection.executemany("INSERT INTO p VALUES (?, ?, ?)", [list(row.values()) for row in PURCHASES])
	connection.execute(f"COPY p TO '{path}' (FORMAT parquet)")
	return path


def parquet(folder):
	found = duckdb.sql(f"SELECT * FROM read_parquet('{folder}/*.parquet')")
	return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def test_the_cycle_from_parquet_to_parquet(spark, purchases, tmp_path):
	from crm_retention.backends.spark import run_on_parquet

	for _ in range(2):  # the second replaces what the first wrote
		result = run_on_parquet(spark, {"purchases": purchases}, parse(DEFAULTS), AS_OF, tmp_path / "out")
	expected = run({"purchases": PURCHASES}, {**DEFAULTS, "lifetime": {"enabled": True}})
	profiles = parquet(tmp_path / "out" / "profiles.parquet")
	changes = parquet(tmp_path / "out" / "changes.parquet")
	assert {row["party"]: row for row in profiles} == expected.profiles
	assert sorted(changes, key=str) == sorted(expected.changes, key=str)
	assert result.counts == expected.result.counts == {**result.counts, "parties": 3}

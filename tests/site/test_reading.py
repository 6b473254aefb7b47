"""What is read of the site is what it holds, to the last character and digit."""

from __future__ import annotations

import datetime
import decimal
from contextlib import contextmanager

import frappe
import ibis
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crm_retention.backends.site_relations import purchases
from crm_retention.configuration import get_config
from crm_retention.engine.cycle import run_cycle
from crm_retention.jobs.reading import read_all
from crm_retention.site import read as reading
from crm_retention.site.memory import engine_of_request, engine_of_run
from crm_retention.site.read import own_connection, read
from crm_retention.site.write import WorkTables
from crm_retention.sources import get_sources
from tests.site.trade import DAY, add_customers, add_market, add_sales, ago, get_profiles

SCHEMA = {
	"n": "int64",
	"text": "string",
	"long": "string",
	"whole": "int64",
	"money": "decimal(18, 6)",
	"float": "decimal(21, 9)",
	"day": "date",
	"moment": "timestamp",
}
TYPES = {
	"n": "BIGINT",
	"text": "VARCHAR(140)",
	"long": "LONGTEXT",
	"whole": "BIGINT",
	"money": "DECIMAL(18,6)",
	"float": "DECIMAL(21,9)",
	"day": "DATE",
	"moment": "DATETIME(6)",
}
# what a utf8mb4 column can hold
CHARACTERS = st.characters(exclude_categories=("Cs",))
TEXTS = st.text(CHARACTERS, max_size=140) | st.sampled_from(
	["", " ", "a ", "\t", "a\nb\r\n", "'", '"', "\\", "\\'", "a\0b", "\\0", "%s %(x)s %%", "汉语", "🌷", "null", "[1]", "0000-00-00", "1e5"]
)  # fmt: skip
ROWS = st.lists(
	st.tuples(
		st.none() | TEXTS,
		st.none() | st.text(CHARACTERS, max_size=3_000),
		st.none() | st.integers(-(2**63), 2**63 - 1),
		st.none() | st.decimals(-999_999_999_999, 999_999_999_999, places=6, allow_nan=False),
		st.none() | st.decimals(-999_999, 999_999, places=9, allow_nan=False),
		st.none() | st.dates(datetime.date(1000, 1, 1)),
		st.none() | st.datetimes(datetime.datetime(1000, 1, 1)),
	),
	max_size=25,
)


@contextmanager
def stored(rows):
	"""Rows in a table of the site, as its driver has them."""
	columns = ", ".join(f"`{name}` {kind}" for name, kind in TYPES.items())
	cursor = own_connection().cursor()
	cursor.execute("DROP TEMPORARY TABLE IF EXISTS retention_read")
	cursor.execute(f"CREATE TEMPORARY TABLE retention_read ({columns})")
	marks = ", ".join(["%s"] * len(TYPES))
	for number, row in enumerate(rows):
		cursor.execute(f"INSERT INTO retention_read VALUES ({marks})", (number, *row))
	yield cursor
	cursor.execute("DROP TEMPORARY TABLE retention_read")


def plain(name, value):
	"""A value in words that both drivers know: Frappe has decimals as floats."""
	return float(value) if name in ("money", "float") and value is not None else value


@pytest.fixture
def only_mariadb(site):
	if frappe.db.db_type != "mariadb":
		pytest.skip("the table of this test is MariaDB's")


@pytest.mark.usefixtures("only_mariadb")
class TestRows:
	@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
	@given(rows=ROWS)
	@example(
		rows=[
			(None,) * 7,
			("a\0b'\"\\\t\r\n🌷", "", 0, decimal.Decimal(0), decimal.Decimal("-0.000000001"), None, None),
		]
	)
	def test_what_the_driver_returns_is_what_the_engine_reads(self, rows):
		with stored(rows) as cursor, engine_of_request() as backend:
			cursor.execute("SELECT * FROM retention_read ORDER BY n")
			expected = [tuple(map(plain, SCHEMA, row)) for row in cursor.fetchall()]
			read(backend, own_connection(), {"found": ibis.table(SCHEMA, name="retention_read")})
			found = backend.query('SELECT * FROM found ORDER BY "n"')
		assert [tuple(map(plain, SCHEMA, row)) for row in found] == expected
		assert [row[4] for row in found] == [row[3] for row in rows]  # money is exact

	@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
	@given(rows=ROWS)
	def test_what_goes_out_comes_back(self, rows):
		with stored(rows) as cursor, engine_of_request() as backend:
			read(backend, own_connection(), {"found": ibis.table(SCHEMA, name="retention_read")})
			WorkTables(backend).put("back", backend.relations()["found"], "n")
			read(backend, own_connection(), {"again": ibis.table(SCHEMA, name="retention_work_back")})
			cursor.execute("DROP TEMPORARY TABLE retention_work_back")
			for one, other in (("found", "again"), ("again", "found")):
				assert backend.query(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}") == []

	def test_a_date_of_zeros_is_no_date(self):
		rows = [(None, None, None, None, None, day, day) for day in ("0000-00-00", "2024-02-29")]
		with engine_of_request() as backend:
			cursor = own_connection().cursor()
			cursor.execute("SET SESSION sql_mode = ''")
			with stored(rows):
				read(backend, own_connection(), {"found": ibis.table(SCHEMA, name="retention_read")})
			cursor.execute("SET SESSION sql_mode = DEFAULT")
			found = backend.query("SELECT day, moment FROM found ORDER BY n")
		assert found == [(None, None), (datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29))]

	def test_more_rows_than_a_batch_are_all_there(self, monkeypatch):
		monkeypatch.setattr(reading, "ROWS_PER_FETCH", 3)
		monkeypatch.setattr(reading, "ROWS_PER_BATCH", 7)
		rows = [(str(number), None, number, None, None, None, None) for number in range(50)]
		with stored(rows), engine_of_request() as backend:
			read(backend, own_connection(), {"found": ibis.table(SCHEMA, name="retention_read")})
			assert backend.query("SELECT count(*), sum(whole) FROM found") == [(50, sum(range(50)))]

	def test_a_relation_that_fails_leaves_no_half_of_it(self, monkeypatch):
		monkeypatch.setattr(reading, "ROWS_PER_FETCH", 2)
		monkeypatch.setattr(reading, "CHARACTERS_PER_BATCH", 1)
		rows = [(str(number), None, number, None, None, None, None) for number in range(5)]
		table = ibis.table(SCHEMA, name="retention_read")
		with stored(rows), engine_of_request() as backend:
			read(backend, own_connection(), {"found": table})
			batches = reading.batches

			def breaking(*arguments):
				yield next(batches(*arguments))
				raise ZeroDivisionError

			monkeypatch.setattr(reading, "batches", breaking)
			with pytest.raises(ZeroDivisionError):
				reading.append(backend, own_connection(), "found", table)
			assert backend.query("SELECT count(*) FROM found") == [(5,)]


@pytest.mark.usefixtures("site")
class TestGroups:
	"""Purchases come over a customer at a time, along an index."""

	@pytest.mark.parametrize("longest", [None, 4, 200])
	def test_a_relation_is_the_same_row_by_row_and_in_groups_of_any_length(self, monkeypatch, longest):
		add_market(60)
		add_sales("Nobody's", (ago(3), 1.5), (ago(2), -0.25))
		table = purchases(get_sources(get_config(), DAY))
		if longest:
			monkeypatch.setattr(reading, "get_longest", lambda _connection: longest)
		with engine_of_request() as backend:
			read(backend, own_connection(), {"rows": table})
			read(backend, own_connection(), {"groups": table}, grouped=["groups"])
			assert backend.query("SELECT count(*) FROM rows")[0][0] > 200
			for one, other in (("rows", "groups"), ("groups", "rows")):
				assert backend.query(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}") == []


@pytest.mark.usefixtures("site")
class TestNames:
	def test_a_link_in_another_spelling_is_to_the_same_customer(self):
		if frappe.db.db_type != "mariadb":
			pytest.skip("other databases compare texts exactly")
		add_customers("Émile & Söhne", "Zoë")
		for number, spelled in enumerate(("émile & söhne", "EMILE & SOHNE", "Émile & Söhne")):
			add_sales(spelled, (ago(10 + number), 100.0))
		add_sales("Deleted long ago", (ago(3), 50.0))
		found = get_profiles()
		assert found["Émile & Söhne"]["purchases"] == 3
		assert found["Zoë"]["purchases"] == 0
		assert not set(found) & {"émile & söhne", "EMILE & SOHNE", "Deleted long ago"}

	def test_equal_sums_whatever_order_the_rows_come_in(self):
		add_customers("Sums")
		amounts = [0.01 * (7 * number % 50 + 1) for number in range(32)]
		add_sales("Sums", *((ago(number + 1), round(amount, 2)) for number, amount in enumerate(amounts)))
		exact = sum(decimal.Decimal(str(round(amount, 2))) for amount in amounts)
		found = get_profiles()["Sums"]
		assert found["monetary_total"] == float(exact)


def test_the_cycle_in_the_room_of_a_request_is_that_of_a_run(site):
	add_market(50)
	config = get_config()
	found = []
	for room in (engine_of_request, engine_of_run):
		with room() as backend:
			read_all(backend, own_connection(), get_sources(config, DAY), plans=False)
			result = run_cycle(backend, config, DAY)
			found.append(sorted(backend.query(backend.compile(result.profiles)), key=str))
	assert found[0] == found[1]

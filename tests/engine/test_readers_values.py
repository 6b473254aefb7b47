"""Dates, amounts, documents and bad rows of files that are read as relations."""

import datetime
import time

import duckdb
import pytest

from crm_retention.files.errors import InputError
from tests.support.files import Reader

DAY = datetime.date(2024, 1, 5)


@pytest.fixture
def reader(tmp_path):
	return Reader(tmp_path)


def sales(*rows: str, mark: str = ",") -> str:
	return "\n".join([mark.join(("party", "date", "amount")), *rows, ""])


@pytest.mark.parametrize(
	("text", "other"),
	[
		("2024-01-05", "2024-11-25"),
		("2024/1/5", "2024/11/25"),
		("2024.01.05", "2024.11.25"),
		("20240105", "20241125"),
		("2024年1月5日", "2024年11月25日"),
		("05/01/2024", "25/11/2024"),
		("01/05/2024", "11/25/2024"),
		("5-1-2024", "25-11-2024"),
		("05.01.24", "25.11.24"),
		("1/5/24", "11/25/24"),
		("05-Jan-2024", "25-Nov-2024"),
		("5 January 2024", "25 November 2024"),
		('"Jan 5, 2024"', '"Nov 25, 2024"'),
		("2024-01-05 23:59:59", "2024-11-25T00:00:00Z"),
		("2024-01-05T10:00:00.123+08:00", "2024-11-25"),
		("1/5/2024 11:30 PM", "11/25/2024 1:05 AM"),
	],
)
def test_date_format_is_found_out(reader, text, other):
	rows = reader.rows(sales(f"A,{text},1", f"B,{other},1"))
	assert [row[1] for row in rows] == [DAY, datetime.date(2024, 11, 25)]


def test_dates_that_can_be_read_in_two_ways_are_refused(reader):
	text = sales("A,03/04/2024,1", "B,05/06/2024,1")
	assert reader.faults(text) == [
		"sales.csv, column 'date': '03/04/2024' can be read in two ways; "
		"give --date-format DD/MM/YYYY or --date-format MM/DD/YYYY"
	]


def test_dates_that_are_the_same_either_way_are_not_ambiguous(reader):
	assert [row[1] for row in reader.rows(sales("A,03/03/2024,1"))] == [datetime.date(2024, 3, 3)]


def test_one_day_beyond_twelve_settles_the_order(reader):
	rows = reader.rows(sales("A,03/04/2024,1", "B,13/06/2024,1"))
	assert rows[0][1] == datetime.date(2024, 4, 3)


@pytest.mark.parametrize("given", ["MM/DD/YYYY", "%m/%d/%Y"])
def test_given_date_format_settles_the_order(reader, given):
	assert reader.rows(sales("A,03/04/2024,1"), date_format=given)[0][1] == datetime.date(2024, 3, 4)


def test_given_date_format_leaves_other_dates_as_bad_rows(reader):
	faults = reader.faults(sales("A,13/04/2024,1", "A,03/04/2024,1"), date_format="MM/DD/YYYY")
	assert faults == ["sales.csv, line 2, date: '13/04/2024' is not a date (MM/DD/YYYY)"]


@pytest.mark.parametrize("given", ["day first", "DDMM"])
def test_date_format_that_is_none_is_refused(reader, given):
	assert reader.faults(sales("A,03/04/2024,1"), date_format=given)


def test_file_of_something_else_than_dates_is_refused(reader):
	faults = reader.faults(sales("A,first,1", "B,second,1"))
	assert faults == [
		"sales.csv, column 'date': 'first' is in no known date format; give it with --date-format"
	]


@pytest.mark.parametrize(
	("text", "value"),
	[
		("12", 12),
		("-3.5", -3.5),
		("+7", 7),
		("1e3", 1000),
		(".5", 0.5),
		('"1,234.50"', 1234.5),
		('"1,234,567"', 1234567),
		("1 234.50", 1234.5),
		("1'234.50", 1234.5),
		("$12.00", 12),
		('"¥1,200"', 1200),
		("-€5", -5),
		("€ -5", -5),
		("5元", 5),
		("(12.50)", -12.5),
		("12.50-", -12.5),
		("−4", -4),
	],
)
def test_amounts_as_people_write_them(reader, text, value):
	assert reader.rows(sales(f"A,2024-01-05,{text}"))[0][2] == value


@pytest.mark.parametrize(
	("text", "value"), [("12,5", 12.5), ("1.234,50", 1234.5), ("1.234", 1234), ("-3", -3), ("(2,5)", -2.5)]
)
def test_amounts_with_a_decimal_comma(reader, text, value):
	assert reader.rows(sales(f"A;2024-01-05;{text}", mark=";"), decimal_comma=True)[0][2] == value


@pytest.mark.parametrize("text", ["abc", "1.2.3", "12,34,5", "inf", "nan", "", "5 pieces", "--5"])
def test_amount_that_is_none_is_a_bad_row(reader, text):
	assert len(reader.faults(sales("A,2024-01-05,1", f'B,2024-01-05,"{text}"'))) == 1


def test_amount_with_a_comma_hints_at_the_option(reader):
	faults = reader.faults(sales("A;2024-01-05;12,50", mark=";"))
	assert faults == [
		"sales.csv, line 2, amount: '12,50' is not a number; for a decimal comma give --decimal-comma"
	]


BAD = """party,date,amount
A,2024-01-05,1

B,05/01/2024,1
"two
lines",2024-01-05,1
,2024-01-05,1
C,2024-02-30,1
D,2024-01-05,free
E,2024-01-05
F,2024-01-05,1,1
G,2024-01-05,
"H" x,2024-01-05,1
I,2024-01-05,2
"""
BAD_LINES = [
	"sales.csv, line 4, date: '05/01/2024' is not a date (YYYY-MM-DD)",
	"sales.csv, line 7, party: is empty",
	"sales.csv, line 8, date: '2024-02-30' is not a date (YYYY-MM-DD)",
	"sales.csv, line 9, amount: 'free' is not a number",
	"sales.csv, line 10: 2 fields instead of 3",
	"sales.csv, line 11: 4 fields instead of 3",
	"sales.csv, line 12, amount: is empty",
	"sales.csv, line 13: a quotation mark is not closed, or text follows the closing one",
]


def test_bad_rows_are_named_by_line_and_value(reader):
	assert reader.faults(BAD) == BAD_LINES


def test_bad_rows_are_named_by_the_lines_of_the_file_in_any_encoding(reader):
	assert reader.faults(BAD.encode("utf-16")) == BAD_LINES


def test_bad_rows_are_left_out_and_counted_where_allowed(reader):
	assert reader.rows(BAD, skip_bad_rows=True) == [
		("A", DAY, 1.0),
		("I", DAY, 2.0),
		("two\nlines", DAY, 1.0),
	]
	assert reader.loaded.skipped == 8
	assert reader.loaded.faults == BAD_LINES


def test_of_many_bad_rows_the_first_are_listed_and_the_rest_counted(reader):
	faults = reader.faults(sales(*["A,2024-01-05,x"] * 1234))
	assert len(faults) == 11
	assert faults[0].startswith("sales.csv, line 2, amount")
	assert faults[-1] == "sales.csv: and 1,224 more bad rows"


def test_bad_row_among_blank_separated_fields_is_named_by_line(reader):
	text = " A  20240105   1\n\n B  20240105\n C  20240105  x\n"
	assert reader.faults(text, columns={"party": "1", "day": "2", "amount": "3"}) == [
		"sales.csv, line 3: the number of fields differs from that of the first line",
		"sales.csv, line 4, 3: 'x' is not a number",
	]


def test_values_that_stand_for_nothing_are_null_where_optional(reader):
	text = "party,date,amount,discount,paid_day\nA,2024-01-05,1,NULL,\nB,2024-01-05,1,,n/a\nC,2024-01-05,1,3,2024-02-01\n"
	assert [row[3:] for row in reader.rows(text)] == [
		(None, None),
		(None, None),
		(3.0, datetime.date(2024, 2, 1)),
	]


def test_optional_value_that_cannot_be_read_is_a_bad_row(reader):
	text = "party,date,amount,discount\nA,2024-01-05,1,much\n"
	assert reader.faults(text) == ["sales.csv, line 2, discount: 'much' is not a number"]


def test_lines_of_one_document_are_one_purchase(reader):
	text = (
		"party,date,amount,document,discount,due_day,paid_day\n"
		"A,2024-01-06,5,D1,1,2024-02-01,2024-02-01\nA,2024-01-05,7,D1,2,2024-03-01,\n"
		"B,2024-01-05,1,D1,,,\nB,2024-01-05,2,,,,\nB,2024-01-05,3,,,,\n"
	)
	rows = sorted(reader.rows(text), key=lambda row: (row[0], row[3] if len(row) > 3 else 0))
	names = [column[0] for column in reader.connection.execute("DESCRIBE purchases").fetchall()]
	found = {tuple(sorted((name, row[names.index(name)]) for name in ("party", "amount"))) for row in rows}
	assert found == {
		(("amount", 12.0), ("party", "A")),
		(("amount", 1.0), ("party", "B")),
		(("amount", 2.0), ("party", "B")),
		(("amount", 3.0), ("party", "B")),
	}
	first = dict(zip(names, next(row for row in rows if row[0] == "A"), strict=True))
	assert (first["day"], first["discount"], first["due_day"], first["paid_day"]) == (
		DAY,
		3.0,
		datetime.date(2024, 3, 1),
		None,
	)


def test_party_that_is_there_twice_is_refused_or_its_first_row_kept(reader):
	text = "party,party_name,since\nA,first,2020-01-01\nB,b,2021-01-01\nA,second,2019-01-01\n"
	assert reader.faults(text, "parties") == ["sales.csv: 'A' is there 2 times; a party has one row"]
	rows = reader.rows(text, "parties", skip_bad_rows=True)
	assert [row[0:2] for row in rows] == [("A", "first"), ("B", "b")]
	assert reader.loaded.skipped == 1


def test_words_that_rules_compare_are_read_in_any_case(reader):
	text = "party,date,kind,score\nA,2024-01-05,nps,9\nA,2024-01-05,Csat,4\n"
	assert [row[2] for row in reader.rows(text, "feedback")] == ["CSAT", "NPS"]
	assert reader.faults("party,date,kind,score\nA,2024-01-05,stars,9\n", "feedback") == [
		"sales.csv, line 2, kind: 'stars' is not one of NPS, CSAT, CES"
	]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "VARCHAR"])
@pytest.mark.parametrize("amount", ["DOUBLE", "DECIMAL(12,2)", "INTEGER", "VARCHAR"])
def test_parquet_is_read_with_whatever_types_it_has(reader, tmp_path, kind, amount):
	path = tmp_path / "sales.parquet"
	duckdb.sql(
		f"COPY (SELECT 7 AS party, CAST(DATE '2024-01-05' AS {kind}) AS date, CAST(3 AS {amount}) AS amount) "
		f"TO '{path}' (FORMAT parquet)"
	)
	assert reader.load(path) == [("7", DAY, 3.0)]


def test_folder_of_parquet_files_is_one_relation(reader, tmp_path):
	folder = tmp_path / "sales.parquet"
	(folder / "year=2024").mkdir(parents=True)
	for name, party in (("a", "A"), ("year=2024/b", "B")):
		query = f"SELECT '{party}' AS party, DATE '2024-01-05' AS day, 1.0 AS amount"
		duckdb.sql(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
	assert reader.load(folder) == [("A", DAY, 1.0), ("B", DAY, 1.0)]


def test_folder_without_parquet_files_is_refused(reader, tmp_path):
	(tmp_path / "empty").mkdir()
	with pytest.raises(InputError, match="empty: "):
		reader.load(tmp_path / "empty")


def test_bad_row_of_a_parquet_file_is_named_by_its_number(reader, tmp_path):
	path = tmp_path / "sales.parquet"
	duckdb.sql(
		"COPY (SELECT * FROM (VALUES ('A', '2024-01-05', 1.0), (NULL, '2024-01-05', 1.0), ('C', 'x', 1.0), "
		f"('D', '2024-01-05', 'nan'::DOUBLE)) AS t(party, date, amount)) TO '{path}' (FORMAT parquet)"
	)
	with pytest.raises(InputError) as caught:
		reader.load(path)
	assert caught.value.messages == [
		"sales.parquet, row 2, party: is empty",
		"sales.parquet, row 3, date: 'x' is not a date (YYYY-MM-DD)",
		"sales.parquet, row 4, amount: is empty",
	]


def test_parquet_without_a_column_names_it(reader, tmp_path):
	path = tmp_path / "sales.parquet"
	duckdb.sql(
		f"COPY (SELECT 'A' AS customer, DATE '2024-01-05' AS date, 1 AS amount) TO '{path}' (FORMAT parquet)"
	)
	with pytest.raises(InputError, match=r"did you mean --party-col 'customer'\?"):
		reader.load(path)


def test_file_that_is_not_parquet_is_refused(reader, tmp_path):
	with pytest.raises(InputError, match=r"sales\.parquet: "):
		reader.load(reader.write("party,date,amount\n", "sales.parquet"))


def test_a_million_identical_rows_are_a_million_purchases_and_quick(reader):
	path = reader.write("party,date,amount\n" + "A,2024-01-05,1.5\n" * 1_000_000)
	start = time.perf_counter()
	loaded = reader.read(path)
	assert time.perf_counter() - start < 20
	assert loaded.rows == 1_000_000
	total = reader.connection.execute("SELECT sum(amount) FROM purchases").fetchone()
	assert total == (1_500_000.0,)

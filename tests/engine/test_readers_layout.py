"""Encodings, delimiters, headers and columns of files that are read as relations."""

import datetime
import gzip

import pytest

from crm_retention.files.errors import InputError
from tests.support.files import CDNOW, Reader

DAY = datetime.date(2024, 1, 5)


@pytest.fixture
def reader(tmp_path):
	return Reader(tmp_path)


@pytest.mark.parametrize(
	"encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encoding_of_chinese_text_is_found_out(reader, encoding):
	text = "party,date,amount\n张三丰,2024-01-05,1\n深圳市华强贸易有限公司,2024-01-05,2\n"
	assert reader.rows(text.encode(encoding)) == [("张三丰", DAY, 1.0), ("深圳市华强贸易有限公司", DAY, 2.0)]
	assert reader.loaded.encoding == encoding


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_encoding_of_accented_text_is_found_out(reader, encoding):
	text = "party,date,amount\nMüller & Söhne,2024-01-05,1\nCafé Zürich,2024-01-05,2\n"
	assert [row[0] for row in reader.rows(text.encode(encoding))] == ["Café Zürich", "Müller & Söhne"]


def test_given_encoding_is_used(reader):
	assert (
		reader.rows("party,date,amount\nпривет,2024-01-05,1\n".encode("cp1251"), encoding="cp1251")[0][0]
		== "привет"
	)


def test_given_encoding_that_does_not_fit_is_refused_by_line(reader):
	text = "party,date,amount\nA,2024-01-05,1\nMüller,2024-01-05,1\n".encode("latin-1")
	assert reader.faults(text, encoding="utf-8") == [
		"sales.csv, line 3: not utf-8 text; give the right one with --encoding"
	]


def test_broken_byte_in_utf8_is_not_taken_for_another_encoding(reader):
	text = ("party,date,amount\n" + "张三丰,2024-01-05,1\n" * 50).encode() + b"\xff,2024-01-05,1\n"
	assert reader.faults(text) == ["sales.csv, line 52: not utf-8 text; give the right one with --encoding"]


def test_unknown_encoding_is_refused(reader):
	assert reader.faults("party,date,amount\n", encoding="utf-99") == [
		"sales.csv: the encoding 'utf-99' is not known"
	]


def test_packed_file_is_unpacked(reader):
	path = reader.write(gzip.compress(b"party,date,amount\nA,2024-01-05,1\n"), "sales.csv.gz")
	assert reader.load(path) == [("A", DAY, 1.0)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "  "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiter_is_found_out(reader, mark, newline):
	lines = [("party", "date", "amount"), ("A", "2024-01-05", "1.5"), ("B", "2024-01-06", "2")]
	text = newline.join(mark.join(line) for line in lines) + newline
	assert reader.rows(text) == [("A", DAY, 1.5), ("B", datetime.date(2024, 1, 6), 2.0)]


@pytest.mark.parametrize("given", [";", "semicolon"])
def test_given_delimiter_is_used(reader, given):
	assert reader.rows("party;date;amount\nA,B;2024-01-05;1\n", delimiter=given) == [("A,B", DAY, 1.0)]


def test_delimiter_of_two_characters_is_refused(reader):
	assert reader.faults("party,date,amount\n", delimiter=";;") == ["the delimiter ';;' is not one character"]


def test_quoted_fields_keep_quotes_commas_and_lines(reader):
	text = (
		'party,date,amount\n"O""Brien, Ltd",2024-01-05,1\n"two\nlines",2024-01-05,2\n张三 "Z",2024-01-05,3\n'
	)
	assert [row[0] for row in reader.rows(text)] == ['O"Brien, Ltd', "two\nlines", '张三 "Z"']


def test_blanks_around_values_do_not_count(reader):
	assert reader.rows("party , Date,AMOUNT\n A ,2024-01-05 , 1 \n") == [("A", DAY, 1.0)]


def test_lines_before_the_header_are_skipped(reader):
	text = "Sales report\nall branches\nparty,date,amount\nA,2024-01-05,1\n,2024-01-05,1\n"
	assert reader.rows(text, skip_lines=2, skip_bad_rows=True) == [("A", DAY, 1.0)]
	assert reader.loaded.faults == ["sales.csv, line 5, party: is empty"]


def test_file_without_header_has_columns_by_number(reader):
	columns = {"party": "2", "day": "1", "amount": "3"}
	assert reader.rows("2024-01-05,A,1\n2024-01-05,B,2\n", columns=columns) == [
		("A", DAY, 1.0),
		("B", DAY, 2.0),
	]


def test_header_of_words_is_a_header_though_columns_are_given_by_number(reader):
	assert reader.rows(
		"Kunde,Tag,Wert\nA,2024-01-05,1\n", columns={"party": "1", "day": "2", "amount": "3"}
	) == [("A", DAY, 1.0)]


def test_first_line_is_data_where_it_is_said_so(reader):
	columns = {"party": "1", "day": "2", "amount": "3"}
	faults = reader.faults("Kunde,Tag,Wert\nA,2024-01-05,1\n", columns=columns, header=False)
	assert faults == [
		"sales.csv, line 1, 2: 'Tag' is not a date (YYYY-MM-DD)",
	]


def test_columns_are_mapped_by_name(reader):
	text = "客户,日期,金额\n张三,2024-01-05,1\n"
	assert reader.rows(text, columns={"party": "客户", "day": "日期", "amount": "金额"}) == [
		("张三", DAY, 1.0)
	]


def test_missing_columns_are_named_with_what_was_found_and_the_nearest(reader):
	assert reader.faults("Customer ID,Posting Date,Betrag\nA,2024-01-05,1\n") == [
		"sales.csv: there is no column 'party'; did you mean --party-col 'Customer ID'?",
		"sales.csv: there is no column 'date'; did you mean --date-col 'Posting Date'?",
		"sales.csv: there is no column 'amount'; name it with --amount-col NAME",
		"sales.csv: columns found: Customer ID, Posting Date, Betrag",
	]


def test_mapped_column_that_is_not_there_is_named(reader):
	faults = reader.faults("party,date,amount\nA,2024-01-05,1\n", columns={"discount": "rebate"})
	assert (
		faults[0] == "sales.csv: there is no column 'rebate'; name it with --column purchases.discount=NAME"
	)


def test_missing_column_of_another_relation_names_its_option(reader):
	assert reader.faults("customer,note\nA,x\n", "parties")[0] == (
		"sales.csv: there is no column 'party'; did you mean --column parties.party='customer'?"
	)


def test_column_name_that_is_there_twice_is_refused_unless_given_by_number(reader):
	text = "party,date,amount,amount\nA,2024-01-05,1,2\n"
	assert reader.faults(text) == [
		"sales.csv: more than one column has the name amount; name it by its number, from 1"
	]
	columns = {"amount": "4"}
	assert reader.rows(text, columns=columns) == [("A", DAY, 2.0)]


def test_file_with_nothing_in_it_is_refused(reader):
	assert reader.faults("") == ["sales.csv: the file is empty"]
	assert reader.faults("\n \n") == ["sales.csv: the file is empty"]


def test_file_that_is_not_there_is_refused(reader, tmp_path):
	with pytest.raises(InputError, match="there is no such file"):
		reader.load(tmp_path / "nothing.csv")


@pytest.mark.parametrize("text", ["party,date,amount\n", "party,date,amount"])
def test_header_alone_is_an_empty_relation(reader, text):
	assert reader.rows(text) == []
	assert reader.loaded.rows == 0


def test_attributes_of_parties_have_the_types_of_their_values(reader):
	text = (
		"party,party_name,code,employees,revenue,founded,note\n"
		"A,Alpha,007,12,1.5,2001-02-03,x\nB,Beta,010,,2,,\nC,,011,7,,2020-01-01,7\n"
	)
	assert reader.rows(text, "parties") == [
		("A", "Alpha", "007", 12, 1.5, datetime.date(2001, 2, 3), "x"),
		("B", "Beta", "010", None, 2.0, None, None),
		("C", None, "011", 7, None, datetime.date(2020, 1, 1), "7"),
	]


def test_further_columns_of_purchases_stay_out_unless_a_signal_reads_them(reader):
	text = (
		"party,date,amount,shop,visited\nA,2024-01-05,1,North,03.02.2024\nA,2024-01-05,1,North,25.02.2024\n"
	)
	assert len(reader.rows(text)[0]) == 3
	rows = reader.load(reader.write(text), extra={"shop": None, "visited": "date"})
	assert rows[0] == ("A", DAY, 1.0, "North", datetime.date(2024, 2, 3))


def test_cdnow_sample_is_read_as_it_is(reader):
	rows = reader.load(CDNOW, columns={"party": "1", "day": "3", "amount": "5"})
	assert len(rows) == 6919
	assert len({row[0] for row in rows}) == 2357
	assert rows[0] == ("00004", datetime.date(1997, 1, 1), 29.33)
	assert max(row[1] for row in rows) == datetime.date(1998, 6, 30)

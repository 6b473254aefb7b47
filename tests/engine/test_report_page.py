"""The report: one file, nothing outside it, and numbers that agree with the results."""

import csv
import datetime
import html.parser
import json
import re

import duckdb
import pytest

from crm_retention.report import charts, queries, words
from tests.support.files import command

VOID = {"meta", "br", "line", "circle", "rect", "polygon", "polyline"}


class Page(html.parser.HTMLParser):
	"""Text, tags and addresses of a page; raises on a tag that is not closed in order."""

	def __init__(self, text: str) -> None:
		super().__init__()
		self.open: list[str] = []
		self.tags: list[tuple[str, dict]] = []
		self.text: list[str] = []
		self.feed(text)
		assert self.open == []

	def handle_starttag(self, tag, attrs):
		self.tags.append((tag, dict(attrs)))
		if tag not in VOID:
			self.open.append(tag)

	def handle_startendtag(self, tag, attrs):
		self.tags.append((tag, dict(attrs)))

	def handle_endtag(self, tag):
		assert self.open.pop() == tag

	def handle_data(self, data):
		if self.open and self.open[-1] != "style":
			self.text.append(data)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
	folder = tmp_path_factory.mktemp("demo") / "out"
	assert command("demo", "--out", folder).returncode == 0
	return folder


@pytest.fixture(scope="module")
def source(demo):
	return (demo / "report.html").read_text(encoding="utf-8")


def test_report_is_well_formed_and_needs_nothing_from_outside(source):
	page = Page(source)
	names = {tag for tag, _ in page.tags}
	assert not names & {"script", "link", "img", "iframe", "object"}
	addresses = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href")]
	assert addresses == []
	assert not re.search(r"url\(|@import|https?:", source)


def test_report_has_every_section(source):
	titles = re.findall(r"<h2>(.*?)</h2>", source)
	assert titles == [
		"Who to call first",
		"Tiers",
		"Lifecycle stages",
		"Tiers by stage",
		"Value by month",
		"Value curve",
		"Recency by frequency",
		"Cohort retention",
		"What was left out",
		"How to read this",
	]
	assert source.count("<svg") == 2


def test_report_says_who_to_call_as_the_summary_does(demo, source):
	calls = json.loads((demo / "summary.json").read_text(encoding="utf-8"))["call_first"]
	places = [source.index(f"<b>{row['party']}</b>") for row in calls[:12]]
	assert places == sorted(places)
	assert words.capital("; ".join(calls[0]["reasons"])) in source


def test_customers_to_call_are_slipping_and_not_lost(demo):
	calls = json.loads((demo / "summary.json").read_text(encoding="utf-8"))["call_first"]
	with (demo / "profiles.csv").open(encoding="utf-8", newline="") as file:
		rows = {row["party"]: row for row in csv.DictReader(file)}
	risks = [call["at_risk"] for call in calls]
	assert risks == sorted(risks, reverse=True)
	for call in calls:
		row = rows[call["party"]]
		alive = float(row["probability_alive"])
		assert float(row["overdue_ratio"]) > 1
		assert queries.ALIVE_FROM <= alive <= queries.ALIVE_UPTO
		assert call["at_risk"] == pytest.approx(float(row["lifetime_value"]) / alive * (1 - alive))


def test_counts_of_tiers_are_those_of_the_summary(demo, source):
	summary = json.loads((demo / "summary.json").read_text(encoding="utf-8"))
	for name, count in {**summary["tiers"], **summary["stages"]}.items():
		if count:
			assert re.search(rf"</i>{name}</th><td>{count:,}</td>", source)


def test_names_and_rules_cannot_break_the_page(tmp_path):
	nasty = "<script>alert('x')</script>&\"'"
	quoted = nasty.replace('"', '""')
	lines = [f'"{quoted}",2024-{month:02}-01,100' for month in range(1, 7)]
	lines += [f"P{n},2024-{n % 12 + 1:02}-{n % 28 + 1:02},{n}" for n in range(40)]
	(tmp_path / "sales.csv").write_text("\n".join(["party,date,amount", *lines]), encoding="utf-8")
	(tmp_path / "rules.toml").write_text('[[tiers]]\nname = "<b>All</b>"\nrank = 1\n')
	options = ("--config", "rules.toml", "--title", "<i>Ours</i>")
	result = command("run", "sales.csv", "--as-of", "2024-08-15", *options, cwd=tmp_path)
	assert result.returncode == 0, result.stderr
	source = (tmp_path / "retention-report" / "report.html").read_text(encoding="utf-8")
	page = Page(source)
	assert "script" not in {tag for tag, _ in page.tags}
	assert nasty in "".join(page.text)
	assert "<b>All</b>" in "".join(page.text)
	assert "&lt;i&gt;Ours&lt;/i&gt;" in source


def test_report_without_customers_or_model_is_whole(tmp_path):
	(tmp_path / "sales.csv").write_text("party,date,amount\n")
	assert command("run", "sales.csv", "--as-of", "2024-12-31", cwd=tmp_path).returncode == 0
	source = (tmp_path / "retention-report" / "report.html").read_text(encoding="utf-8")
	Page(source)
	assert "0 customers" in source
	assert "No lifetime model" in source


def test_one_customer_with_returns_only_is_whole(tmp_path):
	(tmp_path / "sales.csv").write_text("party,date,amount\nA,2024-01-05,-3\n")
	result = command("run", "sales.csv", "--as-of", "2024-12-31", cwd=tmp_path)
	assert result.returncode == 0, result.stderr
	Page((tmp_path / "retention-report" / "report.html").read_text(encoding="utf-8"))


@pytest.fixture
def connection():
	"""A: January, February and April 2024 (100 each, 50 back in April); B: January and March (10 each); C: March (5)."""
	connection = duckdb.connect()
	connection.execute(
		"""
		CREATE TABLE purchases AS SELECT party, CAST(day AS DATE) AS day, amount FROM (VALUES
			('A', '2024-01-05', 100.0), ('A', '2024-02-05', 100.0), ('A', '2024-04-05', 100.0),
			('A', '2024-04-06', -50.0), ('B', '2024-01-20', 10.0), ('B', '2024-03-05', 10.0),
			('C', '2024-03-09', 5.0), ('C', '2024-05-09', 999.0)) AS t(party, day, amount)
		"""
	)
	connection.execute(
		"""
		CREATE TABLE profiles AS SELECT party, min(day) AS first_purchase, max(day) AS last_purchase,
			sum(amount) AS monetary_total FROM purchases WHERE day <= DATE '2024-04-30' GROUP BY party
		"""
	)
	return connection


APRIL = datetime.date(2024, 4, 30)


def test_cohorts_count_who_bought_again_in_each_later_month(connection):
	found = queries.cohorts(connection, APRIL)
	january, march = datetime.date(2024, 1, 1), datetime.date(2024, 3, 1)
	assert found.unit == "month"
	assert found.sizes == {january: 2, march: 1}
	assert found.returned == {(january, 1): 1, (january, 2): 1, (january, 3): 1}


def test_value_by_month_parts_new_from_returning_customers(connection):
	assert queries.value_by_month(connection, APRIL) == [
		(datetime.date(2024, 1, 1), 110.0, 0.0),
		(datetime.date(2024, 2, 1), 0.0, 100.0),
		(datetime.date(2024, 3, 1), 5.0, 10.0),
		(datetime.date(2024, 4, 1), 0.0, 50.0),
	]


def test_value_curve_runs_from_nothing_to_everything(connection):
	points = queries.value_curve(connection)
	assert points[0] == (0.0, 0.0)
	assert points[-1] == (1.0, 1.0)
	assert points[1] == pytest.approx((1 / 3, 250 / 275))
	assert charts.value_of_top(points, 1 / 6) == pytest.approx(125 / 275)


@pytest.mark.parametrize(
	("value", "text"),
	[
		(0, "0"),
		(None, "–"),
		(12.345, "12.35"),
		(1234.5, "1,234"),
		(2e7, "20.0 m"),
		(-5.5, "-5.50"),
		(3e10, "30.0 bn"),
	],
)
def test_amounts_are_written_as_long_as_they_need(value, text):
	assert words.money(value) == text


@pytest.mark.parametrize(
	("share", "text"), [(0, "0%"), (0.001, "<1%"), (0.255, "26%"), (1, "100%"), (None, "–")]
)
def test_shares_are_percentages(share, text):
	assert words.percent(share) == text


def test_reasons_say_everything_that_matters():
	row = {
		"mean_interval_days": 31.2,
		"recency_days": 74,
		"monetary_12m": 1240.0,
		"monetary_prior_12m": 2480.0,
		"trend": -0.5,
		"probability_alive": 0.41,
		"open_complaints": 2,
		"nps": 3.0,
		"days_to_contract_end": 20,
		"days_since_contact": 120,
	}
	assert words.reasons(row, 365) == [
		"buys every 31 days, silent for 74",
		"12-month value 1,240 (down 50%)",
		"probability alive 0.41",
		"2 open complaints",
		"last recommendation score 3 of 10",
		"contract ends in 20 days",
		"not in touch for 120 days",
	]


def test_reasons_keep_silent_about_what_is_not_known():
	assert words.reasons({"recency_days": 3, "monetary_12m": None}, 365) == []
	row = {"monetary_12m": 0.0, "monetary_prior_12m": 560.0}
	assert words.reasons(row, 365) == ["nothing in the last 12 months, 560 in the 12 months before"]

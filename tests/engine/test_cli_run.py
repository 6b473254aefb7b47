"""`crm-retention run`, `demo` and `config` as a person uses them."""

import contextlib
import csv
import json
import os
import pty
import signal
import subprocess
import time

import duckdb
import pytest

from crm_retention.files.configuration import default_toml, stored_config
from crm_retention.files.output import READY, WRITING
from tests.support.files import CDNOW, command, start
from tests.support.places import Missing, spark_session

FILES = {
	"config.toml",
	"lifetime_model.json",
	"profiles.csv",
	"profiles.parquet",
	"report.html",
	"stage_changes.csv",
	"summary.json",
	"tier_changes.csv",
}
PROMISED = {
	"party",
	"first_purchase",
	"last_purchase",
	"recency_days",
	"frequency",
	"purchases",
	"monetary_total",
	"probability_alive",
	"expected_purchases_90d",
	"lifetime_value",
	"score",
	"health",
	"tier",
	"stage",
}
SALES = """party,date,amount
"ACME, ""Z"" Ltd",2024-01-01,100
"ACME, ""Z"" Ltd",2024-02-01,120
"ACME, ""Z"" Ltd",2024-03-01,-20
张三,2023-05-05,10
张三,2025-05-05,10
"""


def run(tmp_path, text=SALES, *options, as_of="2024-12-31", out="out"):
	(tmp_path / "sales.csv").write_text(text, encoding="utf-8")
	return command("run", "sales.csv", "--as-of", as_of, "--out", out, *options, cwd=tmp_path)


def profiles(folder) -> dict[str, dict[str, str]]:
	with (folder / "profiles.csv").open(encoding="utf-8", newline="") as file:
		return {row["party"]: row for row in csv.DictReader(file)}


def contents(folder) -> dict[str, bytes]:
	return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
	folder = tmp_path_factory.mktemp("demo") / "out"
	return command("demo", "--out", folder), folder


def test_demo_writes_every_file_and_nothing_else(demo):
	result, folder = demo
	assert result.returncode == 0, result.stderr
	assert {path.name for path in folder.iterdir()} == FILES


def test_demo_ends_with_five_customers_to_call_and_the_report(demo):
	result, folder = demo
	lines = result.stdout.rstrip().splitlines()
	calls = lines[lines.index("Call first") + 1 :][:5]
	assert [line.split(".")[0].strip() for line in calls] == ["1", "2", "3", "4", "5"]
	assert all("silent for" in line and "probability alive" in line for line in calls)
	assert lines[-1] == f"Report: {(folder / 'report.html').resolve()}"


def test_demo_gives_the_same_files_as_the_run_with_every_option(demo, tmp_path):
	_, folder = demo
	result = command(
		"run",
		CDNOW,
		*("--party-col", "1", "--date-col", "3", "--amount-col", "5"),
		*("--as-of", "1998-06-30", "--out", tmp_path / "out"),
	)
	assert result.returncode == 0, result.stderr
	same = FILES - {"summary.json", "report.html"}  # which name the file, the seconds and the title
	assert {name: contents(folder)[name] for name in same} == {
		name: contents(tmp_path / "out")[name] for name in same
	}


def test_profiles_have_every_promised_column_in_csv_and_parquet(demo):
	_, folder = demo
	rows = profiles(folder)
	assert len(rows) == 2357
	columns = list(next(iter(rows.values())))
	assert set(columns) >= PROMISED
	parquet = duckdb.sql(f"SELECT * FROM read_parquet('{folder / 'profiles.parquet'}')")
	assert parquet.columns == columns
	assert [row[0] for row in parquet.fetchall()] == list(rows)


def test_summary_counts_add_up(demo):
	_, folder = demo
	summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
	assert summary["as_of"] == "1998-06-30"
	assert sum(summary["tiers"].values()) == sum(summary["stages"].values()) == 2357
	assert summary["counts"]["parties"] == 2357
	assert summary["skipped_rows"] == summary["future_rows"] == 0
	assert summary["files"][0]["rows"] == 6919
	assert {"read purchases", "signals", "lifetime", "scores", "tiers", "changes", "total"} <= set(
		summary["seconds"]
	)
	assert summary["rule_version"] == stored_config(folder / "config.toml").version


def test_lifetime_model_has_the_published_parameters(tmp_path):
	"""Fader, Hardie and Lee (2005), table 2: BG/NBD on the 39 weeks up to 30 September 1997."""
	options = ("--party-col", "1", "--date-col", "3", "--amount-col", "5", "--as-of", "1997-09-30")
	result = command("run", CDNOW, *options, "--out", tmp_path / "out")
	assert result.returncode == 0, result.stderr
	model = json.loads((tmp_path / "out" / "lifetime_model.json").read_text())
	assert model["time_unit"] == "week"
	assert model["n"] == 2357
	published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
	assert {name: round(model[name], 3) for name in published} == published
	assert round(model["log_likelihood"], 1) == -9582.4
	assert model["p"] > 0
	assert model["q"] > 1
	assert model["v"] > 0
	assert "purchases dated after 1997-09-30 left out" in result.stdout


def test_small_file_of_odd_names_is_run(tmp_path):
	result = run(tmp_path)
	assert result.returncode == 0, result.stderr
	rows = profiles(tmp_path / "out")
	assert set(rows) == {'ACME, "Z" Ltd', "张三"}
	assert rows['ACME, "Z" Ltd']["purchases"] == "2"
	assert float(rows['ACME, "Z" Ltd']["monetary_total"]) == 200
	assert rows["张三"]["probability_alive"] == ""
	assert "1 purchase dated after 2024-12-31 left out" in result.stdout
	assert "at least 50 are needed" in result.stdout
	assert json.loads((tmp_path / "out" / "lifetime_model.json").read_text())["r"] is None


def test_no_purchase_by_the_day_gives_empty_results(tmp_path):
	result = run(tmp_path, as_of="2020-01-01")
	assert result.returncode == 0, result.stderr
	assert "0 customers as of 2020-01-01" in result.stdout
	assert profiles(tmp_path / "out") == {}
	assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_header_alone_gives_empty_results(tmp_path):
	assert run(tmp_path, "party,date,amount\n").returncode == 0
	assert profiles(tmp_path / "out") == {}


@pytest.mark.parametrize(
	("text", "options", "message"),
	[
		("", (), "sales.csv: the file is empty"),
		("customer,date,amount\nA,2024-01-01,1\n", (), "did you mean --party-col 'customer'?"),
		(
			"party,date,amount\nA,2024-13-01,1\n",
			("--date-format", "YYYY-MM-DD"),
			"sales.csv, line 2, date: '2024-13-01'",
		),
		("party,date,amount\nA,01/02/2024,1\n", (), "can be read in two ways"),
		(SALES, ("--column", "purchases.party"), "write it as RELATION.COLUMN=NAME"),
		(SALES, ("--column", "parties.party=x"), "no file is given for 'parties'"),
		(SALES, ("--parties", "none.csv"), "none.csv: there is no such file"),
		(SALES, ("--config", "none.toml"), "none.toml: there is no such file"),
		(SALES, ("--memory", "plenty"), "plenty"),
		(SALES, ("--table", "purchases=x.csv"), "--table purchases=x.csv"),
		(SALES, ("--out", "sales.csv"), "is a file"),
	],
)
def test_wrong_input_is_exit_code_2_and_a_line_that_says_why(tmp_path, text, options, message):
	result = run(tmp_path, text, *options)
	assert result.returncode == 2
	assert message in result.stderr
	assert "Traceback" not in result.stderr
	assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("day", ["31.12.2024", "2024-02-30", "today"])
def test_day_that_is_none_is_refused(tmp_path, day):
	result = run(tmp_path, as_of=day)
	assert result.returncode == 2
	assert f"{day!r} is not a date; write it as 2024-12-31" in result.stderr


def test_bad_rows_stop_the_run_or_are_counted(tmp_path):
	text = SALES + "B,someday,1\n,2024-01-01,1\n"
	refused = run(tmp_path, text)
	assert refused.returncode == 2
	assert refused.stderr.splitlines() == [
		"crm-retention: sales.csv, line 7, date: 'someday' is not a date (YYYY-MM-DD)",
		"crm-retention: sales.csv, line 8, party: is empty",
	]
	result = run(tmp_path, text, "--skip-bad-rows")
	assert result.returncode == 0, result.stderr
	assert json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["skipped_rows"] == 2
	assert "2 bad rows of purchases left out: sales.csv, line 7" in result.stdout


def test_wrong_run_leaves_the_earlier_results(tmp_path):
	assert run(tmp_path).returncode == 0
	before = contents(tmp_path / "out")
	assert run(tmp_path, SALES + "B,someday,1\n").returncode == 2
	assert contents(tmp_path / "out") == before
	assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_every_kind_of_file_has_its_part(tmp_path):
	files = {
		"parties": "id,party_name,region\nA,Alpha,North\nB,Beta,South\n",
		"items": "party,date,product\nA,2024-12-01,x\nA,2024-12-01,y\n",
		"interactions": "party,date,direction\nA,2024-12-21,in\nA,2024-12-11,Outbound\n",
		"feedback": "party,date,kind,score\nA,2024-12-01,nps,3\n",
		"cases": "party,opened,closed,kind\nA,2024-12-01,,Complaint\n",
		"contracts": "party,start,end\nA,2024-01-01,2025-01-30\n",
	}
	options = ["--column", "parties.party=id"]
	for name, text in files.items():
		(tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
		options += [f"--{name}", f"{name}.csv"]
	sales = "party,date,amount\nA,2024-01-01,10\nA,2024-03-01,10\nZ,2024-03-01,10\n"
	result = run(tmp_path, sales, *options)
	assert result.returncode == 0, result.stderr
	rows = profiles(tmp_path / "out")
	assert set(rows) == {"A", "B"}
	expected = {
		"party_name": "Alpha",
		"party__region": "North",
		"product_breadth": "2",
		"days_since_contact": "10",
		"nps": "3.0",
		"open_complaints": "1",
		"days_to_contract_end": "30",
	}
	assert {name: rows["A"][name] for name in expected} == expected
	assert rows["B"]["last_purchase"] == ""
	assert "1 buyer left out, not in the file of parties" in result.stdout


def test_state_of_the_last_run_makes_the_next_one_a_sequel(tmp_path):
	regular = "".join(f"A,2024-{month:02}-01,100\n" for month in range(1, 13))
	others = "".join(f"P{n},2023-{n % 12 + 1:02}-15,{n}\n" for n in range(1, 40))
	text = "party,date,amount\n" + regular + others
	assert run(tmp_path, text, as_of="2024-12-31").returncode == 0
	first = profiles(tmp_path / "out")
	state = ("--state", "out/profiles.parquet")
	again = run(tmp_path, text, *state, as_of="2025-01-01")
	assert again.returncode == 0, again.stderr
	second = profiles(tmp_path / "out")
	assert {row["tier_since"] for row in second.values()} == {"2024-12-31"}
	assert second["A"]["tier"] == first["A"]["tier"]
	assert (tmp_path / "out" / "tier_changes.csv").read_text().splitlines() == [
		"party,party_type,from_value,to_value,reason,score,health"
	]
	text += "".join(f"P{n},2026-06-{n % 28 + 1:02},{500 + n}\n" for n in range(1, 40))
	later = run(tmp_path, text, *state, as_of="2026-07-01")
	assert later.returncode == 0, later.stderr
	third = profiles(tmp_path / "out")["A"]
	assert (third["previous_stage"], third["stage"], third["stage_since"]) == (
		"Loyal",
		"Dormant",
		"2026-07-01",
	)
	assert "Moves between tiers" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_same_run_twice_changes_nothing_the_second_time(tmp_path):
	assert run(tmp_path).returncode == 0
	before = contents(tmp_path / "out")
	assert run(tmp_path).returncode == 0
	after = contents(tmp_path / "out")
	del before["summary.json"], after["summary.json"]  # which has the seconds
	assert after == before


def test_config_prints_rules_that_mean_the_defaults(tmp_path):
	printed = command("config")
	assert printed.returncode == 0
	assert printed.stdout == default_toml()
	assert command("config", "--out", tmp_path / "rules.toml").returncode == 0
	assert run(tmp_path, SALES, "--config", "rules.toml").returncode == 0
	with_file = stored_config(tmp_path / "out" / "config.toml").version
	assert run(tmp_path).returncode == 0
	assert stored_config(tmp_path / "out" / "config.toml").version == with_file


def test_config_does_not_overwrite_a_file(tmp_path):
	(tmp_path / "rules.toml").write_text("mine")
	result = command("config", "--out", tmp_path / "rules.toml")
	assert result.returncode == 2
	assert (tmp_path / "rules.toml").read_text() == "mine"


def test_config_replaces_whole_tables_and_keeps_the_others(tmp_path):
	(tmp_path / "rules.toml").write_text(
		'[windows]\nperiod = 90\n\n[[tiers]]\nname = "All"\nrank = 1\n\n[[tiers]]\nname = "Northern"\nrank = 2\n'
		'conditions = [["party.region", "=", "North"]]\n'
	)
	(tmp_path / "parties.csv").write_text(
		'party,region\n"ACME, ""Z"" Ltd",North\n张三,South\n', encoding="utf-8"
	)
	result = run(tmp_path, SALES, "--config", "rules.toml", "--parties", "parties.csv")
	assert result.returncode == 0, result.stderr
	rows = profiles(tmp_path / "out")
	assert {name: row["tier"] for name, row in rows.items()} == {'ACME, "Z" Ltd': "Northern", "张三": "All"}
	assert rows['ACME, "Z" Ltd']["monetary_12m"] == "0.0"
	assert rows['ACME, "Z" Ltd']["stage"] == "Active"


def test_own_signal_reads_a_further_column_and_a_further_table(tmp_path):
	(tmp_path / "rules.toml").write_text(
		'[[signals]]\nname = "north"\nrelation = "purchases"\naggregate = "sum"\nvalue_field = "amount"\n'
		'conditions = [["shop", "=", "North"]]\n\n'
		'[[signals]]\nname = "visits"\nrelation = "visits"\naggregate = "count"\nparty_field = "who"\n'
		'date_field = "seen"\n'
	)
	(tmp_path / "visits.csv").write_text("who,seen\nA,25.12.2024\nA,03.01.2024\nA,03.01.2025\n")
	sales = "party,date,amount,shop\nA,2024-01-01,10,North\nA,2024-02-01,5,South\n"
	result = run(tmp_path, sales, "--config", "rules.toml", "--table", "visits=visits.csv")
	assert result.returncode == 0, result.stderr
	row = profiles(tmp_path / "out")["A"]
	assert (float(row["north"]), int(row["visits"])) == (10, 2)


def test_rule_that_the_data_cannot_decide_is_named_and_the_run_goes_on(tmp_path):
	(tmp_path / "rules.toml").write_text(
		'[[tiers]]\nname = "All"\nrank = 1\n\n[[tiers]]\nname = "Gold"\nrank = 2\nconditions = [["party.gold", "=", 1]]\n'
	)
	result = run(tmp_path, SALES, "--config", "rules.toml")
	assert result.returncode == 0
	assert "rule not used: tiers, Gold, condition 1, party.gold: there is no such field" in result.stderr
	assert {row["tier"] for row in profiles(tmp_path / "out").values()} == {"All"}


@pytest.mark.parametrize(
	("text", "messages"),
	[
		("[windows\n", ["rules.toml: Expected"]),
		("[windows]\nperiode = 3\n", ["rules.toml: windows, periode: unknown field"]),
		("[colours]\nred = 1\n", ["rules.toml: colours: unknown table"]),
		(
			'[[tiers]]\nname = "A"\nrank = 1\nmin_score = 50\n[[tiers]]\nname = "B"\nrank = 2\nmin_score = 200\n'
			'[[tiers]]\nname = "C"\nrank = 2\n',
			["rules.toml: tiers, B, min_score: 200 is not within 0 to 100", "rules.toml: tiers, C, rank"],
		),
	],
)
def test_wrong_rules_are_named_one_fault_a_line(tmp_path, text, messages):
	(tmp_path / "rules.toml").write_text(text)
	result = run(tmp_path, SALES, "--config", "rules.toml")
	assert result.returncode == 2
	for message in messages:
		assert message in result.stderr
	assert "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def many(tmp_path_factory):
	"""A file of 20,000 customers, whose results take a moment to write."""
	path = tmp_path_factory.mktemp("many") / "sales.csv"
	duckdb.sql(
		"COPY (SELECT 'C' || (i % 20000) AS party, DATE '2022-01-01' + CAST((hash(i) % 1000) AS INTEGER) AS date, "
		f"(hash(i + 1) % 10000) / 100.0 AS amount FROM range(80000) AS t(i)) TO '{path}' (HEADER)"
	)
	return path


def kill_once(path, out, file) -> bool:
	"""Run on ``path`` and kill the run as soon as ``file`` appears in its folder; whether it came to that."""
	process = start("run", path, "--as-of", "2024-12-31", "--out", out, "--quiet")
	while process.poll() is None:
		if (out / WRITING / file).exists():
			process.send_signal(signal.SIGKILL)
			break
		time.sleep(0.001)
	return process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("file", ["profiles.csv", "lifetime_model.json"])
def test_killed_run_leaves_the_earlier_results_and_the_next_one_works(many, tmp_path, file):
	out = tmp_path / "out"
	assert run(tmp_path).returncode == 0
	before = contents(out)
	assert kill_once(many, out, file)
	assert contents(out) == before
	result = command("run", many, "--as-of", "2024-12-31", "--out", out)
	assert result.returncode == 0, result.stderr
	assert {path.name for path in out.iterdir()} == FILES
	assert len(profiles(out)) == 20000


def test_move_that_was_interrupted_is_ended_by_the_next_command(tmp_path):
	out = tmp_path / "out"
	assert run(tmp_path).returncode == 0
	newer = SALES + "新,2024-12-01,5\n"
	assert run(tmp_path, newer, out="newer").returncode == 0
	(out / READY).mkdir()
	for name in ("profiles.parquet", "summary.json", "config.toml"):
		(tmp_path / "newer" / name).rename(out / READY / name)
	assert command("explain", "新", "--out", out).returncode == 0
	assert not (out / READY).exists()


def test_two_runs_into_one_folder_one_works_and_the_other_says_so(many, tmp_path):
	out = tmp_path / "out"
	first = start("run", many, "--as-of", "2024-12-31", "--out", out, "--quiet")
	while not (out / WRITING).exists() and first.poll() is None:
		time.sleep(0.005)
	second = run(tmp_path)
	assert (first.wait(), second.returncode) == (0, 2)
	assert "another run is writing to this folder" in second.stderr
	assert len(profiles(out)) == 20000


def test_foreign_files_in_the_folder_stay(tmp_path):
	(tmp_path / "out").mkdir()
	(tmp_path / "out" / "notes.txt").write_text("mine")
	assert run(tmp_path).returncode == 0
	assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_help_names_every_command_and_reads_without_terms_of_programming():
	result = command("--help")
	assert result.returncode == 0
	assert all(name in result.stdout for name in ("run", "explain", "demo", "config"))
	assert command("run", "--help").returncode == 0
	assert command("--version").stdout.startswith("crm-retention ")


def test_output_without_a_terminal_has_no_progress_bar(demo):
	result, _ = demo
	assert "\x1b" not in result.stdout + result.stderr
	assert result.stderr == ""


def test_bar_is_shown_on_a_terminal(tmp_path):
	pytest.importorskip("rich")
	(tmp_path / "sales.csv").write_text(SALES, encoding="utf-8")
	ours, theirs = pty.openpty()
	arguments = ("run", tmp_path / "sales.csv", "--as-of", "2024-12-31", "--out", tmp_path / "out")
	terminal = {"TERM": "xterm", "COLUMNS": "100"}
	process = start(*arguments, env=terminal, stdout=subprocess.DEVNULL, stderr=theirs)
	os.close(theirs)
	shown = b""
	with contextlib.suppress(OSError):  # the other end is closed
		while chunk := os.read(ours, 65536):
			shown += chunk
	os.close(ours)
	assert process.wait() == 0
	assert b"100%" in shown


def test_installed_command_is_the_same(tmp_path):
	process = start("config", stdout=subprocess.PIPE)
	assert process.communicate()[0].decode() == default_toml()
	assert process.returncode == 0


@pytest.mark.slow
def test_spark_gives_the_same_files(tmp_path):
	pytest.importorskip("pyspark", reason="Spark is left out: pyspark is not installed")
	try:
		spark_session()
	except Missing as missing:
		pytest.skip(str(missing))
	assert run(tmp_path, SALES, out="here").returncode == 0
	result = run(tmp_path, SALES, "--backend", "spark", out="there")
	assert result.returncode == 0, result.stderr
	here, there = contents(tmp_path / "here"), contents(tmp_path / "there")
	for name in ("profiles.csv", "tier_changes.csv", "stage_changes.csv", "lifetime_model.json"):
		assert there[name] == here[name]

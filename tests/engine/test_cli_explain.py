"""`crm-retention explain`: the stored results of one customer, with the rules that made them."""

import json

import pytest

from tests.support.files import command

SALES = "party,date,amount\n" + "".join(f"A,2024-{month:02}-01,100\n" for month in range(1, 13))
SALES += "".join(f"P{n},2024-{n % 12 + 1:02}-15,{n}\n" for n in range(1, 61))
PARTIES = "party,party_name\nA,ACME 有限公司\nNew,Newcomer\nP1,Same\nP2,Same\n" + "".join(
	f"P{n},\n" for n in range(3, 61)
)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
	folder = tmp_path_factory.mktemp("explain")
	(folder / "sales.csv").write_text(SALES, encoding="utf-8")
	(folder / "parties.csv").write_text(PARTIES, encoding="utf-8")
	result = command("run", "sales.csv", "--parties", "parties.csv", "--as-of", "2024-12-31", cwd=folder)
	assert result.returncode == 0, result.stderr
	return folder / "retention-report"


def test_text_has_inputs_points_and_rules(out):
	result = command("explain", "A", "--out", out)
	assert result.returncode == 0, result.stderr
	lines = result.stdout.splitlines()
	assert lines[0] == "ACME 有限公司 (A)"
	assert lines[1].startswith("as of 2024-12-31, rules ")
	assert "  Tier   High Value since 2024-12-31 (initial)" in lines
	text = result.stdout
	assert "Customer Value: " in text
	assert "points x " in text
	assert "Buying Rhythm" in text
	assert "✓ score of 70 or more" in text
	assert "✗ recency_days >= 365 (is 30)" in text
	assert "This is the highest tier." in text


def test_contributions_add_up_to_the_score(out):
	found = json.loads(command("explain", "A", "--out", out, "--json").stdout)
	assert found["party"] == "A"
	assert found["as_of"] == "2024-12-31"
	for card in found["scorecards"]:
		total = sum(item["contribution"] for item in card["criteria"] if item["contribution"] is not None)
		assert total == pytest.approx(card["score"], abs=0.05)


def test_what_is_missing_to_the_next_tier_is_said(out):
	result = command("explain", "P3", "--out", out)
	assert "What would lift to " in result.stdout
	assert "points of score are missing" in result.stdout


def test_party_without_a_purchase_is_explained(out):
	result = command("explain", "New", "--out", out)
	assert result.returncode == 0, result.stderr
	assert "Stage  Potential" in result.stdout
	assert "✓ last_purchase is not set (is not known)" in result.stdout


def test_party_is_found_by_a_name_that_only_one_has(out):
	assert (
		command("explain", "ACME 有限公司", "--out", out).stdout
		== command("explain", "A", "--out", out).stdout
	)
	result = command("explain", "Same", "--out", out)
	assert result.returncode == 2
	assert "more than one customer has the name 'Same'" in result.stderr


def test_party_that_is_not_there_is_refused_with_the_nearest(out):
	result = command("explain", "p60", "--out", out)
	assert result.returncode == 2
	assert "there is no customer 'p60'; the nearest are P60" in result.stderr


def test_folder_without_results_is_refused(tmp_path):
	result = command("explain", "A", "--out", tmp_path / "nothing")
	assert result.returncode == 2
	assert (
		"has no profiles.parquet; run `crm-retention run` or `crm-retention demo` with --out first"
		in result.stderr
	)

"""A run is a function of data, configuration and day: repeated it changes nothing, killed and repeated neither."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import frappe
import pytest
from frappe.utils.background_jobs import get_queue

from tests.site.care import small_batches
from tests.site.trade import (
	DAY,
	LOGS,
	add_customers,
	add_market,
	add_sales,
	ago,
	forget_runs,
	get_state,
	insert,
	run,
)

pytestmark = pytest.mark.commits

PARTIES = 400
BATCH = 20
BEFORE = ago(45)


@pytest.fixture(scope="module", autouse=True)
def market(site, leave_site_as_it_was):
	"""Some hundred customers, and small batches."""
	add_market(PARTIES)
	frappe.db.commit()
	with small_batches(site, BATCH):
		yield


@pytest.fixture(autouse=True)
def clean():
	forget_runs()
	yield
	forget_runs()


@pytest.fixture(scope="module")
def undisturbed(market):
	"""What two runs leave that nobody disturbs."""
	forget_runs()
	run(BEFORE)
	assert run(DAY).status == "Completed"
	return get_state()


def checksums():
	"""A checksum of every table of the site but the run log, its naming counter and single values."""
	frappe.db.rollback()
	tables = frappe.db.get_tables(cached=False)
	left_out = {f"tab{doctype}" for doctype in LOGS} | {"tabSeries", "tabSingles"}
	names = ", ".join(f"`{name}`" for name in tables if name not in left_out)
	return dict(frappe.db.sql(f"checksum table {names}"))


def single_values():
	return set(
		frappe.db.sql(
			"select doctype, field, value from tabSingles where field not in ('last_run', 'modified', 'creation')"
		)
	)


def test_second_run_changes_no_row_of_any_table():
	if frappe.db.db_type != "mariadb":
		pytest.skip("other databases have no checksums")
	run(BEFORE)
	first = run(DAY)
	assert first.updated + first.created > PARTIES / 2
	assert first.tier_changes > 0
	before, values = checksums(), single_values()
	second = run(DAY)
	assert checksums() == before
	assert single_values() == values
	assert (second.status, second.created, second.updated) == ("Completed", 0, 0)
	assert (second.tier_changes, second.stage_changes) == (0, 0)
	assert second.unchanged == first.parties


def test_preview_writes_nothing_but_its_run():
	run(BEFORE)
	before = checksums()
	preview = run(DAY, "Preview")
	assert checksums() == before
	matrix = json.loads(preview.preview_result)["matrix"]
	assert sum(row["count"] for row in matrix) == PARTIES
	written = run(DAY)
	assert written.tier_changes == preview.tier_changes
	assert written.tier_changes == sum(row["count"] for row in matrix if row["from"] != row["to"])


def test_run_of_an_earlier_day_is_refused():
	run(DAY)
	before = get_state()
	refused = run(BEFORE)
	assert refused.status == "Failed"
	assert "would go back" in refused.error
	assert "Traceback" not in refused.error
	assert get_state() == before


def test_order_in_which_rows_were_stored_does_not_matter(undisturbed):
	"""The same trade in another physical order, with other names of documents."""
	rows = frappe.db.sql(
		"select * from `tabSales Invoice` order by customer desc, posting_date", as_dict=True
	)
	frappe.db.delete("Sales Invoice")
	insert("Sales Invoice", ({**plain(row), "name": f"X-{n}"} for n, row in enumerate(rows)))
	frappe.db.commit()
	run(BEFORE)
	run(DAY)
	assert get_state() == undisturbed


def plain(row):
	stamps = ("creation", "modified", "owner", "modified_by")
	return {key: value for key, value in row.items() if value is not None and key not in stamps}


def test_killed_while_reading_and_run_again(site, undisturbed):
	run(BEFORE)
	before = get_state()
	process = start_run(site)
	wait_for(process, lambda: progress() and progress().current_step in ("signals", "lifetime", "scores"))
	kill(process)
	assert get_state() == before
	finish(undisturbed)


def test_killed_between_batches_twice_and_run_again(site, undisturbed):
	run(BEFORE)
	for moment in (BATCH, 8 * BATCH):
		process = start_run(site)
		wait_for(process, lambda moment=moment: written() >= moment)
		kill(process)
		assert written() < PARTIES
		assert_whole()
	finish(undisturbed)


def test_killed_again_and_again_with_one_party_a_batch_and_run_again(site, undisturbed):
	"""Each run fits the model anew, and the profiles are those of one fit to the last digit."""
	run(BEFORE)
	with small_batches(site, 1):
		for moment in (1, 7, 40):
			process = start_run(site)
			wait_for(process, lambda moment=moment: written() >= moment)
			kill(process)
	frappe.conf.retention_batch_size = BATCH
	assert written() < PARTIES
	finish(undisturbed)


def test_run_of_an_earlier_day_is_refused_after_a_kill_too(site, undisturbed):
	"""What the killed run had written is of its day: an earlier one would mix two days."""
	run(BEFORE)
	process = start_run(site)
	wait_for(process, lambda: written() >= BATCH)
	kill(process)
	before = get_state()
	refused = run(ago(10))
	assert (refused.status, "would go back" in refused.error) == ("Failed", True)
	assert get_state() == before
	run(DAY)
	assert get_state() == undisturbed


def test_killed_in_the_very_first_run(site):
	"""Nothing is stored yet, so every profile is new."""
	process = start_run(site)
	wait_for(process, lambda: written() >= BATCH)
	kill(process)
	assert 0 < written() < PARTIES
	assert_whole()
	run(DAY)
	again = get_state()
	forget_runs()
	run(DAY)
	assert again == get_state()


def test_killed_worker_leaves_a_run_that_the_next_one_closes(site, undisturbed):
	"""The same through the queue: worker and work horse are killed, the run is marked, the next one does the rest."""
	from crm_retention.jobs.nightly import enqueue_run

	run(BEFORE)
	get_queue("long").empty()  # of what other tests have left there
	killed = enqueue_run("Manual", DAY)
	frappe.db.commit()
	worker = site.start_worker("long")
	wait_for(worker, lambda: written() >= BATCH)
	kill(worker)
	assert 0 < written() < PARTIES
	assert_whole()
	assert frappe.db.get_value("Retention Run", killed.name, "status") == "Running"
	finish(undisturbed)
	status, error = frappe.db.get_value("Retention Run", killed.name, ["status", "error"])
	assert status == "Failed"
	assert "The worker ended while at work" in error


def start_run(site) -> subprocess.Popen:
	"""`bench retention run` in a process of its own."""
	quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
	return site.start("retention", "run", "--as-of", str(DAY), **quiet)


def wait_for(process, condition, seconds=120):
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		frappe.db.rollback()
		if condition():
			return
		assert process.poll() is None, "the run ended before it could be killed"
		time.sleep(0.005)
	kill(process)
	pytest.fail("the moment to kill did not come")


def kill(process):
	"""Kill it and everything it started, without warning."""
	for child in get_children(process.pid):  # a worker's horse has a group of its own
		os.kill(child, signal.SIGKILL)
	os.killpg(process.pid, signal.SIGKILL)
	process.wait()
	wait_for_the_lock()


def get_children(pid):
	return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_the_lock():
	"""The database notices a dead connection when its statement ends."""
	deadline = time.monotonic() + 60
	while frappe.db.db_type == "mariadb" and time.monotonic() < deadline:
		if frappe.db.sql("select is_free_lock(%s)", f"retention_cycle:{frappe.conf.db_name}")[0][0]:
			break
		time.sleep(0.05)
	frappe.db.rollback()


def progress():
	return frappe.db.get_value(
		"Retention Run", {"as_of": DAY, "status": "Running"}, ["name", "current_step"], as_dict=True
	)


def written():
	"""Profiles as of the day of the run."""
	frappe.db.rollback()
	return frappe.db.count("Retention Profile", {"as_of": DAY})


def assert_whole():
	"""Every party is either as it was or as it will be: profile, change and customer together."""
	frappe.db.rollback()
	assert written() % BATCH == 0
	torn = frappe.db.sql(
		"""select p.name from `tabRetention Profile` p join `tabCustomer` c on c.name = p.party
		where not (p.tier <=> c.retention_tier) or not (p.stage <=> c.retention_stage)"""
	)
	assert not torn
	for kind in ("tier", "stage"):
		latest = frappe.db.sql(
			f"""select p.name from `tabRetention Profile` p left join `tabTier Change` t
				on t.party = p.party and t.kind = %s and t.on_date = p.`{kind}_since` and t.to_value = p.`{kind}`
			group by p.name having count(t.name) <> 1""",
			kind.title(),
		)
		assert not latest, kind


def finish(expected):
	"""A run to its end leaves what undisturbed runs leave, and no change twice."""
	assert run(DAY).status == "Completed"
	assert_whole()
	state = get_state()
	for name, rows in expected.items():
		assert len(state[name]) == len(rows), name
		for ours, theirs in zip(state[name], rows, strict=True):
			assert ours == theirs


def test_two_at_once_one_works_and_the_other_leaves(site, undisturbed):
	run(BEFORE)
	first = start_run(site)
	wait_for(first, lambda: progress() is not None)
	second = run(DAY)
	assert (second.status, "Another run is at work" in second.error) == ("Failed", True)
	assert first.wait(120) == 0
	assert get_state() == undisturbed
	outcomes = frappe.get_all("Retention Run", {"as_of": DAY}, pluck="status")
	assert sorted(outcomes) == ["Completed", "Failed"]


def test_second_run_now_is_refused_while_one_is_at_work(site):
	from crm_retention.api.cycle import run_now

	first = start_run(site)
	wait_for(first, lambda: progress() is not None)
	with pytest.raises(frappe.ValidationError, match="queued or at work"):
		run_now()
	frappe.db.rollback()  # as a request that was refused ends
	assert first.wait(120) == 0


def test_nightly_job_is_queued_once_however_often_the_scheduler_asks(monkeypatch):
	from crm_retention.jobs import nightly

	monkeypatch.setattr(nightly, "today", lambda: DAY)
	frappe.db.set_single_value("Retention Settings", "run_hour", 0)
	frappe.clear_document_cache("Retention Settings", "Retention Settings")
	for _hour in range(3):
		nightly.enqueue_if_due()
		frappe.db.commit()
	runs = frappe.get_all("Retention Run", {"kind": "Nightly"}, ["name", "status"])
	assert len(runs) == 1
	frappe.db.set_value("Retention Run", runs[0].name, "status", "Completed")
	nightly.enqueue_if_due()
	assert frappe.db.count("Retention Run", {"kind": "Nightly"}) == 1


def test_form_that_was_open_during_a_run_does_not_undo_it(undisturbed):
	run(BEFORE)
	forms = {name: frappe.get_doc("Customer", name) for name in get_names()}
	run(DAY)
	moved = frappe.get_all("Tier Change", {"on_date": DAY, "kind": "Tier"}, pluck="party")
	form = next(forms[name] for name in moved if name in forms)
	form.website = "https://example.com"
	form.flags.ignore_mandatory = True
	form.save()
	frappe.db.commit()
	assert frappe.db.get_value("Customer", form.name, "website") == "https://example.com"
	frappe.db.set_value("Customer", form.name, "website", None, update_modified=False)
	frappe.db.commit()
	assert get_state()["Customer"] == undisturbed["Customer"]


def get_names():
	return frappe.get_all(
		"Customer", {"name": ("like", "Market %")}, pluck="name", order_by="name", limit=300
	)


def test_party_that_leaves_between_two_runs_is_released_once(undisturbed):
	add_customers("Leaver")
	add_sales("Leaver", (ago(60), 100), (ago(50), 100))
	frappe.db.commit()
	run(BEFORE)
	frappe.db.set_value("Customer", "Leaver", "disabled", 1)
	frappe.db.commit()
	for _time in range(2):
		run(DAY)
	changes = frappe.get_all(
		"Tier Change",
		{"party": "Leaver", "reason": "left"},
		["kind", "from_value", "to_value"],
		order_by="kind",
	)
	assert [row.kind for row in changes] == ["Stage", "Tier"]
	assert all(row.from_value and not row.to_value for row in changes)
	assert frappe.db.get_value("Retention Profile", "Leaver", "tier") is None
	frappe.db.delete("Customer", "Leaver")
	frappe.db.delete("Sales Invoice", {"customer": "Leaver"})
	frappe.db.commit()

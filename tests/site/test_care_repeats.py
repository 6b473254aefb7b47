"""Planning is a function of data, configuration and day: killed, doubled or with a plan changed under it, it ends the same."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import threading
import time

import frappe
import pytest
from frappe.model.rename_doc import rename_doc

from crm_retention.care import keys
from crm_retention.plans.versions import make_new_version
from tests.site import care
from tests.site.care import (
	MONDAY,
	OFFER,
	add_members,
	add_rule,
	configure,
	get_care_state,
	night,
	small_batches,
	start_plan,
	step,
	touchpoints,
)
from tests.site.test_cycle_repeats import kill, wait_for

pytestmark = pytest.mark.commits
PARTIES, BATCH = 60, 2


@pytest.fixture(scope="module", autouse=True)
def ground(site, leave_site_as_it_was):
	care.set_up()
	with small_batches(site, BATCH):
		yield


@pytest.fixture(autouse=True)
def clean():
	care.forget()
	yield
	care.forget()


def after(days, day=MONDAY):
	return day + datetime.timedelta(days=days)


def make_world():
	"""Everything on which one party's planning could depend on another's: capacity, roles in turn, rules, holdout."""
	configure(touchpoints_per_day="5")
	add_rule("cap", "Cap", max_contacts="2", window_days=7)
	row = '[["Customer","name","like","%7"]]'
	add_rule("sevens", "Condition", "Drop", nature="Offer", sequence=5, party_conditions_json=row)
	least = {"owner_rule": "Role, Least Loaded", "role": "Retention User"}
	start_plan("Trial", step(), step("More", **least), step("Offer", touchpoint_type=OFFER, every=2))
	start_plan("Trial Two", step("Other", every=3, unit="Days"), begun=False, holdout_share=30)
	add_members(*(f"Member {number:02d}" for number in range(PARTIES)))
	frappe.db.commit()


def forget_the_night():
	"""The world as it was before any run, with the same plans."""
	care.forget_runs()
	frappe.db.delete("Touchpoint")
	frappe.db.delete("Contact Stop")
	frappe.db.delete("Plan Enrollment", {"from_date": (">", "2001-01-01")})
	frappe.db.delete("ToDo", {"reference_type": "Touchpoint"})
	frappe.db.commit()


def start_run(site, day=MONDAY):
	quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
	return site.start("retention", "run", "--as-of", str(day), **quiet)


def made(**filters):
	frappe.db.rollback()
	return frappe.db.count("Touchpoint", filters)


def assert_whole():
	"""Every touchpoint has what belongs to it, and nothing is there twice."""
	frappe.db.rollback()
	rows = touchpoints()
	for field in ("occurrence_key", "open_key"):
		values = [row[field] for row in rows if row[field]]
		assert len(values) == len(set(values)), field
	todos = frappe.get_all("ToDo", {"reference_type": "Touchpoint"}, pluck="reference_name", limit=0)
	to_do = [row.name for row in rows if row.status == "Open" and row.assigned_to and not row.send_by_itself]
	assert sorted(todos) == sorted(to_do)
	assert all((row.status in ("Open", "Waiting")) == bool(row.open_key) for row in rows)


def assert_same(found, expected):
	for name, rows in expected.items():
		assert len(found[name]) == len(rows), name
		for ours, theirs in zip(found[name], rows, strict=True):
			assert ours == theirs


# -- kills


def test_killed_while_writing_touchpoints_and_run_again(site):
	make_world()
	night()
	night(after(7))
	undisturbed, total = get_care_state(), made()
	assert {row[2] for row in undisturbed["touchpoints"]} >= {"Open", "Waiting", "Suppressed", "Missed"}
	forget_the_night()
	for day, parts in ((MONDAY, (5, 40)), (after(7), (15,))):
		before = made()
		for more in parts:
			process = start_run(site, day)
			wait_for(process, lambda before=before, more=more: made() >= before + more)
			kill(process)
			assert before + more <= made() < total
			assert_whole_after_kill()
		night(day)
	assert_same(get_care_state(), undisturbed)


def assert_whole_after_kill():
	"""As ``assert_whole``; what ended left its to-do behind, cancelled."""
	frappe.db.rollback()
	rows = touchpoints()
	todos = frappe.get_all(
		"ToDo", {"reference_type": "Touchpoint", "status": "Open"}, pluck="reference_name", limit=0
	)
	to_do = [row.name for row in rows if row.status == "Open" and row.assigned_to]
	assert sorted(todos) == sorted(to_do)
	with_members = {row.party for row in rows}
	members = set(frappe.get_all("Plan Enrollment", {"open_key": ("is", "set")}, pluck="party"))
	assert with_members <= members


def test_two_at_once_one_works_and_the_other_leaves(site):
	make_world()
	first = start_run(site)
	wait_for(first, lambda: made() > 0)
	os.killpg(first.pid, signal.SIGSTOP)  # at work for as long as the second one needs to start
	second = site.run("retention", "run", "--as-of", str(MONDAY))
	os.killpg(first.pid, signal.SIGCONT)
	assert second.returncode != 0
	assert "Another run is at work" in second.stderr
	assert first.wait(120) == 0
	frappe.db.rollback()
	outcomes = sorted(frappe.get_all("Retention Run", {}, pluck="status"))
	assert outcomes == ["Completed", "Failed"]
	assert_whole()


# -- keys


def test_keys_are_the_database_s():
	start_plan()
	add_members("Member")
	night()
	(row,) = touchpoints()
	(member,) = frappe.get_all("Plan Enrollment", {"party": "Member"}, ["*"])
	for doctype, stored, field in (
		("Touchpoint", row, "occurrence_key"),
		("Touchpoint", row, "open_key"),
		("Plan Enrollment", member, "open_key"),
	):
		double = frappe.new_doc(doctype)
		given = {"name": "double", "party_type": "Customer", "party": "Member", field: stored[field]}
		double.update(given)
		with pytest.raises((frappe.UniqueValidationError, frappe.DuplicateEntryError)):
			double.db_insert()
		frappe.db.rollback()
		values = dict.fromkeys(("occurrence_key", "open_key"))
		other = frappe.new_doc(doctype)
		other.update(
			{
				name: value
				for name, value in (given | values).items()
				if other.meta.has_field(name) or name == "name"
			}
		)
		other.db_insert()  # no key, no clash
		frappe.db.rollback()
	assert row.open_key == keys.open_key("Trial", row.step_key, "Member")
	assert row.occurrence_key == keys.occurrence_key("Trial", row.step_key, str(MONDAY), "Member")


# -- plans that change


def change_plan(plan, on=MONDAY, move="At Once", removed="Cancel"):
	"""A second version as of a day: the first step stays, the second goes, a third comes."""
	draft = make_new_version(plan.name)
	draft.steps = draft.steps[:1]
	draft.append("steps", step("Fresh"))
	draft.update({"members_move": move, "removed_steps": removed})
	draft.insert()
	draft.submit()
	draft.db_set("since", on)
	return draft


def test_version_submitted_in_the_middle_of_a_run(site):
	plan = start_plan("Trial", step("Stays"), step("Goes"))
	add_members(*(f"Member {number:02d}" for number in range(PARTIES)))
	frappe.db.commit()
	process = start_run(site)
	wait_for(process, lambda: made() >= 10)
	os.killpg(process.pid, signal.SIGSTOP)
	time.sleep(0.2)
	try:
		frappe.db.rollback()
		assert made() < 2 * PARTIES
		change = threaded(lambda: change_plan(frappe.get_doc("Maintenance Plan", plan.name)))
		time.sleep(1.5)
	finally:
		os.killpg(process.pid, signal.SIGCONT)
	newer = change()
	assert process.wait(120) == 0, last_error()
	assert_names_its_version()
	night(after(1))
	assert_names_its_version()
	frappe.db.rollback()
	assert set(frappe.get_all("Plan Enrollment", {"open_key": ("is", "set")}, pluck="plan")) == {newer}
	rows = touchpoints(status="Open")
	by_step = {
		name: {row.party for row in rows if row.step_name == name} for name in ("Stays", "Goes", "Fresh")
	}
	assert not by_step["Goes"]
	assert len(by_step["Stays"]) == len(by_step["Fresh"]) == PARTIES
	acts = [(row.party, row.step_key, row.occurrence) for row in touchpoints()]
	assert len(acts) == len(set(acts))
	assert sum(row.step_name == "Stays" for row in touchpoints()) == PARTIES


def test_plan_cancelled_in_the_middle_of_a_run_leaves_nothing_open(site):
	plan = start_plan()
	add_members(*(f"Member {number:02d}" for number in range(PARTIES)))
	frappe.db.commit()
	process = start_run(site)
	wait_for(process, lambda: made() >= 10)
	os.killpg(process.pid, signal.SIGSTOP)
	try:
		ended = threaded(lambda: frappe.get_doc("Maintenance Plan", plan.name).cancel())
		time.sleep(1.5)
	finally:
		os.killpg(process.pid, signal.SIGCONT)
	ended()
	assert process.wait(120) == 0
	frappe.db.rollback()
	assert frappe.db.count("Plan Enrollment", {"open_key": ("is", "set")}) == 0
	assert made(status=("in", ("Open", "Waiting"))) == 0
	assert frappe.db.count("ToDo", {"reference_type": "Touchpoint", "status": "Open"}) == 0


def test_a_plan_that_ends_cancels_what_a_run_wrote_while_it_waited():
	plan = start_plan()
	add_members("Member 00")
	frappe.db.commit()
	began, written = threading.Event(), threading.Event()

	def end():
		frappe.db.count("Touchpoint")  # from here on the transaction sees what was committed before
		began.set()
		assert written.wait(30)
		frappe.get_doc("Maintenance Plan", plan.name).cancel()

	ended = threaded(end)
	assert began.wait(30)
	night()
	frappe.db.commit()
	assert made(status=("in", ("Open", "Waiting")))
	written.set()
	ended()
	frappe.db.rollback()
	assert made(status=("in", ("Open", "Waiting"))) == 0
	assert frappe.db.count("ToDo", {"reference_type": "Touchpoint", "status": "Open"}) == 0


def last_error():
	"""What the last run says went wrong."""
	frappe.db.rollback()
	return frappe.get_all("Retention Run", {}, pluck="error", order_by="creation desc", limit=1)


def threaded(work):
	"""Do it on a connection of its own, as another user's request; the result function waits and raises."""
	from concurrent.futures import ThreadPoolExecutor

	name, path = frappe.local.site, frappe.local.sites_path

	def request():
		frappe.init(name, sites_path=path, force=True)
		frappe.connect()
		frappe.set_user("Administrator")
		try:
			result = work()
			frappe.db.commit()
			return getattr(result, "name", None)
		finally:
			frappe.destroy()

	pool = ThreadPoolExecutor(1)
	future = pool.submit(request)
	return lambda: future.result(60)


def assert_names_its_version():
	"""Each touchpoint's version is one that has its step."""
	frappe.db.rollback()
	for row in touchpoints():
		assert frappe.db.exists("Maintenance Plan Step", {"parent": row.plan, "step_key": row.step_key}), (
			row.name
		)
		assert row.plan == f"Trial v{row.version_number}"


def test_members_move_with_their_next_touchpoint():
	configure(planning_days=0)
	plan = start_plan("Trial", step("Stays"), step("Goes"))
	add_members("Member A", "Member B")
	night()
	newer = change_plan(plan, after(1), move="At Their Next Step", removed="Keep")
	night(after(1))
	members = {"open_key": ("is", "set")}
	assert set(frappe.get_all("Plan Enrollment", members, pluck="plan")) == {plan.name}
	night(after(7))
	assert set(frappe.get_all("Plan Enrollment", members, pluck="plan")) == {newer.name}
	assert set(frappe.get_all("Plan Enrollment", members, pluck="version_number")) == {2}
	before = get_care_state()
	night(after(7))
	assert get_care_state() == before
	night(after(14))
	assert_names_its_version()
	acts = [(row.party, row.step_name, row.occurrence) for row in touchpoints()]
	assert len(acts) == len(set(acts))
	last = {(row.party, row.step_name) for row in touchpoints(status="Open", version_number=2)}
	assert last == {(f"Member {name}", kind) for name in "AB" for kind in ("Stays", "Fresh")}


# -- customers that get another name


def test_renamed_and_merged_customers_are_not_called_twice():
	start_plan("Trial", step(), step("Month", unit="Months"))
	add_members("Old Name", "Kept", "Given Up")
	night()
	count = made()
	rename_doc("Customer", "Old Name", "New Name", force=True, show_alert=False)
	rename_doc("Customer", "Given Up", "Kept", merge=True, force=True, show_alert=False)
	frappe.db.commit()
	for days in (0, 1):
		night(after(days))
		assert made() == count
	rows = touchpoints()
	assert {row.party for row in rows} == {"New Name", "Kept"}
	assert all(row.occurrence_key.endswith(f"|{row.party}") for row in rows if row.occurrence_key)
	for party in ("New Name", "Kept"):
		assert frappe.db.count("Plan Enrollment", {"party": party, "open_key": ("is", "set")}) == 1
		still = [row.step_key for row in rows if row.party == party and row.open_key]
		assert len(still) == len(set(still)) == 2
	assert not frappe.db.exists("Touchpoint", {"party": ("in", ("Old Name", "Given Up"))})
	night(after(7))
	occurrences = [
		(row.party, row.step_key, row.occurrence) for row in touchpoints(status=("!=", "Cancelled"))
	]
	assert len(occurrences) == len(set(occurrences))

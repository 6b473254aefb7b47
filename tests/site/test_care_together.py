"""Many people at work while the night's planning writes to the same tables."""

from __future__ import annotations

import datetime
import subprocess
from concurrent.futures import ThreadPoolExecutor

import frappe
import pytest

from tests.site import care
from tests.site.care import (
	CALL,
	MONDAY,
	OFFER,
	configure,
	night,
	small_batches,
	start_plan,
	step,
	touchpoints,
)
from tests.site.test_cycle_repeats import wait_for
from tests.site.trade import add_customers, insert

pytestmark = pytest.mark.commits
USERS, AT_ONCE = 200, 40
ROLES = ("Retention User", "Sales User")


@pytest.fixture(scope="module", autouse=True)
def ground(site, leave_site_as_it_was):
	care.set_up()
	names = [user_of(number) for number in range(USERS)]
	row = {"enabled": 1, "user_type": "System User", "first_name": "U"}
	insert("User", (row | {"name": name, "email": name} for name in names))
	of_user = {"parenttype": "User", "parentfield": "roles"}
	roles = [(name, role) for name in names for role in ROLES]
	insert("Has Role", (of_user | {"name": f"{n}-{r}", "parent": n, "role": r} for n, r in roles))
	frappe.db.commit()
	with small_batches(site, 5):
		yield


def user_of(number):
	return f"carer{number:03d}@example.com"


def work_as(user, site_name, sites_path, names):
	"""What a request of the user does: on a connection of its own, one touchpoint at a time; returns errors."""
	from crm_retention.api.touchpoints import complete

	frappe.init(site_name, sites_path=sites_path, force=True)
	frappe.connect()
	errors = []
	try:
		for name in names:
			frappe.set_user(user)
			try:
				complete(name=name, outcome="Reached", note=f"By {user}", minutes=7)
				frappe.db.commit()
			except Exception as error:
				frappe.db.rollback()
				errors.append(f"{user} {name}: {error!r}")
	finally:
		frappe.destroy()
	return errors


def test_200_users_complete_touchpoints_while_the_cycle_runs(site):
	configure(planning_days=0)
	daily = step("Daily", every=1, unit="Days", touchpoint_type=OFFER)
	start_plan("Trial", step("Weekly"), daily)
	for number in range(USERS):
		add_customers(f"Member {number:03d}", account_manager=user_of(number))
	night()
	mine = {row.assigned_to: row.name for row in touchpoints(touchpoint_type=CALL)}
	assert len(mine) == USERS
	day = MONDAY + datetime.timedelta(days=1)
	process = site.start(
		"retention", "run", "--as-of", str(day), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
	)
	wait_for(process, lambda: frappe.db.count("Touchpoint", {"occurrence": day}) > 0)
	place = (frappe.local.site, frappe.local.sites_path)
	with ThreadPoolExecutor(AT_ONCE) as pool:
		found = list(pool.map(lambda item: work_as(item[0], *place, [item[1]]), mine.items()))
	_out, error = process.communicate(timeout=120)
	assert not [line for errors in found for line in errors]
	assert process.returncode == 0, error
	frappe.db.rollback()
	log = frappe.get_last_doc("Retention Run")
	assert (log.status, log.touchpoints_missed, log.touchpoints_created) == ("Completed", USERS, USERS)
	assert_completed(mine)
	daily_ones = touchpoints(touchpoint_type=OFFER)
	assert sorted(row.status for row in daily_ones) == ["Missed"] * USERS + ["Open"] * USERS


def assert_completed(mine):
	"""Each is done by its user, with one row in the log and no to-do left."""
	rows = touchpoints(name=("in", list(mine.values())))
	assert [(row.status, row.open_key, row.minutes) for row in rows] == [("Done", None, 7)] * USERS
	assert all(row.completed_by == row.assigned_to for row in rows)
	logs = frappe.get_all("Interaction Log", {"touchpoint": ("is", "set")}, ["touchpoint", "user"], limit=0)
	assert sorted((row.user, row.touchpoint) for row in logs) == sorted(mine.items())
	todos = frappe.get_all(
		"ToDo", {"reference_name": ("in", list(mine.values()))}, ["status", "reference_name"], limit=0
	)
	assert [row.status for row in todos] == ["Closed"] * USERS
	assert len({row.reference_name for row in todos}) == USERS


def test_completed_during_a_run_that_would_have_ended_it_stays_completed_or_says_so(site):
	"""Who is a moment too late is told; whoever was in time has it done, and never both."""
	care.forget()
	configure(planning_days=0)
	start_plan("Trial", step("Weekly"))
	for number in range(USERS):
		add_customers(f"Member {number:03d}", account_manager=user_of(number))
	night()
	mine = {row.assigned_to: row.name for row in touchpoints()}
	day = MONDAY + datetime.timedelta(days=7)
	process = site.start(
		"retention", "run", "--as-of", str(day), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
	)
	wait_for(process, lambda: frappe.db.count("Touchpoint", {"occurrence": day}) > 20)
	place = (frappe.local.site, frappe.local.sites_path)
	with ThreadPoolExecutor(AT_ONCE) as pool:
		order = list(reversed(mine.items()))
		found = list(pool.map(lambda item: work_as(item[0], *place, [item[1]]), order))
	_out, error = process.communicate(timeout=120)
	assert process.returncode == 0, error
	refused = [line for errors in found for line in errors]
	assert all("TouchpointEndedError" in line for line in refused), refused
	rows = touchpoints(occurrence=MONDAY)
	done = {row.name for row in rows if row.status == "Done"}
	assert done
	assert {row.status for row in rows} <= {"Done", "Missed"}
	assert len(refused) == USERS - len(done)
	assert sorted(
		frappe.get_all("Interaction Log", {"touchpoint": ("is", "set")}, pluck="touchpoint", limit=0)
	) == sorted(done)
	assert sum(row.status == "Open" for row in touchpoints(occurrence=day)) == USERS

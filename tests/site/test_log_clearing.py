"""What Log Settings clear: old runs always, old history only where Retention Settings say so."""

import frappe
import pytest
from frappe.utils import add_days, today

from tests.site.desk import make_change, make_customer


@pytest.fixture
def history():
	make_customer("Trial")
	for days in (400, 101, 100, 99, 0):
		make_change("Trial", on_date=add_days(today(), -days))


def clear(keep_days):
	frappe.db.set_single_value("Retention Settings", "history_keep_days", keep_days)
	settings = frappe.get_doc("Log Settings")
	settings.add_default_logtypes()
	rows = {row.ref_doctype: row.days for row in settings.logs_to_clear}
	frappe.get_doc("Retention Run", make_run(0)).clear_old_logs(days=rows["Retention Run"])


def make_run(age):
	run = frappe.get_doc({"doctype": "Retention Run", "kind": "Nightly", "as_of": add_days(today(), -age)})
	run.append("steps", {"step": "signals", "seconds": 1})
	run.insert()
	frappe.db.set_value("Retention Run", run.name, "creation", add_days(today(), -age))
	return run.name


def ages():
	days = frappe.get_all("Tier Change", {"party": "Trial"}, pluck="on_date")
	return sorted((frappe.utils.getdate() - day).days for day in days)


def test_history_is_kept_for_ever_by_default(history):
	assert frappe.get_meta("Retention Settings").get_field("history_keep_days").default == "0"
	clear(keep_days=0)
	assert ages() == [0, 99, 100, 101, 400]


def test_history_older_than_the_setting_is_removed(history):
	clear(keep_days=100)
	assert ages() == [0, 99, 100]


def test_old_runs_are_removed_but_the_last_one_that_wrote(history):
	old, last, recent = make_run(200), make_run(120), make_run(10)
	frappe.db.set_single_value("Retention Settings", "last_run", last)
	clear(keep_days=0)
	left = frappe.get_all("Retention Run", pluck="name")
	assert last in left
	assert recent in left
	assert old not in left
	assert not frappe.db.exists("Retention Run Step", {"parent": old})

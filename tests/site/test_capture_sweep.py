"""Nothing is missed and nothing doubled by the sweep: late commits, old imports, cancellations, faults, kills."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime

from crm_retention.capture import sweep
from crm_retention.capture.sweep import read_batches, sweep_source
from tests.site.interactions import capture, get_log
from tests.site.trade import DAY, add_customers, add_sales


@pytest.fixture(autouse=True)
def buyer():
	add_customers("Buyer")


def sell(modified=None, count=1, **values):
	names = add_sales("Buyer", *[(DAY, 10.0)] * count, **values)
	if modified:
		frappe.db.set_value(
			"Sales Invoice", {"name": ("in", names)}, "modified", modified, update_modified=False
		)
	return names


def ago(**span):
	return add_to_date(now_datetime(), **{unit: -count for unit, count in span.items()})


def logged():
	return sorted(get_log("Buyer", "reference_name"))


def get_mark():
	return frappe.db.get_value("Interaction Source", "Invoice", "swept_until")


def test_watermark_moves_on_and_never_back():
	sell(ago(hours=5))
	capture(False, "Invoice")
	first = get_mark()
	sell(ago(minutes=1))
	capture(False, "Invoice")
	second = get_mark()
	assert second > first
	capture(False, "Invoice")
	assert get_mark() == second


def test_late_commit_behind_the_watermark_is_found():
	sell(ago(minutes=1))
	capture(False, "Invoice")
	(late,) = sell(ago(minutes=40))
	capture(False, "Invoice")
	assert late in logged()


def test_import_with_an_old_modified_is_found_by_the_nightly_sweep():
	sell(ago(minutes=1))
	capture(False, "Invoice")
	(old,) = sell(ago(days=900))
	capture(False, "Invoice")
	assert old not in logged()
	capture(True, "Invoice")
	assert old in logged()


def test_clock_of_the_future_does_not_hide_what_comes():
	sell(add_to_date(now_datetime(), years=10))
	capture(False, "Invoice")
	assert get_mark() <= now_datetime()
	(later,) = sell(now_datetime())
	capture(False, "Invoice")
	assert later in logged()


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("same_moment", [False, True])
def test_small_batches_find_all_and_each_once(everything, same_moment):
	names = sell(ago(hours=2), count=7)
	if not same_moment:
		for number, name in enumerate(names):
			frappe.db.set_value(
				"Sales Invoice", name, "modified", ago(hours=number + 2), update_modified=False
			)
	before = frappe.db.count("Interaction Log")
	batches = list(read_batches("Invoice", everything, size=2))
	assert len(batches) >= 4
	assert logged() == sorted(names)
	assert frappe.db.count("Interaction Log") - before == sum(batches)
	assert sum(read_batches("Invoice", everything, size=3)) == 0


def test_sweep_that_is_stopped_goes_on_where_it_was():
	names = sell(ago(hours=30), count=5)
	for number, name in enumerate(names):
		frappe.db.set_value("Sales Invoice", name, "modified", ago(hours=30 - number), update_modified=False)
	batches = read_batches("Invoice", size=2)
	next(batches)
	batches.close()
	assert set(logged()) < set(names)
	capture(False, "Invoice")
	assert logged() == sorted(names)


def test_document_changed_after_it_was_logged_is_not_logged_again():
	(name,) = sell()
	capture(False, "Invoice")
	frappe.db.set_value("Sales Invoice", name, "po_no", "X")
	capture(False, "Invoice")
	assert logged() == [name]


def test_cancelled_document_is_taken_back_by_a_row_and_once():
	(name,) = sell()
	capture(False, "Invoice")
	frappe.db.set_value("Sales Invoice", name, "docstatus", 2)
	for everything in (False, False, True):
		capture(everything, "Invoice")
	first, second = get_log("Buyer")
	assert (first.kind, second.kind, second.supersedes) == ("Invoice", "Cancelled", first.name)
	assert (second.reference_name, second.reference_key) == (name, f"{first.reference_key}|cancelled")


def test_document_cancelled_before_any_sweep_leaves_nothing():
	sell(docstatus=2)
	capture(False, "Invoice")
	assert logged() == []


@pytest.mark.parametrize("date_field", ["posting_date", None])
def test_what_the_log_does_not_keep_is_not_read_at_night(date_field):
	frappe.db.set_single_value("Retention Settings", "log_keep_days", 365)
	frappe.db.set_value("Interaction Source", "Invoice", "date_field", date_field)
	(old,) = add_sales("Buyer", (ago(days=400).date(), 10.0))
	(new,) = add_sales("Buyer", (ago(days=300).date(), 10.0))
	frappe.db.set_value("Sales Invoice", old, "creation", ago(days=400), update_modified=False)
	frappe.db.set_value("Sales Invoice", new, "creation", ago(days=300), update_modified=False)
	batches = list(read_batches("Invoice", True, size=1))
	assert batches == [1]
	assert logged() == [new]


def test_disabled_sources_are_not_read():
	frappe.db.set_value("Interaction Source", "Invoice", "enabled", 0)
	sell()
	capture()
	assert logged() == []


def test_sources_of_the_admins_own_with_conditions():
	source = {
		"doctype": "Interaction Source",
		"source_name": "Big Returns",
		"document_type": "Sales Invoice",
		"interaction_kind": "Call",
		"direction": "In",
		"party_field": "customer",
		"date_field": "posting_date",
		"minutes": 30,
		"department": frappe.get_all("Department", pluck="name", limit=1)[0],
		"filters_json": '[["Sales Invoice", "is_return", "=", 1], ["Sales Invoice", "base_net_total", "<", -100]]',
	}
	doc = frappe.get_doc(source).insert()
	add_sales("Buyer", (DAY, -500.0), (DAY, -50.0), (DAY, 500.0))
	capture(False, "Big Returns")
	(row,) = get_log("Buyer", source="Big Returns")
	assert (row.kind, row.minutes, row.direction, row.department) == ("Call", 30, "In", doc.department)


def test_sources_of_one_document_do_not_disturb_each_other():
	sell()
	copy = frappe.copy_doc(frappe.get_doc("Interaction Source", "Invoice"))
	copy.update({"source_name": "Invoice Again", "is_standard": 0})
	copy.insert()
	capture()
	assert sorted(get_log("Buyer", "source")) == ["Invoice", "Invoice Again"]


def test_renamed_source_knows_what_it_has_logged():
	names = sell(count=2)
	capture(False, "Invoice")
	frappe.rename_doc("Interaction Source", "Invoice", "Bill's 100 %", force=True)
	capture(True, "Bill's 100 %")
	assert logged() == sorted(names)
	assert set(get_log("Buyer", "source")) == {"Bill's 100 %"}


def test_renamed_document_is_not_logged_again():
	task = frappe.get_doc({"doctype": "ToDo", "description": "x", "status": "Closed"})
	task.update({"reference_type": "Customer", "reference_name": "Buyer"}).insert()
	capture(False, "Task")
	frappe.rename_doc("ToDo", task.name, "another name", force=True)
	capture(True, "Task")
	assert logged() == ["another name"]


def test_source_with_rows_is_disabled_and_not_deleted():
	sell()
	capture(False, "Invoice")
	with pytest.raises(frappe.LinkExistsError):
		frappe.delete_doc("Interaction Source", "Invoice")


def test_scheduled_function_only_enqueues(monkeypatch):
	queued = []
	monkeypatch.setattr(frappe, "enqueue", lambda method, **options: queued.append((method, options)))
	sell()
	sweep.enqueue_sweep()
	((method, options),) = queued
	assert frappe.get_attr(method) is sweep.sweep
	assert options["deduplicate"]
	assert options["job_id"]
	assert logged() == []
	frappe.db.set_single_value("Retention Settings", "capture_enabled", 0)
	sweep.enqueue_sweep()
	assert len(queued) == 1
	assert sweep.sweep() == []


@pytest.mark.commits
def test_sweep_commits_goes_past_a_fault_and_records_it(site):
	frappe.db.set_value("Interaction Source", "Invoice", "date_field", "gone_field")
	task = frappe.get_doc({"doctype": "ToDo", "description": "x", "status": "Closed"})
	task.update({"reference_type": "Customer", "reference_name": "Buyer"}).insert()
	sell()
	frappe.db.commit()
	done = {row.source: row for row in sweep.sweep()}
	frappe.db.rollback()
	assert "gone_field" in frappe.db.get_value("Interaction Source", "Invoice", "last_error")
	assert done["Invoice"].error
	assert logged() == [task.name]
	frappe.db.set_value("Interaction Source", "Invoice", "date_field", "posting_date")
	assert sweep_source("Invoice").captured >= 1
	assert not frappe.db.get_value("Interaction Source", "Invoice", "last_error")
	assert frappe.db.get_value("Interaction Source", "Invoice", "captured") >= 1

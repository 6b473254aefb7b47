"""A call that was made completes the touchpoint that asked for it, and nothing else."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, add_to_date, now_datetime, nowdate

from crm_retention.capture.match import complete_matching
from tests.site.desk import make_customer
from tests.site.interactions import get_type, make_row, make_touchpoint


@pytest.fixture(autouse=True)
def parties():
	frappe.db.set_single_value("Retention Settings", {"complete_by_capture": 1, "match_days": 7})
	frappe.clear_document_cache("Retention Settings", "Retention Settings")
	for name in ("Buyer", "Other"):
		make_customer(name)


def due(days, **values):
	return make_touchpoint(values.pop("party", "Buyer"), due_date=add_days(nowdate(), days), **values)


def call(party="Buyer", kind="Call", **values):
	return make_row(party, kind, **values).insert()


def match():
	return complete_matching(add_to_date(now_datetime(), days=-2))


def status(touchpoint):
	return frappe.db.get_value("Touchpoint", touchpoint.name, "status")


def test_touchpoint_is_done_by_the_row_and_its_task_closed():
	touchpoint = due(2, open_key="x|y|Buyer")
	task = frappe.get_doc(
		{"doctype": "ToDo", "description": "x", "status": "Open", "allocated_to": "Administrator"}
	)
	task.update({"reference_type": "Touchpoint", "reference_name": touchpoint.name}).db_insert()
	row = call(minutes=12, user="Guest")
	assert [(pair.row, pair.touchpoint) for pair in match()] == [(row.name, touchpoint.name)]
	done = frappe.db.get_value("Touchpoint", touchpoint.name, "*", as_dict=True)
	assert (done.status, done.interaction, done.completed_by, done.minutes) == ("Done", row.name, "Guest", 12)
	assert done.open_key is None
	assert abs((done.completed_on - row.occurred_on).total_seconds()) < 1
	assert frappe.db.get_value("ToDo", task.name, "status") == "Closed"
	assert match() == []


@pytest.mark.parametrize(("days", "fits"), [(-8, False), (-7, True), (0, True), (7, True), (8, False)])
def test_only_within_the_days_before_and_after(days, fits):
	touchpoint = due(days)
	call()
	match()
	assert status(touchpoint) == ("Done" if fits else "Open")


def test_what_is_due_first_is_done_first_and_one_row_does_one():
	later, first, last = due(3), due(-2), due(5)
	call(occurred_on=add_to_date(now_datetime(), hours=-2))
	match()
	assert [status(row) for row in (first, later, last)] == ["Done", "Open", "Open"]
	call()
	match()
	assert [status(row) for row in (first, later, last)] == ["Done", "Done", "Open"]


def test_two_rows_do_two_in_one_go():
	rows = [due(day) for day in (1, 2, 3)]
	call()
	call()
	assert len(match()) == 2
	assert [status(row) for row in rows] == ["Done", "Done", "Open"]


@pytest.mark.parametrize(
	("kind", "direction", "fits"),
	[("Call", "Out", True), ("Call", "In", True), ("Email", "Out", False), ("Note", "Out", False)],
)
def test_kind_and_direction(kind, direction, fits):
	touchpoint = due(0)
	call(kind=kind, direction=direction)
	match()
	assert status(touchpoint) == ("Done" if fits else "Open")


@pytest.mark.parametrize(("direction", "fits"), [("Out", True), ("In", False)])
def test_letter_from_the_party_does_nothing(direction, fits):
	touchpoint = due(0, channel="Email", touchpoint_type=get_type("Write", "Email"))
	call(kind="Email", direction=direction)
	match()
	assert status(touchpoint) == ("Done" if fits else "Open")


def test_same_channel_will_do_for_another_kind():
	touchpoint = due(0, channel="Chat", touchpoint_type=get_type("Chatting", None))
	call(kind="Message", channel="Chat")
	match()
	assert status(touchpoint) == "Done"


@pytest.mark.parametrize(
	"values",
	[
		{"status": "Waiting"},
		{"status": "Skipped"},
		{"is_promise": 1},
		{"message_status": "Sending"},
		{"party": "Other"},
	],
)
def test_what_is_not_to_be_done_now_stays(values):
	touchpoint = due(0, **values)
	call()
	match()
	assert status(touchpoint) == values.get("status", "Open")


def test_touchpoint_that_was_made_after_the_row_stays():
	call()
	touchpoint = due(0)
	match()
	assert status(touchpoint) == "Open"


def test_row_of_a_touchpoint_and_corrected_row_do_nothing():
	touchpoint = due(0)
	done = make_touchpoint("Buyer", status="Done")
	call(touchpoint=done.name)
	used = call()
	frappe.db.set_value("Touchpoint", done.name, "interaction", used.name)
	wrong = call()
	call(kind="Cancelled", supersedes=wrong.name)
	match()
	assert status(touchpoint) == "Open"


def test_switched_off():
	frappe.db.set_single_value("Retention Settings", "complete_by_capture", 0)
	frappe.clear_document_cache("Retention Settings", "Retention Settings")
	touchpoint = due(0)
	call()
	assert match() == []
	assert status(touchpoint) == "Open"

"""Logging by hand over the API: idempotent, permission first, promises kept."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.utils import add_days, nowdate

from crm_retention.api.interactions import log_interaction
from tests.site.desk import make_customer, make_user
from tests.site.interactions import get_log, make_touchpoint

USER = "field@example.com"


@pytest.fixture(autouse=True)
def customers():
	make_customer("Seen", customer_group="Commercial")
	make_customer("Hidden", customer_group="Government")
	make_user(USER, "Retention User", "Sales User")
	permission = {
		"doctype": "User Permission",
		"user": USER,
		"allow": "Customer Group",
		"for_value": "Commercial",
	}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)


def call(**arguments):
	"""As a client of the REST API sends it: by name, everything text."""
	given = {"party_type": "Customer", "party": "Seen", "kind": "Call"} | arguments
	return frappe.call("crm_retention.api.interactions.log_interaction", **given)


def test_four_fields_are_enough():
	done = call(note="Wants the catalogue", outcome="Interested")
	(row,) = get_log("Seen")
	assert done == {"name": row.name, "promise": None, "completed": []}
	assert (row.kind, row.channel, row.direction, row.user) == ("Call", "Phone", "Out", USER)
	assert (row.note, row.outcome, row.owner) == ("Wants the catalogue", "Interested", USER)
	assert row.minutes == frappe.db.get_value("Contact Channel", "Phone", "minutes")


def test_everything_else_is_taken_as_text():
	call(
		minutes="0",
		latitude="31.2304",
		longitude="121.4737",
		direction="In",
		channel="Chat",
		occurred_on="2026-01-02 03:04:05",
	)
	(row,) = get_log("Seen")
	assert (row.minutes, row.latitude, row.longitude) == (0, 31.2304, 121.4737)
	assert (row.direction, row.channel, str(row.occurred_on)) == ("In", "Chat", "2026-01-02 03:04:05")


def test_attached_photo_belongs_to_the_row():
	file = frappe.get_doc(
		{"doctype": "File", "file_name": "card.txt", "content": "a card", "is_private": 1}
	).insert()
	done = call(attachment=file.file_url)
	attached = {"attached_to_doctype": "Interaction Log", "attached_to_name": done["name"]}
	assert frappe.db.exists("File", attached)


def test_phone_that_repeats_a_request_logs_once():
	arguments = {"request_id": "phone-1", "promise": "Send it", "promise_date": add_days(nowdate(), 3)}
	first = call(**arguments)
	assert call(**arguments) == first
	assert len(get_log("Seen")) == 1
	assert frappe.db.count("Touchpoint", {"party": "Seen"}) == 1


def test_request_of_somebody_else_or_for_another_party_is_refused():
	call(request_id="phone-1")
	frappe.set_user("Administrator")
	for party in ("Seen", "Hidden"):
		with pytest.raises(frappe.ValidationError, match="phone-1"):
			call(request_id="phone-1", party=party)


def test_promise_is_a_touchpoint_of_its_own():
	name = call(promise="Send the drawings", promise_date=add_days(nowdate(), 5))["promise"]
	promise = frappe.get_doc("Touchpoint", name)
	assert (promise.party, promise.status, promise.is_promise) == ("Seen", "Open", 1)
	assert (promise.why, str(promise.due_date)) == ("Send the drawings", add_days(nowdate(), 5))
	assert [promise.plan, promise.open_key, promise.occurrence_key] == [None] * 3


@pytest.mark.parametrize(("day", "message"), [(None, "needs a date"), ("2020-01-01", "is over")])
def test_promise_without_a_day_to_come_is_refused_before_anything_is_logged(day, message):
	with pytest.raises(frappe.ValidationError, match=message):
		call(promise="x", promise_date=day)
	assert get_log("Seen") == []


def test_open_touchpoint_is_done_by_it():
	touchpoint = make_touchpoint("Seen")
	done = call(minutes=7)
	assert done["completed"] == [touchpoint.name]
	stored = frappe.db.get_value("Touchpoint", touchpoint.name, ["status", "interaction", "completed_by"])
	assert stored == ("Done", done["name"], USER)


def test_hidden_customer_and_other_types_are_refused():
	with pytest.raises(frappe.PermissionError):
		call(party="Hidden")
	with pytest.raises(frappe.ValidationError):
		call(party_type="Supplier", party="Hidden")
	frappe.set_user("Administrator")
	assert get_log("Hidden") == []


def test_document_api_checks_the_party_too():
	row = {"doctype": "Interaction Log", "party_type": "Customer", "party": "Hidden", "kind": "Call"}
	with pytest.raises(frappe.PermissionError):
		frappe.call("frappe.client.insert", doc=json.dumps(row))


def test_user_without_a_role_of_the_app_is_refused():
	make_user("stranger@example.com", "Sales User")
	frappe.set_user("stranger@example.com")
	with pytest.raises(frappe.PermissionError):
		log_interaction("Customer", "Seen", "Call")


def test_unknown_kind_and_future_are_refused_with_the_field():
	with pytest.raises(frappe.LinkValidationError, match="Kind"):
		call(kind="Séance")
	with pytest.raises(frappe.ValidationError, match="When"):
		call(occurred_on=add_days(nowdate(), 2))

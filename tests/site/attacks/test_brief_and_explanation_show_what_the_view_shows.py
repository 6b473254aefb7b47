"""No brief, comment or explanation tells of a customer what the view and the timeline would not tell the same reader."""

from __future__ import annotations

import json

import frappe
import pytest

from crm_retention.care import handover
from tests.site.attacks.calls import call
from tests.site.desk import make_change, make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.touchpoints import make_customers, make_touchpoint

PARTY = "Told Of"
SELLER, CARER, HELPER = "sells.only@example.com", "cares.only@example.com", "cares.and.helps@example.com"
NOTE, PROMISE, CASE, DUE, REASON = (
	"a note that",
	"a promise that",
	"a case that",
	"a reason that",
	"changed because",
)


@pytest.fixture(scope="module", autouse=True)
def told(leave_site_as_it_was):
	"""A customer with a profile, a note, a promise, a case and something due."""
	make_customers(PARTY)
	make_profile(PARTY, tier="Regular", stage="At Risk", score=50)
	make_change(PARTY, reason=REASON)
	make_row(PARTY, note=NOTE).insert()
	make_touchpoint(PARTY, is_promise=1, instructions=PROMISE)
	make_touchpoint(PARTY, why=DUE)
	frappe.get_doc({"doctype": "Issue", "subject": CASE, "customer": PARTY}).insert()
	make_user(SELLER, "Sales User")
	make_user(CARER, "Sales User", "Retention User")
	make_user(HELPER, "Sales User", "Retention User", "Support Team")


def ask(user, method):
	return call(user, method, party_type="Customer", party=PARTY)


def test_no_brief_tells_a_seller_of_log_touchpoints_cases_and_profile():
	answer = ask(SELLER, "handover.brief")
	assert answer.status == 200
	assert [
		text for text in (NOTE, PROMISE, CASE, DUE, "At Risk", "Regular") if text in answer.data["html"]
	] == []


def test_no_brief_tells_of_cases_to_whoever_reads_no_issues():
	html = ask(CARER, "handover.brief").data["html"]
	assert [text for text in (NOTE, PROMISE, CASE, DUE) if text in html] == [NOTE, PROMISE, DUE]
	assert CASE in ask(HELPER, "handover.brief").data["html"]


def test_no_brief_shows_the_subject_of_a_document_that_may_not_be_read():
	issue = frappe.get_doc({"doctype": "Issue", "subject": "what was captured", "customer": PARTY}).insert()
	values = {"source": frappe.db.get_value("Interaction Source", {}), "reference_doctype": "Issue"}
	values |= {"reference_name": issue.name, "reference_key": "attack", "subject": "what was captured"}
	make_row(PARTY, "Note", **values).insert(ignore_permissions=True)
	issue.db_set("status", "Closed")
	assert "what was captured" not in ask(CARER, "handover.brief").data["html"]
	assert "what was captured" in ask(HELPER, "handover.brief").data["html"]


def test_no_row_that_the_reader_may_not_read_is_in_the_brief():
	"""User permissions on anything that a row links to hold for the brief, too."""
	permission = {
		"doctype": "User Permission",
		"user": CARER,
		"allow": "Interaction Kind",
		"for_value": "Visit",
	}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", CARER)
	html = ask(CARER, "handover.brief").data["html"]
	frappe.cache.hdel("user_permissions", CARER)
	assert (NOTE in html, PROMISE in html) == (False, True)


@pytest.mark.parametrize("method", ["profile.explain", "handover.brief", "timeline.get_view"])
def test_nothing_of_the_profile_is_told_to_whoever_reads_no_profiles(method):
	answer = ask(SELLER, method)
	assert answer.status == 200
	assert [text for text in ("Regular", "At Risk", REASON) if text in answer.text] == []


def test_no_explanation_is_given_without_a_right_to_the_profile():
	assert ask(SELLER, "profile.explain").data == {}
	assert ask(CARER, "profile.explain").data["tier"]["current"] == "Regular"


def test_no_explanation_shows_a_profile_that_user_permissions_hide():
	permission = {
		"doctype": "User Permission",
		"user": CARER,
		"allow": "Customer Tier",
		"for_value": "Potential",
	}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", CARER)
	answers = [ask(CARER, method) for method in ("profile.explain", "timeline.get_view")]
	frappe.cache.hdel("user_permissions", CARER)
	assert answers[0].data == {}
	assert answers[1].data["rhythm"] is None


def test_no_explanation_tells_a_field_above_the_readers_level():
	frappe.db.set_value("Customer", PARTY, "website", "zzyzx.example")
	frappe.db.set_value("DocField", {"parent": "Customer", "fieldname": "website"}, "permlevel", 2)
	conditions = json.dumps([["Customer", "website", "like", "%zzyzx%"]])
	frappe.db.set_value("Customer Tier", "Regular", "party_conditions_json", conditions)
	frappe.clear_cache()
	try:
		before = ask(CARER, "profile.explain")
	finally:
		frappe.db.set_value("DocField", {"parent": "Customer", "fieldname": "website"}, "permlevel", 0)
		frappe.clear_cache()
	assert (before.status, before.data["tier"]["current"]) == (200, "Regular")
	assert "website" in before.text
	assert "zzyzx.example" not in before.text
	assert "zzyzx.example" in ask(CARER, "profile.explain").text


def test_no_comment_of_a_hand_over_tells_all_readers_of_the_customer_what_some_may_not_read():
	frappe.db.set_value("Customer", PARTY, "account_manager", CARER)
	frappe.db.set_value("Touchpoint", {"party": PARTY}, "assigned_to", CARER)
	handover.move_party("Customer", PARTY, CARER, HELPER, [])
	filters = {"reference_doctype": "Customer", "reference_name": PARTY, "comment_type": "Info"}
	said = " ".join(frappe.get_all("Comment", filters, pluck="content"))
	assert CARER in said
	assert [text for text in (NOTE, PROMISE, CASE, DUE, "At Risk") if text in said] == []


def test_no_name_in_a_brief_is_markup():
	make_customer("Marked Up")
	frappe.db.set_value("Customer", "Marked Up", "customer_name", "<img src=x onerror=alert(1)>")
	make_touchpoint("Marked Up", why="<img src=x>")
	row = make_row("Marked Up").insert()
	frappe.db.set_value("Interaction Log", row.name, "note", "<img src=x onerror=alert(2)>")
	frappe.db.set_value("User", CARER, "full_name", "<img src=x>")
	html = call(CARER, "handover.brief", party_type="Customer", party="Marked Up").data["html"]
	assert "onerror=alert(2)" in html
	assert "<img" not in html + handover.get_comment(CARER, HELPER, 1)

"""Whoever may not read a customer sees nothing of it: lists, counts, single records, previews."""

import json

import frappe
import pytest
from frappe.client import get, get_count
from frappe.desk.doctype.dashboard_chart.dashboard_chart import get as get_chart

from crm_retention.api.cycle import progress
from crm_retention.api.profile import explain
from crm_retention.crm_retention.doctype.retention_run.retention_run import get_preview
from tests.site.desk import make_change, make_customer, make_profile, make_user

USER = "seller@example.com"


@pytest.fixture
def customers():
	for name, group in (("Seen", "Commercial"), ("Hidden", "Government")):
		make_customer(name, customer_group=group)
		make_profile(name, tier="Regular", score=50)
		make_change(name)
	make_user(USER, "Retention User", "Sales User")


def restrict(allow, value):
	permission = {"doctype": "User Permission", "user": USER, "allow": allow, "for_value": value}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)


@pytest.fixture(
	params=[("Customer Group", "Commercial"), ("Customer", "Seen")], ids=["by group", "by customer"]
)
def seller(request, customers):
	restrict(*request.param)
	frappe.set_user(USER)


def parties(doctype):
	return {row.party for row in frappe.get_list(doctype, fields=["party"], limit=0)}


def test_user_without_restrictions_sees_all(customers):
	frappe.set_user(USER)
	for doctype in ("Retention Profile", "Tier Change"):
		assert parties(doctype) >= {"Seen", "Hidden"}


@pytest.mark.parametrize("doctype", ["Retention Profile", "Tier Change"])
def test_lists_and_counts_leave_hidden_parties_out(seller, doctype):
	assert "Seen" in parties(doctype)
	assert "Hidden" not in parties(doctype)
	assert get_count(doctype, {"party": "Hidden"}) == 0
	assert get_count(doctype, {"party": "Seen"}) >= 1


def test_single_records_are_refused(seller):
	assert get("Retention Profile", "Seen")
	with pytest.raises(frappe.PermissionError):
		get("Retention Profile", "Hidden")
	change = frappe.db.get_value("Tier Change", {"party": "Hidden"})
	with pytest.raises(frappe.PermissionError):
		get("Tier Change", change)


def test_explanation_is_refused(seller):
	with pytest.raises(frappe.PermissionError):
		explain("Customer", "Hidden")


def test_charts_count_what_the_user_may_see(seller):
	chart = frappe.get_doc("Dashboard Chart", "Customers by Tier").as_dict()
	filters = [["Retention Profile", "party", "in", ["Seen", "Hidden"]]]
	result = get_chart(chart=chart, filters=json.dumps(filters), no_cache=1)
	assert sum(result["datasets"][0]["values"]) == 1


def test_preview_shows_only_moves_of_readable_parties(seller):
	frappe.set_user("Administrator")
	moves = [{"party_type": "Customer", "party": name, "from": "a", "to": "b"} for name in ("Seen", "Hidden")]
	run = frappe.get_doc(
		{
			"doctype": "Retention Run",
			"kind": "Preview",
			"as_of": "2026-01-01",
			"preview_result": json.dumps({"matrix": [], "moves": moves}),
		}
	).insert()
	frappe.set_user(USER)
	assert [move["party"] for move in get_preview(run.name)["moves"]] == ["Seen"]
	assert not get("Retention Run", run.name).get("preview_result")
	assert "Hidden" not in frappe.as_json(progress(run.name))


def test_user_without_any_access_to_customers_sees_nothing(customers):
	user = make_user("stranger@example.com", "Retention User")
	frappe.local.message_log = []
	frappe.set_user(user)
	assert parties("Retention Profile") == set()
	assert parties("Tier Change") == set()
	assert frappe.local.message_log == []


def test_shared_customer_is_seen(customers):
	user = make_user("stranger@example.com", "Retention User")
	frappe.share.add("Customer", "Seen", user, notify=0)
	frappe.set_user(user)
	assert parties("Retention Profile") == {"Seen"}


def test_only_managers_decide_by_hand(customers):
	frappe.set_user(USER)
	assert not frappe.has_permission("Retention Profile", "write", "Seen")
	frappe.set_user("Administrator")
	frappe.get_doc("User", USER).add_roles("Retention Manager")
	frappe.set_user(USER)
	assert frappe.has_permission("Retention Profile", "write", "Seen")
	assert not frappe.has_permission("Retention Profile", "create")
	assert not frappe.has_permission("Retention Profile", "delete", "Seen")

"""Whoever may not read a customer sees none of its touchpoints, memberships in plans and held back contacts."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.client import get, get_count, get_list, get_value
from frappe.desk.form.load import getdoc
from frappe.desk.search import search_link

from tests.site.care import CALL
from tests.site.desk import make_customer, make_profile, make_user
from tests.site.plans import enroll, make_plan
from tests.site.touchpoints import make_touchpoint, make_type

USER = "restricted.care@example.com"
DOCTYPES = ("Touchpoint", "Plan Enrollment", "Contact Stop", "Contact Preference", "Interaction Log")
NEAR, FAR = "Customer Near", "Customer Far"


@pytest.fixture(autouse=True)
def names():
	"""A user who may read the customers of one territory alone, with one of everything each side of it, by DocType."""
	root = frappe.db.get_value("Territory", {"parent_territory": ("in", ("", None))})
	make_type(CALL)
	plan = make_plan("Trial").insert()
	found = {doctype: {} for doctype in DOCTYPES}
	for territory in ("Near", "Far"):
		row = {"doctype": "Territory", "territory_name": territory, "parent_territory": root}
		frappe.get_doc(row).insert()
		party = make_customer(f"Customer {territory}", territory=territory).name
		make_profile(party)
		touchpoint = make_touchpoint(party, touchpoint_type=CALL).name
		found["Touchpoint"][party] = touchpoint
		found["Plan Enrollment"][party] = enroll(plan, party).name
		rule = frappe.get_all("Contact Rule", pluck="name", limit=1)[0]
		given = {"party_type": "Customer", "party": party}
		rows = {
			"Contact Stop": {
				"rule": rule,
				"action": "Drop",
				"touchpoint": touchpoint,
				"on_date": "2026-01-01",
			},
			"Contact Preference": {"channel": "Email", "answer": "No"},
			"Interaction Log": {"kind": "Note", "note": "x", "direction": "Internal"},
		}
		for doctype, values in rows.items():
			doc = frappe.get_doc({"doctype": doctype, **given, **values})
			found[doctype][party] = doc.insert(ignore_permissions=True).name
	make_user(USER, "Retention User", "Sales User", "Report Manager")
	permission = {"doctype": "User Permission", "user": USER, "allow": "Territory", "for_value": "Near"}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)
	return found


def call(method, **arguments):
	"""A whitelisted method as the desk calls it."""
	frappe.local.form_dict = frappe._dict(arguments, cmd=method)
	return frappe.call(method, **arguments)


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_lists_and_counts_leave_hidden_parties_out(doctype):
	filters = {"party": ("in", (NEAR, FAR))}
	assert {row.party for row in get_list(doctype, fields=["party"], filters=filters)} == {NEAR}
	assert get_list(doctype, filters={"party": FAR}) == []
	assert get_count(doctype, filters=filters) == 1
	of_view = json.dumps([[doctype, "party", "in", [NEAR, FAR]]])
	assert call("frappe.desk.reportview.get_count", doctype=doctype, filters=of_view, fields="[]") == 1


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_report_view_and_its_groups_leave_them_out(doctype):
	fields = json.dumps([f"`tab{doctype}`.`party`"])
	found = call("frappe.desk.reportview.get", doctype=doctype, fields=fields, filters="[]", page_length=500)
	parties = {value for row in found["values"] for value in row}
	assert NEAR in parties
	assert FAR not in parties
	stats = call(
		"frappe.desk.reportview.get_stats", doctype=doctype, filters="[]", stats=json.dumps(["party"])
	)
	assert "Far" not in json.dumps(stats)


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_single_documents_are_refused(doctype, names):
	assert get(doctype, names[doctype][NEAR])["party"] == NEAR
	with pytest.raises(frappe.PermissionError):
		get(doctype, names[doctype][FAR])
	with pytest.raises(frappe.PermissionError):
		getdoc(doctype, names[doctype][FAR])
	assert not (get_value(doctype, "party", {"party": FAR}) or {}).get("party")
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(doctype, names[doctype][FAR]).check_permission("read")


def test_search_and_actions_do_not_reach_them(names):
	from crm_retention.api.touchpoints import complete, skip

	found = search_link("Touchpoint", "Customer", page_length=50) or frappe.response.get("results", [])
	assert "Far" not in json.dumps(found)
	for action in (
		lambda: complete(name=names["Touchpoint"][FAR], outcome="Reached"),
		lambda: skip(name=names["Touchpoint"][FAR], reason="x"),
	):
		with pytest.raises(frappe.PermissionError):
			action()

"""Every other way into the data of a customer that a user may not read: report view, search, cards, REST, links."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.client import get_list, get_value
from frappe.desk.search import search_link

from crm_retention import compat
from tests.site.desk import make_change, make_customer, make_profile, make_user

USER = "restricted@example.com"
DOCTYPES = ("Retention Profile", "Tier Change")


@pytest.fixture(autouse=True)
def restricted():
	"""A user who may read the customers of one territory alone, with a profile and a change each side of it."""
	root = frappe.db.get_value("Territory", {"parent_territory": ("in", ("", None))})
	for territory in ("Near", "Far"):
		frappe.get_doc(
			{"doctype": "Territory", "territory_name": territory, "parent_territory": root}
		).insert()
		name = f"Customer {territory}"
		make_customer(name, territory=territory)
		make_profile(name, tier="Regular", stage="At Risk", score=50, health=20)
		make_change(name, on_date=frappe.utils.nowdate())
	make_user(USER, "Retention User", "Sales User", "Report Manager")
	permission = {"doctype": "User Permission", "user": USER, "allow": "Territory", "for_value": "Near"}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)


def call(method, **arguments):
	"""A whitelisted method as the desk calls it."""
	frappe.local.form_dict = frappe._dict(arguments, cmd=method)
	return frappe.call(method, **arguments)


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_report_view_leaves_hidden_parties_out(doctype):
	fields = json.dumps([f"`tab{doctype}`.`party`"])
	found = call("frappe.desk.reportview.get", doctype=doctype, fields=fields, filters="[]", page_length=500)
	parties = {value for row in found["values"] for value in row}
	assert "Customer Near" in parties
	assert "Customer Far" not in parties


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_report_view_counts_and_groups_leave_them_out(doctype):
	filters = json.dumps([[doctype, "party", "like", "Customer %"]])
	seen = frappe.db.count(doctype, {"party": "Customer Near"})
	assert call("frappe.desk.reportview.get_count", doctype=doctype, filters=filters, fields="[]") == seen
	field = "tier" if doctype == "Retention Profile" else "to_value"
	stats = call(
		"frappe.desk.reportview.get_stats", doctype=doctype, filters=filters, stats=json.dumps([field])
	)
	assert "Far" not in json.dumps(stats)


def test_export_leaves_them_out(monkeypatch):
	# it commits
	monkeypatch.setattr("frappe.core.doctype.access_log.access_log._make_access_log", lambda *_a, **_k: None)
	fields = json.dumps(["`tabRetention Profile`.`party`"])
	arguments = {"doctype": "Retention Profile", "fields": fields, "filters": "[]", "file_format_type": "CSV"}
	call("frappe.desk.reportview.export_query", **arguments, title="x")
	content = frappe.response["filecontent"]
	text = content.decode() if isinstance(content, bytes) else str(content)
	assert "Customer Near" in text
	assert "Customer Far" not in text


def test_single_values_are_refused():
	assert get_value("Retention Profile", "score", {"party": "Customer Near"})["score"] == 50
	for filters in ({"party": "Customer Far"}, {"name": "Customer Far"}):
		assert not (get_value("Retention Profile", "score", filters) or {}).get("score")


def test_filters_do_not_tell_what_the_fields_would():
	"""No list can be narrowed to a hidden row to learn its score by elimination."""
	for filters in ({"party": "Customer Far", "score": (">", 10)}, {"name": ("like", "%Far")}):
		assert get_list("Retention Profile", filters=filters) == []


@pytest.mark.parametrize("field", ["tier", "stage", "party"])
def test_aggregates_leave_them_out(field):
	sums = ["count(name) as n", "sum(score) as total"]
	if compat.MAJOR >= 16:
		sums = [{"COUNT": "name", "as": "n"}, {"SUM": "score", "as": "total"}]
	rows = get_list(
		"Retention Profile",
		fields=[field, *sums],
		filters={"party": ("like", "Customer %")},
		group_by=field,
	)
	assert [(row.n, row.total) for row in rows] == [(1, 50)]


def test_link_search_leaves_them_out():
	found = search_link("Retention Profile", "Customer", page_length=50)
	names = {row["value"] for row in (found or frappe.response.get("results", []))}
	assert "Customer Near" in names
	assert "Customer Far" not in names


def test_link_titles_and_previews_are_refused():
	from frappe.desk.link_preview import get_preview_data

	assert not get_preview_data("Retention Profile", "Customer Far")


def test_number_cards_count_what_the_user_may_see():
	from frappe.desk.doctype.number_card.number_card import get_result

	cards = frappe.get_all(
		"Number Card", {"module": "CRM Retention", "document_type": ("in", DOCTYPES)}, pluck="name"
	)
	assert cards
	for name in cards:
		card = frappe.get_doc("Number Card", name).as_dict()
		narrowed = [*json.loads(card.filters_json), [card.document_type, "party", "like", "Customer %"]]
		mine = get_result(card, json.dumps(narrowed))
		frappe.set_user("Administrator")
		everybody = get_result(card, json.dumps(narrowed))
		frappe.set_user(USER)
		assert everybody == 2 * mine, name


def test_what_a_preview_found_is_not_read_through_a_list():
	frappe.set_user("Administrator")
	found = json.dumps({"moves": [{"party_type": "Customer", "party": "Customer Far"}]})
	run = {"doctype": "Retention Run", "kind": "Preview", "as_of": "2026-01-01", "preview_result": found}
	name = frappe.get_doc(run).insert().name
	frappe.set_user(USER)
	rows = get_list("Retention Run", fields=["name", "preview_result"], filters={"name": name})
	assert rows
	assert not rows[0].get("preview_result")
	assert not (get_value("Retention Run", "preview_result", name) or {}).get("preview_result")


def test_history_of_a_document_is_refused():
	from frappe.desk.form.load import getdoc

	with pytest.raises(frappe.PermissionError):
		getdoc("Retention Profile", "Customer Far")


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_guests_and_website_users_see_nothing(doctype):
	frappe.set_user("Administrator")
	portal = frappe.get_doc(
		{
			"doctype": "User",
			"email": "portal@example.com",
			"first_name": "P",
			"send_welcome_email": 0,
			"user_type": "Website User",
		}
	)
	portal.insert(ignore_permissions=True).add_roles("Customer")
	for user in ("Guest", portal.name):
		frappe.set_user(user)
		with pytest.raises(frappe.PermissionError):
			get_list(doctype)
		with pytest.raises(frappe.PermissionError):
			call("crm_retention.api.profile.explain", party_type="Customer", party="Customer Near")


def test_user_permission_on_a_tier_hides_profiles_but_no_customers():
	"""Customers keep their own rules: the fields on Customer ignore permissions on tiers and stages."""
	permission = {
		"doctype": "User Permission",
		"user": USER,
		"allow": "Customer Tier",
		"for_value": "Potential",
	}
	frappe.set_user("Administrator")
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)
	assert get_list("Customer", filters={"name": "Customer Near"})

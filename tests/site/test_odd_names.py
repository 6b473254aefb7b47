"""Customers whose names hold what SQL, string formatting and URLs treat specially: whoever may see one sees it everywhere."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.client import get_count, get_list
from frappe.desk.query_report import run
from frappe.utils import nowdate

from crm_retention.api.my_day import my_day, people
from crm_retention.api.timeline import get_timeline, get_view
from crm_retention.api.touchpoints import get_events
from crm_retention.care.digests import get_team
from crm_retention.sql_text import without_percent_signs
from tests.site.desk import make_change, make_customer, make_profile
from tests.site.interactions import make_row, make_touchpoint
from tests.site.touchpoints import make_seller, only_customer

NAMES = (
	"50% off",
	"100%% sure %s %(param1)s %d",
	'O\'Brien "and" `Sons`',
	r"C:\temp\new",
	r"End\' or 1=1 -- ",
	"Ends in a backslash\\",
	"Blumen 🌷 花 % 'Ü'",
)
DOCTYPES = ("Touchpoint", "Retention Profile", "Tier Change", "Interaction Log", "Contact Stop")
OTHER = "Nobody's Business"
USER = "odd.names@example.com"


@pytest.fixture(scope="module", autouse=True)
def customers(site):
	"""One of everything for a customer of each name and for another one, and a user who cares for all of them."""
	make_seller(USER, "Report Manager")
	for customer in (*NAMES, OTHER):
		name = make_customer(customer).name
		make_profile(name)
		make_change(name, on_date=nowdate())
		make_touchpoint(name, assigned_to=USER, title=name)
		make_row(name, outcome="Reached").insert(ignore_permissions=True)
		make_stop(name)


@pytest.fixture(params=NAMES)
def name(request):
	"""The only customer that the user may see."""
	name = request.param.strip()
	with only_customer(USER, name):
		frappe.set_user(USER)
		yield name
		frappe.set_user("Administrator")


def make_stop(customer):
	"""A contact that a rule held back today."""
	rule = frappe.get_all("Contact Rule", pluck="name", limit=1)[0]
	given = {"doctype": "Contact Stop", "party_type": "Customer", "party": customer, "party_name": customer}
	given |= {"rule": rule, "on_date": nowdate(), "action": "Drop", "stage": "Creating", "key": customer}
	frappe.get_doc(given).insert(ignore_permissions=True)


def test_lists_counts_and_the_report_view_have_it_alone(name):
	for doctype in DOCTYPES:
		assert [row.party for row in get_list(doctype, fields=["party"])] == [name]
		assert get_count(doctype) == 1
		fields, arguments = json.dumps([f"`tab{doctype}`.`party`"]), {"filters": "[]", "page_length": 20}
		frappe.local.form_dict = frappe._dict(arguments, doctype=doctype, fields=fields)
		found = frappe.call("frappe.desk.reportview.get", **frappe.local.form_dict)
		assert found["values"] == [[name]]


def test_my_day_the_calendar_and_the_view_of_the_customer_have_it_alone(name):
	assert [card["party"] for card in my_day()["cards"]] == [name]
	assert [row["title"] for row in get_events(nowdate(), nowdate())] == [name]
	assert [row["title"] for row in get_view("Customer", name)["touchpoints"]] == [name]
	assert get_timeline("Customer", name)["rows"]
	with pytest.raises(frappe.PermissionError):
		get_view("Customer", OTHER)


def test_figures_of_a_team_count_it_alone(name):
	frappe.set_user("Administrator")
	frappe.get_doc("User", USER).add_roles("Retention Manager")
	frappe.set_user(USER)
	assert sum(row.open for row in people()) == 1
	frappe.set_user("Administrator")
	frappe.db.set_value("Touchpoint", {"assigned_to": USER}, "due_date", "2020-01-01")
	frappe.set_user(USER)
	assert sum(row["overdue"] for row in get_team(frappe.utils.getdate())) == 1


def test_reports_have_it_alone(name):
	days = {"from_date": nowdate(), "to_date": nowdate()}
	assert read("Interaction Gaps", "party", **days, group_by="Party") == [name]
	assert read("Interaction Gaps", "party", **days, group_by="Party", party_type="Customer", party=name) == [
		name
	]
	assert read("Contacts Held Back", "party", **days, group_by="Party") == [name]
	assert read("Touchpoint Load", "touchpoints") == [1]


def read(report, column, **filters):
	"""A column of a report, as the desk runs it."""
	rows = run(report, filters=filters, user=USER)["result"]
	return [row[column] for row in rows if isinstance(row, dict) and row.get(column)]


@pytest.mark.parametrize("text", [*NAMES, r"a\%b%'c'", "%", "`%`", '"%"'])
def test_text_without_percent_signs_is_the_same_text(text):
	literal = frappe.db.escape(text, percent=False)
	sql = without_percent_signs(f"select {literal}, `name` from `tabDocType` where `name` = 'DocType'")
	assert "%" not in sql
	assert frappe.db.sql(sql) == frappe.db.sql(sql, {}) == ((text, "DocType"),)


def test_patterns_and_identifiers_without_percent_signs_mean_the_same():
	if frappe.db.db_type == "mariadb":
		sql = r"select `name` from `tabDocType` where concat(`name`, '%') like 'DocTyp_\%'"
		assert frappe.db.sql(without_percent_signs(sql)) == (("DocType",),)
	sql = "select 'x' as `50%` from `tabDocType` where `name` like '%Typ%' and `name` = 'DocType'"
	assert without_percent_signs(sql).count("%") == 1
	assert frappe.db.sql(without_percent_signs(sql)) == (("x",),)

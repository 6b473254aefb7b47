"""The reports as people see them: every cell shows what it holds, and a name that looks like markup is a name."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, now_datetime, nowdate
from playwright.sync_api import expect

from tests.e2e.pages import load, settle
from tests.site.desk import make_customer, make_user
from tests.site.interactions import get_type

ANNA = "anna.reports@example.com"
PARTY = "Named Oddly"
NAME = "<img src=x onerror=window.ran=1>Odd"
KIND = "Visit of Reports"
REPORTS = ("Contacts Held Back", "Interaction Gaps", "Touchpoint Load")


@pytest.fixture(scope="module", autouse=True)
def rows(site, leave_site_as_it_was):
	"""A customer and a person whose names are markup, in every report."""
	make_user(ANNA, "Retention User", "Sales User")
	make_customer(PARTY)
	fact = {"fact": "outcome"}
	kind = {"doctype": "Interaction Kind", "kind_name": KIND, "is_contact": 1, "required_facts": [fact]}
	frappe.get_doc(kind).insert()
	touchpoint_type = get_type("Call of Reports", None)
	rule = frappe.get_all("Contact Rule", pluck="name", limit=1)[0]
	store("Contact Stop", rule=rule, action="Drop", stage="Creating", on_date=nowdate(), key="reports|1")
	store("Interaction Log", kind=KIND, occurred_on=now_datetime(), direction="Out", user=ANNA)
	store(
		"Touchpoint", touchpoint_type=touchpoint_type, status="Open", due_date=add_days(nowdate(), 1),
		assigned_to=ANNA, minutes=30,
	)  # fmt: skip
	# past the platform's own cleaning of what is saved
	frappe.db.set_value("Customer", PARTY, "customer_name", NAME)
	frappe.db.set_value("User", ANNA, "full_name", NAME)
	frappe.clear_cache()
	frappe.db.commit()


def store(doctype, **values):
	doc = frappe.new_doc(doctype)
	doc.update({"party_type": "Customer", "party": PARTY, "party_name": NAME, **values})
	doc.set_new_name()
	doc.owner = doc.modified_by = "Administrator"
	doc.creation = doc.modified = now_datetime()
	doc.db_insert()


@pytest.mark.parametrize("report", REPORTS)
def test_names_that_look_like_markup_are_shown_as_names(report, desktop, screenshot):
	grouped = {"Contacts Held Back": "?group_by=Party", "Interaction Gaps": "?group_by=Party"}
	load(desktop, f"/app/query-report/{report}{grouped.get(report, '')}")
	expect(desktop.locator(".dt-cell__content:visible", has_text="Odd").first).to_be_visible()
	settle(desktop)
	screenshot(desktop, "report")
	assert desktop.locator(".datatable img[src=x]").count() == 0
	assert desktop.evaluate("() => window.ran") is None

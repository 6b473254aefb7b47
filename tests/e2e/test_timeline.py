"""The customer in one view, as people see it: what is to be done is done there, and the timeline answers at once."""

from __future__ import annotations

import datetime
import re

import frappe
import pytest
from frappe.utils import add_days, nowdate
from playwright.sync_api import Page, expect

from tests.e2e.pages import dialog_at_rest, open_form, open_tab, settle, sticking_out
from tests.site.interactions import make_row
from tests.site.touchpoints import make_customers, make_touchpoint

pytestmark = pytest.mark.one_desk

CUSTOMER = "Timeline Trading and Shipping Company Limited of Shanghai"
CALLS = 25


@pytest.fixture(scope="module", autouse=True)
def customer(site, leave_site_as_it_was):
	"""Calls on as many days, an email in between, and one correction."""
	make_customers(CUSTOMER)
	first = datetime.datetime(2026, 1, 5, 10)
	for day in range(CALLS):
		make_row(CUSTOMER, occurred_on=add_days(first, day), note=f"Call number {day + 1}").insert()
	wrong = make_row(CUSTOMER, "Email", occurred_on=add_days(first, 40), note="To the wrong person").insert()
	right = {"occurred_on": add_days(first, 41), "note": "To the right person", "supersedes": wrong.name}
	make_row(CUSTOMER, "Email", **right).insert()
	frappe.db.commit()


@pytest.fixture(params=["desktop", "phone"])
def screen(request) -> Page:
	return request.getfixturevalue(request.param)


def open_view(page: Page):
	form = open_form(page, "Customer", CUSTOMER)
	open_tab(page, "Retention")
	expect(form.locator(".retention-care")).to_be_visible()
	settle(page)
	return form


def test_promise_is_kept_where_it_is_seen(screen, screenshot):
	due = add_days(nowdate(), -2)
	name = make_touchpoint(CUSTOMER, due_date=due, is_promise=1, why="Send the samples").name
	frappe.db.commit()
	form = open_view(screen)
	promises = form.locator(".rc-card", has_text="Promised")
	expect(promises).to_contain_text("Send the samples")
	expect(promises).to_contain_text("2 days late")
	expect(form.locator(".rc-card", has_text="Last Contact")).to_contain_text("from us")
	assert sticking_out(screen) == []
	screenshot(screen, "view")
	promises.get_by_role("button", name="Done").click()
	screen.locator(".modal.show").get_by_role("radio", name="Reached", exact=True).click()
	screen.locator(".modal.show textarea").first.fill("Samples were sent")
	dialog_at_rest(screen).locator(".btn-modal-primary").click()
	expect(screen.locator(".modal.show")).to_have_count(0)
	settle(screen)
	expect(form.locator(".rc-card", has_text="Promised")).to_have_count(0)
	expect(form.locator(".rt-row").first).to_contain_text("Samples were sent")
	frappe.db.rollback()
	assert frappe.db.get_value("Touchpoint", name, "status") == "Done"


def test_timeline_goes_on_and_filters(screen, screenshot):
	form = open_view(screen)
	rows = form.locator(".rt-row")
	expect(rows).to_have_count(20)
	expect(form.get_by_text("To the right person")).to_be_visible()
	expect(form.get_by_text("To the wrong person")).to_have_count(0)
	expect(form.get_by_role("link", name="corrects an earlier entry")).to_be_visible()
	form.get_by_role("button", name="Show Older").click()
	expect(rows.last).to_contain_text(re.compile(r"Call number 1\b"))
	expect(form.get_by_role("button", name="Show Older")).to_have_count(0)
	form.locator(".rt-filters summary").click()
	form.get_by_label("Kind").select_option("Email")
	expect(form.get_by_text("Call number 25")).to_have_count(0)
	form.get_by_label("Kind").select_option("")
	form.get_by_label("To Date").fill("2026-01-06")
	expect(rows).to_have_count(2)
	expect(rows.first).to_contain_text("Call number 2")
	assert sticking_out(screen) == []
	screenshot(screen, "timeline")

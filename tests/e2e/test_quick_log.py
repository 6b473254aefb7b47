"""Logging what happened where one is: from the Customer form on a desk and on a phone."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, getdate, nowdate
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import dialog_at_rest, open_form, open_tab, settle
from tests.site.touchpoints import make_customers, make_touchpoint

pytestmark = pytest.mark.one_desk

LONG = "Quiet Harbour Trading and Shipping Company Limited of Shanghai"
KINDS = ["Call", "Email", "Visit", "Meeting", "Message", "Note", "Servicing"]


@pytest.fixture(scope="module", autouse=True)
def customers(site, leave_site_as_it_was):
	make_customers(LONG, "Quick Two")
	frappe.db.commit()


@pytest.fixture(params=["desktop", "phone"])
def screen(request) -> Page:
	return request.getfixturevalue(request.param)


def log(party: str) -> list:
	"""What is on record of a party, the newest first."""
	frappe.db.rollback()
	fields = ["name", "kind", "channel", "outcome", "note", "minutes", "direction", "user"]
	return frappe.get_all(
		"Interaction Log", {"party": party}, fields, order_by="occurred_on desc, creation desc"
	)


def open_dialog(page: Page, party: str) -> Locator:
	open_form(page, "Customer", party)
	button = page.locator(".page-actions:visible").get_by_role("button", name="Log Interaction")
	if button.count() and button.is_visible():
		button.click()
	else:  # narrow screens fold the form's buttons away
		page.locator(".menu-btn-group:visible button").click()
		page.locator(".menu-btn-group .dropdown-menu:visible").get_by_text("Log Interaction").click()
	dialog = page.locator(".modal.show")
	expect(dialog.get_by_role("radio", name="Call", exact=True)).to_be_visible()
	return dialog


def save_dialog(page: Page, dialog: Locator) -> None:
	dialog_at_rest(page)
	dialog.get_by_role("button", name="Save", exact=True).click()
	expect(page.locator(".modal.show")).to_have_count(0)
	settle(page)


def test_call_is_logged_in_four_fields(screen, screenshot):
	before = len(log("Quick Two"))
	dialog = open_dialog(screen, "Quick Two")
	kinds = dialog.get_by_role("radiogroup", name="Kind").get_by_role("radio")
	assert kinds.all_inner_texts() == KINDS
	dialog.get_by_role("radio", name="Call", exact=True).click()
	dialog.locator("textarea").first.fill("Asked about delivery")
	dialog.get_by_role("radio", name="Resolved").click()
	screenshot(screen, "dialog")
	assert screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
	save_dialog(screen, dialog)
	rows = log("Quick Two")
	assert len(rows) == before + 1
	row = rows[0]
	assert (row.kind, row.channel, row.outcome, row.note) == (
		"Call",
		"Phone",
		"Resolved",
		"Asked about delivery",
	)
	assert (row.direction, row.user) == ("Out", "Administrator")
	open_tab(screen, "Retention")
	expect(screen.locator(".retention-timeline .rt-row").first).to_contain_text("Asked about delivery")
	screenshot(screen, "timeline")


def test_buttons_of_the_dialog_are_large_enough_for_a_thumb(phone):
	dialog = open_dialog(phone, LONG)
	buttons = [*dialog.get_by_role("radio").all(), dialog.get_by_role("button", name="Save", exact=True)]
	boxes = [button.bounding_box() for button in buttons]
	assert min(box["height"] for box in boxes) >= 44
	assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
	save_box = boxes[-1]
	assert save_box["y"] + save_box["height"] <= 844, "the thumb reaches it without scrolling"
	assert save_box["y"] > 844 / 2


def test_logged_visit_completes_what_was_due_and_keeps_the_promise(phone, screenshot):
	due = make_touchpoint(LONG, channel="Visit", assigned_to="Administrator").name
	frappe.db.commit()
	dialog = open_dialog(phone, LONG)
	dialog.get_by_role("radio", name="Visit", exact=True).click()
	dialog.locator("textarea").first.fill("New warehouse in spring")
	dialog.get_by_role("radio", name="Interested").click()
	dialog.locator(".section-head:visible", has_text="More").click()
	dialog.locator("[data-fieldname=promise] input").fill("Send the drawing")
	dialog.locator("[data-fieldname=minutes] input").fill("35")
	screenshot(phone, "more")
	save_dialog(phone, dialog)
	row = log(LONG)[0]
	assert (row.kind, row.minutes) == ("Visit", 35)
	stored = frappe.get_doc("Touchpoint", due)
	assert (stored.status, stored.outcome, stored.interaction) == ("Done", "Interested", row.name)
	promise = frappe.get_doc("Touchpoint", {"party": LONG, "is_promise": 1})
	assert (promise.why, promise.status) == ("Send the drawing", "Open")
	assert promise.due_date == getdate(add_days(nowdate(), 7))
	open_tab(phone, "Retention")
	expect(phone.locator(".retention-care .rc-card", has_text="Promised")).to_contain_text("Send the drawing")
	screenshot(phone, "view")


def test_dialog_stays_with_what_was_typed_when_the_server_refuses(desktop, screenshot):
	before = len(log(LONG))
	dialog = open_dialog(desktop, LONG)
	dialog.get_by_role("radio", name="Call", exact=True).click()
	dialog.locator("textarea").first.fill("Typed for nothing?")
	dialog.locator(".section-head:visible", has_text="More").click()
	dialog.locator("[data-fieldname=minutes] input").fill("-5")
	dialog.get_by_role("button", name="Save", exact=True).click()
	expect(desktop.locator(".modal.show .msgprint")).to_contain_text("minutes")
	screenshot(desktop, "refused")
	dialog_at_rest(desktop)
	desktop.locator(".modal.show:has(.msgprint) .btn-modal-close").click()
	expect(desktop.locator(".modal.show")).to_have_count(1)
	expect(dialog.locator("textarea").first).to_have_value("Typed for nothing?")
	assert len(log(LONG)) == before

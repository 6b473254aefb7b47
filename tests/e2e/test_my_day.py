"""A day's work as people do it: on a phone with one hand, and in the desk's lists."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, nowdate
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.pages import choose, dialog_at_rest, load, settle, sticking_out
from tests.site.desk import make_user
from tests.site.touchpoints import make_customers, make_seller, make_touchpoint

PASSWORD = "Not-a-secret-42"
ANNA, BEN, BOSS = "anna.field@example.com", "ben.field@example.com", "boss.field@example.com"
LONG = "Blue Harbour Trading and Shipping Company Limited of Shanghai"


@pytest.fixture(scope="module", autouse=True)
def people(site, leave_site_as_it_was):
	make_customers(LONG, "Field Two", "Field Three")
	make_seller(ANNA)
	make_seller(BEN)
	make_user(BOSS, "Retention Manager", "Sales Manager", "Sales User")
	for user in (ANNA, BOSS):
		doc = frappe.get_doc("User", user)
		doc.new_password = PASSWORD
		doc.save()
	for party in (LONG, "Field Two"):
		frappe.db.set_value("Customer", party, {"account_manager": ANNA, "mobile_no": "+49 89 1234"})
	frappe.db.commit()


def due(party: str, days: int = 0) -> str:
	name = make_touchpoint(
		party, due_date=add_days(nowdate(), days), assigned_to=ANNA, why="Every month"
	).name
	frappe.db.commit()
	return name


def stored(name: str):
	frappe.db.rollback()
	return frappe.get_doc("Touchpoint", name)


def open_day(page: Page) -> None:
	load(page, "/app/my-day")
	expect(page.locator(".my-day-chip").first).to_be_visible()
	settle(page)


def card(page: Page, name: str):
	return page.locator(f".my-day-card[data-name='{name}']")


def press(page: Page, label: str) -> None:
	"""Press the dialog's own button and wait until it is gone."""
	dialog_at_rest(page).locator(".btn-modal-primary", has_text=label).click()
	expect(page.locator(".modal.show")).to_have_count(0)
	settle(page)


def test_phone_does_skips_and_moves_what_is_due(log_in, screenshot):
	late, today, later = due(LONG, -2), due("Field Two"), due("Field Three")
	page = log_in(PHONE, ANNA, PASSWORD)
	open_day(page)
	expect(card(page, late)).to_contain_text("2 days late")
	expect(card(page, late).locator("a[href^='tel:']")).to_have_attribute("href", "tel:+49891234")
	assert sticking_out(page) == []
	assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
	place, width = card(page, late).bounding_box(), PHONE["viewport"]["width"]
	assert min(place["x"], width - place["x"] - place["width"]) >= 8, "its cards touch the edge"
	screenshot(page, "day")

	card(page, late).get_by_role("button", name="Done").click()
	page.get_by_role("radio", name="Interested").click()
	page.get_by_role("button", name="More").click()
	page.locator(".modal.show textarea").fill("Wants a sample")
	page.locator(".modal.show [data-fieldname=next_step] input").fill("Send the sample")
	screenshot(page, "done")
	press(page, "Done")
	expect(card(page, late)).to_have_count(0)
	doc = stored(late)
	assert (doc.status, doc.outcome, doc.note, doc.minutes) == ("Done", "Interested", "Wants a sample", 25)
	promise = stored(frappe.db.get_value("Touchpoint", {"request_id": f"next|{late}"}))
	assert (promise.is_promise, promise.why) == (1, "Send the sample")
	expect(card(page, promise.name)).to_contain_text("Promise")

	for name, button, label in ((today, "Skip", "Skip"), (later, "Later", "Move")):
		card(page, name).get_by_role("button", name=button).click()
		page.locator(".modal.show textarea").fill("Asked us to")
		press(page, label)
	assert stored(today).status == "Skipped"
	assert str(stored(later).due_date) == add_days(nowdate(), 1)


def test_phone_logs_what_came_up_on_the_way(log_in):
	page = log_in(PHONE, ANNA, PASSWORD)
	open_day(page)
	page.locator(".page-actions:visible .primary-action").click()
	expect(page.locator(".modal.show")).to_contain_text("Log Interaction")


def test_list_moves_a_selection_and_names_what_it_refuses(log_in):
	names = [due(party) for party in (LONG, "Field Two")]
	page = log_in(DESKTOP, ANNA, PASSWORD)
	load(page, "/app/touchpoint")
	for name in names:
		page.locator(f".list-row-checkbox[data-name='{name}']").check()
	stored(names[0]).run_method("db_set", "status", "Missed")
	frappe.db.commit()
	page.locator(".actions-btn-group button:visible").first.click()
	page.locator(".actions-btn-group .dropdown-menu").get_by_text("Skip", exact=True).click()
	page.locator(".modal.show textarea").fill("Fair week")
	dialog_at_rest(page).locator(".btn-modal-primary").click()
	expect(page.locator(".modal.show .msgprint")).to_contain_text("has ended as Missed")
	assert [stored(name).status for name in names] == ["Missed", "Skipped"]


def test_manager_hands_a_person_over(log_in, screenshot):
	name = due(LONG, 3)
	page = log_in(DESKTOP, BOSS, PASSWORD)
	open_day(page)
	page.locator(".menu-btn-group:visible button").click()
	page.get_by_text("Hand Over Customers").click()
	for field, user in (("from_user", ANNA), ("to_user", BEN)):
		choose(page.locator(f".modal.show [data-fieldname={field}] input"), user)
	screenshot(page, "hand-over")
	dialog_at_rest(page).locator(".btn-modal-primary", has_text="Hand Over").click()
	expect(page.locator(".modal.show .msgprint")).to_contain_text("handed over")
	assert stored(name).assigned_to == BEN
	assert frappe.db.get_value("Customer", LONG, "account_manager") == BEN
	load(page, f"/app/customer/{LONG}")
	settle(page)
	expect(page.locator(".new-timeline").first).to_contain_text("Handed over from")

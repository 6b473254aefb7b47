"""The desk of a site with the app on it opens, on a desktop and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import load


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_desk_opens_after_login(screen, request, screenshot):
	page: Page = request.getfixturevalue(screen)
	load(page, "/app/customer")
	expect(page.locator(".page-head .title-text").first).to_have_text("Customer")
	expect(page.locator(".frappe-list")).to_be_visible()
	screenshot(page, screen)


def test_realtime_is_connected(desktop):
	load(desktop, "/app/customer")
	desktop.wait_for_function("() => frappe.realtime.socket && frappe.realtime.socket.connected")


def test_login_page_refuses_a_wrong_password(browser, base_url):
	context = browser.new_context(base_url=base_url)
	answer = context.request.post("/api/method/login", form={"usr": "Administrator", "pwd": "not this"})
	assert answer.status == 401
	context.close()

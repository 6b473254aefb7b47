"""What browser tests share: how to get to a form, a tab and a message, and what the desk shows there."""

from __future__ import annotations

import re
from urllib.parse import quote

import frappe
from playwright.sync_api import Locator, Page, expect


def open_form(page: Page, doctype: str, name: str | None = None) -> Locator:
	"""The form of a document (without a name that of a Single), loaded; its visible page."""
	route = "/app/" + frappe.scrub(doctype).replace("_", "-")
	page.goto(route + (f"/{quote(name, safe='')}" if name else ""))
	page.wait_for_function(
		"([doctype]) => window.cur_frm?.doctype === doctype && !cur_frm.is_new()", arg=[doctype]
	)
	settle(page)
	return page.locator(".page-container:visible")


def open_tab(page: Page, label: str) -> None:
	"""Press a form's tab."""
	page.locator(
		".form-tabs:visible .nav-link:visible", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
	).click()


def open_workspace(page: Page, name: str) -> Locator:
	"""A workspace with its numbers and charts drawn."""
	page.goto(f"/app/{name.lower()}")
	expect(page.locator(".number-widget-box .number").last).to_be_visible()
	settle(page)
	return page.locator(".layout-main-section:visible")


def settle(page: Page) -> None:
	"""Until the page's requests are answered and what comes of them is drawn."""
	page.wait_for_function("() => !frappe.request.ajax_count")
	page.wait_for_load_state("networkidle")


def save(page: Page) -> None:
	"""Save the form as people do."""
	page.locator(".page-actions:visible .primary-action:visible, .custom-actions:visible").get_by_text(
		"Save", exact=True
	).click()


def message(page: Page) -> Locator:
	"""What the desk says in a dialog of its own."""
	return page.locator(".modal.show .msgprint")


def sticking_out(page: Page) -> list[str]:
	"""What of a form's fields, a list or a workspace is wider than the window and does not scroll by itself."""
	return page.evaluate(
		"""() => [...document.querySelectorAll(".form-layout *, .frappe-list *, .layout-main-section .widget *")]
			.filter((element) => !element.matches(".visually-hidden"))
			.filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > window.innerWidth + 1)
			.filter((element) => {
				for (let up = element.parentElement; up; up = up.parentElement)
					if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return false;
				return true;
			})
			.map((element) => element.outerHTML.slice(0, 120))"""
	)


def close_message(page: Page) -> None:
	"""Close what the desk says."""
	page.locator(".modal.show .btn-modal-close").click()
	expect(page.locator(".modal.show")).to_have_count(0)

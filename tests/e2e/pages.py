"""What browser tests share: how to get to a form, a tab and a message, and what the desk shows there."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from urllib.parse import quote

import frappe
from playwright.sync_api import Error, Locator, Page, Request, expect
from playwright.sync_api import TimeoutError as TooLate

PATIENCE = 60  # seconds for what a busy machine does late; what is there is never waited for
# What the control around an input holds: the names of a link, or of a list of links
NAMES_HELD = """(input) => {
	let at = input;
	while (at && !at.fieldobj) at = at.parentElement;
	const field = at?.fieldobj;
	const value = field?.doc ? field.doc[field.df.fieldname] : field?.value;
	if (!Array.isArray(value)) return value ? [value] : [];
	return value.map((row) => row[field.get_link_field().fieldname]);
}"""

# Press an element wherever it is by now: a list that is drawn anew has another one at the place that a mouse aims at
PRESS = """(element) => {
	for (const kind of ["mousedown", "mouseup", "click"])
		element.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, button: 0 }));
}"""


STARTED = "() => window.frappe?.router?.current_route"
# Go on in an open desk: what is open is closed, no document that was read is kept, and the route is another one
GO_ON = """(route) => {
	const path = route.join("/");
	if (!window.frappe?.router?.current_route?.length || decodeURIComponent(location.pathname).endsWith("/" + path))
		return false;
	for (const dialog of [...frappe.ui.open_dialogs]) dialog.hide();
	for (const doctype of Object.keys(locals))
		if (doctype !== "DocType" && !doctype.startsWith(":"))
			for (const doc of Object.values(locals[doctype]))
				if (!doc.parent) frappe.model.clear_doc(doctype, doc.name); // rows go with their document
	window.cur_frm = null;
	frappe.set_route(...route);
	return true;
}"""


def visit(page: Page, *route: str) -> None:
	"""Go to a page of the desk; from another one of it as people do, without loading everything anew."""
	if page.url == "about:blank" or not page.evaluate(GO_ON, list(route)):
		load(page, "/app/" + "/".join(quote(part, safe="") for part in route))


def load(page: Page, address: str) -> None:
	"""Load the desk anew. Where the development server has dropped one of its scripts, once more, as people would."""
	dropped: list[str] = []

	def note(request: Request) -> None:
		if request.resource_type == "script":
			dropped.append(f"{request.url}: {request.failure}")

	page.on("requestfailed", note)
	try:
		page.goto(address)
		page.wait_for_function(STARTED)
	except TooLate:
		if not dropped:
			raise
		print(f"{address} is loaded again, scripts did not come:", *dropped, sep="\n")
		page.goto(address)
	finally:
		page.remove_listener("requestfailed", note)


def open_form(page: Page, doctype: str, name: str | None = None) -> Locator:
	"""The form of a document (without a name that of a Single), loaded; its visible page."""
	visit(page, frappe.scrub(doctype).replace("_", "-"), *([name] if name else []))
	page.wait_for_function(
		"([doctype, name]) => window.cur_frm?.doctype === doctype && cur_frm.doc?.name === name && !cur_frm.is_new()",
		arg=[doctype, name or doctype],
	)
	settle(page)
	return page.locator(".page-container:visible")


def open_new_form(page: Page, doctype: str) -> Locator:
	"""The form of a new document, with its defaults in it; its visible page."""
	load(page, "/app/" + frappe.scrub(doctype).replace("_", "-") + "/new")
	page.wait_for_function(
		"([doctype]) => window.cur_frm?.doctype === doctype && cur_frm.is_new()", arg=[doctype]
	)
	settle(page)
	focus_rests(page)
	return page.locator(".page-container:visible")


def open_tab(page: Page, label: str) -> None:
	"""Press a form's tab."""
	page.locator(
		".form-tabs:visible .nav-link:visible", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
	).click()


def open_workspace(page: Page, name: str) -> Locator:
	"""A workspace with its numbers and charts drawn."""
	visit(page, name.lower())
	expect(page.locator(".number-widget-box .number").last).to_be_visible()
	settle(page)
	return page.locator(".layout-main-section:visible")


def settle(page: Page) -> None:
	"""Until the page's requests are answered and what comes of them is drawn."""
	page.wait_for_function("() => window.frappe?.request && !frappe.request.ajax_count")
	page.wait_for_load_state("networkidle")


def save(page: Page) -> None:
	"""Save the form as people do."""
	page.locator(".page-actions:visible .primary-action:visible, .custom-actions:visible").get_by_text(
		"Save", exact=True
	).click()


def save_well(page: Page) -> None:
	"""Save the form, and wait until it is stored and shows what is stored."""
	save(page)
	page.wait_for_function("() => !cur_frm.is_dirty() && !cur_frm.is_new()")
	settle(page)


def focus_rests(page: Page) -> None:
	"""Until the desk has moved the focus where it wants it: it does so a moment after what it draws."""
	page.evaluate(
		"""() => new Promise((rest) => {
			let last = document.activeElement, since = Date.now();
			const timer = setInterval(() => {
				if (document.activeElement !== last) [last, since] = [document.activeElement, Date.now()];
				if (Date.now() - since < 300) return;
				clearInterval(timer);
				rest();
			}, 20);
		})"""
	)


def choose(box: Locator, name: str) -> None:
	"""Enter a document's name in a link field, or one more in a list of links; the field holds it afterwards."""
	page = box.page
	# not by its text: what others are described by may have the name in it
	offered = page.locator(".awesomplete [role=option]:visible", has=page.get_by_title(name, exact=True))
	take_suggestion(box, name, offered, lambda: name in box.evaluate(NAMES_HELD))
	settle(page)


def take_suggestion(box: Locator, text: str, offered: Locator, is_taken: Callable[[], bool]) -> None:
	"""Type a text and press what is offered for it.

	The desk may move the focus elsewhere while one types. Then the list closes, and the text is taken as it is or not at all: so
	what counts is that it is taken, and what was neither offered nor taken is typed again.
	"""
	page, end, typed = box.page, time.monotonic() + PATIENCE, 0.0
	focus_rests(page)
	while not is_taken():
		assert time.monotonic() < end, f"{text} was neither offered nor taken"
		if offered.count():
			with contextlib.suppress(Error):  # the list closed, or was drawn anew
				offered.first.evaluate(PRESS, timeout=1000)
		elif time.monotonic() - typed > 5 and page.evaluate("() => !frappe.request.ajax_count"):
			box.fill(text)
			typed = time.monotonic()
		page.wait_for_timeout(50)


def add_row(grid: Locator) -> None:
	"""Press a table's Add Row; the new row is being edited afterwards."""
	rows = grid.locator(".grid-body .grid-row")
	before = rows.count()
	grid.locator(".grid-add-row").click()
	expect(rows).to_have_count(before + 1)
	expect(rows.last.locator("input:focus, select:focus, textarea:focus")).to_have_count(1)


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


def dialog_at_rest(page: Page) -> Locator:
	"""The dialog that is open, once it is there for good: Bootstrap does not close one that is still coming."""
	page.wait_for_function(
		"""() => {
			const open = $(".modal.show").toArray();
			return open.length && !open.some((modal) => $(modal).data("bs.modal")?._isTransitioning);
		}"""
	)
	return page.locator(".modal.show")


def close_message(page: Page) -> None:
	"""Close what the desk says."""
	dialog_at_rest(page).locator(".btn-modal-close").click()
	expect(page.locator(".modal.show")).to_have_count(0)

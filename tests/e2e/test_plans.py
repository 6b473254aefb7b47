"""A plan in its form: built with clicks, its load seen before it is submitted, rested, and followed by a next version."""

from __future__ import annotations

import frappe
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import (
	add_row,
	choose,
	close_message,
	dialog_at_rest,
	message,
	open_form,
	open_new_form,
	open_tab,
	save,
	save_well,
	settle,
	sticking_out,
)
from tests.site.desk import make_customer, make_profile, make_user
from tests.site.plans import enroll, get_touchpoint, make_due, make_plan, make_step

pytestmark = pytest.mark.one_desk

ANNA = "anna.plans@example.com"
CUSTOMERS = tuple(f"Planned {number:02d}" for number in range(1, 21))


@pytest.fixture(scope="module", autouse=True)
def customers(site, leave_site_as_it_was):
	"""Twenty regular customers of Anna's, who has time for one touchpoint a day and half an hour a week."""
	make_user(ANNA, "Retention User", "Sales User")
	for name in CUSTOMERS:
		make_customer(name, account_manager=ANNA)
		make_profile(name, tier="Regular", stage="Active")
	settings = frappe.get_doc("Retention Settings")
	settings.append("capacities", {"user": ANNA, "touchpoints_per_day": "1", "hours_per_week": 0.5})
	settings.save()
	frappe.db.commit()


def stored(name: str):
	frappe.db.rollback()
	return frappe.get_doc("Maintenance Plan", name)


def add_step(form: Locator, row: int, touchpoint_type: str, **values: str) -> None:
	"""Fill a row of the steps: the type in the grid, what belongs to the timing in the row's own form."""
	grid = form.locator("[data-fieldname=steps].frappe-control:visible")
	if grid.locator(".grid-body .grid-row").count() < row:  # a new plan has an empty one already
		add_row(grid)
	line = grid.locator(f".grid-row[data-idx='{row}']")
	line.locator("[data-fieldname=touchpoint_type]").first.click()
	choose(line.locator("[data-fieldname=touchpoint_type] input").first, touchpoint_type)
	expect(line.locator("[data-fieldname=step_name]").first).to_contain_text(touchpoint_type)
	line.locator(".btn-open-row").click()
	opened = grid.locator(".form-in-grid:visible")
	for field, value in values.items():
		control = opened.locator(f"[data-fieldname={field}]")
		if control.locator("select").count():
			control.locator("select").select_option(value)
		else:
			control.locator("input").fill(value)
			control.locator("input").blur()  # a tab would add another row
	grid.locator(".grid-collapse-row:visible").click()


def confirm(page: Page, label: str) -> None:
	"""Press a button of the open dialog and wait until it is gone and its work is done."""
	dialog_at_rest(page).locator(".modal-footer").get_by_role("button", name=label, exact=True).click()
	expect(page.locator(".modal.show")).to_have_count(0)
	settle(page)


def submit(page: Page) -> None:
	page.locator(".page-actions:visible").get_by_role("button", name="Submit", exact=True).click()
	confirm(page, "Yes")


def press(page: Page, label: str) -> None:
	page.locator(".page-actions:visible").get_by_role("button", name=label, exact=True).click()


def test_plan_is_built_its_load_seen_and_submitted(desktop, screenshot):
	form = open_new_form(desktop, "Maintenance Plan")
	form.locator("[data-fieldname=title] input").fill("Regular Talks")
	choose(form.locator("[data-fieldname=tiers] input").first, "Regular")
	expect(form.locator("[data-fieldname=tiers] .tb-selected-value")).to_contain_text("Regular")
	add_step(form, 1, "Care Call", every="2", unit="Weeks", minutes="30")
	add_step(form, 2, "Satisfaction Check", timing="Event", event="First Purchase", offset_days="14")
	steps = form.locator("[data-fieldname=steps_html]")
	expect(steps).to_contain_text("Every 2 weeks: Care Call, by the account manager, through Phone")
	expect(steps).to_contain_text("14 days after First Purchase: Satisfaction Check")
	screenshot(desktop, "steps")
	save_well(desktop)
	expect(form.locator(".indicator-pill:visible").first).to_have_text("Draft")
	plan = stored("Regular Talks v1")
	rows = [(step.every, step.unit, step.minutes, step.timing, step.offset_days) for step in plan.steps]
	assert rows[0] == (2, "Weeks", 30, "Every", 0)
	assert rows[1][2:] == (10, "Event", 14), "the type's minutes come along"

	open_tab(desktop, "Goals and Budget")
	load = form.locator(".retention-forecast")
	expect(load).to_contain_text("20 customers")
	expect(load).to_contain_text("13.0 hours a year and customer")
	expect(load).to_contain_text("0.5 hours a week, 5 touchpoints a week")
	expect(load.locator("svg .bar").first).to_be_visible()
	person = load.locator("tbody tr", has_text=ANNA)
	expect(person.locator("td")).to_have_count(14)
	# 20 customers, 30 minutes, every two weeks: five hours a week where there is half an hour
	expect(person.locator("td[title='Over capacity']")).to_have_count(13)
	load.scroll_into_view_if_needed()
	screenshot(desktop, "load")
	assert sticking_out(desktop) == []
	submit(desktop)
	expect(form.locator(".indicator-pill:visible").first).to_have_text("Active")
	assert (stored("Regular Talks v1").docstatus, stored("Regular Talks v1").status) == (1, "Active")


def test_step_that_cannot_be_is_refused_by_row_and_field(desktop, screenshot):
	make_plan("Refused").insert()
	frappe.db.commit()
	open_form(desktop, "Maintenance Plan", "Refused v1")
	desktop.evaluate(
		"() => frappe.model.set_value(cur_frm.doc.steps[0].doctype, cur_frm.doc.steps[0].name, 'every', 0)"
	)
	save(desktop)
	expect(message(desktop)).to_contain_text("Steps, row 1")
	expect(message(desktop)).to_contain_text("Every")
	screenshot(desktop, "refused")
	close_message(desktop)
	assert stored("Refused v1").steps[0].every == 1


def test_plan_rests_and_goes_on(desktop, screenshot):
	make_plan("Resting").submit()
	frappe.db.commit()
	form = open_form(desktop, "Maintenance Plan", "Resting v1")
	press(desktop, "Pause")
	expect(desktop.locator(".modal.show")).to_contain_text("its clock stands still")
	screenshot(desktop, "pause")
	confirm(desktop, "Submit")
	expect(form.locator(".indicator-pill:visible").first).to_have_text("Paused")
	assert stored("Resting v1").paused_on == frappe.utils.getdate()
	press(desktop, "Resume")
	confirm(desktop, "Submit")
	expect(form.locator(".indicator-pill:visible").first).to_have_text("Active")
	assert (stored("Resting v1").status, stored("Resting v1").paused_on) == ("Active", None)


def test_next_version_shows_its_difference_and_takes_over(desktop, log_in, screenshot):
	visit = make_step(step_name="Visit", touchpoint_type="Visit")
	first = make_plan("Growing", steps=[{}, visit]).submit()
	member = enroll(first, CUSTOMERS[0])
	due = make_due(first, first.steps[1], CUSTOMERS[0], frappe.utils.nowdate())
	frappe.db.commit()
	form = open_form(desktop, "Maintenance Plan", first.name)
	press(desktop, "New Version")
	desktop.wait_for_function("() => cur_frm?.doc.name === 'Growing v2'")
	settle(desktop)
	grid = form.locator("[data-fieldname=steps].frappe-control:visible")
	grid.locator(".grid-row[data-idx='2'] .grid-row-check").check()
	grid.locator(".grid-remove-rows").click()
	expect(grid.locator(".grid-body .grid-row")).to_have_count(1)
	add_step(form, 2, "Satisfaction Check", unit="Quarters")
	desktop.evaluate(
		"() => frappe.model.set_value(cur_frm.doc.steps[0].doctype, cur_frm.doc.steps[0].name, 'unit', 'Weeks')"
	)
	save_well(desktop)
	open_tab(desktop, "Running")
	difference = form.locator(".retention-difference")
	expect(difference.locator("tr", has_text="Added")).to_contain_text("Every quarter: Satisfaction Check")
	expect(difference.locator("tr", has_text="Removed")).to_contain_text("Every month: Visit")
	changed = difference.locator("tr", has_text="Changed")
	expect(changed).to_contain_text("Months")
	expect(changed).to_contain_text("Weeks")
	difference.scroll_into_view_if_needed()
	screenshot(desktop, "difference")
	assert sticking_out(desktop) == []
	submit(desktop)
	expect(form.locator(".indicator-pill:visible").first).to_have_text("Active")
	assert (stored("Growing v1").status, stored("Growing v2").status) == ("Superseded", "Active")
	assert frappe.db.get_value("Plan Enrollment", member.name, "plan") == "Growing v2"
	assert get_touchpoint(due).status == "Cancelled"


def test_plan_reads_well_on_a_phone(phone, screenshot):
	form = open_form(phone, "Maintenance Plan", "Regular Care v1")
	expect(form.locator("[data-fieldname=steps_html]")).to_contain_text("Every quarter: Satisfaction Check")
	expect(form.get_by_role("button", name="Add Conditions")).to_have_count(0)  # it is in use
	shown = {
		"Whom and What": "[data-fieldname=steps_html]",
		"Goals and Budget": ".retention-forecast",
		"Running": "[data-fieldname=holdout_share]",
	}
	for tab, part in shown.items():
		open_tab(phone, tab)
		expect(form.locator(part).first).to_be_visible()
		form.locator(part).first.scroll_into_view_if_needed()
		settle(phone)
		screenshot(phone, tab)
		assert sticking_out(phone) == [], tab

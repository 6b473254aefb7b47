"""What an admin does: run, preview, change a scorecard, ask for a field of one's own."""

from __future__ import annotations

import json
import re

import frappe
import pytest
from frappe.custom.doctype.custom_field.custom_field import create_custom_field
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import (
	close_message,
	message,
	open_form,
	open_tab,
	save,
	save_well,
	settle,
	sticking_out,
	take_suggestion,
)
from tests.site.trade import add_customers, add_sales, ago

pytestmark = pytest.mark.one_desk

TIERS = ("Potential", "Regular", "High Value")


@pytest.fixture(scope="module", autouse=True)
def trade(site, leave_site_as_it_was):
	"""Twelve customers, from one who buys every fortnight to some who bought once, and one who never did."""
	today = frappe.utils.getdate()
	names = [f"Shop {number:02d}" for number in range(1, 13)]
	add_customers(*names, "Never Bought")
	for number, name in enumerate(names):
		rhythm, last = 14 + 12 * number, 5 + 25 * number
		add_sales(name, *[(ago(day, today), 1200 - 90 * number) for day in range(last, last + 300, rhythm)])
	frappe.db.commit()


@pytest.fixture(params=["desktop", "phone"])
def screen(request) -> Page:
	return request.getfixturevalue(request.param)


@pytest.fixture
def scored(trade):
	"""A site whose customers were scored today."""
	from tests.site.trade import run

	run(frappe.utils.getdate())


def count(doctype, **filters):
	frappe.db.rollback()
	return frappe.db.count(doctype, filters)


def test_run_now_shows_progress_and_scores_every_customer(desktop, screenshot):
	assert count("Retention Profile") == 0
	form = open_form(desktop, "Retention Settings")
	expect(form.get_by_text("There was no run yet")).to_be_visible()
	form.get_by_role("button", name="Run Now").click()
	dialog = desktop.locator(".modal.show")
	expect(dialog).to_contain_text("Scoring All Customers")
	expect(dialog.locator(".progress-bar")).to_be_visible()
	screenshot(desktop, "progress")
	expect(desktop.locator(".desk-alert")).to_contain_text("13 parties, 13 tier changes", timeout=90_000)
	settle(desktop)
	row = form.locator("[data-fieldname=last_run_html] tbody tr").first
	expect(row).to_contain_text("Completed")
	expect(row).to_contain_text("13")
	screenshot(desktop, "completed")
	run = frappe.get_last_doc("Retention Run") if not frappe.db.rollback() else None
	assert (run.kind, run.status, run.parties, run.user) == ("Manual", "Completed", 13, "Administrator")
	assert count("Retention Profile", tier=("is", "set")) == 13
	profile = frappe.get_doc("Retention Profile", {"party": "Shop 01"})
	assert (profile.tier, profile.run) == ("High Value", run.name)


def test_settings_read_well(screen, screenshot):
	open_form(screen, "Retention Settings")
	for tab in ("Overview", "Purchase Source", "Windows", "Signals"):
		open_tab(screen, tab)
		settle(screen)
		screenshot(screen, tab)
		assert sticking_out(screen) == [], tab
	expect(screen.get_by_text("Days since the last purchase", exact=True)).to_be_visible()


def weight_cell(form: Locator, row: int) -> Locator:
	return form.locator(f"[data-fieldname=criteria] .grid-row[data-idx='{row}'] [data-fieldname=weight]")


def set_weight(page: Page, form: Locator, row: int, weight: int) -> None:
	weight_cell(form, row).click()
	field = weight_cell(form, row).locator("input")
	field.fill(str(weight))
	field.press("Tab")


def test_weight_of_a_criterion_is_edited_in_the_grid(desktop, screenshot):
	form = open_form(desktop, "Customer Scorecard", "Customer Value")
	expect(form.locator("[data-fieldname=criteria] .grid-row[data-idx='1']")).to_contain_text(
		"Value This Period"
	)
	set_weight(desktop, form, 1, 70)
	save_well(desktop)
	screenshot(desktop, "saved")
	frappe.db.rollback()
	rows = frappe.get_doc("Customer Scorecard", "Customer Value").criteria
	assert [row.weight for row in rows] == [70, 25, 20, 15, 5]
	expect(form.locator("[data-fieldname=weights_html]")).to_contain_text("51.9%")


def test_weights_of_zero_are_refused_by_name(desktop, screenshot):
	open_form(desktop, "Customer Scorecard", "Customer Health")
	rows = frappe.get_doc("Customer Scorecard", "Customer Health").criteria
	desktop.evaluate(
		"() => cur_frm.doc.criteria.forEach(row => frappe.model.set_value(row.doctype, row.name, 'weight', 0))"
	)
	save(desktop)
	expect(message(desktop)).to_contain_text("Weight: the weights add up to zero")
	screenshot(desktop, "refused")
	close_message(desktop)
	frappe.db.rollback()
	stored = frappe.get_doc("Customer Scorecard", "Customer Health").criteria
	assert [row.weight for row in stored] == [row.weight for row in rows]


def test_refusal_names_the_row_at_fault(desktop, screenshot):
	open_form(desktop, "Customer Scorecard", "Customer Value")
	desktop.evaluate(
		"() => frappe.model.set_value(cur_frm.doc.criteria[2].doctype, cur_frm.doc.criteria[2].name, 'signal', 'frequency')"
	)
	save(desktop)
	expect(message(desktop)).to_contain_text("Criteria, row 3")
	screenshot(desktop, "refused")


@pytest.fixture
def wholesale(trade):
	"""A field just added to Customer in the form builder, set on one customer."""
	if not frappe.get_meta("Customer").has_field("is_wholesale"):
		field = {"fieldname": "is_wholesale", "label": "Wholesale", "fieldtype": "Select"}
		create_custom_field("Customer", field | {"options": "\nYes\nNo", "insert_after": "customer_group"})
	frappe.db.set_value("Customer", "Shop 01", "is_wholesale", "Yes")
	frappe.db.set_value("Customer Tier", "High Value", "min_stay_days", 0)  # else nobody could leave it today
	frappe.db.commit()


def stored_state():
	frappe.db.rollback()
	profiles = frappe.db.sql("select * from `tabRetention Profile` order by name", as_dict=True)
	return profiles, frappe.db.count("Tier Change")


def test_new_field_of_customer_becomes_a_condition_and_preview_shows_who_would_move(
	desktop, scored, wholesale, screenshot
):
	form = open_form(desktop, "Customer Tier", "High Value")
	box = form.locator("[data-fieldname=party_conditions_html]")
	expect(box).to_contain_text("No condition: every customer fits.")
	box.get_by_role("button", name="Add Conditions").click()
	dialog = desktop.locator(".modal.show")
	expect(dialog.locator(".filter-field").first).to_be_visible()
	value = dialog.locator(".filter-field [data-fieldname=is_wholesale] select")
	offered = dialog.locator(".filter-field-select:visible", has_text="Wholesale")
	take_suggestion(dialog.locator(".fieldname-select-area input"), "Wholesale", offered, value.is_visible)
	value.select_option("Yes")
	screenshot(desktop, "filter widget")
	dialog.get_by_role("button", name="Set", exact=True).click()
	expect(box).to_contain_text(re.compile(r"Wholesale\s*is\s*Yes"))
	expect(box.get_by_role("button", name="Edit Conditions")).to_be_visible()
	save_well(desktop)
	screenshot(desktop, "condition")
	frappe.db.rollback()
	stored = json.loads(frappe.db.get_value("Customer Tier", "High Value", "party_conditions_json"))
	assert [row[:4] for row in stored] == [["Customer", "is_wholesale", "=", "Yes"]]

	profiles, changes = stored_state()
	before = {row.party: row.tier for row in profiles}
	high = sorted(party for party, tier in before.items() if tier == "High Value")
	assert len(high) > 1
	assert "Shop 01" in high
	form = open_form(desktop, "Retention Settings")
	form.get_by_role("button", name="Preview").click()
	dialog = desktop.locator(".modal.show", has_text="Who Would Move")
	expect(dialog).to_be_visible(timeout=90_000)
	matrix = dialog.locator(".retention-matrix")
	expect(matrix).to_be_visible()
	shown = read_matrix(matrix)
	screenshot(desktop, "who would move")
	# all but the wholesaler leave the highest tier; nobody else moves
	assert shown["High Value", "High Value"] == 1
	assert shown["High Value", "Regular"] == len(high) - 1
	for tier in TIERS[:2]:
		assert shown[tier, tier] == sum(found == tier for found in before.values())
	assert sum(shown.values()) == len(before)
	moved = dialog.locator("table:not(.retention-matrix) tbody tr td:first-child").all_inner_texts()
	assert sorted(moved) == [party for party in high if party != "Shop 01"]
	assert stored_state() == (profiles, changes), "a preview wrote something"


def read_matrix(table: Locator) -> dict[tuple[str, str], int]:
	columns = table.locator("thead th").all_inner_texts()[1:]
	found = {}
	for row in table.locator("tbody tr").all():
		cells = [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
		found |= {
			(cells[0], to): int(cell) if cell.isdigit() else 0
			for to, cell in zip(columns, cells[1:], strict=True)
		}
	return found


def test_tier_opens_on_a_phone_too(screen, screenshot):
	form = open_form(screen, "Customer Tier", "Regular")
	expect(form.locator("[data-fieldname=signal_conditions_html]")).to_contain_text("Purchases")
	screenshot(screen, "tier")
	assert sticking_out(screen) == []


def test_run_says_what_it_did(screen, scored, screenshot):
	name = frappe.get_last_doc("Retention Run").name
	form = open_form(screen, "Retention Run", name)
	expect(form).to_contain_text("Completed")
	settle(screen)
	screenshot(screen, "run")
	assert sticking_out(screen) == []

"""What people see of their customers: the tab on the Customer form, the list, the workspace, the profile."""

from __future__ import annotations

import re

import frappe
import pytest
from playwright.sync_api import Page, expect

from crm_retention.api.profile import explain
from crm_retention.demo import create_demo_data, run_past_cycles
from tests.e2e.conftest import DESKTOP
from tests.e2e.pages import (
	close_message,
	load,
	message,
	open_form,
	open_tab,
	open_workspace,
	save,
	settle,
	sticking_out,
)
from tests.site.desk import make_user

pytestmark = pytest.mark.one_desk
PASSWORD = "Not-a-secret-42"
SELLER = "seller@example.com"


@pytest.fixture(scope="module", autouse=True)
def demo(site, leave_site_as_it_was):
	"""A small demo company with a quarter of monthly runs behind it."""
	create_demo_data(scale=0.15)
	frappe.db.commit()
	run_past_cycles(months=3)
	yield
	frappe.db.rollback()


@pytest.fixture(params=["desktop", "phone"])
def screen(request) -> Page:
	return request.getfixturevalue(request.param)


@pytest.fixture
def customer():
	"""A customer below the highest tier whose score changed with tier or stage at least once."""
	rows = frappe.db.sql(
		"""select p.party from `tabRetention Profile` p join `tabTier Change` c
			on c.party_type = p.party_type and c.party = p.party
		where p.party_type = 'Customer' and p.tier = 'Regular' and c.score is not null and p.health is not null
		group by p.party having count(*) > 2 order by count(*) desc, p.party limit 1"""
	)
	assert rows, "the demo data has no customer with a history"
	return rows[0][0]


def profile_of(customer):
	return frappe.db.get_value("Retention Profile", {"party": customer}, "*", as_dict=True)


def test_customer_form_says_tier_stage_and_health_and_explains_them_when_asked(screen, customer, screenshot):
	explained = []
	screen.on("request", lambda request: "profile.explain" in request.url and explained.append(request.url))
	form, profile = open_form(screen, "Customer", customer), profile_of(customer)
	headline = form.locator(".retention-headline")
	for text in (f"Tier: {profile.tier}", f"Stage: {profile.stage}", f"Health: {profile.health:.0f}"):
		expect(headline).to_contain_text(text)
	assert not explained, "reasons are computed for whoever only looks up an address"
	screenshot(screen, "form")

	open_tab(screen, "Retention")
	view = form.locator(".retention-view")
	expect(view.locator(".rv-facts")).to_contain_text(profile.tier)
	assert len(explained) == 1
	settle(screen)
	screenshot(screen, "tab")
	assert sticking_out(screen) == []


def test_score_adds_up_from_its_parts(screen, customer):
	form, profile = open_form(screen, "Customer", customer), profile_of(customer)
	open_tab(screen, "Retention")
	card = form.locator(".rv-card", has_text="What makes up the score")
	expect(card.locator("tfoot td").last).to_have_text(f"{profile.score:.1f}")
	parts = [float(text) for text in card.locator("tbody tr td:last-child").all_inner_texts() if text != "–"]
	assert len(parts) >= 3
	assert sum(parts) == pytest.approx(profile.score, abs=0.06 * len(parts))
	health = form.locator(".rv-card", has_text="What makes up the health")
	expect(health.locator("tfoot td").last).to_have_text(f"{profile.health:.1f}")


def test_why_not_higher_names_the_next_tier_and_ways_to_it(screen, screenshot):
	names = frappe.get_all("Retention Profile", {"tier": "Regular", "party_type": "Customer"}, pluck="party")
	gaps = {name: explain("Customer", name)["next_tier"] for name in sorted(names)}
	customer, found = max(gaps.items(), key=lambda item: len(item[1]["needed"]))
	form = open_form(screen, "Customer", customer)
	open_tab(screen, "Retention")
	card = form.locator(".rv-card", has_text="Why not higher?")
	expect(card).to_contain_text("Next tier: High Value")
	expect(card).to_contain_text(f"The score lacks {found['score_gap']:.1f} points")
	assert found["needed"]
	for way in found["needed"]:
		expect(card).to_contain_text(way["label"])
	card.scroll_into_view_if_needed()
	screenshot(screen, "why")


def test_history_is_drawn_with_the_numbers_of_the_database(screen, customer, screenshot):
	rows = frappe.get_all(
		"Tier Change",
		{"party": customer},
		["on_date", "kind", "to_value", "score"],
		order_by="on_date, creation",
	)
	by_day = {row.on_date: round(row.score, 1) for row in rows if row.score is not None}
	profile = profile_of(customer)
	by_day[profile.as_of] = round(profile.score, 1)
	form = open_form(screen, "Customer", customer)
	open_tab(screen, "Retention")
	chart = form.locator(".rv-chart")
	expect(chart.locator("path.line-graph-path")).to_be_attached()
	shown = screen.evaluate("() => $('.rv-chart:visible').data('chart').data.datasets[0].values")
	assert len(shown) > 1
	assert shown == pytest.approx([by_day[day] for day in sorted(by_day)])
	changes = form.locator(".rv-changes > div")
	expect(changes).to_have_count(len(rows))
	assert sorted(row.to_value for row in rows) == sorted(changes.locator("b").all_inner_texts())
	chart.scroll_into_view_if_needed()
	screenshot(screen, "history")


def test_customer_without_a_profile_is_told_when_it_comes(desktop):
	frappe.get_doc({"doctype": "Customer", "customer_name": "Brand New Ltd"}).insert()
	frappe.db.commit()
	form = open_form(desktop, "Customer", "Brand New Ltd")
	open_tab(desktop, "Retention")
	expect(form.get_by_text("the profile appears with the next nightly run")).to_be_visible()


def test_open_tab_follows_to_the_next_customer(desktop, customer):
	other = frappe.db.get_value(
		"Retention Profile", {"tier": "High Value", "party_type": "Customer"}, "party"
	)
	form = open_form(desktop, "Customer", customer)
	open_tab(desktop, "Retention")
	expect(form.locator(".rv-facts")).to_contain_text("Regular")
	desktop.evaluate("(name) => frappe.set_route('Form', 'Customer', name)", other)
	desktop.wait_for_function("(name) => cur_frm.doc.name === name", arg=other)
	open_tab(desktop, "Retention")
	expect(form.locator(".rv-card", has_text="Why not higher?")).to_contain_text("This is the highest tier")


def test_customer_list_shows_the_tier_and_filters_by_it(screen, screenshot):
	load(screen, "/app/customer")
	pill = screen.locator(
		".frappe-list .indicator-pill:visible", has_text=re.compile(r"^\s*High Value\s*$")
	).first
	expect(pill).to_be_visible()
	screenshot(screen, "all")
	load(screen, "/app/customer?retention_tier=High+Value")
	expected = frappe.db.count("Customer", {"retention_tier": "High Value"})
	assert 0 < expected < 20
	expect(screen.locator(".frappe-list .list-row-container .list-row")).to_have_count(expected)
	shown = screen.locator(".frappe-list .list-row:visible .indicator-pill:visible").all_inner_texts()
	assert {text.strip() for text in shown} == {"High Value"}
	screenshot(screen, "high-value")
	assert sticking_out(screen) == []


def test_pill_of_the_tier_filters_the_list_by_a_click(desktop):
	load(desktop, "/app/customer")
	desktop.locator(
		".frappe-list .indicator-pill:visible", has_text=re.compile(r"^\s*High Value\s*$")
	).first.click()
	expected = frappe.db.count("Customer", {"retention_tier": "High Value"})
	expect(desktop.locator(".frappe-list .list-row-container .list-row")).to_have_count(expected)


def expected_cards():
	today = frappe.utils.getdate()
	tiered = {"tier": ("is", "set")}
	return {
		"Healthy Customers": frappe.db.count("Retention Profile", tiered | {"health": (">=", 60)}),
		"Unhealthy Customers": frappe.db.count(
			"Retention Profile", [["tier", "is", "set"], ["health", "<", 35], ["health", "is", "set"]]
		),
		"Tier Changes This Month": frappe.db.count(
			"Tier Change", {"kind": "Tier", "on_date": (">=", today.replace(day=1))}
		),
	}


def number_of(page: Page, card: str):
	box = page.locator(".number-widget-box").filter(has=page.get_by_text(card, exact=True))
	return box.locator(".number")


def day_of_last_run() -> str:
	"""As the desk shows it; it was yesterday when midnight has passed since."""
	(run,) = frappe.get_all("Retention Run", pluck="as_of", order_by="as_of desc", limit=1)
	return frappe.utils.formatdate(run)


def test_workspace_shows_the_numbers_of_the_database(screen, screenshot):
	workspace = open_workspace(screen, "retention")
	for card, number in expected_cards().items():
		expect(number_of(screen, card)).to_have_text(str(number))
	expect(number_of(screen, "Last Run")).to_have_text(day_of_last_run())
	at_risk = frappe.db.count("Retention Profile", {"stage": "At Risk"})
	expect(workspace.locator(".shortcut-widget-box", has_text="At Risk")).to_contain_text(str(at_risk))
	screenshot(screen, "workspace")
	assert sticking_out(screen) == []


def test_workspace_draws_its_charts(screen, screenshot):
	workspace = open_workspace(screen, "retention")
	for chart, field in (("Customers by Tier", "tier"), ("Customers by Lifecycle Stage", "stage")):
		groups = set(frappe.get_all("Retention Profile", {field: ("is", "set")}, pluck=field))
		box = workspace.locator(".dashboard-widget-box", has_text=chart)
		box.scroll_into_view_if_needed()
		expect(box.locator("svg .bar")).to_have_count(len(groups))
	box = workspace.locator(".dashboard-widget-box", has_text="Tier and Stage Changes")
	box.scroll_into_view_if_needed()
	expect(box.locator("svg .bar").first).to_be_attached()
	screenshot(screen, "charts")


def test_profile_opens_with_its_reasons(screen, customer, screenshot):
	profile = profile_of(customer)
	form = open_form(screen, "Retention Profile", profile.name)
	expect(form.locator(".rv-facts")).to_contain_text(profile.stage)
	settle(screen)
	screenshot(screen, "overview")
	open_tab(screen, "Signals")
	expect(form.locator("[data-fieldname=recency_days]:visible").first).to_contain_text(
		str(profile.recency_days)
	)
	screenshot(screen, "signals")
	assert sticking_out(screen) == []


def test_list_of_profiles_opens(screen, screenshot):
	load(screen, "/app/retention-profile")
	expect(screen.locator(".frappe-list .list-row:visible").first).to_be_visible()
	settle(screen)
	screenshot(screen, "profiles")
	assert sticking_out(screen) == []


def test_decision_by_hand_needs_a_reason_and_is_in_force_when_saved(desktop, customer, screenshot):
	form = open_form(desktop, "Retention Profile", profile_of(customer).name)
	open_tab(desktop, "Override")
	desktop.evaluate("() => cur_frm.set_value('override_tier', 'High Value')")
	save(desktop)
	expect(message(desktop)).to_contain_text("Reason")
	screenshot(desktop, "refused")
	close_message(desktop)
	frappe.db.rollback()
	assert profile_of(customer).tier == "Regular"

	reason = form.locator("[data-fieldname=override_reason] textarea:visible")
	reason.fill("Framework agreement signed")
	reason.press("Tab")
	save(desktop)
	expect(form.locator(".form-message")).to_contain_text("Framework agreement signed")
	frappe.db.rollback()
	profile = profile_of(customer)
	assert (profile.tier, profile.override_by) == ("High Value", "Administrator")
	form = open_form(desktop, "Customer", customer)
	expect(form.locator(".retention-headline")).to_contain_text("Tier: High Value (set by hand)")
	open_tab(desktop, "Retention")
	expect(form.locator(".rv-facts")).to_contain_text("Set by hand: Framework agreement signed")
	screenshot(desktop, "in-force")


@pytest.fixture
def seller(customer):
	"""A user who may see one customer and no other."""
	if not frappe.db.exists("User", SELLER):
		make_user(SELLER, "Sales User", "Retention User")
		frappe.get_doc(
			{"doctype": "User Permission", "user": SELLER, "allow": "Customer", "for_value": customer}
		).insert()
	frappe.utils.password.update_password(SELLER, PASSWORD)
	frappe.db.commit()
	return SELLER


def test_restricted_user_sees_nothing_of_other_customers(log_in, seller, customer, screenshot):
	mine = frappe.db.get_value("User Permission", {"user": SELLER}, "for_value")
	other = frappe.db.get_value(
		"Retention Profile", {"party": ("!=", mine), "party_type": "Customer"}, "party"
	)
	page = log_in(DESKTOP, SELLER, PASSWORD)
	for route in ("retention-profile", "customer"):
		load(page, f"/app/{route}")
		expect(page.locator(".frappe-list .list-row-container .list-row")).to_have_count(1)
		expect(page.locator(".frappe-list .list-row")).to_contain_text(mine)
	load(page, "/app/tier-change")
	expect(page.locator(".frappe-list .list-row:visible").first).to_be_visible()
	expect(page.get_by_text(other)).to_have_count(0)

	workspace = open_workspace(page, "retention")
	health = frappe.db.get_value("Retention Profile", {"party": mine}, "health")
	expect(number_of(page, "Last Run")).to_have_text(day_of_last_run())
	expect(number_of(page, "Healthy Customers")).to_have_text(str(int(health >= 60)))
	expect(number_of(page, "Unhealthy Customers")).to_have_text(str(int(health < 35)))
	expect(
		workspace.locator(".dashboard-widget-box", has_text="Customers by Tier").locator("svg .bar")
	).to_have_count(1)
	screenshot(page, "workspace")

	answer = page.request.get(
		"/api/method/crm_retention.api.profile.explain", params={"party_type": "Customer", "party": other}
	)
	assert answer.status == 403
	load(page, f"/app/retention-profile/{other}")
	expect(page.get_by_text(re.compile("not permitted|No permission", re.I)).first).to_be_visible()
	screenshot(page, "refused")

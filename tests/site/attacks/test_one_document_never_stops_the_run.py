"""Whatever one document says, also where it got past the forms: it is left out and named, and the night is done."""

from __future__ import annotations

import datetime
import json

import frappe
import pytest
from frappe.utils import nowdate

from crm_retention.api.handover import brief
from crm_retention.api.my_day import my_day, people
from crm_retention.api.profile import explain
from crm_retention.api.timeline import get_timeline, get_view
from crm_retention.api.touchpoints import get_events, reschedule, skip
from crm_retention.care import digests, reminders
from crm_retention.care.governor import check
from crm_retention.engine.errors import EngineError, Problem
from crm_retention.jobs import limits
from crm_retention.jobs.left_out import Part, with_what_works
from tests.site import care
from tests.site.care import (
	ANN,
	MONDAY,
	add_members,
	add_occasion,
	add_rule,
	on_occasion,
	start_plan,
	step,
)
from tests.site.desk import make_tier
from tests.site.trade import add_customers, add_sales, insert, run

pytestmark = pytest.mark.commits

MEMBERS = [f"Member {number}" for number in range(6)]
SIGNAL = {"doctype": "Retention Signal", "source_doctype": "Sales Invoice", "party_field": "customer"}
DEEP = "[" * 5_000 + "]" * 5_000
MANY = json.dumps([["Retention Profile", "frequency", ">=", 0]] * 10_000)
UNKNOWN = json.dumps([["Retention Profile", "no_such_field", "=", 1]])
NO_NUMBER = json.dumps([["Retention Profile", "frequency", "=", "x"]])


def spoil(doctype, name, **values):
	"""Write past every check, as an import or a script by SQL does."""
	sets = ", ".join(f"`{field}` = %s" for field in values)
	where = "parent" if frappe.get_meta(doctype).istable else "name"
	found = frappe.db.sql(f"select name from `tab{doctype}` where `{where}` = %s", name)
	assert found, (doctype, name)
	frappe.db.sql(f"update `tab{doctype}` set {sets} where `{where}` = %s", (*values.values(), name))


def spoil_step(plan, title, **values):
	row = next(row for row in plan.steps if row.step_name == title)
	sets = ", ".join(f"`{field}` = %s" for field in values)
	frappe.db.sql(
		f"update `tabMaintenance Plan Step` set {sets} where name = %s", (*values.values(), row.name)
	)


def spoil_plans():
	"""A plan for each way of being broken; each would make a touchpoint for every member."""
	for title, values in {
		"Broken": {"party_conditions_json": "[["},
		"Deep": {"signal_conditions_json": DEEP},
		"Many": {"signal_conditions_json": MANY},
		"Unknown": {"signal_conditions_json": UNKNOWN},
		"Text": {"signal_conditions_json": NO_NUMBER},
		"Dates": {"starts_on": "0000-00-00"},
		"Share": {"holdout_share": 1e9},
	}.items():
		spoil("Maintenance Plan", start_plan(f"Trial {title}", step()).name, **values)
	for title, values in {
		"Century": {"every": 10**9},
		"Timeless": {"timing": "Never"},
		"Typeless": {"touchpoint_type": "No Such Type"},
		"Service": {"service_level_days": 10**9},
		"Ownerless": {"owner_rule": "Nobody"},
	}.items():
		spoil_step(start_plan(f"Trial {title}", step(), step("Odd")), "Odd", **values)
	nobody = start_plan("Trial Nobody", step(), tiers=[{"tier": "Regular"}])
	spoil("Maintenance Plan Tier", nobody.name, tier="No Such Tier")


def spoil_rules():
	for title, kind, values, broken in (
		("window", "Cap", {"max_contacts": "9"}, {"window_days": 10**9}),
		("cap", "Cap", {"max_contacts": "9"}, {"max_contacts": "many"}),
		("weekday", "Quiet Days", {"weekdays": "Sunday"}, {"weekdays": "Blursday"}),
		("kind", "Cap", {"max_contacts": "9"}, {"action": "Explode", "window_days": -1}),
		("fact", "Condition", {"signal_conditions_json": json.dumps([["Retention Profile", "frequency", "<", 0]])}, {"signal_conditions_json": "{}"}),
	):  # fmt: skip
		spoil("Contact Rule", add_rule(title, kind, **values).name, **broken)
	spoil("Care Occasion", add_occasion("month", "Fixed Date", month=6, day=1), month=13)
	spoil("Care Occasion", add_occasion("moon", "Lunar Date", month=6, day=1), day=77)
	field = {"document_type": "Customer", "date_field": "creation_day"}
	custom = {"doctype": "Custom Field", "dt": "Customer", "fieldname": "creation_day", "fieldtype": "Date"}
	frappe.get_doc(custom).insert()
	gone = add_occasion("gone", "Date Field", **field)
	start_plan("Trial Occasion", step(), on_occasion(gone))
	frappe.delete_doc("Custom Field", "Customer-creation_day", force=True)


def spoil_scoring():
	"""Signals, a tier, a stage and a criterion that nobody can compute."""
	for name, broken in (
		("trial_json", {"filters_json": "nonsense"}),
		("trial_many", {"filters_json": json.dumps([["Sales Invoice", "grand_total", ">", 1]] * 10_000)}),
		("trial_gone", {"source_doctype": "No Such DocType"}),
		("trial_days", {"window_days": 10**9}),
		("trial_text", {"filters_json": json.dumps([["Sales Invoice", "grand_total", ">", "x"]])}),
		("trial_field", {"party_field": "no_such_field"}),
	):
		doc = {
			**SIGNAL,
			"signal_name": name,
			"label": name,
			"aggregate": "Count",
			"date_field": "posting_date",
		}
		spoil("Retention Signal", frappe.get_doc(doc | {"window_days": 30}).insert().name, **broken)
	spoil("Customer Tier", make_tier("Trial Tier", rank=60, min_score=95).insert().name, min_score=5_000)
	spoil("Customer Tier", "Regular", signal_conditions_json="[[")
	spoil("Lifecycle Stage", "Dormant", signal_conditions_json=MANY)
	card = frappe.get_doc("Customer Scorecard", {"is_active": 1, "purpose": "Value"})
	frappe.db.sql(
		"update `tabCustomer Scorecard Criterion` set weight = -5 where name = %s", card.criteria[0].name
	)


def spoil_data():
	touchpoint = {"doctype": "Touchpoint", "party_type": "Customer", "party": MEMBERS[0], "assigned_to": ANN}
	for due in ("0000-00-00", None, "9999-12-31", "1000-01-01"):
		doc = frappe.get_doc(touchpoint | {"touchpoint_type": care.CALL, "due_date": MONDAY})
		doc.insert()
		spoil("Touchpoint", doc.name, due_date=due)
	invoice = add_sales(MEMBERS[1], (MONDAY, 100), (MONDAY, 100))
	spoil("Sales Invoice", invoice[0], posting_date="0000-00-00")
	spoil("Sales Invoice", invoice[1], posting_date=None)
	add_sales(MEMBERS[2], (MONDAY, 9e11), (MONDAY, 9e11))
	frappe.db.sql(
		"update `tabPlan Enrollment` set clock_start = null, phase = 9 where party = %s", MEMBERS[3]
	)
	frappe.db.sql("update `tabRetention Profile` set tier_since = '0000-00-00' where party = %s", MEMBERS[4])


@pytest.fixture(scope="module", autouse=True)
def nights(site, leave_site_as_it_was):
	"""A good night, then one on which everything that can be broken is, then the same once more."""
	care.set_up()
	care.configure(fallback_owner=ANN)
	add_members(*MEMBERS)
	good = start_plan("Trial Good", step())
	frappe.db.commit()
	first = run(MONDAY - datetime.timedelta(days=7))
	assert first.status == "Completed", (first.error, [row.as_dict() for row in first.problems])
	tiers = dict(frappe.get_all("Retention Profile", fields=["party", "tier"], as_list=True))
	spoil_plans()
	spoil_rules()
	spoil_scoring()
	spoil_data()
	care.configure(planning_days=10**9, touchpoints_per_day="many", period_days=0)
	frappe.clear_cache()
	frappe.db.commit()
	second = run(MONDAY)
	third = run(MONDAY)
	return frappe._dict(good=good, tiers=tiers, second=second, third=third)


@pytest.fixture(scope="module")
def problems(nights):
	return [(row.table, row.row, row.field, row.message) for row in nights.second.problems]


def test_the_night_ends_and_says_what_it_left_out(nights):
	assert (nights.second.status, nights.second.error) == ("Partial", None)
	assert (nights.third.status, nights.third.error) == ("Partial", None)


def test_everybody_else_is_cared_for(nights):
	made = frappe.get_all("Touchpoint", {"plan": nights.good.name, "due_date": ("is", "set")}, pluck="party")
	assert set(made) == set(MEMBERS)
	assert nights.second.parties == len(MEMBERS)


def test_the_good_steps_of_a_plan_are_done_without_the_bad_one(nights):
	for title in ("Century", "Timeless", "Typeless", "Service", "Ownerless", "Occasion"):
		rows = frappe.get_all("Touchpoint", {"plan_family": f"Trial {title}"}, ["step_name", "party"])
		assert {row.step_name for row in rows} == {"Call"}, title
		assert {row.party for row in rows} == set(MEMBERS), title


def test_a_broken_plan_asks_nothing_of_anybody():
	for title in ("Broken", "Deep", "Many", "Unknown", "Text", "Dates", "Share"):
		if title != "Dates" or zeros_are_read():
			assert not frappe.db.exists("Touchpoint", {"plan_family": f"Trial {title}"}), title


def zeros_are_read() -> bool:
	"""Whether a date of zeros is one: the driver that Frappe 16 uses reads none, and nothing is left that is broken."""
	return frappe.db.sql("select cast('0000-00-00' as date)")[0][0] is not None


def test_nobody_loses_a_tier_because_it_is_broken(nights):
	now = dict(frappe.get_all("Retention Profile", fields=["party", "tier"], as_list=True))
	regular = [party for party, tier in nights.tiers.items() if tier == "Regular"]
	for party in regular:
		assert now[party] is not None, party


@pytest.mark.parametrize(
	("table", "row", "field"),
	[
		("plans", "Trial Broken v1, condition 1", "conditions"),
		("plans", "Trial Deep v1, condition 1", "conditions"),
		("plans", "Trial Many v1, condition 1", "conditions"),
		("plans", "Trial Unknown v1, condition 1", "no_such_field"),
		("plans", "Trial Text v1, condition 1", "frequency"),
		("plans", "Trial Dates v1", "starts_on"),
		("plans", "Trial Share v1", "holdout_share"),
		("plans", "Trial Century v1, row 2", "every"),
		("plans", "Trial Timeless v1, row 2", ""),
		("plans", "Trial Typeless v1, row 2", ""),
		("plans", "Trial Service v1, row 2", "service_level_days"),
		("plans", "Trial Ownerless v1, row 2", ""),
		("contact rules", "Trial window", "window_days"),
		("contact rules", "Trial cap", ""),
		("contact rules", "Trial weekday", ""),
		("contact rules", "Trial kind", "window_days"),
		("contact rules", "Trial fact", "signal_conditions_json"),
		("occasions", "Trial month", ""),
		("occasions", "Trial moon", ""),
		("occasions", "Trial gone", ""),
		("signals", "trial_json", "filters_json"),
		("signals", "trial_many", "filters_json"),
		("signals", "trial_gone", ""),
		("signals", "trial_days", "window_days"),
		("signals", "trial_text, condition 1", "grand_total"),
		("signals", "trial_field", "party_field"),
		("tiers", "Trial Tier, condition 1", "conditions"),
		("tiers", "Regular, condition 1", "conditions"),
		("stages", "Dormant, condition 1", "conditions"),
		("Retention Settings", "", "planning_days"),
		("Retention Settings", "", ""),
		("Retention Settings", "", "period"),
	],
)
def test_what_is_left_out_is_named_with_row_and_field(problems, table, row, field):
	if field == "starts_on" and not zeros_are_read():
		pytest.skip("the driver reads no date of zeros")
	assert [item for item in problems if item[:3] == (table, row, field)], problems


def test_a_broken_criterion_is_named_and_the_others_decide(problems):
	assert any(table == "scorecards" and field == "weight" for table, _row, field, _text in problems), (
		problems
	)
	assert frappe.db.count("Retention Profile", {"score": ("is", "set"), "as_of": MONDAY}) == len(MEMBERS)


def test_what_the_database_cannot_hold_is_held_as_far_as_it_can(nights):
	assert frappe.db.get_value("Retention Profile", MEMBERS[2], "monetary_total") == 999_999_999_999.0


def test_my_day_shows_a_touchpoint_without_a_day_and_says_so():
	frappe.set_user(ANN)
	try:
		cards = my_day()["cards"]
		assert people() is not None
	finally:
		frappe.set_user("Administrator")
	unread = [card for card in cards if "cannot be read" in card["why"]]
	assert len(unread) == 2
	assert {card["due_date"] for card in unread} == {nowdate()}


def test_profiles_are_explained_and_messages_judged_all_the_same():
	for party in MEMBERS:
		assert explain("Customer", party)["tiers"]
	names = frappe.get_all("Touchpoint", {"party": MEMBERS[0]}, pluck="name")
	check(names, datetime.datetime.combine(MONDAY, datetime.time(12)))
	frappe.db.rollback()


READERS = {
	"the view of a customer": lambda: get_view("Customer", MEMBERS[0]),
	"the timeline": lambda: get_timeline("Customer", MEMBERS[0]),
	"the calendar": lambda: get_events("2000-01-01", "2199-12-31"),
	"the brief of a hand-over": lambda: brief("Customer", MEMBERS[0]),
	"the daily digest": lambda: digests.get_daily(ANN, MONDAY),
	"the weekly digest": lambda: digests.get_weekly("Administrator", MONDAY),
	"the figures of the team": lambda: digests.get_team(MONDAY),
	"what is late": lambda: reminders.get_late(MONDAY),
	"the list": lambda: frappe.get_list("Touchpoint", {"party": MEMBERS[0]}, ["*"]),
	"Touchpoint Load": lambda: run_report("Touchpoint Load"),
	"Contacts Held Back": lambda: run_report("Contacts Held Back"),
	"Interaction Gaps": lambda: run_report("Interaction Gaps"),
}


def run_report(name):
	return frappe.get_doc("Report", name).execute_script_report({})


@pytest.mark.parametrize("reader", READERS)
def test_nobody_who_reads_it_is_stopped(reader):
	frappe.as_json(READERS[reader]())


@pytest.mark.parametrize("due", ["0000-00-00", None])
def test_a_touchpoint_without_a_day_can_be_given_one(due):
	where = "due_date is null" if due is None else "due_date = '0000-00-00'"
	(name,) = frappe.db.sql_list(f"select name from tabTouchpoint where {where}")
	frappe.set_user(ANN)
	try:
		assert reschedule(name, nowdate(), "It had no day")["due_date"] == nowdate()
		assert skip(name, "Not needed")["status"] == "Skipped"
	finally:
		frappe.set_user("Administrator")
		frappe.db.rollback()


def test_no_lock_is_left_behind():
	lock = f"retention_cycle:{frappe.conf.db_name}"
	assert frappe.db.db_type != "mariadb" or frappe.db.sql("select is_free_lock(%s)", lock)[0][0]


def test_a_preview_is_not_stopped_either(nights):
	assert run(MONDAY, "Preview").status == "Partial"


class TestWhatNobodyForesaw:
	"""The second line: the parts that make the whole fail are found by halving."""

	parts = tuple(Part("signals", str(number)) for number in range(40))

	def attempt_without(self, bad, pairs=()):
		self.attempts = 0

		def attempt(parts):
			self.attempts += 1
			names = {part.name for part in parts}
			if names & bad or any(set(pair) <= names for pair in pairs):
				raise ZeroDivisionError("boom")
			return [part.name for part in parts]

		return attempt

	def run(self, bad, pairs=()):
		return with_what_works(self.parts, self.attempt_without(bad, pairs), lambda: None)

	def test_nothing_is_left_out_where_all_is_well(self):
		assert self.run(set()) == ([part.name for part in self.parts], [])
		assert self.attempts == 1

	@pytest.mark.parametrize("bad", [{"0"}, {"39"}, {"7", "8", "31"}])
	def test_the_culprits_and_they_alone_are_left_out(self, bad):
		done, problems = self.run(bad)
		assert done == [part.name for part in self.parts if part.name not in bad]
		assert [problem.row for problem in problems] == sorted(bad, key=int)
		assert self.attempts < 30

	def test_two_that_only_fail_together_lose_one(self):
		done, problems = self.run(set(), pairs=[("3", "30")])
		assert len(done) == 39
		assert [problem.row for problem in problems] == ["30"]

	def test_what_is_no_parts_fault_is_raised(self):
		def attempt(parts):
			raise ZeroDivisionError

		with pytest.raises(ZeroDivisionError):
			with_what_works(self.parts, attempt, lambda: None)
		wrong_data = EngineError([Problem("purchases", "", "", "gone")])

		def refuse(parts):
			raise wrong_data

		with pytest.raises(EngineError):
			with_what_works(self.parts, refuse, lambda: None)


def test_a_run_out_of_time_stops_with_a_sentence_and_lets_go(nights, monkeypatch):
	monkeypatch.setattr(limits, "RUN_MINUTES", 0)
	care.configure(run_minutes=0)
	stopped = run(MONDAY)
	assert stopped.status == "Failed"
	assert "was stopped after 0 minutes" in stopped.error
	test_no_lock_is_left_behind()


def test_no_statement_goes_on_for_ever_and_the_session_is_as_it_was(monkeypatch):
	if frappe.db.db_type != "mariadb":
		pytest.skip("other databases have no such limit")
	monkeypatch.setitem(frappe.conf, "retention_statement_seconds", 1)
	before = frappe.db.sql("select @@session.max_statement_time")
	with pytest.raises(frappe.db.OperationalError) as caught, limits.limited_statements():
		frappe.db.sql(
			"select count(*) from tabDocField a, tabDocField b, tabDocField c where a.idx + b.idx > c.idx"
		)
	assert frappe.db.is_statement_timeout(caught.value)
	assert frappe.db.sql("select @@session.max_statement_time") == before


def test_a_customer_called_like_a_lead_stops_nobody_and_is_not_named():
	insert("Lead", [{"name": "LEAD-OF-ATTACKS", "lead_name": "Prospect", "status": "Lead"}])
	add_customers("lead: LEAD-OF-ATTACKS")
	care.configure(include_leads=1)
	log = run(MONDAY, "Preview")
	assert (log.status, log.error) == ("Partial", None)
	said = frappe.as_json([row.as_dict() for row in log.problems])
	assert "leads have the same key" in said
	assert "of-attacks" not in said.lower()

"""What a night of planning leaves on a site: members, touchpoints and to-dos, for whom, when and why."""

from __future__ import annotations

import datetime
import json

import frappe
import pytest

from tests.site import care
from tests.site.care import (
	ANN,
	BOB,
	CALL,
	FAY,
	LETTER,
	MONDAY,
	OFFER,
	add_members,
	add_occasion,
	add_rule,
	configure,
	night,
	on_occasion,
	start_plan,
	step,
	touchpoints,
)
from tests.site.trade import forget_runs, insert, run

pytestmark = pytest.mark.commits
Day = datetime.date


@pytest.fixture(scope="module", autouse=True)
def ground(site, leave_site_as_it_was):
	care.set_up()


@pytest.fixture(autouse=True)
def clean():
	care.forget()
	yield
	care.forget()


def after(days, day=MONDAY):
	return day + datetime.timedelta(days=days)


# -- a first night


def test_first_night_writes_every_column():
	department = frappe.get_all("Department", {"is_group": 0}, pluck="name", limit=1)[0]
	steps = (
		step(
			"Hello", minutes=35, cost=4, department=department, instructions="Be kind", service_level_days=5
		),
		step("Note", touchpoint_type=LETTER, send_by_itself=1, email_template="Care: Industry Insight"),
	)
	plan = start_plan("Trial", *steps)
	add_members(*(f"Member {number:02d}" for number in range(36)))
	log = night()
	assert (log.members_entered, log.touchpoints_created) == (36, 72)
	members = frappe.get_all("Plan Enrollment", {"run": log.name}, ["*"], order_by="party")
	assert len(members) == 36
	first = members[0]
	assert (first.party_type, first.party, first.party_name) == ("Customer", "Member 00", "Member 00")
	assert (first.plan, first.plan_family, first.version_number) == (plan.name, "Trial", 1)
	assert (first.arm, first.from_date, first.clock_start, first.to_date) == ("Treated", MONDAY, MONDAY, None)
	assert first.open_key == "Trial|Member 00"
	hello, note = (row.step_key for row in plan.steps)
	call, letter = sorted(touchpoints(party="Member 00"), key=lambda row: row.step_name)
	expected = {
		"party_type": "Customer", "party_name": "Member 00", "title": f"{CALL}: Member 00", "status": "Open",
		"touchpoint_type": CALL, "channel": "Phone", "department": department, "why": "Trial: Every week",
		"instructions": "Be kind", "minutes": 35, "cost": 4, "due_date": MONDAY, "service_date": after(5),
		"occurrence": MONDAY, "assigned_to": ANN, "_assign": json.dumps([ANN]), "priority": 5, "is_promise": 0,
		"plan": plan.name, "plan_family": "Trial", "version_number": 1, "step_name": "Hello", "step_key": hello,
		"run": log.name, "rule": None, "send_by_itself": 0, "message_status": "", "docstatus": 0,
		"occurrence_key": f"Trial|{hello}|{MONDAY}|Member 00", "open_key": f"Trial|{hello}|Member 00",
		"owner": "Administrator", "modified_by": "Administrator", "completed_on": None, "outcome": "",
	}  # fmt: skip
	assert {name: call[name] or ("" if name == "outcome" else call[name]) for name in expected} == expected
	profile = frappe.db.get_value("Retention Profile", "Member 00", ["tier", "stage"], as_dict=True)
	assert call.tier == profile.tier
	assert first.why == f"{profile.tier or ''} / {profile.stage or ''}"
	assert (letter.send_by_itself, letter.message_status, letter.email_template) == (
		1,
		"Due",
		"Care: Industry Insight",
	)
	assert (letter.step_key, letter._assign, letter.minutes) == (note, None, 5)
	todos = frappe.get_all("ToDo", {"reference_type": "Touchpoint"}, ["*"])
	assert len(todos) == 36
	todo = next(row for row in todos if row.reference_name == call.name)
	assert (todo.allocated_to, todo.status, todo.date, todo.assigned_by) == (
		ANN,
		"Open",
		MONDAY,
		"Administrator",
	)
	assert todo.description == f"{CALL} (Trial: Every week)"


def test_what_the_run_made_is_a_document_like_any_other():
	"""Nothing that a form would refuse to save: it opens, is completed, and leaves its row and its hours."""
	from crm_retention.care.actions import complete

	start_plan()
	add_members("Member")
	night()
	(row,) = touchpoints()
	complete(row.name, "Reached", note="Fine")
	frappe.db.commit()
	done = frappe.get_doc("Touchpoint", row.name)
	assert (done.status, done.open_key, done._assign or None) == ("Done", None, None)
	log = frappe.get_doc("Interaction Log", done.interaction)
	assert (log.minutes, log.touchpoint, log.party) == (20, row.name, "Member")
	assert frappe.get_all("ToDo", {"reference_name": row.name}, pluck="status") == ["Closed"]


def test_second_run_on_the_same_day_changes_no_row():
	if frappe.db.db_type != "mariadb":
		pytest.skip("other databases have no checksums")
	add_rule("cap", "Cap", max_contacts="2", window_days=7)
	add_rule(
		"offers",
		"Condition",
		"Drop",
		nature="Offer",
		party_conditions_json='[["Customer","name","like","%1"]]',
	)
	configure(touchpoints_per_day="3")
	least = {"owner_rule": "Role, Least Loaded", "role": "Retention User"}
	start_plan("Trial", step(), step("More", **least), step("Offer", touchpoint_type=OFFER, every=2))
	start_plan("Trial Two", step("Other", every=3, unit="Days"), begun=False, holdout_share=30)
	add_members(*(f"Member {number:02d}" for number in range(24)))
	first = night()
	assert min(first.touchpoints_created, first.touchpoints_waiting, first.touchpoints_suppressed) > 0
	before = care.table_sums()
	second = night()
	assert care.table_sums() == before
	counts = [name for name in second.as_dict() if name.startswith(("members_", "touchpoints_"))]
	assert {name: second.get(name) for name in counts if name != "touchpoints_unplaced"} == {
		name: 0 for name in counts if name != "touchpoints_unplaced"
	}


def test_second_run_when_there_is_not_room_for_everybody_changes_no_row():
	"""Places that a contact rule left empty are not given away by running once more."""
	configure(touchpoints_per_day="1")
	add_rule("names", "Condition", "Drop", party_conditions_json='[["Customer","name","like","%2"]]')
	add_rule("later", "Condition", party_conditions_json='[["Customer","name","like","%3"]]', sequence=20)
	start_plan()
	add_members(*(f"Member {number:02d}" for number in range(40)))
	first = night()
	assert first.touchpoints_unplaced > 0
	before = care.get_care_state()
	night()
	assert care.get_care_state() == before


def test_next_nights_make_each_occurrence_once():
	start_plan("Trial", step())
	configure(planning_days=0)
	add_members("Member A", "Member B")
	for days in (0, 6, 7, 8, 14):
		night(after(days))
	keys = [row.occurrence_key for row in touchpoints()]
	assert len(keys) == len(set(keys))
	by_party = {}
	for row in touchpoints():
		by_party.setdefault(row.party, []).append((row.occurrence, row.status))
	expected = [(MONDAY, "Missed"), (after(7), "Missed"), (after(14), "Open")]
	assert by_party == {"Member A": expected, "Member B": expected}
	assert frappe.db.count("ToDo", {"reference_type": "Touchpoint", "status": "Open"}) == 2
	assert frappe.db.count("ToDo", {"reference_type": "Touchpoint", "status": "Cancelled"}) == 4


def test_who_leaves_loses_what_is_open_and_may_come_back():
	plan = start_plan("Trial", step(), party_conditions_json='[["Customer","website","=","in.example"]]')
	add_members("Member")
	frappe.db.set_value("Customer", "Member", "website", "in.example")
	night()
	frappe.db.set_value("Customer", "Member", "website", "out.example")
	log = night(after(1))
	assert (log.members_left, log.touchpoints_cancelled) == (1, 1)
	(row,) = touchpoints()
	assert (row.status, row.open_key, row._assign or None) == ("Cancelled", None, None)
	assert row.reason
	assert frappe.get_all("ToDo", {"reference_name": row.name}, pluck="status") == ["Cancelled"]
	member = frappe.get_last_doc("Plan Enrollment", {"plan": plan.name, "party": "Member"})
	assert (member.open_key, member.to_date) == (None, after(1))
	frappe.db.set_value("Customer", "Member", "website", "in.example")
	night(after(2))
	assert frappe.db.count("Plan Enrollment", {"plan": plan.name, "party": "Member"}) == 2
	assert [row.status for row in touchpoints()] == ["Cancelled", "Open"]


# -- who does it


def test_holdout_gets_nothing_and_stays_the_same():
	plan = start_plan("Trial", step(), holdout_share=40)
	add_members(*(f"Member {number:02d}" for number in range(40)))
	night()
	night(after(7))
	arms = dict(
		frappe.get_all("Plan Enrollment", {"open_key": ("is", "set")}, ["party", "arm"], as_list=True)
	)
	held = {party for party, arm in arms.items() if arm == "Holdout"}
	assert 8 <= len(held) <= 24
	assert {row.party for row in touchpoints(plan=plan.name)} == set(arms) - held


def test_disabled_account_manager_hands_over_to_the_fallback_owner():
	start_plan()
	add_members("Hers", manager=ANN)
	add_members("His", manager=BOB)
	add_members("Nobody's", manager=None)
	frappe.db.set_value("User", BOB, "enabled", 0)
	night()
	assert {row.party: row.assigned_to for row in touchpoints()} == {"Hers": ANN, "His": FAY, "Nobody's": FAY}
	assert frappe.db.count("ToDo", {"allocated_to": FAY, "status": "Open"}) == 2


def test_nobody_to_do_it_is_nobody_s_to_do():
	configure(fallback_owner=None)
	start_plan()
	add_members("Nobody's", manager=None)
	night()
	(row,) = touchpoints()
	assert (row.assigned_to, row._assign, row.status) == (None, None, "Open")
	assert not frappe.db.count("ToDo", {"reference_type": "Touchpoint"})


def test_capacity_of_a_person_spreads_the_pile():
	configure(touchpoints_per_day="3")
	start_plan()
	add_members(*(f"Member {number}" for number in range(7)))
	night()
	days = [row.due_date for row in touchpoints()]
	assert sorted(days) == [MONDAY] * 3 + [after(1)] * 3 + [after(2)]
	assert all(row.service_date == row.due_date + datetime.timedelta(days=3) for row in touchpoints())


def test_holiday_list_of_employee_company_and_settings():
	"""The employee's own list, else the company's, else that of the settings."""
	lists = {name: add_holidays(name, day) for name, day in (("E", 0), ("C", 1), ("S", 2))}
	company = frappe.get_all("Company", pluck="name", limit=1)[0]
	frappe.db.set_value("Company", company, "default_holiday_list", lists["C"])
	for user, own in ((ANN, lists["E"]), (BOB, None)):
		row = {"name": f"EMP-{user}", "user_id": user, "status": "Active", "company": company}
		insert("Employee", [row | {"first_name": user, "employee_name": user, "holiday_list": own}])
	configure(holiday_list=lists["S"])
	plan = start_plan()
	for name, manager in (("Hers", ANN), ("His", BOB), ("Fay's", FAY)):
		add_members(name, manager=manager)
	frappe.db.commit()
	try:
		frappe.clear_cache()
		found = {}
		for days in range(3):
			forget_runs()
			for doctype in ("Touchpoint", "Plan Enrollment", "ToDo"):
				frappe.db.delete(doctype)
			configure(planning_days=0)
			care.add_former_member(plan)
			night(after(days))
			found[days] = {row.party: (row.due_date - MONDAY).days for row in touchpoints()}
		assert found == {
			0: {"Hers": 1, "His": 0, "Fay's": 0},
			1: {"Hers": 1, "His": 2, "Fay's": 1},
			2: {"Hers": 2, "His": 2, "Fay's": 3},
		}
	finally:
		frappe.db.set_value("Company", company, "default_holiday_list", None)
		frappe.db.delete("Employee")
		frappe.db.commit()
		frappe.clear_cache()


def add_holidays(name, days):
	"""A holiday list with one day off."""
	title = f"Trial {name}"
	if not frappe.db.exists("Holiday List", title):
		row = {"holiday_date": after(days), "description": "off"}
		frappe.get_doc(
			{
				"doctype": "Holiday List",
				"holiday_list_name": title,
				"from_date": "2026-01-01",
				"to_date": "2026-12-31",
				"holidays": [row],
			}
		).insert()
	return title


# -- contact rules


def test_no_of_a_customer_and_of_its_contact_holds_mail_back_and_says_so_once():
	add_rule("no", "Consent", "Drop")
	configure(planning_days=0)
	start_plan("Trial", step("Note", touchpoint_type=LETTER), step("Call"))
	add_members("Said No", "Unsubscribed", "Glad")
	frappe.get_doc(
		{"doctype": "Contact Preference", "party_type": "Customer", "party": "Said No", "channel": "Phone", "answer": "No"}
	).insert()  # fmt: skip
	contact = frappe.get_doc({"doctype": "Contact", "first_name": "Una", "unsubscribed": 1})
	contact.append("links", {"link_doctype": "Customer", "link_name": "Unsubscribed"})
	contact.insert()
	frappe.db.set_value("Customer", "Unsubscribed", "customer_primary_contact", contact.name)
	for days in (0, 1):
		night(after(days))
	statuses = {(row.party, row.channel): row.status for row in touchpoints(occurrence=MONDAY)}
	assert statuses == {
		("Said No", "Phone"): "Suppressed", ("Said No", "Email"): "Open",
		("Unsubscribed", "Phone"): "Open", ("Unsubscribed", "Email"): "Suppressed",
		("Glad", "Phone"): "Open", ("Glad", "Email"): "Open",
	}  # fmt: skip
	stops = frappe.get_all(
		"Contact Stop", {}, ["party", "rule", "action", "stage", "channel"], order_by="party"
	)
	assert [tuple(row.values()) for row in stops] == [
		("Said No", "Trial no", "Drop", "Creating", "Phone"),
		("Unsubscribed", "Trial no", "Drop", "Creating", "Email"),
	]
	for row in touchpoints(status="Suppressed"):
		assert (row.open_key, row.rule, row._assign) == (None, "Trial no", None)
		assert not frappe.db.exists("ToDo", {"reference_name": row.name})


def test_open_complaint_holds_an_offer_back_and_is_recorded_once():
	add_rule("cool", "Cool-Down", "Drop", nature="Offer", cool_down_days=14)
	configure(planning_days=0)
	start_plan("Trial", step("Offer", touchpoint_type=OFFER), step("Call"))
	add_members("Angry", "Glad")
	if not frappe.db.exists("Issue Type", "Complaint"):
		frappe.get_doc({"doctype": "Issue Type", "name": "Complaint", "__newname": "Complaint"}).insert()
	row = {
		"name": "ISS-1",
		"subject": "Broken",
		"customer": "Angry",
		"status": "Open",
		"issue_type": "Complaint",
	}
	insert("Issue", [row | {"opening_date": after(-2)}])
	for days in (0, 0, 1):
		night(after(days))
	found = {(row.party, row.touchpoint_type): row.status for row in touchpoints(occurrence=MONDAY)}
	assert found == {
		("Angry", OFFER): "Suppressed",
		("Angry", CALL): "Open",
		("Glad", OFFER): "Open",
		("Glad", CALL): "Open",
	}
	stops = frappe.get_all("Contact Stop", {}, ["party", "rule", "action", "on_date"])
	assert [tuple(row.values()) for row in stops] == [("Angry", "Trial cool", "Drop", MONDAY)]


def test_quiet_days_move_and_name_the_rule():
	add_rule("quiet", "Quiet Days", weekdays="Monday, Tuesday")
	start_plan()
	add_members("Member")
	for _time in range(2):
		night()
	(row,) = touchpoints()
	assert (row.due_date, row.status, row.occurrence) == (after(2), "Open", MONDAY)
	(stop,) = frappe.get_all("Contact Stop", {}, ["rule", "action", "touchpoint"])
	assert (stop.rule, stop.action, stop.touchpoint) == ("Trial quiet", "Postpone", row.name)


def test_what_waits_opens_later_with_its_to_do():
	add_rule("one", "Cap", max_contacts="1", window_days=3)
	start_plan("Trial", step("First"), step("Second"))
	add_members("Member")
	night()
	statuses = sorted(row.status for row in touchpoints())
	assert statuses == ["Open", "Waiting"]
	(waiting,) = touchpoints(status="Waiting")
	assert (waiting.rule, waiting._assign, bool(waiting.open_key)) == ("Trial one", None, True)
	assert frappe.db.count("ToDo", {"reference_type": "Touchpoint"}) == 1
	(opened,) = touchpoints(status="Open")
	frappe.db.set_value("Touchpoint", opened.name, {"status": "Skipped", "open_key": None})
	night(after(1))
	(row,) = touchpoints(name=waiting.name)
	assert (row.status, row.rule, row._assign, row.due_date) == ("Open", None, json.dumps([ANN]), after(1))
	todos = frappe.get_all("ToDo", {"reference_name": row.name}, ["status", "date", "allocated_to"])
	assert [(todo.status, todo.date, todo.allocated_to) for todo in todos] == [("Open", after(1), ANN)]


def test_what_waits_and_was_given_to_somebody_stays_theirs_with_one_to_do():
	from crm_retention.care.actions import reassign

	rule = add_rule("all", "Cap", max_contacts="0")
	start_plan()
	add_members("Member")
	night()
	(row,) = touchpoints()
	assert row.status == "Waiting"
	reassign([row.name], BOB)
	rule.db_set("enabled", 0)
	frappe.clear_document_cache("Contact Rule", rule.name)
	night(after(1))
	(row,) = touchpoints()
	assert (row.status, row.assigned_to, row._assign) == ("Open", BOB, json.dumps([BOB]))
	todos = frappe.get_all("ToDo", {"reference_name": row.name, "status": "Open"}, pluck="allocated_to")
	assert todos == [BOB]


# -- clock


def test_days_around_a_change_of_clocks_are_days():
	"""New York goes an hour forward on 8 March 2026 and back on 1 November."""
	before = frappe.db.get_single_value("System Settings", "time_zone")
	frappe.db.set_single_value("System Settings", "time_zone", "America/New_York")
	frappe.clear_cache()
	try:
		for change in (Day(2026, 3, 8), Day(2026, 11, 1)):
			care.forget()
			configure(planning_days=0, holiday_list=add_holidays("None", 100))
			start_plan("Trial", step(every=1, unit="Days"))
			add_members("Member", day=after(-10, change))
			days = [after(number, change) for number in range(-1, 2)]
			for day in days:
				night(day)
			assert [row.occurrence for row in touchpoints()] == days
			assert [row.due_date for row in touchpoints()] == days
	finally:
		frappe.db.set_single_value("System Settings", "time_zone", before)
		frappe.db.commit()
		frappe.clear_cache()


@pytest.mark.parametrize(
	("first", "unit", "expected"),
	[
		(
			Day(2027, 12, 31),
			"Months",
			[Day(2027, 12, 31), Day(2028, 1, 31), Day(2028, 2, 29)],
		),
		(
			Day(2028, 2, 29),
			"Quarters",
			[Day(2028, 2, 29), Day(2028, 5, 29)],
		),
		(Day(2027, 12, 31), "Days", [Day(2027, 12, 31), Day(2028, 1, 1), Day(2028, 1, 2)]),
	],
)
def test_leap_day_and_turn_of_the_year(first, unit, expected):
	configure(planning_days=0, holiday_list=add_holidays("None", 100))
	start_plan("Trial", step(every=1, unit=unit))
	add_members("Member", day=first)
	for day in expected:
		night(day)
	assert [row.occurrence for row in touchpoints()] == expected
	assert [row.due_date for row in touchpoints()] == expected


def test_anniversaries_of_a_leap_day_in_a_field_that_an_admin_added():
	frappe.get_doc(
		{"doctype": "Custom Field", "dt": "Customer", "fieldname": "trial_founded", "fieldtype": "Date", "label": "Founded"}
	).insert()  # fmt: skip
	frappe.clear_cache(doctype="Customer")
	given = {"document_type": "Customer", "date_field": "trial_founded", "every_year": 1}
	early = add_occasion("founded", "Date Field", leap_day="28 February", **given)
	late = add_occasion("founded late", "Date Field", leap_day="1 March", **given)
	configure(planning_days=3, holiday_list=add_holidays("None", 100))
	start_plan("Trial", on_occasion(early, step_name="Early"), on_occasion(late, step_name="Late"))
	add_members("Member", "Other", day=Day(2027, 1, 10))
	frappe.db.set_value("Customer", "Member", "trial_founded", "2004-02-29")
	for day in (Day(2027, 2, 26), Day(2028, 2, 27)):
		night(day)
		frappe.db.set_value("Touchpoint", {"status": "Open"}, {"status": "Done", "open_key": None})
	found = sorted((row.step_name, row.occurrence, row.due_date, row.party) for row in touchpoints())
	expected = [
		(name, day, day, "Member")
		for name, *days in (
			("Early", Day(2027, 2, 28), Day(2028, 2, 29)),
			("Late", Day(2027, 3, 1), Day(2028, 2, 29)),
		)
		for day in days
	]
	assert found == expected
	# the field is taken away: the run goes on with the rest
	frappe.delete_doc("Custom Field", "Customer-trial_founded", force=True)
	frappe.db.sql_ddl("alter table `tabCustomer` drop column if exists `trial_founded`")
	frappe.clear_cache(doctype="Customer")
	log = care.run(Day(2028, 3, 2))
	assert log.status in ("Completed", "Partial")


def test_end_of_a_contract_is_announced_ahead():
	own = add_occasion(
		"end",
		"Date Field",
		document_type="Contract",
		party_field="party_name",
		date_field="end_date",
		every_year=0,
	)
	steps = (
		on_occasion(own, -10, step_name="By date"),
		step("By event", timing="Event", event="Contract End", offset_days=-20, unit=""),
	)  # fmt: skip
	start_plan("Trial", *steps)
	add_members("Member", "Other")
	row = {"name": "CON-1", "party_type": "Customer", "party_name": "Member", "docstatus": 1, "is_signed": 1}
	insert("Contract", [row | {"start_date": after(-300), "end_date": after(31), "status": "Active"}])
	configure(holiday_list=add_holidays("None", 100))
	for days in (0, 14):
		night(after(days))
	found = sorted((row.step_name, row.party, row.occurrence, row.due_date) for row in touchpoints())
	assert found == [
		("By date", "Member", after(31), after(21)),
		("By event", "Member", after(31), after(11)),
	]


def test_lunar_dates_and_public_holidays_come_for_everybody():
	spring = add_occasion("spring", "Lunar Date", month=1, day=1)
	easter = add_occasion("easter", "Public Holiday", country="Germany", holiday="Easter Monday")
	configure(holiday_list=add_holidays("None", 100))
	start_plan(
		"Trial", on_occasion(spring, -3, step_name="Spring"), on_occasion(easter, -7, step_name="Easter")
	)
	add_members("Member", "Other", day=Day(2027, 1, 20))
	for day in (Day(2027, 1, 28), Day(2027, 3, 15)):
		night(day)
	found = sorted((row.step_name, row.party, row.occurrence, row.due_date) for row in touchpoints())
	assert found == [
		("Easter", "Member", Day(2027, 3, 29), Day(2027, 3, 22)),
		("Easter", "Other", Day(2027, 3, 29), Day(2027, 3, 22)),
		("Spring", "Member", Day(2027, 2, 6), Day(2027, 2, 3)),
		("Spring", "Other", Day(2027, 2, 6), Day(2027, 2, 3)),
	]


def test_text_that_cannot_be_sent_is_reported_by_the_run():
	plan = start_plan(
		"Trial", step("Letter", touchpoint_type=LETTER, channel="SMS", sms_text="Hi", send_by_itself=1)
	)
	add_members("Trial Acme")
	frappe.db.set_value("Maintenance Plan Step", plan.steps[0].name, "sms_text", "{{ frappe.db }}")
	frappe.db.commit()
	log = run(MONDAY)
	assert log.status == "Partial"
	assert [(row.row, row.field, row.message) for row in log.problems] == [
		(plan.name, "steps, 1, sms_text", "there is no variable frappe")
	]
	assert touchpoints(plan=plan.name)

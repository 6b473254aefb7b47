"""What a plan refuses on save, naming the row and the field, and what nobody can change once it is in use."""

import json

import frappe
import pytest
from frappe.client import set_value
from frappe.utils import add_days, today

from crm_retention.plans.configuration import read_conditions
from tests.site.desk import make_user, refusal
from tests.site.plans import enroll, get_touchpoint, make_due, make_plan, make_step


def make_template():
	letter = {"doctype": "Email Template", "name": "Trial Letter", "subject": "Hi", "response": "Hello"}
	return frappe.get_doc(letter).insert().name


def test_plan_without_steps_is_refused():
	plan = make_plan()
	plan.steps = []
	assert "Steps" in refusal(plan)


@pytest.mark.parametrize(
	("step", "place", "says"),
	[
		({"every": 0}, "Every", "1 or more"),
		({"timing": "Buying Rhythm", "rhythm": 0}, "Share of the Rhythm", "more than 0"),
		({"timing": "Occasion"}, "Occasion", "is needed"),
		({"timing": "Occasion", "occasion": "New Year", "offset_days": -400}, "Days After", "within a year"),
		({"timing": "Event"}, "Event", "is needed"),
		({"timing": "Event", "event": "Silent"}, "Days After", "1 or more"),
		({"timing": "Event", "event": "First Purchase", "offset_days": -1}, "Days After", "not be negative"),
		({"timing": "Event", "event": "Tier Entered", "event_value": "Gold"}, "Of", "no Customer Tier Gold"),
		(
			{"timing": "Event", "event": "Stage Entered", "event_value": "High Value"},
			"Of",
			"no Lifecycle Stage",
		),
		({"owner_rule": "Role, Round Robin"}, "Role", "is needed"),
		({"owner_rule": "User"}, "User", "is needed"),
		({"send_by_itself": 1}, "Channel", "can send"),
		({"send_by_itself": 1, "channel": "Email"}, "Email Template", "is needed"),
		({"send_by_itself": 1, "channel": "SMS", "sms_text": " "}, "SMS Text", "is needed"),
		({"sms_text": "Hi {{ party_name"}, "SMS Text", "syntax"),
	],
)
def test_step_at_fault_names_row_and_field(step, place, says):
	message = refusal(make_plan(steps=[{}, step]))
	assert f"Steps, row 2, {place}: " in message
	assert says in message


def test_complete_step_that_sends_is_accepted():
	step = {"touchpoint_type": "Industry Insight", "send_by_itself": 1, "email_template": make_template()}
	plan = make_plan(steps=[step]).insert()
	assert (plan.steps[0].channel, plan.steps[0].minutes) == ("Email", 5)


def test_disabled_touchpoint_type_and_user_are_refused():
	frappe.db.set_value("Touchpoint Type", "Visit", "enabled", 0)
	user = make_user("gone@example.com", "Sales User")
	frappe.db.set_value("User", user, "enabled", 0)
	message = refusal(make_plan(steps=[{"touchpoint_type": "Visit"}, {"owner_rule": "User", "user": user}]))
	assert "row 1, Touchpoint Type: Visit is disabled" in message
	assert "row 2, User: gone@example.com is disabled" in message


@pytest.mark.parametrize(
	("values", "label"),
	[
		({"holdout_share": 100}, "Holdout Share"),
		({"holdout_share": -1}, "Holdout Share"),
		({"starts_on": "2030-01-02", "ends_on": "2030-01-02"}, "Ends On"),
		({"tiers": [{"tier": "Regular"}, {"tier": "Regular"}]}, "Tiers: Regular is there twice"),
		({"goals": [{"kpi": "Churn Rate", "target": 5, "by_date": "2020-01-01"}]}, "Goals, row 1, By"),
		({"title": "x" * 81}, "80 characters"),
	],
)
def test_plan_at_fault_names_the_field(values, label):
	assert label in refusal(make_plan(**values))


def test_unknown_targets_are_refused():
	with pytest.raises(frappe.LinkValidationError, match="No Such Tier"):
		make_plan(tiers=[{"tier": "No Such Tier"}]).insert()
	rows = json.dumps([["Retention Profile", "no_such_signal", ">", 1]])
	assert "condition 1 (no_such_signal)" in refusal(make_plan(signal_conditions_json=rows))


def test_stage_is_a_field_that_conditions_of_plans_know():
	rows = json.dumps([["Retention Profile", "stage", "=", "Dormant"]])
	make_plan(signal_conditions_json=rows).insert()


def test_second_plan_of_a_name_is_refused():
	make_plan().insert()
	assert "Trial v1 has this name already" in refusal(make_plan())


def test_name_family_and_version_are_the_plans_own():
	plan = make_plan(plan_family="Regular Care", version_number=7, status="Active").insert()
	assert (plan.name, plan.plan_family, plan.version_number, plan.status) == (
		"Trial v1",
		"Trial",
		1,
		"Draft",
	)
	plan.update({"plan_family": "Other", "version_number": 9}).save()
	assert (plan.plan_family, plan.version_number) == ("Trial", 1)


def test_copied_row_gets_a_key_of_its_own():
	plan = make_plan().insert()
	plan.append("steps", {**make_step(), "step_key": plan.steps[0].step_key})
	plan.save()
	first, second = (step.step_key for step in plan.steps)
	assert len(first) == len(second) == 10
	assert first != second


@pytest.mark.parametrize(
	("field", "value"), [("title", "Other"), ("holdout_share", 5), ("status", "Ended"), ("paused_days", 9)]
)
def test_plan_in_use_cannot_be_edited(field, value):
	plan = make_plan().submit()
	with pytest.raises(frappe.UpdateAfterSubmitError):
		set_value("Maintenance Plan", plan.name, field, value)


def test_steps_of_a_plan_in_use_cannot_be_edited_added_or_removed():
	plan = make_plan(steps=[{}, {"step_name": "Second"}]).submit()
	with pytest.raises(frappe.UpdateAfterSubmitError):
		set_value("Maintenance Plan Step", plan.steps[0].name, "every", 3)
	step = frappe.get_doc("Maintenance Plan Step", plan.steps[0].name)
	for act in (step.save, step.delete):
		with pytest.raises(frappe.UpdateAfterSubmitError):
			act()
	plan.reload().append("steps", make_step())
	with pytest.raises(frappe.UpdateAfterSubmitError):
		plan.save()
	plan.reload().steps.pop()
	with pytest.raises(frappe.UpdateAfterSubmitError):
		plan.save()


def test_retention_user_drafts_and_does_not_submit():
	frappe.set_user(make_user("drafts@example.com", "Retention User"))
	plan = make_plan().insert()
	with pytest.raises(frappe.PermissionError):
		plan.submit()


def test_cancelling_ends_members_and_what_is_open():
	plan = make_plan().submit()
	member = enroll(plan, "Firm A")
	still = make_due(plan, plan.steps[0], "Firm A", add_days(today(), 3))
	done = make_due(plan, plan.steps[0], "Firm A", add_days(today(), -30), status="Done")
	plan.reload().cancel()
	assert plan.status == "Ended"
	member.reload()
	assert (str(member.to_date), member.ended_why, member.open_key) == (today(), "Plan cancelled", None)
	touchpoint = get_touchpoint(still)
	assert (touchpoint.status, touchpoint.open_key, touchpoint.todo_status) == (
		"Cancelled",
		None,
		"Cancelled",
	)
	assert get_touchpoint(done).status == "Done"


def test_plan_that_touchpoints_name_is_not_deleted():
	plan = make_plan().submit()
	enroll(plan, "Firm A")
	make_due(plan, plan.steps[0], "Firm A", today())
	plan.reload().cancel()
	with pytest.raises(frappe.LinkExistsError):
		plan.delete()


def test_amending_a_cancelled_plan_makes_its_next_version():
	plan = make_plan().submit()
	plan.cancel()
	amended = frappe.copy_doc(plan)
	amended.amended_from = plan.name
	amended.insert()
	assert (amended.name, amended.plan_family, amended.previous_version) == ("Trial v2", "Trial", "Trial v1")
	assert amended.steps[0].step_key == plan.steps[0].step_key


def test_engine_reads_conditions_as_the_desk_writes_them():
	rows = [["Retention Profile", "stage", "in", "Active,Loyal"], ["Retention Profile", "tier", "is", "set"]]
	found = read_conditions(make_plan(signal_conditions_json=json.dumps(rows)).insert())
	assert [(c.op, c.value) for c in found] == [("in", ("Active", "Loyal")), ("is set", None)]

"""A new version of a plan: what it keeps, what it tells, and how it takes over."""

import frappe
import pytest
from frappe.utils import add_days, getdate, today

from crm_retention.api import plans as api
from crm_retention.plans.difference import difference, read_aloud
from crm_retention.plans.steps import describe
from tests.site.desk import make_user
from tests.site.plans import enroll, get_touchpoint, make_due, make_plan, make_step


def make_pair(**changes):
	"""A submitted plan with two steps, and the draft that follows: the call more often, the visit gone, a check new."""
	plan = make_plan(steps=[{}, {"step_name": "Visit", "touchpoint_type": "Visit"}]).submit()
	draft = frappe.get_doc("Maintenance Plan", api.make_new_version(plan.name)["name"])
	draft.steps[0].update({"every": 2, "unit": "Weeks"})
	draft.steps.pop()
	draft.append("steps", make_step(step_name="Check", touchpoint_type="Satisfaction Check"))
	draft.update(changes)
	return plan, draft.save()


def test_new_version_keeps_keys_and_leaves_the_old_one_alone():
	plan, draft = make_pair()
	assert (draft.name, draft.version_number, draft.previous_version) == ("Trial v2", 2, "Trial v1")
	assert draft.steps[0].step_key == plan.steps[0].step_key
	assert draft.steps[1].step_key not in {step.step_key for step in plan.steps}
	plan.reload()
	assert (plan.status, plan.steps[0].unit, len(plan.steps)) == ("Active", "Months", 2)


def test_second_draft_of_a_family_is_refused():
	make_pair()
	with pytest.raises(frappe.ValidationError, match="Trial v2 is a draft"):
		api.make_new_version("Trial v1")


def test_draft_has_no_new_version():
	make_plan().insert()
	with pytest.raises(frappe.ValidationError, match="not submitted yet"):
		api.make_new_version("Trial v1")


def test_difference_names_what_is_new_gone_and_changed():
	plan, draft = make_pair(holdout_share=10, tiers=[{"tier": "Regular"}])
	found = difference(plan.as_dict(), draft.as_dict())
	assert [step["step_name"] for step in found["added"]] == ["Check"]
	assert [step["step_name"] for step in found["removed"]] == ["Visit"]
	assert [(row["step"], row["field"], row["before"], row["after"]) for row in found["changed"]] == [
		("Call", "every", 1, 2),
		("Call", "unit", "Months", "Weeks"),
	]
	assert found["targets"] == [{"field": "tiers", "before": [], "after": ["Regular"]}]
	assert [row["field"] for row in found["settings"]] == ["holdout_share"]


def test_difference_reads_as_sentences_with_labels():
	_plan, draft = make_pair(tiers=[{"tier": "Regular"}])
	found = api.get_difference(draft.name)
	assert found["previous"] == "Trial v1"
	text = "Every month: Satisfaction Check, by the account manager, through Phone"
	assert found["added"] == [{"step": "Check", "text": text}]
	assert [(row["label"], row["before"], row["after"]) for row in found["changed"]] == [
		("Every", "1", "2"),
		("Unit", "Months", "Weeks"),
	]
	assert [(row["label"], row["before"], row["after"]) for row in found["targets"]] == [
		("Tiers", "all", "Regular")
	]


def test_plan_against_itself_has_no_difference():
	plan = make_plan(goals=[{"kpi": "Churn Rate", "target": 5, "by_date": add_days(today(), 30)}]).submit()
	found = read_aloud(plan, frappe.get_doc("Maintenance Plan", plan.name))
	assert not any(found.values())


def test_members_move_at_once_and_keep_clock_arm_and_key():
	plan, draft = make_pair()
	member = enroll(plan, "Firm A", clock="2026-01-05", arm="Holdout", phase=0.25)
	ended = enroll(plan, "Firm B", open_key=None, to_date="2026-02-01")
	before = member.as_dict()
	draft.submit()
	member.reload()
	assert (member.plan, member.version_number, member.next_plan) == ("Trial v2", 2, None)
	for field in ("arm", "phase", "open_key", "plan_family"):
		assert member.get(field) == before[field]
	assert getdate(member.clock_start) == getdate("2026-01-05")
	assert ended.reload().plan == "Trial v1"
	assert frappe.db.get_value("Maintenance Plan", "Trial v1", "status") == "Superseded"
	assert draft.reload().status == "Active"
	assert draft.since == getdate()


def test_members_who_move_at_their_next_step_are_told_where():
	plan, draft = make_pair(members_move="At Their Next Step")
	member = enroll(plan, "Firm A")
	draft.submit()
	member.reload()
	assert (member.plan, member.next_plan, member.version_number) == ("Trial v1", "Trial v2", 1)


@pytest.mark.parametrize(("choice", "status"), [("Cancel", "Cancelled"), ("Keep", "Open")])
def test_open_touchpoints_of_removed_steps_go_as_chosen(choice, status):
	plan, draft = make_pair(removed_steps=choice)
	enroll(plan, "Firm A")
	call, visit = (make_due(plan, step, "Firm A", add_days(today(), 2)) for step in plan.steps)
	key = get_touchpoint(call).occurrence_key
	draft.submit()
	gone = get_touchpoint(visit)
	assert (gone.status, gone.todo_status) == (status, status)
	assert bool(gone.open_key) == (choice == "Keep")
	kept = get_touchpoint(call)
	assert (kept.status, kept.todo_status, kept.occurrence_key) == ("Open", "Open", key)
	assert draft.steps[0].step_key in key


def test_new_version_of_a_paused_plan_waits_as_well():
	plan, draft = make_pair()
	api.pause(plan.name)
	draft.reload().submit()
	assert (draft.reload().status, draft.paused_on) == ("Paused", getdate())


def test_version_cannot_take_over_later():
	_plan, draft = make_pair(starts_on=add_days(today(), 5))
	with pytest.raises(frappe.ValidationError, match="Starts On"):
		draft.submit()
	assert frappe.db.get_value("Maintenance Plan", "Trial v1", "status") == "Active"


def test_cancelling_a_version_ends_those_who_had_still_to_move():
	plan, draft = make_pair(members_move="At Their Next Step")
	member = enroll(plan, "Firm A")
	draft.submit()
	draft.reload().cancel()
	member.reload()
	assert (member.open_key, member.next_plan, member.ended_why) == (None, None, "Plan cancelled")


def test_reader_of_plans_makes_no_version():
	plan = make_plan().submit()
	frappe.set_user(make_user("sales@example.com", "Sales User"))
	for call in (api.make_new_version, api.get_difference, api.pause, api.resume):
		with pytest.raises(frappe.PermissionError):
			call(plan.name)


@pytest.mark.parametrize(
	("step", "text"),
	[
		({}, "Every month: Care Call, by the account manager"),
		(
			{"every": 2, "unit": "Quarters", "channel": "Phone"},
			"Every 2 quarters: Care Call, by the account manager, through Phone",
		),
		({"timing": "Buying Rhythm", "rhythm": 0.5}, "Every 0.5 of the buying rhythm: "),
		({"timing": "Occasion", "occasion": "New Year", "offset_days": -3}, "3 days before New Year: "),
		({"timing": "Event", "event": "Stage Entered", "event_value": "Lost"}, "On Stage Entered (Lost): "),
		(
			{"timing": "Event", "event": "Silent", "offset_days": 90},
			"After 90 days without purchase and contact: ",
		),
		({"owner_rule": "Role, Least Loaded", "role": "Sales User"}, "by the least loaded Sales User"),
	],
)
def test_step_reads_as_a_sentence(step, text):
	assert text in describe(frappe._dict(make_step(**step)))

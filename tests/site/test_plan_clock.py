"""A plan that is paused and resumed goes on where it stopped, and asks for nothing twice."""

import frappe
import pytest
from frappe.utils import add_days, getdate, today

from crm_retention.api import plans as api
from crm_retention.care import keys
from tests.site.plans import enroll, get_touchpoint, make_due, make_plan

PAUSED = -10  # days from today


def ago(days):
	return add_days(today(), days)


def test_resuming_moves_clocks_and_what_is_to_come():
	plan = make_plan(steps=[{"every": 1, "unit": "Weeks"}]).submit()
	step = plan.steps[0]
	members = [enroll(plan, name, clock=ago(clock)) for name, clock in (("Firm A", -31), ("Firm B", -21))]
	late = make_due(plan, step, "Firm A", ago(-12), status="Open")
	coming = make_due(plan, step, "Firm B", ago(-7), status="Waiting")
	api.pause(plan.name, ago(PAUSED))
	assert api.resume(plan.name) == {"status": "Active", "days": 10}
	plan.reload()
	assert (plan.status, plan.paused_on, plan.paused_days, plan.since) == ("Active", None, 10, getdate())
	assert [getdate(member.reload().clock_start) for member in members] == [
		getdate(ago(-21)),
		getdate(ago(-11)),
	]
	moved = get_touchpoint(coming)
	assert (moved.due_date, moved.service_date, moved.todo_date) == tuple(getdate(ago(n)) for n in (3, 6, 3))
	assert moved.occurrence_key == keys.occurrence_key("Trial", step.step_key, ago(3), "Firm B")
	assert get_touchpoint(late).due_date == getdate(ago(-12))  # it was due before the pause, and still is


def test_what_was_done_before_the_pause_has_the_key_of_the_moved_occurrence():
	"""The moved clock names another day for it: with its old key it would be asked for again."""
	plan = make_plan(steps=[{"every": 1, "unit": "Weeks"}]).submit()
	enroll(plan, "Firm A", clock=ago(-28))
	names = [make_due(plan, plan.steps[0], "Firm A", ago(day), status="Done") for day in (-14, -7)]
	api.pause(plan.name, ago(-7))
	api.resume(plan.name)
	step_key = plan.steps[0].step_key
	expected = [keys.occurrence_key("Trial", step_key, ago(day), "Firm A") for day in (-7, 0)]
	assert [get_touchpoint(name).occurrence_key for name in names] == expected
	assert get_touchpoint(names[0]).occurrence == getdate(ago(-14))  # history says when it was


def test_monthly_occurrences_follow_the_months_of_the_moved_clock():
	plan = make_plan().submit()
	enroll(plan, "Firm A", clock="2026-01-25")
	name = make_due(plan, plan.steps[0], "Firm A", "2026-02-25", status="Done")
	frappe.db.set_value("Maintenance Plan", plan.name, {"status": "Paused", "paused_on": "2026-03-01"})
	api.resume(plan.name, "2026-03-11")
	# from 4 February one month on: 4 March, not ten days after 25 February
	assert "|2026-03-04|" in get_touchpoint(name).occurrence_key


def test_events_of_the_pause_are_due_now_and_occasions_are_over():
	steps = [
		{"timing": "Event", "event": "First Purchase", "offset_days": 14},
		{"timing": "Occasion", "occasion": "New Year"},
	]
	plan = make_plan(steps=steps).submit()
	enroll(plan, "Firm A", clock=ago(-30))
	event, occasion = (make_due(plan, step, "Firm A", ago(-5)) for step in plan.steps)
	api.pause(plan.name, ago(PAUSED))
	api.resume(plan.name)
	assert (get_touchpoint(event).due_date, get_touchpoint(event).service_date) == (
		getdate(),
		getdate(ago(3)),
	)
	gone = get_touchpoint(occasion)
	assert (gone.status, gone.open_key, gone.todo_status) == ("Cancelled", None, "Cancelled")


def test_clock_moves_once_however_often_the_button_is_pressed():
	plan = make_plan().submit()
	member = enroll(plan, "Firm A", clock=ago(-20))
	stale = frappe.get_doc("Maintenance Plan", plan.name)
	api.pause(plan.name, ago(PAUSED))
	api.resume(plan.name)
	stale.update({"status": "Paused", "paused_on": ago(PAUSED)})
	from crm_retention.plans import clock

	with pytest.raises(frappe.ValidationError, match="not paused"):
		clock.resume(stale)
	assert getdate(member.reload().clock_start) == getdate(ago(-10))


def test_other_plans_and_ended_members_keep_their_clocks():
	plan, other = make_plan().submit(), make_plan("Other").submit()
	ended = enroll(plan, "Firm A", clock=ago(-20), open_key=None)
	elsewhere = enroll(other, "Firm A", clock=ago(-20))
	api.pause(plan.name, ago(PAUSED))
	api.resume(plan.name)
	assert getdate(ended.reload().clock_start) == getdate(elsewhere.reload().clock_start) == getdate(ago(-20))


@pytest.mark.parametrize(("act", "on"), [("pause", 1), ("resume", -11), ("resume", 1)])
def test_days_that_make_no_sense_are_refused(act, on):
	plan = make_plan().submit()
	if act == "resume":
		api.pause(plan.name, ago(PAUSED))
	with pytest.raises(frappe.ValidationError):
		getattr(api, act)(plan.name, ago(on))


def test_draft_and_ended_plan_are_not_paused():
	draft, ended = make_plan().insert(), make_plan("Other").submit()
	ended.cancel()
	for plan in (draft, ended):
		with pytest.raises(frappe.ValidationError, match="not active"):
			api.pause(plan.name)

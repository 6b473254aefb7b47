"""Acting on touchpoints: what each action leaves, what it refuses, and that every way in knows the same rules."""

import frappe
import pytest
from frappe.client import set_value
from frappe.desk.doctype.kanban_board.kanban_board import update_order_for_single_card
from frappe.utils import add_days, add_to_date, get_datetime, getdate, now_datetime, nowdate

from crm_retention.api import touchpoints as api
from crm_retention.care import actions, meetings
from crm_retention.care.rules import TouchpointEndedError
from tests.site.desk import make_user
from tests.site.touchpoints import (
	get_todos,
	make_customers,
	make_seller,
	make_touchpoint,
	make_type,
	only_customer,
)

ANNA, BEN, BOSS = "anna.care@example.com", "ben.care@example.com", "boss.care@example.com"


@pytest.fixture(scope="module", autouse=True)
def people(leave_site_as_it_was):
	make_customers("Care One", "Care Two")
	make_seller(ANNA)
	make_seller(BEN)
	make_user(BOSS, "Retention Manager", "Sales Manager")
	frappe.db.set_single_value("Retention Settings", "hour_rate", 60)


@pytest.fixture
def touchpoint(people):
	doc = make_touchpoint("Care One", assigned_to=ANNA)
	frappe.set_user(ANNA)
	return doc


def stored(name):
	return frappe.get_doc("Touchpoint", name)


def test_new_touchpoint_takes_what_its_type_says(touchpoint):
	doc = stored(touchpoint.name)
	assert (doc.channel, doc.minutes, doc.cost, doc.status) == ("Phone", 20, 5, "Open")
	assert doc.title == f"{doc.touchpoint_type}: Care One"
	assert getdate(doc.service_date) == getdate(add_days(nowdate(), 3))


def test_assigned_touchpoint_shows_in_the_platforms_own_places(touchpoint):
	assert get_todos(touchpoint.name) == [(ANNA, "Open")]
	assert frappe.parse_json(stored(touchpoint.name)._assign) == [ANNA]


def test_completing_writes_the_log_and_leaves_nothing_open(touchpoint):
	frappe.db.set_value("Touchpoint", touchpoint.name, "open_key", "family|step|Care One")
	result = actions.complete(touchpoint.name, "Reached", "All well", minutes=30)
	doc = stored(touchpoint.name)
	log = frappe.get_doc("Interaction Log", result["interaction"])
	assert (doc.status, doc.open_key, doc.completed_by) == ("Done", None, ANNA)
	assert (log.party, log.kind, log.channel, log.direction) == ("Care One", "Call", "Phone", "Out")
	assert (log.minutes, log.outcome, log.note, log.user) == (30, "Reached", "All well", ANNA)
	assert log.cost == 35  # half an hour at 60, and the touchpoint's own 5
	assert (log.reference_key, log.touchpoint) == (f"touchpoint|{doc.name}", doc.name)
	assert get_todos(doc.name) == [(ANNA, "Closed")]
	assert not doc._assign


def test_completing_takes_the_expected_minutes_unless_told(touchpoint):
	log = actions.complete(touchpoint.name, "Reached")["interaction"]
	assert frappe.db.get_value("Interaction Log", log, "minutes") == 20


def test_next_step_becomes_a_promise_of_the_same_person(touchpoint):
	result = actions.complete(
		touchpoint.name, "Interested", next_step="Send the offer", next_date=add_days(nowdate(), 2)
	)
	promise = stored(result["promise"])
	assert (promise.is_promise, promise.assigned_to, promise.why) == (1, ANNA, "Send the offer")
	assert getdate(promise.due_date) == getdate(add_days(nowdate(), 2))
	assert get_todos(promise.name) == [(ANNA, "Open")]


def test_same_request_twice_is_one_completion(touchpoint):
	given = {"next_step": "Send the offer", "request_id": "phone-1"}
	first = actions.complete(touchpoint.name, "Reached", **given)
	assert actions.complete(touchpoint.name, "Reached", **given) == first
	assert frappe.db.count("Interaction Log", {"touchpoint": touchpoint.name}) == 1
	assert frappe.db.count("Touchpoint", {"party": "Care One", "is_promise": 1}) == 1


def test_second_completion_by_another_is_refused_and_says_who_was_first(touchpoint):
	actions.complete(touchpoint.name, "Reached", request_id="phone-1")
	frappe.set_user(BOSS)
	with pytest.raises(TouchpointEndedError, match=ANNA):
		actions.complete(touchpoint.name, "Declined", request_id="phone-2")
	assert TouchpointEndedError.http_status_code == 409
	assert stored(touchpoint.name).outcome == "Reached"


def by_method(name, **values):
	status = values.pop("status", None)
	if status == "Done":
		return actions.complete(name, values.pop("outcome", None), **values)
	if status == "Skipped":
		return actions.skip(name, values.get("reason"))
	if status == "Cancelled":
		return actions.cancel(name, values.get("reason"))
	return actions.reschedule(name, values.get("due_date"), values.get("reason"))


def by_rest(name, **values):
	doc = frappe.get_doc("Touchpoint", name, for_update=True)
	doc.update(values)
	doc.save()


def by_client(name, **values):
	set_value("Touchpoint", name, values)


EVERY_WAY = pytest.mark.parametrize("act", [by_method, by_rest, by_client])


@EVERY_WAY
def test_every_way_completes_alike(act, touchpoint):
	act(touchpoint.name, status="Done", outcome="Resolved", note="Fixed", minutes=12)
	doc = stored(touchpoint.name)
	log = frappe.get_doc("Interaction Log", doc.interaction)
	assert (doc.status, log.outcome, log.note, log.minutes) == ("Done", "Resolved", "Fixed", 12)
	assert get_todos(doc.name) == [(ANNA, "Closed")]


@EVERY_WAY
@pytest.mark.parametrize(
	("values", "field"),
	[
		({"status": "Done"}, "Outcome"),
		({"status": "Skipped"}, "Reason"),
		({"status": "Cancelled"}, "Reason"),
		({"due_date": "2199-01-01"}, "Reason"),
		({"due_date": "2020-01-01", "reason": "Because"}, "Due"),
		(
			{"status": "Done", "outcome": "Reached", "next_step": "Call", "next_date": "2020-01-01"},
			"Next Step On",
		),
	],
)
def test_every_way_refuses_the_same_and_names_the_field(act, values, field, touchpoint):
	with pytest.raises(frappe.ValidationError, match=f"^{field}: "):
		act(touchpoint.name, **values)


@EVERY_WAY
def test_nothing_changes_what_has_ended(act, touchpoint):
	actions.skip(touchpoint.name, "On holiday")
	for values in (
		{"status": "Done", "outcome": "Reached"},
		{"due_date": add_days(nowdate(), 3), "reason": "Later"},
	):
		with pytest.raises(TouchpointEndedError):
			act(touchpoint.name, **values)
	assert stored(touchpoint.name).status == "Skipped"


@pytest.mark.parametrize("act", [by_rest, by_client])
def test_ended_touchpoint_is_not_opened_again(act, touchpoint):
	actions.complete(touchpoint.name, "Reached")
	for values in ({"status": "Open"}, {"note": "Rewritten"}, {"minutes": 500}):
		with pytest.raises(TouchpointEndedError):
			act(touchpoint.name, **values)


def test_client_that_sends_the_same_again_is_answered(touchpoint):
	for _attempt in range(2):
		by_rest(touchpoint.name, status="Done", outcome="Reached", note="Fine")
	assert frappe.db.count("Interaction Log", {"touchpoint": touchpoint.name}) == 1


@EVERY_WAY
@pytest.mark.parametrize(
	"values", [{"status": "Done", "outcome": "Reached"}, {"status": "Skipped", "reason": "x"}]
)
def test_only_the_responsible_person_or_a_manager_acts(act, values, touchpoint):
	frappe.set_user(BEN)
	with pytest.raises(frappe.PermissionError):
		act(touchpoint.name, **values)
	frappe.set_user(BOSS)
	act(touchpoint.name, **values)
	assert stored(touchpoint.name).status == values["status"]


def test_unassigned_touchpoint_is_anybodys(people):
	doc = make_touchpoint("Care One")
	assert not doc.assigned_to
	frappe.set_user(BEN)
	assert actions.complete(doc.name, "Reached")["status"] == "Done"


def test_hidden_customers_touchpoint_is_refused(touchpoint):
	frappe.set_user("Administrator")
	with only_customer(ANNA, "Care Two"):
		frappe.set_user(ANNA)
		with pytest.raises(frappe.PermissionError):
			actions.complete(touchpoint.name, "Reached")


@pytest.mark.parametrize("status", ["Missed", "Suppressed", "Waiting"])
def test_what_the_night_sets_is_not_set_by_hand(status, touchpoint):
	with pytest.raises(frappe.ValidationError, match="Status"):
		by_rest(touchpoint.name, status=status)


def test_client_cannot_write_what_the_app_computes(touchpoint):
	by_rest(touchpoint.name, plan_family="Mine", completed_by=BEN, occurrence_key="x", times_rescheduled=9)
	doc = stored(touchpoint.name)
	assert (doc.plan_family, doc.completed_by, doc.occurrence_key) == (None, None, None)
	assert doc.times_rescheduled == 0


def test_party_of_a_touchpoint_stays(touchpoint):
	with pytest.raises(frappe.CannotChangeConstantError):
		by_rest(touchpoint.name, party="Care Two")


def test_board_knows_the_rules(touchpoint):
	frappe.set_user("Administrator")
	if not frappe.db.exists("Kanban Board", "Board of Tests"):
		columns = [{"column_name": name} for name in ("Open", "Done")]
		board = {"doctype": "Kanban Board", "kanban_board_name": "Board of Tests", "columns": columns}
		frappe.get_doc({**board, "reference_doctype": "Touchpoint", "field_name": "status"}).insert()
	frappe.set_user(ANNA)
	drag = ("Board of Tests", touchpoint.name, "Open", "Done", "0", "0")
	with pytest.raises(frappe.MandatoryError, match="Outcome"):
		update_order_for_single_card(*drag)
	by_client(touchpoint.name, outcome="Reached")
	update_order_for_single_card(*drag)
	assert stored(touchpoint.name).interaction


def test_reschedule_moves_todo_and_service_level(touchpoint):
	day = add_days(nowdate(), 4)
	actions.reschedule(touchpoint.name, day, "Asked for next week")
	doc = stored(touchpoint.name)
	assert (getdate(doc.due_date), doc.times_rescheduled, doc.reason) == (
		getdate(day),
		1,
		"Asked for next week",
	)
	assert getdate(doc.service_date) == getdate(add_days(day, 3))
	assert getdate(frappe.db.get_value("ToDo", {"reference_name": doc.name}, "date")) == getdate(day)


def test_meeting_has_an_event_that_follows_it(touchpoint):
	starts = add_to_date(get_datetime(nowdate()), days=1, hours=10)
	by_rest(touchpoint.name, starts_at=starts, duration=45, reason="Appointment made")
	doc = stored(touchpoint.name)
	event = frappe.get_doc("Event", doc.event)
	assert getdate(doc.due_date) == starts.date()
	assert (event.starts_on, event.ends_on) == (starts, add_to_date(starts, minutes=45))
	assert [(row.reference_doctype, row.reference_docname) for row in event.event_participants] == [
		("Customer", "Care One")
	]
	assert event.owner == ANNA
	actions.reschedule(doc.name, add_days(nowdate(), 3), "Moved")
	assert event.reload().starts_on == add_to_date(starts, days=2)
	actions.complete(doc.name, "Reached")
	assert event.reload().status == "Completed"


def test_event_of_a_touchpoint_that_the_night_ended_is_ended_too(touchpoint):
	starts = add_to_date(get_datetime(nowdate()), days=1, hours=10)
	by_rest(touchpoint.name, starts_at=starts, reason="Appointment made")
	frappe.db.set_value("Touchpoint", touchpoint.name, "status", "Missed")
	assert [meetings.close_left_open(), meetings.close_left_open()] == [1, 0]
	assert frappe.db.get_value("Event", stored(touchpoint.name).event, "status") == "Cancelled"


def test_reassign_moves_the_todo(touchpoint):
	assert actions.reassign([touchpoint.name], BEN)["done"] == [touchpoint.name]
	assert sorted(get_todos(touchpoint.name)) == [(ANNA, "Cancelled"), (BEN, "Open")]
	assert frappe.parse_json(stored(touchpoint.name)._assign) == [BEN]


def test_touchpoint_is_not_given_to_one_who_cannot_see_the_party(touchpoint):
	stranger = make_user("stranger.care@example.com", "Retention User")
	result = actions.reassign([touchpoint.name], stranger)
	assert result["done"] == []
	assert stranger in result["failed"][0]["error"]
	assert stored(touchpoint.name).assigned_to == ANNA


def test_selection_does_what_it_can_and_names_the_rest(touchpoint):
	frappe.set_user("Administrator")
	mine, bens = make_touchpoint("Care Two", assigned_to=ANNA), make_touchpoint("Care Two", assigned_to=BEN)
	frappe.set_user(ANNA)
	actions.skip(mine.name, "Closed for holidays")
	result = api.complete_each(frappe.as_json([touchpoint.name, mine.name, bens.name, "no-such"]), "Reached")
	assert result["done"] == [touchpoint.name]
	assert [row["name"] for row in result["failed"]] == [mine.name, bens.name, "no-such"]
	assert "Skipped" in result["failed"][0]["error"]
	assert stored(touchpoint.name).status == "Done"
	assert stored(bens.name).status == "Open"
	assert frappe.db.count("Interaction Log", {"touchpoint": ("in", [mine.name, bens.name])}) == 0


def test_note_is_asked_for_only_where_the_kind_insists(touchpoint):
	frappe.set_user("Administrator")
	kind = frappe.get_doc({"doctype": "Interaction Kind", "kind_name": "Deep Talk"})
	kind.append("required_facts", {"fact": "note", "refuse": 1})
	kind.insert()
	make_type("Deep Talk of Tests", interaction_kind="Deep Talk")
	doc = make_touchpoint("Care One", touchpoint_type="Deep Talk of Tests", assigned_to=ANNA)
	frappe.set_user(ANNA)
	with pytest.raises(frappe.MandatoryError, match=r"^Note: "):
		actions.complete(doc.name, "Reached")
	assert actions.complete(doc.name, "Reached", "They told us a lot")["status"] == "Done"
	assert actions.complete(touchpoint.name, "Reached")["status"] == "Done"


def test_calendar_moves_a_touchpoint_with_its_meeting(touchpoint):
	day = add_days(nowdate(), 2)
	api.move(frappe.as_json({"name": touchpoint.name, "due_date": f"{day} 00:00:00"}))
	assert getdate(stored(touchpoint.name).due_date) == getdate(day)


def test_account_manager_is_responsible_unless_told_otherwise(people):
	frappe.db.set_value("Customer", "Care Two", "account_manager", BEN)
	assert make_touchpoint("Care Two").assigned_to == BEN


def test_user_deletes_none_and_a_plans_touchpoint_is_cancelled_instead(touchpoint):
	with pytest.raises(frappe.PermissionError):
		frappe.delete_doc("Touchpoint", touchpoint.name)
	frappe.set_user("Administrator")
	frappe.db.set_value("Touchpoint", touchpoint.name, "occurrence_key", "family|step|day|Care One")
	with pytest.raises(frappe.ValidationError, match="cancel it"):
		frappe.delete_doc("Touchpoint", touchpoint.name)


def test_completion_that_fails_half_way_leaves_nothing(touchpoint):
	frappe.set_user("Administrator")
	row = {"doctype": "Interaction Log", "party_type": "Customer", "party": "Care One", "kind": "Call"}
	row |= {"occurred_on": now_datetime(), "reference_key": f"touchpoint|{touchpoint.name}"}
	frappe.get_doc(row).insert(ignore_permissions=True)
	frappe.set_user(ANNA)
	result = actions.on_each([touchpoint.name], lambda name: actions.complete(name, "Reached"))
	assert result["done"] == []
	assert (stored(touchpoint.name).status, get_todos(touchpoint.name)) == ("Open", [(ANNA, "Open")])

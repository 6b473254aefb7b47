"""What Frappe mails to followers and shows in calendars tells of no customer whom its reader may not read."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, nowdate

from crm_retention.records import RECORDS
from tests.site.attacks.calls import call
from tests.site.attacks.scene import (
	FAR,
	LIMITED,
	NEAR,
	OUTSIDERS,
	SECRET,
	TYPE,
	get_address,
	make_parties,
	make_people,
)

FOLLOW = "frappe.desk.form.document_follow.follow_document"


@pytest.fixture(scope="module", autouse=True)
def names(leave_site_as_it_was):
	"""Two customers with one of everything, and people of every kind who like to be told of what they follow."""
	found = make_parties()
	make_people()
	for person in ("Sales User", "Retention Manager", *LIMITED):
		values = {"document_follow_notify": 1, "document_follow_frequency": "Hourly"}
		frappe.db.set_value("User", get_address(person), values)
	frappe.clear_cache()
	return found


def follow(doctype: str, name: str, user: str) -> bool:
	"""Whether somebody follows a document after they asked to."""
	from frappe.desk.form.document_follow import follow_document

	frappe.set_user(user)
	follow_document(doctype, name, user)
	frappe.set_user("Administrator")
	return bool(frappe.db.exists("Document Follow", {"ref_docname": name, "user": user}))


@pytest.mark.parametrize("person", LIMITED)
@pytest.mark.parametrize("doctype", ["Customer", *RECORDS])
def test_no_customer_beyond_is_followed(doctype, person, names):
	assert not follow(doctype, names[doctype][FAR], get_address(person))


@pytest.mark.parametrize("doctype", ["Retention Profile", "Touchpoint", "Contact Preference"])
def test_whoever_may_read_no_record_follows_none(doctype, names):
	assert not follow(doctype, names[doctype][NEAR], get_address("Sales User"))


@pytest.mark.parametrize("doctype", ["Customer", "Retention Profile", "Touchpoint"])
def test_what_one_may_read_is_followed(doctype, names):
	assert follow(doctype, names[doctype][NEAR], get_address("limited Retention User"))


def test_following_ends_with_the_permission(names):
	from crm_retention.following import drop_unreadable

	user, touchpoint = get_address("Retention Manager"), names["Touchpoint"][FAR]
	assert follow("Touchpoint", touchpoint, user)
	assert follow("Customer", FAR, user)
	assert drop_unreadable() == 0
	permission = {
		"doctype": "User Permission",
		"user": user,
		"allow": "Territory",
		"apply_to_all_doctypes": 1,
	}
	frappe.get_doc({**permission, "for_value": "Territory Near"}).insert()
	frappe.cache.hdel("user_permissions", user)
	assert drop_unreadable() == 2
	assert not frappe.db.exists("Document Follow", {"user": user})


@pytest.fixture(scope="module")
def meeting(names):
	"""A colleague's meeting with the customer beyond, made of a promise that speaks of the customer."""
	touchpoint = frappe.get_doc(
		{
			"doctype": "Touchpoint",
			"party_type": "Customer",
			"party": FAR,
			"touchpoint_type": TYPE,
			"due_date": add_days(nowdate(), 2),
			"starts_at": f"{add_days(nowdate(), 2)} 10:00:00",
			"assigned_to": get_address("Retention User"),
			"why": f"Show {SECRET} the offer",
		}
	)
	return touchpoint.insert()


def get_shown(person: str):
	"""What the calendar of a colleague shows to somebody."""
	days = {"start": nowdate(), "end": add_days(nowdate(), 6)}
	method = "frappe.desk.doctype.event.event.get_events"
	return call(get_address(person), method, user=get_address("Retention User"), **days)


@pytest.mark.parametrize("person", [*OUTSIDERS, "Sales User", "Support", *LIMITED])
def test_no_calendar_of_a_colleague_tells_whom_they_meet(person, meeting):
	answer = get_shown(person)
	assert SECRET not in answer.text
	assert FAR not in answer.text


def test_whoever_meets_finds_the_touchpoint_and_the_customer_by_the_event(meeting):
	shown = get_shown("Retention User").data
	event = frappe.get_doc("Event", meeting.event)
	assert [(row["name"], row["subject"]) for row in shown] == [(event.name, TYPE)]
	assert meeting.name in event.description
	assert [row.reference_docname for row in event.event_participants] == [FAR]


def test_events_of_before_lose_the_name_once_and_others_stay_as_they_are(meeting):
	from crm_retention.patches.take_names_out_of_events import execute

	own = frappe.get_doc({"doctype": "Event", "subject": "Own", "starts_on": nowdate()}).insert()
	frappe.db.set_value("Event", meeting.event, {"subject": meeting.title, "description": meeting.why})
	for _time in range(2):
		execute()
	assert SECRET not in "".join(frappe.db.get_value("Event", meeting.event, ["subject", "description"]))
	frappe.db.set_value("Touchpoint", meeting.name, "event", own.name)
	execute()
	assert frappe.db.get_value("Event", own.name, "subject") == "Own"

"""Whoever asks for a record that is somebody else's learns as little as whoever asks for one that is not there."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import nowdate

from tests.site.attacks.calls import call, get_arguments
from tests.site.attacks.surface import get_methods
from tests.site.desk import make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.touchpoints import TYPE, make_touchpoint, make_type, only_customer

LIMITED, MANAGER = "limited.asks@example.com", "limited.manages@example.com"
PORTAL, NOBODY = "portal.asks@example.com", "no.role.asks@example.com"
OWN, FOREIGN, NOT_THERE = "Asked Own", "Zzyzx Asked Foreign", "notthere99"
DAY = "2199-12-31"
OF_TOUCHPOINT = {
	"complete": {"outcome": "Reached"},
	"skip": {"reason": "x"},
	"cancel": {"reason": "x"},
	"reschedule": {"due_date": DAY, "reason": "x"},
	"retry_message": {},
}
OF_SELECTION = {
	"complete_each": {"outcome": "Reached"},
	"skip_each": {"reason": "x"},
	"cancel_each": {"reason": "x"},
	"reschedule_each": {"due_date": DAY, "reason": "x"},
	"reassign": {"user": "Administrator"},
}
OF_PARTY = (
	"profile.explain",
	"timeline.get_view",
	"timeline.get_timeline",
	"handover.brief",
	"interactions.log_interaction",
)


@pytest.fixture(scope="module", autouse=True)
def foreign(leave_site_as_it_was):
	"""A touchpoint, an interaction and a customer that the limited ones may not see, and people of other kinds."""
	make_type()
	for name in (OWN, FOREIGN):
		make_customer(name)
		make_profile(name)
	make_user(LIMITED, "Retention User", "Sales User")
	make_user(MANAGER, "Retention Manager", "Sales User")
	make_user(NOBODY)
	portal = {"doctype": "User", "email": PORTAL, "first_name": "P", "user_type": "Website User"}
	frappe.get_doc({**portal, "send_welcome_email": 0}).insert(ignore_permissions=True).add_roles("Customer")
	touchpoint, row = make_touchpoint(FOREIGN).name, make_row(FOREIGN).insert().name
	with only_customer(LIMITED, OWN), only_customer(MANAGER, OWN):
		yield {"touchpoint": touchpoint, "row": row}


def assert_same(theirs, missing, *names):
	assert theirs.about(*names) == missing.about(*names)
	assert FOREIGN not in theirs.text


@pytest.mark.parametrize("user", [LIMITED, MANAGER, PORTAL, NOBODY])
@pytest.mark.parametrize("method", OF_TOUCHPOINT)
def test_no_action_tells_whether_a_touchpoint_is_there(method, user, foreign):
	theirs, missing = (
		call(user, f"touchpoints.{method}", name=name, **OF_TOUCHPOINT[method])
		for name in (foreign["touchpoint"], NOT_THERE)
	)
	assert_same(theirs, missing, foreign["touchpoint"], NOT_THERE)
	assert theirs.status == 403


@pytest.mark.parametrize("user", [LIMITED, MANAGER])
@pytest.mark.parametrize("method", OF_SELECTION)
def test_no_selection_tells_the_title_of_what_may_not_be_read(method, user, foreign):
	theirs, missing = (
		call(user, f"touchpoints.{method}", names=[name], **OF_SELECTION[method])
		for name in (foreign["touchpoint"], NOT_THERE)
	)
	assert_same(theirs, missing, foreign["touchpoint"], NOT_THERE)
	assert [row["title"] for row in theirs.data["failed"]] == [foreign["touchpoint"]]
	assert theirs.data["done"] == []


@pytest.mark.parametrize("user", [PORTAL, NOBODY])
@pytest.mark.parametrize("method", OF_SELECTION)
def test_no_selection_of_a_stranger_is_answered(method, user, foreign):
	answer = call(user, f"touchpoints.{method}", names=[foreign["touchpoint"]], **OF_SELECTION[method])
	assert (answer.status, answer.data, FOREIGN in answer.text) == (403, None, False)


@pytest.mark.parametrize("user", [LIMITED, MANAGER])
def test_no_drag_in_the_calendar_tells_of_others(user, foreign):
	theirs, missing = (
		call(user, "touchpoints.move", args={"name": name, "starts_at": DAY})
		for name in (foreign["touchpoint"], NOT_THERE)
	)
	assert_same(theirs, missing, foreign["touchpoint"], NOT_THERE)
	assert theirs.status == 403


@pytest.mark.parametrize("user", [LIMITED, MANAGER, PORTAL, NOBODY])
def test_no_correction_tells_of_others(user, foreign):
	theirs, missing = (
		call(user, "interactions.correct", name=name, values={"note": "x"})
		for name in (foreign["row"], NOT_THERE)
	)
	assert_same(theirs, missing, foreign["row"], NOT_THERE)
	assert theirs.status == 403


@pytest.mark.parametrize("user", [LIMITED, MANAGER, PORTAL, NOBODY])
@pytest.mark.parametrize("method", OF_PARTY)
@pytest.mark.parametrize("party_type", ["Customer", "Lead"])
def test_no_customer_is_found_by_guessing_names(party_type, method, user, foreign):
	kind = {"kind": "Note"} if method.endswith("log_interaction") else {}
	theirs, missing = (
		call(user, method, party_type=party_type, party=party, **kind) for party in (FOREIGN, NOT_THERE)
	)
	assert theirs.about(FOREIGN, NOT_THERE) == missing.about(FOREIGN, NOT_THERE)
	assert theirs.status == 403


@pytest.mark.parametrize(
	"method",
	["cycle.progress", "crm_retention.crm_retention.doctype.retention_run.retention_run.get_preview"],
)
def test_no_run_is_found_by_guessing_names(method):
	run = frappe.get_doc({"doctype": "Retention Run", "kind": "Preview", "as_of": nowdate()}).insert().name
	theirs, missing = (call(NOBODY, method, run=name) for name in (run, NOT_THERE))
	assert (theirs.status, theirs.about(run, NOT_THERE)) == (403, missing.about(run, NOT_THERE))


@pytest.mark.parametrize("method", ["make_new_version", "get_difference", "pause", "resume"])
def test_no_plan_is_found_by_guessing_names(method):
	plan = frappe.get_all("Maintenance Plan", pluck="name", limit=1)[0]
	theirs, missing = (call(NOBODY, f"plans.{method}", plan=name) for name in (plan, NOT_THERE))
	assert (theirs.status, theirs.about(plan, NOT_THERE)) == (403, missing.about(plan, NOT_THERE))


def test_no_contact_is_found_by_correcting_a_row_to_it():
	contact = frappe.get_doc({"doctype": "Contact", "first_name": "Zed"}).insert().name
	make_user("reads.no.contact@example.com", "Retention User")
	frappe.share.add("Customer", OWN, "reads.no.contact@example.com", notify=0)
	row = make_row(OWN).insert()
	frappe.db.set_value("Interaction Log", row.name, "owner", "reads.no.contact@example.com")
	theirs, missing = (
		call("reads.no.contact@example.com", "interactions.correct", name=row.name, values={"contact": name})
		for name in (contact, NOT_THERE)
	)
	assert (theirs.status, theirs.about(contact, NOT_THERE)) == (403, missing.about(contact, NOT_THERE))


@pytest.mark.parametrize("user", [LIMITED, MANAGER])
@pytest.mark.parametrize(
	"values",
	[
		{"doctype": "Contact Preference", "channel": "Email", "answer": "No"},
		{"doctype": "Touchpoint", "touchpoint_type": TYPE, "due_date": DAY},
		{"doctype": "Interaction Log", "kind": "Note", "note": "x", "occurred_on": "2026-01-01"},
	],
	ids=lambda values: values["doctype"],
)
def test_no_new_record_tells_whether_a_customer_is_there(values, user, foreign):
	theirs, missing = (
		call(user, "frappe.client.insert", doc={**values, "party_type": "Customer", "party": party})
		for party in (FOREIGN, NOT_THERE)
	)
	assert_same(theirs, missing, FOREIGN, NOT_THERE)
	assert theirs.status == 403
	assert not any(word in theirs.text for word in ("Customer Group", "Territory", "linked"))


OWN_ROW = {
	"doctype": "Interaction Log",
	"party_type": "Customer",
	"party": OWN,
	"kind": "Note",
	"note": "x",
	"occurred_on": "2026-01-01",
}


@pytest.mark.parametrize("user", [LIMITED, MANAGER])
@pytest.mark.parametrize("field", ["touchpoint", "supersedes"])
def test_no_row_of_ones_own_tells_what_else_is_there(field, user, foreign):
	name = foreign["touchpoint" if field == "touchpoint" else "row"]
	theirs, missing = (
		call(user, "frappe.client.insert", doc={**OWN_ROW, field: named}) for named in (name, NOT_THERE)
	)
	assert_same(theirs, missing, name, NOT_THERE)
	assert theirs.status == 403
	assert call(user, "frappe.client.insert", doc=OWN_ROW).status == 200


def test_no_contact_is_found_by_logging_something_with_it():
	contact = frappe.get_doc({"doctype": "Contact", "first_name": "Zed"}).insert().name
	user = make_user("logs.no.contact@example.com", "Retention User")
	frappe.share.add("Customer", OWN, user, notify=0)
	theirs, missing = (
		call(user, "frappe.client.insert", doc={**OWN_ROW, "contact": name}) for name in (contact, NOT_THERE)
	)
	assert (theirs.status, theirs.about(contact, NOT_THERE)) == (403, missing.about(contact, NOT_THERE))
	assert call(user, "frappe.client.insert", doc=OWN_ROW).status == 200
	own = call(LIMITED, "frappe.client.insert", doc={**OWN_ROW, "contact": contact})
	assert own.data["contact"] == contact, own


@pytest.mark.parametrize("user", [LIMITED, MANAGER])
@pytest.mark.parametrize("field", ["communication", "event", "interaction"])
def test_no_touchpoint_of_ones_own_tells_what_else_is_there(field, user, foreign):
	"""What only the app names on a touchpoint is not looked for, whether one makes it or changes it."""
	own = make_touchpoint(OWN, assigned_to=user).name
	given = {"doctype": "Touchpoint", "party_type": "Customer", "party": OWN, "touchpoint_type": TYPE}
	new = {**given, "due_date": nowdate(), field: NOT_THERE}
	assert call(user, "frappe.client.insert", doc=new).data[field] is None
	kept = call(
		user, "frappe.client.set_value", doctype="Touchpoint", name=own, fieldname=field, value=NOT_THERE
	)
	assert (kept.status, kept.data[field]) == (200, None), kept


@pytest.mark.parametrize("path", get_methods())
@pytest.mark.parametrize("user", ["Guest", PORTAL, NOBODY])
def test_no_method_answers_strangers(path, user, foreign):
	"""Whatever they send that is well formed: no role, no answer."""
	values = {
		"party_type": "Customer", "party": OWN, "name": foreign["touchpoint"], "names": [foreign["touchpoint"]],
		"run": "x", "outcome": "Reached", "reason": "x", "user": "Administrator", "kind": "Note", "country": "Germany",
		"due_date": DAY, "start": DAY, "end": DAY, "plan": "x", "doc": {"doctype": "Maintenance Plan"}, "steps": [],
		"from_user": LIMITED, "to_user": MANAGER, "args": {"name": foreign["touchpoint"], "start": DAY}, "values": {},
	}  # fmt: skip
	needed = [name for name, said in get_arguments(get_methods()[path]).items() if said.default is said.empty]
	answer = call(user, path, **{name: values[name] for name in needed})
	assert (answer.status, answer.data) == (403, None), answer
	assert FOREIGN not in answer.text

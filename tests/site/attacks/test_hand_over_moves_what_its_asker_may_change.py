"""A hand-over changes no customer and no touchpoint that its asker could not change one by one."""

from __future__ import annotations

import frappe
import pytest

from crm_retention.care import handover
from tests.site.attacks.calls import call, forget_request
from tests.site.desk import make_customer, make_user
from tests.site.touchpoints import make_touchpoint, make_type, only_customer

LEAVES, COMES, STRANGER = "leaves.attacked@example.com", "comes.attacked@example.com", "no.care@example.com"
LIMITED, READER, ROLELESS = (
	"limited.boss@example.com",
	"reading.boss@example.com",
	"roleless.boss@example.com",
)
BOSS = "boss.attacked@example.com"
NEAR, FAR, FAR_TOO = "Handed Near", "Zzyzx Handed Far", "Zzyzx Handed Far Too"


@pytest.fixture(scope="module", autouse=True)
def touchpoints(leave_site_as_it_was):
	"""A touchpoint of each customer, by customer; the limited manager may see one of them."""
	make_type()
	for user in (LEAVES, COMES):
		make_user(user, "Retention User", "Sales User")
	make_user(STRANGER, "Sales User")
	make_user(LIMITED, "Retention Manager", "Sales User")
	make_user(READER, "Retention Manager", "Stock User")
	make_user(ROLELESS, "Retention Manager")
	make_user(BOSS, "Retention Manager", "Sales User")
	for name in (NEAR, FAR, FAR_TOO):
		make_customer(name, account_manager=LEAVES)
	with only_customer(LIMITED, NEAR):
		yield {name: make_touchpoint(name, assigned_to=LEAVES).name for name in (NEAR, FAR, FAR_TOO)}


def hand_over(user, **values):
	frappe.set_user(user)
	forget_request()
	try:
		return frappe.call("crm_retention.api.handover.hand_over", from_user=LEAVES, to_user=COMES, **values)
	finally:
		frappe.set_user("Administrator")


def owners():
	return [frappe.db.get_value("Customer", name, "account_manager") for name in (NEAR, FAR, FAR_TOO)]


def persons(touchpoints):
	return [frappe.db.get_value("Touchpoint", name, "assigned_to") for name in touchpoints.values()]


def test_no_customer_beyond_the_askers_reach_moves_or_is_named(touchpoints):
	result = hand_over(LIMITED)
	assert (owners(), persons(touchpoints)) == ([COMES, LEAVES, LEAVES], [COMES, LEAVES, LEAVES])
	assert (result["parties"], result["touchpoints"], result["left_out"], result["failed"]) == (1, 1, 2, [])
	assert "Zzyzx" not in frappe.as_json(result)


def test_no_customer_moves_because_it_was_chosen_by_name(touchpoints):
	result = hand_over(LIMITED, parties=[["Customer", NEAR], ["Customer", FAR], ["Customer", "Not There"]])
	assert owners() == [COMES, LEAVES, LEAVES]
	assert (result["parties"], result["left_out"], result["failed"]) == (1, 2, [])


def test_no_choice_tells_a_customer_that_is_there_from_one_that_is_not(touchpoints):
	theirs, missing = (
		call(LIMITED, "handover.hand_over", from_user=LEAVES, to_user=COMES, parties=[["Customer", name]])
		for name in (FAR, "Not There")
	)
	assert theirs.about(FAR, "Not There") == missing.about(FAR, "Not There")


@pytest.mark.parametrize("user", [READER, ROLELESS])
def test_no_customer_moves_for_whoever_may_not_write_it(user, touchpoints):
	result = hand_over(user)
	assert (owners(), persons(touchpoints)) == ([LEAVES] * 3, [LEAVES] * 3)
	assert (result["parties"], result["left_out"], result["queued"]) == (0, 3, False)


def test_no_hundred_customers_are_queued_for_whoever_may_see_none(monkeypatch, touchpoints):
	monkeypatch.setattr(handover, "AT_ONCE", 0)
	monkeypatch.setattr(frappe, "enqueue", lambda *_args, **_kwargs: pytest.fail("queued"))
	assert hand_over(ROLELESS) == {
		"parties": 0,
		"touchpoints": 0,
		"failed": [],
		"left_out": 3,
		"queued": False,
	}


def test_no_job_moves_more_than_its_asker_may_when_it_runs(monkeypatch, touchpoints):
	monkeypatch.setattr(frappe.db, "commit", lambda: None)
	given = {"from_user": LEAVES, "to_user": COMES, "keep": []}
	handover.run_hand_over(by=LIMITED, parties=[("Customer", NEAR), ("Customer", FAR)], **given)
	assert owners() == [COMES, LEAVES, LEAVES]
	assert frappe.session.user == "Administrator"
	said = frappe.get_all("Notification Log", {"for_user": LIMITED}, ["subject", "email_content"])
	assert "Zzyzx" not in frappe.as_json(said)


@pytest.mark.parametrize("values", [{"enabled": 0}, {"roles": []}])
def test_no_job_moves_anything_for_whoever_is_no_manager_any_more(values, monkeypatch, touchpoints):
	monkeypatch.setattr(frappe.db, "commit", lambda: None)
	boss = frappe.get_doc("User", make_user("former.boss@example.com", "Retention Manager", "Sales User"))
	boss.update(values)
	boss.save(ignore_permissions=True)
	with pytest.raises(frappe.PermissionError):
		handover.run_hand_over(by=boss.name, from_user=LEAVES, to_user=COMES, keep=[])
	assert owners() == [LEAVES] * 3
	assert frappe.session.user == "Administrator"


def test_no_touchpoint_that_the_asker_may_not_write_moves_with_its_customer(touchpoints):
	make_type("Hidden Type of Tests")
	other = make_touchpoint(NEAR, touchpoint_type="Hidden Type of Tests", assigned_to=LEAVES).name
	permission = {"doctype": "User Permission", "user": LIMITED, "allow": "Touchpoint Type"}
	frappe.get_doc({**permission, "for_value": "Care Call of Tests", "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", LIMITED)
	result = hand_over(LIMITED)
	assert frappe.db.get_value("Touchpoint", other, "assigned_to") == LEAVES
	assert (result["parties"], result["touchpoints"], result["left_out"]) == (1, 1, 3)


@pytest.mark.parametrize("to_user", [STRANGER, "Guest", "nobody@example.com"])
def test_no_hand_over_goes_to_whoever_cannot_care(to_user, touchpoints):
	answer = call(BOSS, "handover.hand_over", from_user=LEAVES, to_user=to_user)
	assert (answer.status, to_user in answer.text) == (417, True)


def test_no_user_hands_over(touchpoints):
	assert call(LEAVES, "handover.hand_over", from_user=LEAVES, to_user=COMES).status == 403


def test_customers_of_nobody_are_nobodys_to_hand_over(touchpoints):
	assert call(BOSS, "handover.hand_over", from_user="", to_user=COMES).status == 417

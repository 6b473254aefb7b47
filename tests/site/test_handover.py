"""Handing over: what moves, what stays, what the next person learns, and that it can be done again."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, getdate, nowdate

from crm_retention.api import handover as api
from crm_retention.care import actions, handover
from crm_retention.views import brief
from tests.site.desk import make_user
from tests.site.touchpoints import get_todos, make_customers, make_seller, make_touchpoint, only_customer

ANNA, BEN, BOSS = "anna.leaves@example.com", "ben.comes@example.com", "boss.hands@example.com"


@pytest.fixture(scope="module", autouse=True)
def people(leave_site_as_it_was):
	make_seller(ANNA)
	make_seller(BEN)
	make_user(BOSS, "Retention Manager", "Sales User")
	make_customers("Hand One", "Hand Two", account_manager=ANNA)
	make_customers("Hand Other")


def due(party="Hand One", days=3, **values):
	return make_touchpoint(party, due_date=add_days(nowdate(), days), assigned_to=ANNA, **values).name


def owner(party):
	return frappe.db.get_value("Customer", party, "account_manager")


def comments(party):
	filters = {"reference_doctype": "Customer", "reference_name": party, "comment_type": "Info"}
	return frappe.get_all("Comment", filters, pluck="content")


def test_owner_touchpoints_and_promises_move_and_the_clock_stays():
	plain, promise, past = due(days=-5), due("Hand Two", is_promise=1), due()
	actions.skip(past, "Not needed")
	before = frappe.get_doc("Touchpoint", plain)
	frappe.set_user(BOSS)
	result = api.hand_over(ANNA, BEN, tell_customer="0")  # as a form sends it
	assert (result["parties"], result["touchpoints"], result["failed"]) == (2, 2, [])
	assert [owner(name) for name in ("Hand One", "Hand Two", "Hand Other")] == [BEN, BEN, None]
	after = frappe.get_doc("Touchpoint", plain)
	assert (after.assigned_to, after.due_date, after.service_date) == (
		BEN,
		before.due_date,
		before.service_date,
	)
	assert (get_todos(plain), frappe.parse_json(after._assign)) == ([(BEN, "Open")], [BEN])
	assert getdate(frappe.db.get_value("ToDo", {"reference_name": plain}, "date")) == before.due_date
	assert frappe.db.get_value("Touchpoint", promise, "assigned_to") == BEN
	assert frappe.db.get_value("Touchpoint", past, "assigned_to") == ANNA


def test_again_changes_nothing_more():
	due()
	frappe.set_user(BOSS)
	api.hand_over(ANNA, BEN)
	said = comments("Hand One")
	again = api.hand_over(ANNA, BEN)
	assert (again["parties"], again["touchpoints"]) == (0, 0)
	assert comments("Hand One") == said
	assert frappe.db.count("Notification Log", {"for_user": BEN, "document_name": ANNA}) == 1


def test_brief_tells_what_the_next_person_must_know():
	done = due()
	actions.complete(done, "Interested", "They want <b>blue</b>", next_step="Send the sample")
	issue = {"doctype": "Issue", "subject": "Broken seal", "customer": "Hand One"}
	frappe.get_doc(issue).insert(ignore_permissions=True)
	html = brief.render("Customer", "Hand One")
	for text in ("Send the sample", "Broken seal", "They want &lt;b&gt;blue&lt;/b&gt;", "Interested"):
		assert text in html
	frappe.set_user(BOSS)
	api.hand_over(ANNA, BEN)
	assert comments("Hand One") == [f"Handed over from {ANNA} to {BEN}, with 1 touchpoints."]
	assert api.brief("Customer", "Hand One")["html"]


def test_chosen_parties_move_and_kept_touchpoints_stay():
	kept, moved = due(), due(days=9)
	frappe.set_user(BOSS)
	result = api.hand_over(ANNA, BEN, parties=[["Customer", "Hand One"]], keep=[kept])
	assert (result["parties"], result["touchpoints"]) == (1, 1)
	assert [owner("Hand One"), owner("Hand Two")] == [BEN, ANNA]
	assert [frappe.db.get_value("Touchpoint", name, "assigned_to") for name in (kept, moved)] == [ANNA, BEN]


def test_party_that_the_new_person_may_not_see_stays_and_is_named():
	with only_customer(BEN, "Hand One"):
		frappe.set_user(BOSS)
		result = api.hand_over(ANNA, BEN)
	assert result["parties"] == 1
	assert [row["party"] for row in result["failed"]] == ["Hand Two"]
	assert owner("Hand Two") == ANNA


def test_customer_is_told_by_a_message_that_the_rules_judge():
	template = {"doctype": "Email Template", "name": "Hand-Over of Tests", "subject": "New", "response": "x"}
	frappe.get_doc(template).insert()
	frappe.set_user(BOSS)
	with pytest.raises(frappe.ValidationError, match="Email Template"):
		api.hand_over(ANNA, BEN, tell_customer=1)
	api.hand_over(ANNA, BEN, tell_customer=1, email_template="Hand-Over of Tests")
	letters = frappe.get_all("Touchpoint", {"email_template": "Hand-Over of Tests"}, ["*"])
	assert sorted(row.party for row in letters) == ["Hand One", "Hand Two"]
	assert {(row.assigned_to, row.send_by_itself, row.message_status) for row in letters} == {(BEN, 1, "Due")}


def test_only_managers_hand_over():
	frappe.set_user(ANNA)
	with pytest.raises(frappe.PermissionError):
		api.hand_over(ANNA, BEN)


@pytest.mark.commits
def test_many_go_to_a_job_that_ends_what_a_dead_worker_began(monkeypatch, site):
	monkeypatch.setattr(handover, "AT_ONCE", 1)
	first = due("Hand One")
	second = due("Hand Two")
	frappe.db.commit()
	frappe.set_user(BOSS)
	given = {"by": BOSS, "from_user": ANNA, "to_user": BEN, "keep": []}
	move = handover.move_party

	def die(party_type, party, *rest):
		if party == "Hand Two":
			raise KeyboardInterrupt
		return move(party_type, party, *rest)

	monkeypatch.setattr(handover, "move_party", die)
	with pytest.raises(KeyboardInterrupt):
		handover.run_hand_over(**given)
	frappe.db.rollback()
	monkeypatch.setattr(handover, "move_party", move)
	assert [frappe.db.get_value("Touchpoint", name, "assigned_to") for name in (first, second)] == [BEN, ANNA]
	handover.run_hand_over(**given)
	assert [frappe.db.get_value("Touchpoint", name, "assigned_to") for name in (first, second)] == [BEN, BEN]
	assert len(comments("Hand One")) == 1
	assert frappe.db.exists("Notification Log", {"for_user": BOSS, "document_type": "User"})

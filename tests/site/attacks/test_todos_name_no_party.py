"""A ToDo is shown to its person without asking who may see the party: so it says what is to be done, and not with whom."""

from __future__ import annotations

import frappe
import pytest

from crm_retention.care import todos
from crm_retention.patches import name_no_party_in_todos
from tests.site.touchpoints import TYPE, make_customers, make_seller, make_touchpoint

PARTY, USER, OTHER = "Quetzalcoatlus & Sons", "todo.one@example.com", "todo.two@example.com"


@pytest.fixture(autouse=True)
def touchpoint() -> str:
	make_customers(PARTY)
	make_seller(USER)
	make_seller(OTHER)
	return make_touchpoint(PARTY, assigned_to=USER).name


def get_all(touchpoint: str) -> list[str]:
	"""The descriptions of a touchpoint's ToDos."""
	return frappe.get_all("ToDo", {"reference_name": touchpoint}, pluck="description")


def test_not_when_it_is_entered(touchpoint: str) -> None:
	assert get_all(touchpoint) == [TYPE]
	frappe.db.set_value("Touchpoint", touchpoint, "why", "Promised & kept")
	doc = frappe.get_doc("Touchpoint", touchpoint)
	doc.assigned_to = OTHER
	doc.save()
	assert f"{TYPE} (Promised &amp; kept)" in get_all(touchpoint)
	assert "Quetzal" not in str(get_all(touchpoint))


def test_not_when_it_is_handed_over(touchpoint: str) -> None:
	frappe.db.delete("ToDo", {"reference_name": touchpoint})
	todos.hand_over([touchpoint], OTHER)
	assert get_all(touchpoint) == [TYPE]


def test_not_in_those_that_are_stored_and_peoples_own_words_stay(touchpoint: str) -> None:
	title = frappe.utils.escape_html(frappe.db.get_value("Touchpoint", touchpoint, "title"))
	for text in (f"{title} (Trial: Every week)", "Ask their doorman"):
		row = {"doctype": "ToDo", "reference_type": "Touchpoint", "reference_name": touchpoint}
		frappe.get_doc(row | {"description": text, "allocated_to": USER}).insert()
	for _turn in range(2):
		name_no_party_in_todos.execute()
		assert sorted(get_all(touchpoint)) == sorted(["Ask their doorman", TYPE, TYPE])

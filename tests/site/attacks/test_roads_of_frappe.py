"""Frappe's own roads that ask for no permission lead to no foreign record either."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.desk.doctype.event.event import get_events
from frappe.desk.form.document_follow import follow_document
from frappe.desk.search import get_link_title
from frappe.utils import add_days, now_datetime, nowdate

from crm_retention.api.timeline import get_timeline
from crm_retention.closed_doctypes import why_closed
from crm_retention.records import RECORDS
from tests.site.desk import make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.touchpoints import make_touchpoint, make_type

FOREIGN, MINE = "C-Roads-Far", "C-Roads-Near"
NAME = "Quetzalcoatlus"
USER, MANAGER, OUTSIDER = "roads.user@example.com", "roads.manager@example.com", "roads.nobody@example.com"


@pytest.fixture(scope="module", autouse=True)
def scene() -> None:
	"""A customer with a name of its own that the users may not read, and one that they may."""
	make_type()
	for name, group in ((FOREIGN, "Government"), (MINE, "Commercial")):
		make_customer(name, customer_group=group)
		make_profile(name, score=70)
	frappe.db.set_value("Customer", FOREIGN, "customer_name", NAME)
	frappe.db.set_value("Retention Profile", FOREIGN, "party_name", NAME)
	make_user(OUTSIDER)
	for user, role in ((USER, "Retention User"), (MANAGER, "Retention Manager")):
		make_user(user, role, "Sales User")
		permission = {"doctype": "User Permission", "user": user, "allow": "Customer Group"}
		frappe.get_doc(permission | {"for_value": "Commercial", "apply_to_all_doctypes": 1}).insert()
		frappe.db.set_value("User", user, "document_follow_notify", 1)


def test_titles_of_links_are_told_to_nobody() -> None:
	for doctype in RECORDS:
		assert not frappe.get_meta(doctype).show_title_field_in_link, doctype
	for user in (OUTSIDER, USER, MANAGER):
		frappe.set_user(user)
		assert NAME not in str(get_link_title("Retention Profile", FOREIGN))


@pytest.mark.parametrize("user", [USER, MANAGER])
def test_foreign_record_is_followed_by_nobody(user) -> None:
	foreign = make_touchpoint(FOREIGN).name
	mine = make_touchpoint(MINE).name
	frappe.set_user(user)
	for doctype, name in (("Touchpoint", foreign), ("Customer", FOREIGN)):
		with pytest.raises(frappe.PermissionError):
			follow_document(doctype, name, user)
	assert follow_document("Touchpoint", mine, user)


def test_calendar_of_somebody_else_names_no_customer() -> None:
	frappe.set_user("Administrator")
	make_touchpoint(FOREIGN, starts_at=now_datetime(), duration=30, assigned_to="Administrator")
	assert get_events(nowdate(), add_days(nowdate(), 1), user="Administrator")
	for user in (OUTSIDER, USER):
		frappe.set_user(user)
		shown = get_events(nowdate(), add_days(nowdate(), 1), user="Administrator")
		assert NAME not in json.dumps(shown, default=str)


@pytest.mark.parametrize("user", [USER, MANAGER, OUTSIDER])
def test_private_file_does_not_become_ones_own_by_its_address(user) -> None:
	frappe.set_user("Administrator")
	secret = {"doctype": "File", "file_name": "secret of roads.txt", "content": "x", "is_private": 1}
	url = frappe.get_doc(secret).insert().file_url
	frappe.set_user(user)
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(
			{"doctype": "File", "file_url": url, "file_name": "mine.txt", "is_private": 1}
		).insert()
	own = {"doctype": "File", "file_name": f"own of {user}.txt", "content": user, "is_private": 1}
	assert frappe.get_doc(own).insert().file_url.startswith("/private/")


@pytest.mark.parametrize("doctype", ["Touchpoint", "Interaction Log", "Contact Preference"])
def test_refused_record_says_nothing_of_its_party(doctype) -> None:
	frappe.set_user(USER)
	said = []
	for party in (FOREIGN, "Nobody At All"):
		frappe.clear_messages()
		doc = frappe.get_doc({"doctype": doctype, "party_type": "Customer", "party": party})
		with pytest.raises(frappe.PermissionError) as refused:
			doc.insert()
		said.append(f"{refused.value} {frappe.local.message_log}".replace(party, "NAME"))
	assert said[0] == said[1]


def test_time_zone_that_is_none_is_the_sites() -> None:
	make_row(MINE, note="x").insert()
	frappe.db.set_value("User", USER, "time_zone", "Mars/Olympus")
	frappe.clear_document_cache("User", USER)
	frappe.set_user(USER)
	assert get_timeline("Customer", MINE, {"from_date": nowdate()})["rows"]


def test_what_hours_cost_is_read_by_no_source() -> None:
	assert why_closed("Timesheet")

"""What Frappe's own methods tell about records of customers, they tell of customers that one may read."""

from __future__ import annotations

import json

import frappe
import pytest

from crm_retention.records import RECORDS
from tests.site.attacks.calls import call
from tests.site.attacks.scene import FAR, NEAR, OUTSIDERS, SECRET, get_address, make_parties, make_people

LIMITED = ("limited Retention User", "limited Retention Manager")
SEARCH = "frappe.desk.search."


@pytest.fixture(scope="module", autouse=True)
def names(leave_site_as_it_was):
	"""Two customers with one of everything, and people of every kind."""
	found = make_parties()
	make_people()
	return found


def tells(answer) -> bool:
	return SECRET in answer.text or FAR in answer.text


@pytest.mark.parametrize("person", [*OUTSIDERS, "Sales User", *LIMITED])
@pytest.mark.parametrize("doctype", RECORDS)
def test_no_title_of_a_record_is_told_to_whoever_knows_its_name(doctype, person, names):
	answer = call(
		get_address(person), SEARCH + "get_link_title", doctype=doctype, docname=names[doctype][FAR]
	)
	assert SECRET not in answer.text


@pytest.mark.parametrize("person", ["Sales User", "Support", *LIMITED])
@pytest.mark.parametrize("doctype", RECORDS)
@pytest.mark.parametrize("method", ["search_link", "search_widget"])
def test_no_search_shows_more_because_it_is_asked_to_ignore_permissions(method, doctype, person):
	asked = {"doctype": doctype, "txt": "", "ignore_user_permissions": 1, "page_length": 50}
	if method == "search_widget":
		asked["filter_fields"] = json.dumps(["name", "party"])
	assert not tells(call(get_address(person), SEARCH + method, **asked))


@pytest.mark.parametrize("doctype", RECORDS)
def test_whoever_may_read_finds_records_by_name_and_title(doctype, names):
	user = get_address("Retention User")
	for txt in ("", names[doctype][FAR]):
		answer = call(user, SEARCH + "search_link", doctype=doctype, txt=txt)
		assert names[doctype][FAR] in [row["value"] for row in answer.data], answer
	if title := frappe.get_meta(doctype).title_field:
		shown = frappe.db.get_value(doctype, names[doctype][FAR], title)
		answer = call(user, SEARCH + "search_link", doctype=doctype, txt="", filters={"party": FAR})
		assert shown in (answer.data[0].get("label"), *answer.data[0]["description"].split(", "))


def test_a_limited_colleague_finds_their_own(names):
	answer = call(get_address("limited Retention User"), SEARCH + "search_link", doctype="Touchpoint", txt="")
	assert [row["value"] for row in answer.data] == [names["Touchpoint"][NEAR]]

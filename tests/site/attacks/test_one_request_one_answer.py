"""No request is answered with what another one did, though it carries the same identity, one after the other or at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import frappe
import pytest
from frappe.utils import add_days, nowdate

from crm_retention.api import interactions, touchpoints
from crm_retention.care.rules import TouchpointEndedError
from tests.site.attacks.inside import Insider
from tests.site.desk import make_customer, make_user
from tests.site.interactions import make_row
from tests.site.touchpoints import make_customers, make_touchpoint

ASKER = "asks.twice@example.com"
API = "/api/method/crm_retention.api."
PARTY, OTHER = "Asked Twice", "Asked Twice Too"


@pytest.fixture(autouse=True)
def customers():
	make_customers(PARTY, OTHER)
	make_user(ASKER, "Retention User", "Sales User")
	frappe.set_user(ASKER)


def log(**values):
	given = {"party_type": "Customer", "party": PARTY, "kind": "Call", "request_id": "twice"}
	return interactions.log_interaction(**given | values)


def test_same_request_is_answered_alike():
	given = {"note": "x", "promise": "y", "promise_date": add_days(nowdate(), 1)}
	assert log(**given) == log(**given)
	assert frappe.db.count("Interaction Log", {"party": PARTY}) == 1


@pytest.mark.parametrize(
	"other",
	[
		{"note": "z"},
		{"note": None},
		{"party": OTHER},
		{"outcome": "Reached"},
		{"promise": "y", "promise_date": "2199-01-01"},
	],
)
def test_no_other_interaction_is_answered_with_the_first_one(other):
	log(note="x")
	with pytest.raises(frappe.ValidationError, match="twice was used for something else"):
		log(**{"note": "x"} | other)


def test_no_correction_of_another_row_or_to_other_words_is_answered_with_the_first_one():
	rows = [make_row(PARTY).insert().name for _number in range(2)]
	first = interactions.correct(rows[0], {"note": "x"}, "twice")
	assert interactions.correct(rows[0], {"note": "x"}, "twice") == first
	for name, values in ((rows[1], {"note": "x"}), (rows[0], {"note": "y"})):
		with pytest.raises(frappe.ValidationError, match="twice was used for something else"):
			interactions.correct(name, values, "twice")


def test_no_other_action_on_a_touchpoint_is_answered_with_the_first_one():
	name = make_touchpoint(PARTY).name
	first = touchpoints.complete(name, "Reached", request_id="twice")
	assert touchpoints.complete(name, "Reached", request_id="twice") == first
	for other in (
		lambda: touchpoints.complete(name, "Declined", request_id="twice"),
		lambda: touchpoints.complete(name, "Reached", "with a note", request_id="twice"),
		lambda: touchpoints.skip(name, "Away", request_id="twice"),
	):
		with pytest.raises(TouchpointEndedError):
			other()


def test_same_identity_on_another_touchpoint_is_a_request_of_its_own():
	names = [make_touchpoint(party).name for party in (PARTY, OTHER)]
	answers = [touchpoints.complete(name, "Reached", request_id="twice") for name in names]
	assert [answer["name"] for answer in answers] == names


@pytest.mark.parametrize("identity", ["next|x", "promise|x", "hand_over|x"])
def test_no_identity_of_the_apps_own_can_be_taken(identity):
	with pytest.raises(frappe.ValidationError, match="request_id"):
		log(request_id=identity)


@pytest.mark.commits
def test_no_call_of_many_at_once_gets_anothers_result():
	frappe.set_user("Administrator")
	make_customer("Asked At Once")
	frappe.set_user(ASKER)
	rows = [make_row("Asked At Once").insert().name for _number in range(4)]
	frappe.set_user("Administrator")
	asker = Insider(ASKER)
	sent = [
		(f"{API}interactions.correct", {"name": name, "values": {"note": name}, "request_id": "at-once"})
		for name in rows
		for _again in range(2)
	]
	spoken = {"party_type": "Customer", "party": "Asked At Once", "kind": "Call", "request_id": "at-once-too"}
	sent += [(f"{API}interactions.log_interaction", spoken | {"note": note}) for note in "aabbcc"]
	with ThreadPoolExecutor(8) as pool:
		answers = list(pool.map(lambda request: asker.send("POST", *request), sent))
	assert {answer.status for answer in answers} <= {200, 409, 417}, answers
	frappe.db.rollback()
	for (path, values), answer in zip(sent, answers, strict=True):
		if answer.status != 200:
			continue
		made = frappe.get_doc("Interaction Log", answer.data["name"])
		if path.endswith("correct"):
			assert (made.supersedes, made.note) == (values["name"], values["name"])
		else:
			assert made.note == values["note"]
	assert frappe.db.count("Interaction Log", {"request_id": ("like", "at-once%")}) == 2

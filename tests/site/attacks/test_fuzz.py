"""Thousands of hostile requests over HTTP, as four kinds of people: nothing breaks, and nothing is told.

A slice runs with the other tests; ``make fuzz`` runs 10,000 (``CRM_RETENTION_FUZZ`` says how many).
"""

from __future__ import annotations

import os
from collections import Counter

import frappe
import pytest
from frappe.utils import nowdate

from tests.site.attacks.hostile import Attacker, Request
from tests.site.attacks.scene import FAR, SECRET, get_address, make_parties, make_people
from tests.site.trade import run
from tests.support.web import Client, serving

pytestmark = pytest.mark.commits
CALLS = int(os.environ.get("CRM_RETENTION_FUZZ", 240))
SEED = int(os.environ.get("CRM_RETENTION_FUZZ_SEED", 7))
ATTACKERS = ("website user", "limited Retention User", "limited Retention Manager", "Support")
# methods of the platform's own that take filters, fields or an order
LISTS = tuple(
	f"/api/method/frappe.{name}"
	for name in (
		"desk.reportview.get",
		"desk.reportview.get_count",
		"desk.search.search_link",
		"client.get_value",
	)
)


@pytest.fixture(scope="module")
def answers(site):
	"""Every request with its answer: (who, request, status, text)."""
	names = make_parties()
	make_people()
	with serving(site) as url:
		clients = {person: Client(url, get_address(person)) for person in ATTACKERS}
		frappe.db.commit()
		attacker = Attacker(names, SEED)
		return [attack(clients, attacker, number) for number in range(CALLS)]


def attack(clients: dict[str, Client], attacker: Attacker, number: int) -> tuple[str, Request, int, str]:
	person, request = ATTACKERS[number % len(ATTACKERS)], attacker.make()
	answer = clients[person].send(request.verb, request.path, **request.options)
	return person, request, answer.status_code, answer.text


def test_no_request_breaks_the_app(answers):
	broken = [told(*answer) for answer in answers if answer[2] >= 500 and is_ours(answer)]
	print(dict(Counter(status for _who, _request, status, _text in answers)))
	assert not broken, "\n".join(broken)


def is_ours(answer: tuple[str, Request, int, str]) -> bool:
	"""Whether the app answers for an error: it does but for what the platform's own lists make of filters and fields."""
	_who, request, _status, text = answer
	return "crm_retention/" in text or not asks_a_list(request)


def asks_a_list(request: Request) -> bool:
	"""Whether a method of the platform's that takes filters, fields or an order is asked."""
	is_collection = request.path.startswith("/api/resource/") and request.path.count("/") == 3
	return (request.verb == "GET" and is_collection) or request.path in LISTS


def test_errors_on_saving_are_the_apps_to_answer():
	"""A database's refusal has no frame of the app in its trace, and none of the app's words in its address."""
	trace = "Traceback: pymysql.err.DataError: (1292, 'Incorrect date value')"
	for verb, path in (("POST", "/api/resource/Touchpoint"), ("PUT", "/api/resource/Touchpoint/T-1")):
		assert is_ours(("", Request(verb, path, {"due_date": "x"}), 500, trace))
	assert is_ours(("", Request("POST", "/api/method/frappe.client.set_value", {}), 500, trace))
	assert is_ours(("", Request("GET", "/api/resource/Touchpoint/T-1"), 500, trace))
	assert not is_ours(("", Request("GET", "/api/resource/Touchpoint"), 500, trace))


def test_no_answer_speaks_of_a_customer_who_is_beyond_reach(answers):
	assert [told(*answer) for answer in answers if SECRET in answer[3]] == []


def test_no_request_changed_what_is_beyond_reach(answers):
	frappe.db.rollback()
	for doctype in ("Touchpoint", "Interaction Log", "Contact Preference", "Plan Enrollment", "Tier Change"):
		rows = frappe.get_all(doctype, {"party": FAR}, ["name", "modified_by", "owner"])
		assert [(row.owner, row.modified_by) for row in rows] == [("Administrator", "Administrator")], doctype


def test_the_night_after_is_done(answers):
	log = run(nowdate())
	assert log.status in ("Completed", "Partial"), log.error


def told(person: str, request: Request, status: int, text: str) -> str:
	return f"{person}: {request.verb} {request.path} {str(request.values)[:300]} -> {status} {text[-1500:]}"

"""A day's work over HTTP alone, with a token, as a phone that knows nothing of the desk would do it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import frappe
import pytest
import requests
from benchkit.services import http_status, wait_until
from frappe.utils import add_days, nowdate

from tests.site.touchpoints import make_customers, make_seller, make_touchpoint

pytestmark = pytest.mark.commits
ANNA, BEN = "anna.rest@example.com", "ben.rest@example.com"
PARTIES = ("Rest One", "Rest Two", "Rest Three")


def free_port():
	with socket.socket() as found:
		found.bind(("127.0.0.1", 0))
		return found.getsockname()[1]


@pytest.fixture(scope="module")
def server(site):
	port = free_port()
	process = site.start(
		"serve", "--port", str(port), "--noreload", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
	)
	try:
		assert wait_until(lambda: http_status(port, "/api/method/ping") == 200, 60), "no web server"
		yield f"http://127.0.0.1:{port}"
	finally:
		os.killpg(process.pid, signal.SIGTERM)
		process.wait(30)


class Phone:
	"""A client with a token and no more."""

	def __init__(self, url, user):
		self.url, secret = url, "secret-of-" + user
		doc = frappe.get_doc("User", user)
		doc.api_key, doc.api_secret = "key-of-" + user, secret
		doc.save()
		self.headers = {"Authorization": f"token {doc.api_key}:{secret}", "Accept": "application/json"}

	def call(self, method, **values):
		return self.send("POST", f"/api/method/crm_retention.api.{method}", values)

	def send(self, verb, path, values=None):
		return requests.request(verb, self.url + path, json=values, headers=self.headers, timeout=60)


@pytest.fixture(scope="module")
def phones(site, server):
	make_customers(*PARTIES)
	for user in (ANNA, BEN):
		make_seller(user)
	found = {user: Phone(server, user) for user in (ANNA, BEN)}
	frappe.db.commit()
	return found


@pytest.fixture
def anna(phones):
	return phones[ANNA]


def touchpoint(party="Rest One", **values):
	name = make_touchpoint(party, assigned_to=ANNA, **values).name
	frappe.db.commit()
	return name


def message(answer):
	"""What the client can show its user."""
	return frappe.parse_json(frappe.parse_json(answer.json()["_server_messages"])[0])["message"]


def log_rows(name):
	frappe.db.rollback()
	return frappe.get_all("Interaction Log", {"touchpoint": name}, ["*"])


def test_day_from_morning_to_evening(anna):
	first, second, third = touchpoint(PARTIES[0]), touchpoint(PARTIES[1]), touchpoint(PARTIES[2])
	plain = touchpoint(PARTIES[0], due_date=add_days(nowdate(), -1))

	day = anna.send("GET", "/api/method/crm_retention.api.my_day.my_day").json()["message"]
	assert day["cards"][0]["name"] == plain
	assert day["counts"] == {"overdue": 1, "today": 3, "week": 0, "promises": 0}

	done = anna.call(
		"touchpoints.complete", name=first, outcome="Interested", minutes=25, note="Wants a sample",
		next_step="Send the sample", next_date=add_days(nowdate(), 1), request_id="phone-1",
	)  # fmt: skip
	assert (done.status_code, done.json()["message"]["status"]) == (200, "Done")
	skipped = anna.call("touchpoints.skip", name=second, reason="Away", request_id="phone-2")
	assert skipped.json()["message"]["status"] == "Skipped"
	later = add_days(nowdate(), 2)
	moved = anna.call("touchpoints.reschedule", name=third, due_date=later, reason="Asked to", request_id="3")
	assert moved.json()["message"]["due_date"] == later

	# a client that knows only DocTypes
	values = {"status": "Done", "outcome": "Reached", "note": "Fine", "minutes": 5}
	saved = anna.send("PUT", f"/api/resource/Touchpoint/{plain}", values)
	assert (saved.status_code, saved.json()["data"]["status"]) == (200, "Done")
	assert [(row.outcome, row.minutes, row.user) for row in log_rows(plain)] == [("Reached", 5, ANNA)]

	# what came up on the way
	spoken = {
		"party_type": "Customer",
		"party": PARTIES[1],
		"kind": "Call",
		"note": "Rang us",
		"direction": "In",
	}
	logs = [anna.call("interactions.log_interaction", **spoken, request_id="log-1") for _ in range(2)]
	assert [log.status_code for log in logs] == [200, 200]
	frappe.db.rollback()
	assert frappe.db.count("Interaction Log", {"party": PARTIES[1], "note": "Rang us"}) == 1

	day = anna.send("GET", "/api/method/crm_retention.api.my_day.my_day").json()["message"]
	assert [(card["party"], card["is_promise"]) for card in day["cards"]] == [
		(PARTIES[0], 1),
		(PARTIES[2], 0),
	]
	filters = frappe.as_json([["allocated_to", "=", ANNA], ["status", "=", "Open"]])
	todos = anna.send("GET", f"/api/resource/ToDo?filters={filters}&limit_page_length=0").json()["data"]
	assert len(todos) == 2


def test_new_touchpoint_by_rest_needs_four_fields(anna):
	values = {"party_type": "Customer", "party": PARTIES[0], "touchpoint_type": "Care Call of Tests"}
	made = anna.send("POST", "/api/resource/Touchpoint", values | {"due_date": nowdate()}).json()["data"]
	assert (made["status"], made["assigned_to"], made["minutes"]) == ("Open", ANNA, 20)


def test_retries_of_a_phone_change_nothing_more(anna):
	name = touchpoint()
	sent = {"name": name, "outcome": "Reached", "next_step": "Call again", "request_id": "retry-1"}
	answers = [anna.call("touchpoints.complete", **sent) for _ in range(3)]
	assert [answer.status_code for answer in answers] == [200, 200, 200]
	assert answers[0].json() == answers[1].json() == answers[2].json()
	values = {"status": "Done", "outcome": "Reached"}
	assert anna.send("PUT", f"/api/resource/Touchpoint/{name}", values).status_code == 200
	assert len(log_rows(name)) == 1


@pytest.mark.parametrize(
	("values", "code", "text"),
	[
		({"outcome": ""}, 417, "Outcome: "),
		({"outcome": "Reached", "next_step": "x", "next_date": "2020-01-01"}, 417, "Next Step On: "),
	],
)
def test_refusals_are_clear(anna, values, code, text):
	answer = anna.call("touchpoints.complete", name=touchpoint(), **values)
	assert (answer.status_code, message(answer).startswith(text)) == (code, True)


def test_codes_for_gone_ended_and_others(anna, phones):
	assert anna.call("touchpoints.skip", name="no-such", reason="x").status_code == 403
	name = touchpoint()
	assert phones[BEN].call("touchpoints.skip", name=name, reason="x").status_code == 403
	put = {"status": "Skipped", "reason": "x"}
	assert phones[BEN].send("PUT", f"/api/resource/Touchpoint/{name}", put).status_code == 403
	assert anna.call("touchpoints.skip", name=name, reason="Away").status_code == 200
	ended = anna.call("touchpoints.complete", name=name, outcome="Reached")
	assert (ended.status_code, ended.json()["exc_type"]) == (409, "TouchpointEndedError")
	assert "Skipped" in message(ended)
	put = {"status": "Done", "outcome": "Reached"}
	assert anna.send("PUT", f"/api/resource/Touchpoint/{name}", put).status_code == 409
	assert (
		requests.post(f"{anna.url}/api/method/crm_retention.api.touchpoints.skip", timeout=60).status_code
		== 403
	)


def test_many_at_once_complete_it_once(anna):
	name = touchpoint()

	def tap(number):
		sent = {"name": name, "outcome": "Reached", "next_step": "Call", "request_id": f"tap-{number % 2}"}
		return anna.call("touchpoints.complete", **sent).status_code

	with ThreadPoolExecutor(8) as pool:
		codes = list(pool.map(tap, range(8)))
	assert sorted(set(codes)) == [200, 409]
	assert codes.count(200) == 4  # those with the winner's request_id
	assert len(log_rows(name)) == 1
	assert frappe.db.count("Touchpoint", {"request_id": f"next|{name}"}) == 1

"""Messages that leave by themselves: once each, by the contact rules, and with what went wrong in plain sight."""

from __future__ import annotations

import http.server
import os
import signal
import threading
import time
from urllib.parse import parse_qs, urlparse

import frappe
import pytest
from frappe.utils import add_days, add_to_date, now_datetime, nowdate
from frappe.utils.background_jobs import get_job

from crm_retention.care import actions, governor, messages
from tests.site.mail import make_outgoing_account
from tests.site.touchpoints import get_todos, make_customers, make_seller, make_touchpoint, make_type

pytestmark = pytest.mark.commits
ANNA = "anna.mail@example.com"


class Stop:
	"""What a contact rule answers."""

	def __init__(self, rule, action, until=None):
		self.rule, self.action, self.until = rule, action, until


@pytest.fixture(scope="module", autouse=True)
def parties(leave_site_as_it_was):
	make_customers("Mail One", "Mail Two", "Mail Silent")
	make_seller(ANNA)
	make_type("Mail of Tests", channel="Email", nature="Message")
	make_type("SMS of Tests", channel="SMS", nature="Message")
	for number, name in enumerate(("Mail One", "Mail Two")):
		contact = {"doctype": "Contact", "first_name": name, "is_primary_contact": 1}
		contact["links"] = [{"link_doctype": "Customer", "link_name": name}]
		contact["email_ids"] = [{"email_id": f"mail{number}@example.com", "is_primary": 1}]
		contact["phone_nos"] = [{"phone": f"+4912345{number}", "is_primary_mobile_no": 1}]
		contact = frappe.get_doc(contact).insert()
		frappe.db.set_value("Customer", name, "customer_primary_contact", contact.name)
	make_outgoing_account("Of Tests")
	template = {
		"doctype": "Email Template",
		"name": "Letter of Tests",
		"subject": "Hello {{ party.customer_name }}",
	}
	template["response"] = "<p>We think of you, {{ party.customer_name }} ({{ touchpoint.why }}).</p>"
	frappe.get_doc(template).insert()
	for rule in frappe.get_all(
		"Contact Rule", pluck="name"
	):  # what time of what day it is, is not of this test
		frappe.db.set_value("Contact Rule", rule, "enabled", 0)
	frappe.get_doc({"doctype": "Contact Rule", "rule_name": "Rule of Tests", "kind": "Cap"}).insert()
	frappe.db.commit()


@pytest.fixture
def nothing_due():
	values = {"status": "Cancelled", "message_status": ""}
	frappe.db.set_value("Touchpoint", {"status": "Open"}, values)
	for doctype in ("Email Queue", "Email Unsubscribe"):
		frappe.db.delete(doctype)
	frappe.db.commit()


@pytest.fixture
def stops(nothing_due, monkeypatch):
	"""What the contact rules answer, by touchpoint, and what they were asked."""
	answers, asked = {}, []

	def check(names, at):
		asked.append(list(names))
		return {name: answers[name] for name in names if name in answers}

	monkeypatch.setattr(governor, "check", check)
	return answers, asked


def due_message(party="Mail One", **values):
	given = {"touchpoint_type": "Mail of Tests", "email_template": "Letter of Tests", "why": "Birthday"}
	given |= {"send_by_itself": 1, "message_status": "Due", "assigned_to": ANNA}
	name = make_touchpoint(party, **given | values).name
	frappe.db.commit()
	return name


def send():
	return dict(messages.send_due(now_datetime()))


def stored(name):
	return frappe.get_doc("Touchpoint", name)


def queued(name):
	return frappe.get_all("Email Queue", {"communication": stored(name).communication or "-"}, pluck="name")


def test_mail_is_queued_once_and_ends_the_touchpoint(stops):
	name = due_message()
	assert send() == {"sent": 1}
	assert send() == {}
	doc = stored(name)
	assert (doc.status, doc.message_status, doc.completed_by) == ("Done", "Sent", ANNA)
	assert get_todos(name) == [(ANNA, "Closed")]
	mail = frappe.get_doc("Email Queue", queued(name)[0])
	assert [row.recipient for row in mail.recipients] == ["mail0@example.com"]
	assert (mail.reference_doctype, mail.reference_name) == ("Customer", "Mail One")
	assert "Hello Mail One" in mail.message
	assert "Unsubscribe" in mail.message
	said = frappe.get_doc("Communication", doc.communication)
	assert (said.subject, said.reference_name, said.sent_or_received) == (
		"Hello Mail One",
		"Mail One",
		"Sent",
	)
	assert said.message_id == mail.message_id.strip("<>")
	log = frappe.get_doc("Interaction Log", doc.interaction)
	assert (log.kind, log.direction, log.reference_name) == ("Email", "Out", doc.communication)


def test_messages_of_tomorrow_of_people_and_of_ended_touchpoints_stay(stops):
	due_message(due_date=add_days(nowdate(), 1))
	due_message(send_by_itself=0, message_status="")
	actions.skip(due_message(), "Not now")
	assert send() == {}
	assert stops[1] == []


def test_killed_worker_leaves_nothing_half_sent(stops, site):
	"""A real process, killed with SIGKILL in the middle of sending; what it had not committed is sent by the next."""
	names = [due_message("Mail One" if number % 2 else "Mail Two") for number in range(60)]
	frappe.db.commit()
	worker = site.start("execute", "crm_retention.care.messages.run_sending")
	try:
		deadline = time.monotonic() + 60
		while sent_so_far(names) < 5:
			assert time.monotonic() < deadline, "the worker sends nothing"
			time.sleep(0.02)
	finally:
		os.killpg(worker.pid, signal.SIGKILL)
		worker.wait(30)
	assert 5 <= sent_so_far(names) < len(names)
	deadline = time.monotonic() + 60
	while sent_so_far(names) < len(names):  # the database takes a moment to notice, and frees the lock then
		assert time.monotonic() < deadline, "the rest is not sent"
		messages.run_sending()
		time.sleep(0.1)
	communications = [stored(name).communication for name in names]
	mails = frappe.get_all("Email Queue", {"communication": ("in", communications)}, pluck="communication")
	assert sorted(mails) == sorted(communications)
	assert frappe.db.count("Email Queue") == len(names)
	logs = frappe.get_all("Interaction Log", {"touchpoint": ("in", names)}, pluck="touchpoint")
	assert sorted(logs) == sorted(names)


def sent_so_far(names):
	frappe.db.rollback()
	return frappe.db.count("Touchpoint", {"name": ("in", names), "message_status": "Sent"})


def test_worker_that_dies_before_the_commit_leaves_the_message_due(stops, monkeypatch):
	name = due_message()
	monkeypatch.setattr(messages, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
	with pytest.raises(KeyboardInterrupt):
		send()
	frappe.db.rollback()  # what the database does when the connection is gone
	monkeypatch.undo()
	assert stored(name).message_status == "Due"
	assert not frappe.db.exists("Email Queue", {"reference_name": "Mail One", "status": "Not Sent"})


def test_party_without_address_fails_by_name_and_stays_open(stops):
	name = due_message("Mail Silent")
	assert send() == {"failed": 1}
	doc = stored(name)
	assert (doc.status, doc.message_status) == ("Open", "Failed")
	assert "Mail Silent" in doc.message_error
	assert send() == {}
	actions.retry_message(name)
	assert send() == {"failed": 1}


def test_broken_template_fails_alone(stops):
	template = {"doctype": "Email Template", "name": "Broken of Tests", "subject": "x", "response": "x"}
	frappe.get_doc(template).insert()
	broken, whole = due_message(email_template="Broken of Tests"), due_message("Mail Two")
	frappe.db.set_value("Email Template", "Broken of Tests", "response", "{{ party.nothing }}")
	frappe.db.commit()
	assert send() == {"failed": 1, "sent": 1}
	assert "there is no variable party.nothing" in stored(broken).message_error
	assert stored(whole).message_status == "Sent"


def test_rule_drops_or_postpones_at_the_moment_of_sending(stops):
	dropped, later = due_message("Mail One"), due_message("Mail Two")
	until = add_to_date(now_datetime(), hours=5)
	stops[0].update({dropped: Stop("Rule of Tests", "Drop"), later: Stop("Rule of Tests", "Postpone", until)})
	assert send() == {"dropped": 1, "postponed": 1}
	doc = stored(dropped)
	assert (doc.status, doc.message_status, doc.rule) == ("Suppressed", "Stopped", "Rule of Tests")
	assert (stored(later).status, stored(later).message_status) == ("Open", "Due")
	stops[0].clear()
	assert send() == {}  # not before that moment
	assert dict(messages.send_due(add_to_date(until, minutes=1))) == {"sent": 1}


def test_rules_are_asked_again_between_two_messages_of_a_party(stops):
	first, second = due_message(priority=9), due_message(priority=1)
	other = due_message("Mail Two")
	assert send() == {"sent": 3}
	assert stops[1] == [[first, other], [second]]


def test_unsubscribed_recipient_gets_nothing(stops):
	values = {"email": "mail1@example.com", "reference_doctype": "Customer", "reference_name": "Mail Two"}
	frappe.get_doc({"doctype": "Email Unsubscribe", **values}).insert(ignore_permissions=True)
	name = due_message("Mail Two")
	assert send() == {"dropped": 1}
	assert (stored(name).status, stored(name).message_status) == ("Suppressed", "Stopped")


def test_a_rule_of_the_site_stops_the_second_message_and_says_so(nothing_due):
	rule = {"doctype": "Contact Rule", "rule_name": "One a Week of Tests", "kind": "Cap", "action": "Drop"}
	frappe.get_doc({**rule, "max_contacts": "1", "window_days": 7, "only_messages": 1}).insert()
	frappe.db.delete("Interaction Log")
	first, other = due_message(), due_message("Mail Two")
	try:
		assert send() == {"sent": 2}
		second = due_message()
		assert send() == {"dropped": 1}
	finally:
		frappe.delete_doc("Contact Rule", "One a Week of Tests", force=True)
	assert [stored(name).status for name in (first, second, other)] == ["Done", "Suppressed", "Done"]
	stop = frappe.get_all("Contact Stop", {"touchpoint": second}, ["rule", "action", "stage"])
	assert stop == [{"rule": "One a Week of Tests", "action": "Drop", "stage": "Sending"}]


def test_scheduler_queues_one_job_and_only_if_there_is_work(stops):
	messages.enqueue_due()
	assert get_job(messages.LOCK) is None
	due_message()
	try:
		for _again in range(2):
			messages.enqueue_due()
		job = get_job(messages.LOCK)
		assert job.kwargs["method"] == "crm_retention.care.messages.run_sending"
	finally:
		get_job(messages.LOCK).delete()


class Gateway(http.server.BaseHTTPRequestHandler):
	"""An SMS gateway; ``answer`` is its HTTP status."""

	answer, received = 200, []

	def do_GET(self):
		type(self).received.append(parse_qs(urlparse(self.path).query))
		self.send_response(self.answer)
		self.end_headers()

	def log_message(self, *_args):
		pass


@pytest.fixture
def gateway():
	Gateway.answer, Gateway.received = 200, []
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
	threading.Thread(target=server.serve_forever, daemon=True).start()
	settings = frappe.get_doc("SMS Settings")
	settings.update({"sms_gateway_url": f"http://127.0.0.1:{server.server_port}/", "use_post": 0})
	settings.update({"message_parameter": "text", "receiver_parameter": "to"})
	settings.save()
	frappe.db.commit()
	yield Gateway
	server.shutdown()
	server.server_close()


def due_sms(**values):
	given = {"touchpoint_type": "SMS of Tests", "sms_text": "Hi {{ party.customer_name }}"}
	return due_message(**given | values)


def test_sms_leaves_once(stops, gateway):
	name = due_sms()
	assert send() == {"sent": 1}
	assert send() == {}
	assert gateway.received == [{"text": ["Hi Mail One"], "to": ["+49123450"]}]
	assert (stored(name).status, stored(name).message_status) == ("Done", "Sent")


def test_sms_that_the_gateway_refuses_fails(stops, gateway):
	gateway.answer = 402
	name = due_sms()
	assert send() == {"failed": 1}
	assert "402" in stored(name).message_error


def test_sms_of_a_killed_worker_is_never_sent_again_by_itself(stops, gateway, monkeypatch):
	name = due_sms()
	monkeypatch.setattr(messages, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
	with pytest.raises(KeyboardInterrupt):
		send()
	frappe.db.rollback()
	monkeypatch.undo()
	assert len(gateway.received) == 1
	assert stored(name).message_status == "Sending"
	messages.close_stuck(add_to_date(now_datetime(), minutes=messages.STUCK_AFTER_MINUTES + 1))
	doc = stored(name)
	assert (doc.status, doc.message_status) == ("Open", "Failed")
	assert "unknown" in doc.message_error
	assert len(gateway.received) == 1


def test_site_that_cannot_send_keeps_messages_waiting(stops):
	frappe.db.set_single_value("SMS Settings", "sms_gateway_url", "")
	name = due_sms()
	assert send() == {"waiting": 1}
	assert (stored(name).message_status, stored(name).status) == ("Due", "Open")
	assert "SMS Settings" in stored(name).message_error

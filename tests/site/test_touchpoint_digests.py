"""Reminders, escalations and digests: to whom, what, and once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
from urllib.parse import parse_qs, urlparse

import frappe
import pytest
from frappe.utils import add_days, add_to_date, getdate, now_datetime, nowdate

from crm_retention.care import actions, digests, outbound, reminders, robots
from tests.site.desk import make_user
from tests.site.mail import make_outgoing_account
from tests.site.touchpoints import make_customers, make_seller, make_touchpoint, only_customer

pytestmark = pytest.mark.commits
ANNA, BEN, HEAD, BOSS = (f"{name}.digest@example.com" for name in ("anna", "ben", "head", "boss"))


@pytest.fixture(scope="module", autouse=True)
def people(leave_site_as_it_was):
	make_customers("Digest One", "Digest Two")
	for user in (ANNA, BEN, HEAD):
		make_seller(user)
	make_user(BOSS, "Retention Manager", "Sales Manager")
	company = frappe.get_all("Company", pluck="name", limit=1)[0]
	given = {"doctype": "Employee", "company": company, "gender": "Female", "date_of_birth": "1990-01-01"}
	given |= {"date_of_joining": "2020-01-01", "status": "Active"}
	head = frappe.get_doc({**given, "first_name": "Head", "user_id": HEAD}).insert()
	frappe.get_doc({**given, "first_name": "Anna", "user_id": ANNA, "reports_to": head.name}).insert()
	make_outgoing_account("Of Digests")
	frappe.db.commit()


@pytest.fixture(autouse=True)
def nothing_open(people):
	frappe.set_user("Administrator")
	for doctype in ("Touchpoint", "Notification Log", "Email Queue"):
		frappe.db.delete(doctype)
	frappe.db.delete("DefaultValue", {"defkey": ("like", "retention_%_digest%")})
	frappe.defaults.clear_defaults_cache()
	frappe.db.commit()


def due(days, user=ANNA, party="Digest One", **values):
	name = make_touchpoint(party, due_date=add_days(nowdate(), days), assigned_to=user, **values).name
	frappe.db.commit()
	return name


def told():
	rows = frappe.get_all("Notification Log", {"document_type": "Touchpoint", "type": "Alert"}, ["*"])
	return {(row.document_name, row.for_user) for row in rows}


def mails():
	queue = frappe.get_all("Email Queue", pluck="name")
	docs = [frappe.get_doc("Email Queue", name) for name in queue]
	return {doc.recipients[0].recipient: doc.message for doc in docs}


def test_past_service_level_is_shown_to_the_superior_once():
	name, fresh = due(-4), due(-3)
	assert reminders.escalate(getdate(nowdate())) == 1
	assert told() == {(name, HEAD)}
	assert frappe.db.get_value("Touchpoint", name, "escalated_on")
	assert not frappe.db.get_value("Touchpoint", fresh, "escalated_on")
	assert reminders.escalate(getdate(nowdate())) == 0
	assert len(told()) == 1


def test_without_superior_the_managers_are_told():
	name = due(-10, user=BEN)
	reminders.escalate(getdate(nowdate()))
	assert (name, BOSS) in told()
	assert HEAD not in {user for _name, user in told()}


def test_superior_who_may_not_see_the_party_is_not_told():
	with only_customer(HEAD, "Digest Two"):
		name = due(-10)
		reminders.escalate(getdate(nowdate()))
	assert (name, HEAD) not in told()
	assert (name, BOSS) in told()
	frappe.db.delete("User Permission", {"user": HEAD})


def test_digest_of_the_day_goes_out_once():
	late, promised = due(-4, why="Step of a plan"), due(30, is_promise=1)
	due(0, user=BEN, party="Digest Two")
	day = getdate(nowdate())
	reminders.escalate(day)
	assert digests.send_daily(day) == 3  # Anna, Ben, and Head for what was escalated
	assert digests.send_daily(day) == 0
	found = mails()
	assert set(found) == {ANNA, BEN, HEAD}
	assert late in found[ANNA]
	assert promised in found[ANNA]
	assert late in found[HEAD]
	assert "Digest One" not in found[BEN]
	assert frappe.db.get_value("Touchpoint", late, "reminded_on") == day
	assert digests.send_daily(getdate(add_days(day, 1))) >= 2


def test_digest_that_cannot_be_queued_is_sent_the_next_time(monkeypatch):
	due(0)
	day = getdate(nowdate())
	monkeypatch.setattr(digests, "queue_mail", lambda *_: 1 / 0)
	assert digests.send_daily(day) == 0
	monkeypatch.undo()
	assert digests.send_daily(day) == 1


def test_week_of_the_team_by_person():
	done, _late = due(0), due(-2, user=BEN)
	actions.complete(done, "Reached", minutes=90)
	values = {"completed_on": add_to_date(now_datetime(), days=-1), "completed_by": ANNA}
	frappe.db.set_value("Touchpoint", done, values)
	day = getdate(nowdate())
	assert digests.send_weekly(day) == len(reminders.get_managers())
	assert digests.send_weekly(day) == 0
	rows = {row["person"]: row for row in digests.get_team(day)}
	anna, ben = frappe.utils.get_fullname(ANNA), frappe.utils.get_fullname(BEN)
	assert (rows[anna]["done"], rows[anna]["hours"], rows[ben]["overdue"]) == (1, 1.5, 1)
	assert BOSS in mails()


class Chat(http.server.BaseHTTPRequestHandler):
	"""A chat that takes what its robots post."""

	answer, received = {"errcode": 0}, []

	def do_POST(self):
		body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
		address = urlparse(self.path)
		type(self).received.append((address.path, parse_qs(address.query), body))
		self.send_response(200)
		self.end_headers()
		self.wfile.write(json.dumps(self.answer).encode())

	def log_message(self, *_args):
		pass


@pytest.fixture
def chat(monkeypatch):
	"""A chat in the house, which the site's configuration names."""
	Chat.answer, Chat.received = {"errcode": 0}, []
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
	threading.Thread(target=server.serve_forever, daemon=True).start()
	monkeypatch.setitem(frappe.conf, outbound.CONFIG, ["127.0.0.1"])
	yield f"http://127.0.0.1:{server.server_port}"
	server.shutdown()
	server.server_close()


def add_robot(kind, url, secret=""):
	"""A robot as an admin enters it."""
	settings = frappe.get_doc("Retention Settings")
	settings.robots = []
	settings.append("robots", {"robot_name": "Team", "kind": kind, "url": url, "secret": secret})
	settings.flags.ignore_validate = True
	settings.save()
	return robots.get_robots()[0]


def test_wecom_takes_markdown(chat):
	robots.post(add_robot("WeCom", f"{chat}/send?key=k"), "Today", "- Anna: 3")
	body = {"msgtype": "markdown", "markdown": {"content": "**Today**\n- Anna: 3"}}
	assert Chat.received == [("/send", {"key": ["k"]}, body)]


def test_dingtalk_is_signed_in_the_address(chat):
	robot = add_robot("DingTalk", f"{chat}/robot/send?access_token=t", "SECret")
	robots.post(robot, "Today", "- Anna: 3", at=1700000000.123)
	_path, query, body = Chat.received[0]
	expected = hmac.new(b"SECret", b"1700000000123\nSECret", hashlib.sha256).digest()
	assert query == {
		"access_token": ["t"], "timestamp": ["1700000000123"], "sign": [base64.b64encode(expected).decode()],
	}  # fmt: skip
	assert (body["msgtype"], body["markdown"]["title"]) == ("markdown", "Today")


def test_feishu_is_signed_in_the_payload(chat):
	robots.post(add_robot("Feishu", f"{chat}/hook/x", "secret"), "Today", "3", at=1700000000.9)
	body = Chat.received[0][2]
	expected = hmac.new(b"1700000000\nsecret", b"", hashlib.sha256).digest()
	assert (body["timestamp"], body["sign"]) == ("1700000000", base64.b64encode(expected).decode())
	assert (body["msg_type"], body["content"]) == ("text", {"text": "Today\n3"})


def test_refusal_of_a_chat_names_the_robot_and_its_code(chat):
	Chat.answer = {"errcode": 310000, "errmsg": "sign not match"}
	with pytest.raises(robots.RobotError, match="Team: it refuses the message, code 310000"):
		robots.post(add_robot("DingTalk", f"{chat}/?access_token=key"), "Today", "x")
	with pytest.raises(robots.RobotError, match="Team: it cannot be reached"):
		robots.post(add_robot("WeCom", "http://127.0.0.1:9/?key=hidden"), "Today", "x")


def test_chat_gets_the_teams_figures_once_a_day(chat):
	due(-1)
	due(0)
	add_robot("WeCom", f"{chat}/send?key=k")
	day = getdate(nowdate())
	assert [digests.post_to_chats(day), digests.post_to_chats(day)] == [1, 0]
	content = Chat.received[0][2]["markdown"]["content"]
	assert f"{frappe.utils.get_fullname(ANNA)}: 2 to do, 1 overdue" in content
	assert "Digest One" not in content

"""Secrets stay secret: the addresses and secrets of robots stand nowhere in the clear, and lead to nowhere inside."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import time
from contextlib import suppress

import frappe
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from frappe.utils import getdate, nowdate

from crm_retention.care import digests, outbound, robots
from tests.site.touchpoints import make_customers, make_touchpoint

pytestmark = pytest.mark.commits
KEY, SECRET = "k3yInTheAddress", "SECs3cretOfTheRobot"


class Chat(http.server.BaseHTTPRequestHandler):
	"""A chat that answers as it is told, and repeats the address in all it says."""

	status, headers_sent, body, received, drip = 200, {}, b"{}", [], 0

	def do_POST(self):
		self.rfile.read(int(self.headers["Content-Length"]))
		type(self).received.append(self.path)
		self.send_response(self.status, f"Failed for {KEY}")
		for name, value in self.headers_sent.items():
			self.send_header(name, value)
		self.end_headers()
		size = 1 if self.drip else len(self.body)
		with suppress(ConnectionError):
			for at in range(0, len(self.body), size):
				self.wfile.write(self.body[at : at + size])
				time.sleep(self.drip)

	def log_message(self, *_args):
		pass


@pytest.fixture(scope="module", autouse=True)
def work(leave_site_as_it_was):
	make_customers("Secret One")
	make_touchpoint("Secret One")
	frappe.db.commit()


@pytest.fixture
def chat(monkeypatch):
	"""A chat in the house, on a port of 127.0.0.1, that the site's configuration names."""
	Chat.status, Chat.headers_sent, Chat.body, Chat.received, Chat.drip = 200, {}, b"{}", [], 0
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
	server.daemon_threads = True
	threading.Thread(target=server.serve_forever, daemon=True).start()
	allow(monkeypatch, f"127.0.0.1:{server.server_port}")
	yield server
	server.shutdown()
	server.server_close()


def allow(monkeypatch, *hosts):
	monkeypatch.setitem(frappe.conf, outbound.CONFIG, list(hosts))


def address(server, scheme="http"):
	return f"{scheme}://127.0.0.1:{server.server_port}/send?access_token={KEY}"


def add_robot(url, kind="DingTalk", checked=False):
	"""A robot in the settings, as an admin enters it."""
	settings = frappe.get_doc("Retention Settings")
	settings.robots = []
	settings.append("robots", {"robot_name": "Team", "kind": kind, "url": url, "secret": SECRET})
	settings.flags.ignore_validate = not checked
	settings.save()
	frappe.db.commit()
	return settings


def fails():
	"""What the day's post to the chats leaves in the Error Log."""
	frappe.db.delete("Error Log")
	frappe.db.delete("DefaultValue", {"defkey": ("like", "retention_chat_digest%")})
	frappe.defaults.clear_defaults_cache()
	frappe.db.commit()
	assert digests.post_to_chats(getdate(nowdate())) == 0
	rows = frappe.get_all("Error Log", fields=["*"])
	assert len(rows) == 1
	return json.dumps(rows, default=str)


def is_clean(text):
	return KEY not in text and SECRET not in text


FAILURES = {
	"status": {"status": 500},
	"redirect": {"status": 302, "headers_sent": {"Location": f"http://127.0.0.1:1/?{KEY}"}},
	"not json": {"body": f"<html>{KEY}".encode()},
	"a list": {"body": b"[1]"},
	"deep json": {"body": b"[" * 60_000},
	"too long": {"body": b" " * 2_000_000},
	"code": {"body": json.dumps({"errcode": 310000, "errmsg": f"sign of {KEY} {SECRET}"}).encode()},
	"code of text": {"body": json.dumps({"errcode": f"{KEY}", "errmsg": SECRET}).encode()},
	"bad header": {"headers_sent": {"Content-Length": f"x{KEY}"}},
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_no_answer_of_a_chat_brings_a_secret_into_the_log(chat, answer):
	for name, value in answer.items():
		setattr(Chat, name, value)
	add_robot(address(chat))
	if answer == FAILURES["bad header"]:
		digests.post_to_chats(getdate(nowdate()))
		assert is_clean(json.dumps(frappe.get_all("Error Log", fields=["*"]), default=str))
		return
	assert is_clean(fails())
	assert len(Chat.received) == 1


def test_no_failing_connection_brings_a_secret_into_the_log(chat, monkeypatch):
	allow(monkeypatch, "127.0.0.1", "no-such-host.invalid")
	monkeypatch.setattr(outbound, "SECONDS", 2)
	for url in (
		f"http://127.0.0.1:9/{KEY}",
		f"https://127.0.0.1:{chat.server_port}/{KEY}",  # speaks no TLS
		f"https://no-such-host.invalid/{KEY}",
		f"https://user:{KEY}@127.0.0.1/",
		f"https://127.0.0.1:99999/{KEY}",
		f"https://[{KEY}/",
		f"https://127.0.0.1/{KEY} x",
		f"ftp://127.0.0.1/{KEY}",
		KEY,
	):
		add_robot(url)
		assert is_clean(fails()), url


@pytest.mark.parametrize("broken", ["sign_dingtalk", "get_request", "judge", "read_secrets"])
def test_no_mistake_of_our_own_brings_a_secret_into_the_log(chat, monkeypatch, broken):
	def fail(*given):
		copy_of_it = str(given)
		raise RuntimeError(f"{copy_of_it} {KEY} {SECRET}")

	monkeypatch.setattr(robots, broken, fail)
	add_robot(address(chat))
	assert is_clean(fails())


def test_no_unreadable_secret_brings_it_into_the_log(chat, monkeypatch):
	add_robot(address(chat))
	auth = frappe.qb.Table("__Auth")
	frappe.qb.update(auth).set(auth.password, f"no cipher {KEY}").where(auth.doctype == "Team Robot").run()
	frappe.db.commit()
	assert is_clean(fails())


@pytest.fixture
def encrypted(monkeypatch, tmp_path):
	"""A chat in the house that speaks TLS with a certificate of its own for 127.0.0.1; the server, and its certificate."""
	Chat.status, Chat.headers_sent, Chat.body, Chat.received, Chat.drip = 200, {}, b"{}", [], 0
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
	server.daemon_threads = True
	context, path = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), make_certificate(tmp_path)
	context.load_cert_chain(path)
	server.socket = context.wrap_socket(server.socket, server_side=True)
	threading.Thread(target=server.serve_forever, daemon=True).start()
	allow(monkeypatch, "127.0.0.1", "localhost")
	yield server, path
	server.shutdown()
	server.server_close()


def test_no_certificate_is_taken_on_trust(encrypted):
	add_robot(address(encrypted[0], "https"))
	log = fails()
	assert "certificate" in log
	assert is_clean(log)
	assert Chat.received == []


def test_no_certificate_of_another_host_is_taken(encrypted, monkeypatch):
	server, path = encrypted
	monkeypatch.setattr(outbound, "get_tls", lambda: ssl.create_default_context(cafile=path))
	outbound.post_json(address(server, "https"), {})
	assert len(Chat.received) == 1
	with pytest.raises(outbound.OutboundError, match="certificate"):
		outbound.post_json(address(server, "https").replace("127.0.0.1", "localhost"), {})
	assert len(Chat.received) == 1


def make_certificate(folder):
	"""A certificate that nobody signed but itself."""
	key, name = (
		ec.generate_private_key(ec.SECP256R1()),
		x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]),
	)
	now = datetime.datetime.now(datetime.timezone.utc)
	made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
	made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
	names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
	made = made.add_extension(names, False).sign(key, hashes.SHA256())
	plain = serialization.NoEncryption()
	private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
	path = folder / "server.pem"
	path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
	return path


def test_no_chat_holds_a_run_for_long(chat, monkeypatch):
	monkeypatch.setattr(outbound, "SECONDS", 0.5)
	Chat.body, Chat.drip = b" " * 1000, 0.1  # a byte every tenth of a second
	add_robot(address(chat))
	begun = time.monotonic()
	log = fails()
	assert time.monotonic() - begun < 30  # of the 100 seconds that the chat would take
	assert "does not answer" in log
	assert is_clean(log)


INSIDE = (
	"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0.0.0.0", "10.0.0.1", "172.16.0.1",
	"192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]",
	"[::]", "[fe80::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]",
	"[2002:7f00:1::]", "[2001:0:7f00:1::]", "[ff02::1]", "[fec0::1]",
	"192.88.99.1", "[3fff::1]", "[5f00::1]", "[2001:20::1]", "[::7f00:1]", "localhost", "localhost.", "intranet", "chat.local",
	"chat.localhost",
)  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_no_robot_calls_into_the_house(host):
	with pytest.raises(outbound.OutboundError):
		outbound.post_json(f"https://{host}/send", {})


@pytest.mark.parametrize(
	"inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"]
)
def test_no_name_leads_into_the_house(monkeypatch, inside):
	rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, 443)) for at in ("93.184.216.34", inside)]
	monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: rows)
	with pytest.raises(outbound.OutboundError, match="public internet"):
		outbound.post_json("https://chat.example.com/send", {})


def test_no_name_changes_its_meaning_before_the_call(monkeypatch, chat):
	"""The first answer is public, every later one is inside: the call still goes to the first."""
	answers, reached = [["93.184.216.34"]], []

	def resolve(_host, port, *_args, **_more):
		found = answers.pop() if answers else ["127.0.0.1"]
		return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port)) for at in found]

	def connect(where, *_args, **_more):
		reached.append(where)
		raise ConnectionRefusedError

	monkeypatch.setattr(socket, "getaddrinfo", resolve)
	monkeypatch.setattr(socket, "create_connection", connect)
	with pytest.raises(outbound.OutboundError):
		outbound.post_json("https://rebind.example.com/send", {})
	assert reached == [("93.184.216.34", 443)]


def test_no_proxy_of_the_environment_gets_the_call(chat, monkeypatch):
	for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
		monkeypatch.setenv(name, "http://127.0.0.1:9")
	outbound.post_json(address(chat), {})
	assert len(Chat.received) == 1


def test_nobody_saves_an_address_inside_or_without_encryption():
	for url in (
		"http://chat.example.com/x",
		"https://127.0.0.1/x",
		"https://a:b@chat.example.com/",
		"chat.example.com",
	):
		with pytest.raises(frappe.ValidationError) as caught:
			add_robot(f"{url}?{KEY}", checked=True)
		assert "row 1, Webhook Address" in str(caught.value)
		assert is_clean(str(caught.value))
		frappe.db.rollback()
	add_robot("https://chat.example.com/send?key=k", checked=True)


def test_no_answer_form_or_history_shows_a_secret(chat):
	settings = add_robot("https://chat.example.com/first", checked=True)
	settings.robots[0].url = f"https://chat.example.com/{KEY}"
	settings.append(
		"robots", {"robot_name": "Second", "kind": "WeCom", "url": f"https://chat.example.com/2{KEY}"}
	)
	settings.save()
	frappe.db.commit()
	shown = [
		settings.as_json(),
		frappe.get_doc("Retention Settings").as_json(),
		json.dumps(frappe.get_all("Version", {"ref_doctype": "Retention Settings"}, pluck="data")),
		json.dumps(
			frappe.get_all("Comment", {"reference_doctype": "Retention Settings"}, ["*"]), default=str
		),
		json.dumps(frappe.get_all("Team Robot", fields=["*"]), default=str),
		frappe.as_json(frappe.client.get("Retention Settings")),
		frappe.as_json(frappe.get_cached_doc("Retention Settings")),
		frappe.get_print("Retention Settings", "Retention Settings"),
		repr(robots.get_robots()),
		repr(robots.read_secrets(settings.robots[0].name)),
		repr(outbound.get_target(f"https://chat.example.com/{KEY}")),
	]
	for text in shown:
		assert is_clean(text)
	assert robots.read_secrets(settings.robots[0].name).url.endswith(KEY)


def test_no_secret_outlives_its_row_or_comes_along_with_a_copy():
	settings = add_robot("https://chat.example.com/first", checked=True)
	row = settings.robots[0]
	settings.append("robots", {"robot_name": "Copy", "kind": row.kind, "url": row.url, "secret": row.secret})
	with pytest.raises(frappe.ValidationError, match="row 2, Webhook Address"):
		settings.save()
	frappe.db.rollback()
	settings.reload()
	settings.robots = []
	settings.save()
	auth = frappe.qb.Table("__Auth")
	assert not frappe.qb.from_(auth).select("*").where(auth.doctype == "Team Robot").run()

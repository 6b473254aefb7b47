"""Group-chat robots of WeCom, DingTalk and Feishu: a team's digest in its own chat.

Payloads and signatures are those of the vendors' documentation of custom robots: WeCom
developer.work.weixin.qq.com/document/path/99110, DingTalk open.dingtalk.com/document/robots/customize-robot-security-settings,
Feishu open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import frappe
from frappe import _
from frappe.utils.password import get_decrypted_password

from crm_retention.care import outbound

# bytes of UTF-8 in WeCom's markdown; the others take more
MOST_BYTES = 4096
DOCTYPE = "Team Robot"
MOST_CODE = 10**10


class RobotError(Exception):
	"""The chat did not take the message. Names the robot and why, and neither its address nor what the chat said."""


@dataclass(frozen=True)
class Robot:
	"""A robot of Retention Settings. Its secrets stay in the database until the moment of the call."""

	name: str
	kind: str
	row: str


@dataclass(frozen=True)
class Secrets:
	"""Address and secret in the clear, for one call."""

	url: str = field(repr=False)
	secret: str = field(default="", repr=False)


def get_robots() -> list[Robot]:
	"""The enabled robots."""
	rows = frappe.get_doc("Retention Settings").robots
	return [Robot(row.robot_name, row.kind, row.name) for row in rows if row.enabled]


def post(robot: Robot, title: str, text: str, at: float | None = None) -> None:
	"""Post Markdown to a chat, once. ``at`` is the moment in seconds, for the signature. Raises RobotError."""
	problem = _post(robot, title, cut(text), time.time() if at is None else at)
	if problem:
		raise RobotError(_("Robot {0}: {1}").format(robot.name, problem))


def _post(robot: Robot, title: str, text: str, at: float) -> str:
	"""What went wrong, in the app's own words; empty if nothing did.

	Here and below the secrets are in the clear. A log stores a traceback with the variables of all that it passes,
	so no exception leaves this function.
	"""
	try:
		url, payload = get_request(robot.kind, read_secrets(robot.row), title, text, at)
		return judge(outbound.post_json(url, payload))
	except outbound.OutboundError as error:
		return str(error)
	except Exception as error:
		return _("unexpected error ({0})").format(type(error).__name__)


def read_secrets(row: str) -> Secrets:
	"""The password fields of a robot. Raises OutboundError if there is no address, or it cannot be decrypted."""
	values = [get_decrypted_password(DOCTYPE, row, name, raise_exception=False) for name in ("url", "secret")]
	if not values[0]:
		raise outbound.OutboundError(_("its address is missing or cannot be decrypted: enter it again"))
	return Secrets(values[0].strip(), (values[1] or "").strip())


def judge(answer: Any) -> str:
	"""What an answer says against the message: the vendor's code, and nothing of its text."""
	if not isinstance(answer, dict):
		return _("its answer cannot be read")
	code = answer.get("errcode", answer.get("code", answer.get("StatusCode", 0)))
	if code in (0, "0", None):
		return ""
	known = isinstance(code, int) and abs(code) < MOST_CODE
	return _("it refuses the message, code {0}").format(code if known else "?")


def get_faults(settings: Any) -> list[str]:
	"""What is wrong with the addresses of the robots in Retention Settings, naming row and field."""
	place = _("{0}, row {1}, {2}: {3}")
	table = _(settings.meta.get_label("robots"))
	faults = [(row, get_address_fault(row)) for row in settings.robots]
	return [
		place.format(table, row.idx, _(row.meta.get_label("url")), fault) for row, fault in faults if fault
	]


def get_address_fault(row: Any) -> str:
	"""What is wrong with the address of a row as it is entered or stored. No exception leaves it, as in ``_post``."""
	try:
		if row.url and not row.is_dummy_password(row.url):
			outbound.get_target(row.url.strip())
		elif row.url and not has_address(row.name):
			return _("enter the address again, stars are none")
		return ""
	except outbound.OutboundError as error:
		return str(error)
	except Exception as error:
		return _("unexpected error ({0})").format(type(error).__name__)


def has_address(row: str) -> bool:
	"""Whether an address is stored for a row; that of another row does not come along with its stars."""
	auth = frappe.qb.Table("__Auth")
	stored = (auth.doctype == DOCTYPE) & (auth.name == row) & (auth.fieldname == "url")
	return bool(frappe.qb.from_(auth).select(auth.name).where(stored).run())


def forget_removed(settings: Any) -> None:
	"""The secrets of rows that were removed go with them."""
	auth, kept = frappe.qb.Table("__Auth"), [row.name for row in settings.robots]
	query = frappe.qb.from_(auth).delete().where((auth.doctype == DOCTYPE) & auth.name.notin(kept or [""]))
	query.run()


def get_request(kind: str, secrets: Secrets, title: str, text: str, at: float) -> tuple[str, dict[str, Any]]:
	"""Address and payload in the vendor's form, signed where the robot has a secret."""
	if kind == "WeCom":
		return secrets.url, {"msgtype": "markdown", "markdown": {"content": f"**{title}**\n{text}"}}
	if kind == "DingTalk":
		body = {"title": title, "text": f"#### {title}\n\n" + text.replace("\n", "\n\n")}
		return sign_dingtalk(secrets, at), {"msgtype": "markdown", "markdown": body}
	payload = {"msg_type": "text", "content": {"text": f"{title}\n{text}"}}
	return secrets.url, payload | sign_feishu(secrets, at)


def sign_dingtalk(secrets: Secrets, at: float) -> str:
	"""The address with timestamp in milliseconds and HMAC-SHA256 of ``timestamp\\nsecret`` under the secret."""
	if not secrets.secret:
		return secrets.url
	stamp = str(round(at * 1000))
	digest = hmac.new(secrets.secret.encode(), f"{stamp}\n{secrets.secret}".encode(), hashlib.sha256).digest()
	query = urlencode({"timestamp": stamp, "sign": base64.b64encode(digest).decode()})
	return f"{secrets.url}{'&' if '?' in secrets.url else '?'}{query}"


def sign_feishu(secrets: Secrets, at: float) -> dict[str, str]:
	"""Timestamp in seconds and HMAC-SHA256 of nothing under ``timestamp\\nsecret``, in the payload."""
	if not secrets.secret:
		return {}
	stamp = str(int(at))
	digest = hmac.new(f"{stamp}\n{secrets.secret}".encode(), b"", hashlib.sha256).digest()
	return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


def cut(text: str) -> str:
	"""No longer than every vendor takes, with room for the title."""
	room = MOST_BYTES - 512
	if len(text.encode()) <= room:
		return text
	return text.encode()[: room - 3].decode(errors="ignore") + "…"

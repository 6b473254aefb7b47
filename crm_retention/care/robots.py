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
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import frappe
import requests
from frappe import _

SECONDS = 10
# bytes of UTF-8 in WeCom's markdown; the others take more
MOST_BYTES = 4096


class RobotError(Exception):
	"""The chat did not take the message; the text names the robot and what it answered."""


@dataclass(frozen=True)
class Robot:
	"""A robot of Retention Settings with its secrets in the clear."""

	name: str
	kind: str
	url: str
	secret: str = ""


def get_robots() -> list[Robot]:
	"""The enabled robots."""
	rows = frappe.get_doc("Retention Settings").robots
	return [
		Robot(row.robot_name, row.kind, get_secret(row, "url"), get_secret(row, "secret"))
		for row in rows
		if row.enabled
	]


def get_secret(row: Any, field: str) -> str:
	"""A password field of a row, empty if it was never set."""
	return row.get_password(field, raise_exception=False) or ""


def post(robot: Robot, title: str, text: str, at: float | None = None) -> None:
	"""Post Markdown to a chat, once. ``at`` is the moment in seconds, for the signature. Raises RobotError."""
	url, payload = get_request(robot, title, cut(text), time.time() if at is None else at)
	try:
		answer = requests.post(url, json=payload, timeout=SECONDS)
		answer.raise_for_status()
		body = answer.json()
	except (requests.RequestException, ValueError) as error:
		# the address holds the key: it is not repeated
		reason = getattr(getattr(error, "response", None), "status_code", None) or type(error).__name__
		raise RobotError(_("Robot {0}: {1}").format(robot.name, reason)) from None
	code = body.get("errcode", body.get("code", body.get("StatusCode", 0)))
	if code:
		reason = body.get("errmsg") or body.get("msg") or ""
		raise RobotError(_("Robot {0}: {1}").format(robot.name, f"{code} {reason}".strip()))


def get_request(robot: Robot, title: str, text: str, at: float) -> tuple[str, dict[str, Any]]:
	"""Address and payload in the vendor's form, signed where the robot has a secret."""
	if robot.kind == "WeCom":
		return robot.url, {"msgtype": "markdown", "markdown": {"content": f"**{title}**\n{text}"}}
	if robot.kind == "DingTalk":
		body = {"title": title, "text": f"#### {title}\n\n" + text.replace("\n", "\n\n")}
		return sign_dingtalk(robot, at), {"msgtype": "markdown", "markdown": body}
	payload = {"msg_type": "text", "content": {"text": f"{title}\n{text}"}}
	return robot.url, payload | sign_feishu(robot, at)


def sign_dingtalk(robot: Robot, at: float) -> str:
	"""The address with timestamp in milliseconds and HMAC-SHA256 of ``timestamp\\nsecret`` under the secret."""
	if not robot.secret:
		return robot.url
	stamp = str(round(at * 1000))
	digest = hmac.new(robot.secret.encode(), f"{stamp}\n{robot.secret}".encode(), hashlib.sha256).digest()
	query = urlencode({"timestamp": stamp, "sign": base64.b64encode(digest).decode()})
	return f"{robot.url}{'&' if '?' in robot.url else '?'}{query}"


def sign_feishu(robot: Robot, at: float) -> dict[str, str]:
	"""Timestamp in seconds and HMAC-SHA256 of nothing under ``timestamp\\nsecret``, in the payload."""
	if not robot.secret:
		return {}
	stamp = str(int(at))
	digest = hmac.new(f"{stamp}\n{robot.secret}".encode(), b"", hashlib.sha256).digest()
	return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


def cut(text: str) -> str:
	"""No longer than every vendor takes, with room for the title."""
	room = MOST_BYTES - 512
	if len(text.encode()) <= room:
		return text
	return text.encode()[: room - 3].decode(errors="ignore") + "…"

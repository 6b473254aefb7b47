"""Requests to the app as a web worker answers them, without a server: each in a thread with a connection of its own."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

import frappe
from werkzeug.test import Client


@dataclass(frozen=True)
class Answer:
	"""HTTP status, all the text that the client gets, and what of it is meant for people."""

	status: int
	text: str

	@property
	def said(self) -> str:
		"""The messages, or the whole answer where there are none."""
		try:
			messages = json.loads(json.loads(self.text).get("_server_messages") or "[]")
		except ValueError:
			return self.text
		return " ".join(str(json.loads(message).get("message")) for message in messages) or self.text

	@property
	def data(self) -> Any:
		"""The document of an answer by REST."""
		return json.loads(self.text).get("data")


class Insider:
	"""A user with a token."""

	def __init__(self, site: Any, user: str) -> None:
		doc = frappe.get_doc("User", user)
		doc.api_key, doc.api_secret = f"key-of-{user}", f"secret-of-{user}"
		doc.save()
		frappe.db.commit()
		token = f"token {doc.api_key}:secret-of-{user}"
		self.headers = {"Authorization": token, "X-Frappe-Site-Name": site.name, "Accept": "application/json"}

	def send(self, verb: str, path: str, values: dict[str, Any] | None = None) -> Answer:
		"""One request."""
		return self.send_at_once(1, verb, path, values)[0]

	def send_at_once(
		self, many: int, verb: str, path: str, values: dict[str, Any] | None = None
	) -> list[Answer]:
		"""The same request from so many threads."""
		answers: list[Answer] = []
		threads = [
			threading.Thread(target=self._answer, args=(verb, path, values, answers)) for _ in range(many)
		]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(120)
		return answers

	def _answer(self, verb: str, path: str, values: dict[str, Any] | None, answers: list[Answer]) -> None:
		from frappe.app import application

		body = {"data": json.dumps(values or {}), "content_type": "application/json"}
		response = Client(application).open(path, method=verb, headers=self.headers, **body)
		answers.append(Answer(response.status_code, response.get_data(as_text=True)))
		response.close()

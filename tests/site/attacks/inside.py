"""Requests to the app as a web worker answers them, without a server: each in a thread with a connection of its own."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

import frappe
from werkzeug.test import Client

from tests.support.web import give_token


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
		"""The document of an answer by REST, or what a method returned."""
		answer = json.loads(self.text)
		return answer.get("data", answer.get("message"))


class Insider:
	"""A user of the site that is connected, with a token. Commits."""

	def __init__(self, user: str) -> None:
		token = f"token {give_token(user)}"
		frappe.db.commit()
		site = frappe.local.site
		self.headers = {"Authorization": token, "X-Frappe-Site-Name": site, "Accept": "application/json"}

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

		# an empty body would hide what stands in the address
		body = {} if values is None else {"data": json.dumps(values), "content_type": "application/json"}
		response = Client(application).open(path, method=verb, headers=self.headers, **body)
		answers.append(Answer(response.status_code, response.get_data(as_text=True)))
		response.close()

"""Calls of whitelisted methods as a request makes them, with the status and all the text that the client would get."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.handler import execute_cmd


@dataclass(frozen=True)
class Answer:
	"""HTTP status, what the method returned, and everything that was said."""

	status: int
	data: Any
	text: str

	def about(self, *names: str) -> tuple[int, str]:
		"""Status and text, with the names that were asked for taken out: what is left must not depend on them."""
		text = self.text
		for name in names:
			text = text.replace(name, "NAME").replace(frappe.utils.escape_html(name), "NAME")
		return self.status, text


def call(user: str, method: str, /, **values: Any) -> Answer:
	"""One POST by a user; what it wrote is undone."""
	path = method if method.startswith(("crm_retention.", "frappe.")) else f"crm_retention.api.{method}"
	frappe.set_user(user)
	frappe.local.form_dict = frappe._dict(values)
	frappe.local.request = frappe._dict(method="POST", headers={})
	frappe.local.message_log, frappe.flags.error_message = [], None
	frappe.db.savepoint("attack")
	try:
		status, data, text = 200, execute_cmd(path), ""
	except Exception as error:
		status, data, text = getattr(error, "http_status_code", 500), None, repr(error)
	said = frappe.as_json([text, frappe.local.message_log, data, frappe.flags.error_message])
	frappe.db.rollback(save_point="attack")
	frappe.db.after_commit.reset()
	forget_request()
	frappe.set_user("Administrator")
	return Answer(status, data, without_identity(said))


def forget_request() -> None:
	"""Nobody asks any more, as in a job; what runs next finds no request that is None."""
	if hasattr(frappe.local, "request"):
		del frappe.local.request


def without_identity(text: str) -> str:
	"""What was said without the random numbers that Frappe gives to messages."""
	rows = [line for line in text.splitlines() if "__frappe_exc_id" not in line]
	return "\n".join(rows)


def get_arguments(method: Callable[..., Any]) -> dict[str, inspect.Parameter]:
	"""The parameters of a method."""
	return dict(inspect.signature(method).parameters)

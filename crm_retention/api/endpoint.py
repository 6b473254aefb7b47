"""Every method that a client may call: its arguments are read before it begins, and it is done again after a deadlock."""

import inspect
import typing
from collections.abc import Callable
from functools import wraps
from typing import Any

import frappe
from frappe import _

from crm_retention.arguments import Kind, throw_missing

TRIES = 3


class BusyError(frappe.ValidationError):
	"""Others are at work on the same records. HTTP 409: the same call may be sent again."""

	http_status_code = 409


def endpoint(*http_methods: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""Whitelist a method whose annotations say what its arguments may be; see ``arguments``.

	``http_methods`` are all unless given. Raises TypeError where the method is written without such annotations.
	"""

	def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
		hints = typing.get_type_hints(method, include_extras=True)
		method.__annotations__ = hints
		signature = inspect.signature(method)
		kinds = {name: get_kind(method, parameter) for name, parameter in signature.parameters.items()}

		@wraps(method)
		def call(*args: Any, **kwargs: Any) -> Any:
			validate_http_method(http_methods)
			given = bind(signature, args, kwargs)
			values = {name: read(kind, signature.parameters[name], given) for name, kind in kinds.items()}
			return again_after_deadlock(method, values)

		call.__annotations__ = hints  # what Frappe reads; not every Python copies them
		return frappe.whitelist(methods=list(http_methods) or None)(call)

	return decorate


def validate_http_method(allowed: tuple[str, ...]) -> None:
	"""Raises PermissionError for another way: searches of Frappe call what is whitelisted without asking for it."""
	if allowed and frappe.request and frappe.request.method not in allowed:
		frappe.throw(_("Not permitted"), frappe.PermissionError)


def bind(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
	"""What was given, by the names of the arguments. Raises ValidationError for what is none of the method's."""
	try:
		return signature.bind_partial(*args, **kwargs).arguments
	except TypeError:
		pass  # outside, so that the refusal carries no trace of the call
	frappe.throw(_("{0}: the arguments are {1}.").format(_("Request"), ", ".join(signature.parameters)))


def get_kind(method: Callable[..., Any], parameter: inspect.Parameter) -> Kind:
	"""What the annotation of a parameter says; ``Kind | None`` is a kind, too."""
	annotation = parameter.annotation
	for part in (annotation, *typing.get_args(annotation)):
		for said in getattr(part, "__metadata__", ()):
			if isinstance(said, Kind):
				return said
	raise TypeError(f"{method.__module__}.{method.__qualname__}: {parameter.name} has no kind")


def read(kind: Kind, parameter: inspect.Parameter, given: dict[str, Any]) -> Any:
	"""The value of an argument; nothing is its default. Raises ValidationError."""
	value = given.get(parameter.name)
	if parameter.default is not parameter.empty and (value is None or value == ""):
		return parameter.default
	if value is None:
		throw_missing(parameter.name)
	return kind.read(parameter.name, value)


def again_after_deadlock(method: Callable[..., Any], values: dict[str, Any]) -> Any:
	"""The whole request is the transaction: where the database chose it as the victim, it is done again."""
	for _attempt in range(TRIES):
		messages = list(frappe.local.message_log)
		try:
			return method(**values)
		except frappe.QueryDeadlockError:
			frappe.db.rollback()
			frappe.local.message_log = messages
		except frappe.QueryTimeoutError:
			frappe.db.rollback()
			break
	frappe.throw(_("Others are at work on the same records. Please try again."), BusyError)

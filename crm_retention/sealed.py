"""Text that a list must not search: stored in the clear, a filter would answer letter by letter to whoever is not shown it."""

from __future__ import annotations

import base64
import zlib

import frappe
from frappe.utils.password import decrypt, encrypt

PREFIX = "sealed:"


def seal(text: str | None) -> str | None:
	"""The text as it is stored: packed, and encrypted by the key of the site, each time to something else."""
	if not text or text.startswith(PREFIX):
		return text
	packed = base64.b64encode(zlib.compress(text.encode())).decode()
	return PREFIX + encrypt(packed)


def unseal(text: str | None) -> str | None:
	"""The text of what is stored; None where the site has another key now, what is not sealed as it is."""
	if not text or not text.startswith(PREFIX):
		return text
	messages = list(frappe.local.message_log)
	try:
		packed = decrypt(text.removeprefix(PREFIX))
	except frappe.ValidationError:
		frappe.local.message_log = messages
		return None
	return zlib.decompress(base64.b64decode(packed)).decode()

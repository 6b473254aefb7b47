"""Text that a list must not search: stored in the clear, a filter would answer letter by letter to whoever is not shown it."""

from __future__ import annotations

import base64
import zlib

import frappe
from frappe.utils.password import decrypt, encrypt, get_encryption_key

PREFIX = "sealed:"


def ensure_key() -> None:
	"""The site has a key. A process of 16 that remembers the configuration from before would make another one in its place."""
	if "encryption_key" not in frappe.local.conf:
		frappe.local.conf.update(frappe.get_site_config())
	get_encryption_key()


def seal(text: str | None) -> str | None:
	"""The text as it is stored: packed, and encrypted by the key of the site, each time to something else."""
	if not text or text.startswith(PREFIX):
		return text
	ensure_key()
	packed = base64.b64encode(zlib.compress(text.encode())).decode()
	return PREFIX + encrypt(packed)


def unseal(text: str | None) -> str | None:
	"""The text of what is stored; None where the site has another key now, what is not sealed as it is."""
	if not text or not text.startswith(PREFIX):
		return text
	ensure_key()
	messages = list(frappe.local.message_log)
	try:
		packed = decrypt(text.removeprefix(PREFIX))
	except frappe.ValidationError:
		frappe.local.message_log = messages
		return None
	return zlib.decompress(base64.b64decode(packed)).decode()

"""What a request asked for, in few characters: a retry is known by it, and told from another request of the same identity."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import frappe

LENGTH = 40


def get_fingerprint(method: str, **asked: Any) -> str:
	"""The same for the same user asking the same of the same method, 40 hexadecimal digits."""
	text = json.dumps([method, frappe.session.user, asked], sort_keys=True, default=str)
	return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]

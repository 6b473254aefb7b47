"""Touchpoint types, occasions, contact rules and plans of a new site. From then on they belong to the admin."""

from __future__ import annotations

from typing import Any


def get_docs() -> list[dict[str, Any]]:
	"""The defaults as documents, those that others link to first."""
	return []

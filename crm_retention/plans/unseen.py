"""Which parties are hidden from somebody: planning gives nobody a touchpoint of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import frappe

from crm_retention.parties import LEAD_PREFIX, PARTY_TYPES
from crm_retention.permissions import get_readable_query, hides_nothing

CHUNK = 1000


def get_unseen(user: str) -> Callable[[Sequence[str]], set[str]] | None:
	"""What says, of some parties by their keys, which ones ``user`` may not read; None where none is hidden.

	By the user's lists of customers and leads: roles, user permissions, shares and rules of other apps all apply.
	"""
	lists = {party_type: get_readable_query(party_type, user) for party_type in PARTY_TYPES}
	if all(query is not None and hides_nothing(query) for query in lists.values()):
		return None

	def find(keys: Sequence[str]) -> set[str]:
		return set(keys) - get_seen(keys, lists)

	return find


def get_seen(keys: Sequence[str], lists: Mapping[str, str | None]) -> set[str]:
	"""Those of the keys whose party is in the list of its type."""
	leads = [key for key in keys if key.startswith(LEAD_PREFIX)]
	customers = [key for key in keys if not key.startswith(LEAD_PREFIX)]
	seen = set(get_listed("Customer", customers, lists["Customer"]))
	names = [key.removeprefix(LEAD_PREFIX) for key in leads]
	return seen | {LEAD_PREFIX + name for name in get_listed("Lead", names, lists["Lead"])}


def get_listed(doctype: str, names: Sequence[str], query: str | None) -> list[str]:
	"""Those of the names that a list has; ``query`` is its SQL, None for an empty one."""
	if query is None:
		return []
	found: list[str] = []
	for start in range(0, len(names), CHUNK):
		some = ", ".join(frappe.db.escape(name, percent=False) for name in names[start : start + CHUNK])
		rows = frappe.db.sql(
			f"select `name` from `tab{doctype}` where `name` in ({some}) and `name` in ({query})"
		)
		found += [row[0] for row in rows]
	return found

"""Handing customers over from one person to another."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention.api.profile import check_party
from crm_retention.care import handover


@frappe.whitelist(methods=["POST"])
def hand_over(
	from_user: str,
	to_user: str,
	parties: str | list | None = None,
	keep: str | list | None = None,
	tell_customer: int | str = 0,
	email_template: str | None = None,
	request_id: str | None = None,  # noqa: ARG001
) -> dict[str, Any]:
	"""See ``care.handover.hand_over``; ``parties`` is a list of [party type, name]. Safe to repeat.

	Raises PermissionError for others than Retention Managers, ValidationError for a party without its type.
	"""
	frappe.only_for(("Retention Manager", "System Manager"))
	chosen = get_pairs(frappe.parse_json(parties)) if parties else None
	kept = frappe.parse_json(keep) if keep else None
	return handover.hand_over(from_user, to_user, chosen, kept, bool(cint(tell_customer)), email_template)


@frappe.whitelist()
def brief(party_type: str, party: str) -> dict[str, str]:
	"""The brief of a party as HTML: {html}. Raises PermissionError for who may not read the party."""
	check_party(party_type, party)
	return {"html": handover.render_brief(party_type, party)}


def get_pairs(rows: Any) -> list[tuple[str, str]]:
	"""[party type, name] pairs from JSON."""
	if not isinstance(rows, list) or not all(isinstance(row, list | tuple) and len(row) == 2 for row in rows):
		frappe.throw(_("{0}: a list of [party type, name] is expected.").format("parties"))
	return [(str(kind), str(name)) for kind, name in rows]

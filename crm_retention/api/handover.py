"""Handing customers over from one person to another."""

from typing import Any

import frappe
from frappe import _

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Flag, Name, NameOf, Names, RequestId, Rows
from crm_retention.care import handover
from crm_retention.views import brief as party_brief
from crm_retention.views.access import check_party

MOST_PARTIES = 10_000


@endpoint("POST")
def hand_over(
	from_user: Name,
	to_user: Name,
	parties: Rows | None = None,
	keep: Names | None = None,
	tell_customer: Flag = False,
	email_template: Name | None = None,
	request_id: RequestId | None = None,  # noqa: ARG001
) -> dict[str, Any]:
	"""See ``care.handover.hand_over``; ``parties`` is a list of [party type, name]. Safe to repeat.

	Raises PermissionError for others than Retention Managers, ValidationError for a party without its type.
	"""
	frappe.only_for(("Retention Manager", "System Manager"))
	chosen = get_pairs(parties) if parties else None
	return handover.hand_over(from_user, to_user, chosen, keep, tell_customer, email_template)


@endpoint()
def brief(party_type: Name, party: Name) -> dict[str, str]:
	"""The brief of a party as HTML: {html}, with what the user may read. Raises PermissionError without the party."""
	return {"html": party_brief.render(party_type, check_party(party_type, party))}


def get_pairs(rows: list[Any]) -> list[tuple[str, str]]:
	"""[party type, name] pairs. Raises ValidationError for anything else, and for more than ``MOST_PARTIES``."""
	if not all(isinstance(row, list | tuple) and len(row) == 2 for row in rows):
		frappe.throw(_("{0}: a list of [party type, name] is expected.").format("parties"))
	if len(rows) > MOST_PARTIES:
		frappe.throw(_("{0}: at most {1} at once.").format("parties", MOST_PARTIES))
	read = NameOf().read
	return [(read("parties", kind), read("parties", name)) for kind, name in rows]

"""A customer or lead in one view, and its timeline across departments; for the desk, phones and other clients."""

from __future__ import annotations

from typing import Any

import frappe

from crm_retention.api.profile import check_party
from crm_retention.jobs.runs import today
from crm_retention.views import party as party_view
from crm_retention.views import timeline
from crm_retention.views.party import View
from crm_retention.views.timeline import Page


@frappe.whitelist()
def get_view(party_type: str, party: str) -> View:
	"""What is known and to be done of a party today. See ``views.party.View``. Raises PermissionError."""
	check_party(party_type, party)
	return party_view.get_view(party_type, party, today())


@frappe.whitelist()
def get_timeline(
	party_type: str,
	party: str,
	filters: dict[str, Any] | str | None = None,
	before: str | None = None,
	limit: int = 50,
) -> Page:
	"""What happened with a party, newest first: {rows, before}. See ``views.timeline.get_page``.

	``filters``: of (Interaction Log, Touchpoint, Tier Change or Plan Enrollment), kind, channel, department, direction,
	from_date and to_date (days of the user's calendar), only_contacts. ``before`` is that of the page above. Raises
	PermissionError, ValidationError for filters that do not exist.
	"""
	check_party(party_type, party)
	return timeline.get_page(party_type, party, frappe.parse_json(filters), before, limit)

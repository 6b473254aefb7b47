"""What a new person must know of a party, as whoever asks may read it: the same rows as in the view and the timeline."""

from __future__ import annotations

from typing import Any

import frappe

from crm_retention.parties import get_party_name
from crm_retention.views import party as party_view
from crm_retention.views import timeline

LAST_INTERACTIONS = 5


def render(party_type: str, party: str) -> str:
	"""The brief as HTML, to show or to print. Who may read the party was asked already."""
	return frappe.render_template("templates/handover_brief.html", get_brief(party_type, party))


def get_brief(party_type: str, party: str) -> dict[str, Any]:
	"""Tier, stage, last interactions, open issues, promises, what is due. Parts that the user does not read are empty."""
	open_ones = party_view.get_touchpoints(party_type, party)
	cases = party_view.get_cases(party_type, party)
	return {
		"party_type": party_type,
		"party": party,
		"party_name": get_party_name(party_type, party),
		"profile": party_view.get_profile(party_type, party, ("tier", "stage")) or {},
		"interactions": get_interactions(party_type, party),
		"issues": [row for row in cases if row["doctype"] == "Issue" and row["is_open"]],
		"promises": [row for row in open_ones if row.get("is_promise")],
		"due": [row for row in open_ones if not row.get("is_promise")],
	}


def get_interactions(party_type: str, party: str) -> list[dict[str, Any]]:
	"""The last rows of the log that no other row corrects."""
	wanted = {"of": timeline.LOG}
	return timeline.get_page(party_type, party, wanted, None, LAST_INTERACTIONS)["rows"]

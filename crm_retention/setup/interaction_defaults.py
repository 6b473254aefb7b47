"""Channels, kinds and sources of interactions of a new site. From the installation on they belong to the admin."""

from __future__ import annotations

from typing import Any

CHANNELS: tuple[dict[str, Any], ...] = (
	{"channel_name": "Phone", "minutes": 15},
	{"channel_name": "Email", "sends": "Email", "minutes": 10},
	{"channel_name": "Visit", "minutes": 60},
	{"channel_name": "Meeting", "minutes": 45},
	{"channel_name": "SMS", "sends": "SMS", "minutes": 2},
	{"channel_name": "Chat", "minutes": 10},
	{"channel_name": "Letter", "minutes": 15},
	{"channel_name": "Document", "minutes": 0},
)
KINDS: tuple[dict[str, Any], ...] = (
	{"kind_name": "Call", "channel": "Phone"},
	{"kind_name": "Email", "channel": "Email"},
	{"kind_name": "Visit", "channel": "Visit"},
	{"kind_name": "Meeting", "channel": "Meeting"},
	{"kind_name": "Message", "channel": "Chat"},
	{"kind_name": "Note", "is_contact": 0},
	{"kind_name": "Opportunity", "is_contact": 0, "channel": "Document"},
	{"kind_name": "Quotation", "is_contact": 0, "channel": "Document"},
	{"kind_name": "Order", "is_contact": 0, "channel": "Document"},
	{"kind_name": "Delivery", "is_contact": 0, "channel": "Document"},
	{"kind_name": "Invoice", "is_contact": 0, "channel": "Document"},
	{"kind_name": "Payment", "is_contact": 0, "channel": "Document"},
	{"kind_name": "Case Opened", "channel": "Document"},
	{"kind_name": "Case Resolved", "channel": "Document"},
	{"kind_name": "Servicing", "channel": "Visit"},
)


def get_docs() -> list[dict[str, Any]]:
	"""The defaults as documents, those that others link to first."""
	docs = [{"doctype": "Contact Channel", **row} for row in CHANNELS]
	docs += [{"doctype": "Interaction Kind", **row} for row in KINDS]
	return docs

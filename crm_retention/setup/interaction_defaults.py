"""Channels, kinds and sources of interactions of a new site. From the installation on they belong to the admin."""

from __future__ import annotations

import json
from typing import Any

import frappe

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
	{"kind_name": "Cancelled", "is_contact": 0},
)
# what a row of a kind should say besides party, kind and moment
FACTS: dict[str, tuple[str, ...]] = {
	"Call": ("direction", "outcome", "note", "department"),
	"Visit": ("minutes", "outcome", "note", "department"),
	"Meeting": ("minutes", "outcome", "note", "department"),
	"Email": ("direction", "subject", "department"),
	"Message": ("direction", "department"),
}


def source(name: str, doctype: str, kind: str, **values: Any) -> dict[str, Any]:
	"""A standard source; its conditions as (field, operator, value)."""
	rows = [[doctype, *row] for row in values.pop("filters", ())]
	given = {"document_type": doctype, "interaction_kind": kind, "filters_json": json.dumps(rows)}
	return {"doctype": "Interaction Source", "source_name": name, "is_standard": 1, **given, **values}


def document(name: str, doctype: str, kind: str, date_field: str, **values: Any) -> dict[str, Any]:
	"""The source of a submittable trade document of a customer."""
	given = {
		"party_field": "customer",
		"party_type": "Customer",
		"only_submitted": 1,
		"direction": "Internal",
	}
	return source(name, doctype, kind, date_field=date_field, **given | values)


def letter(name: str, kind: str, *media: str, **values: Any) -> dict[str, Any]:
	"""The source of communications of some media, sent and received."""
	given = {"handler": "communication", "date_field": "communication_date", "only_submitted": 0}
	given |= {"subject_field": "subject", "direction_field": "sent_or_received"}
	given |= {
		"channel_field": "communication_medium",
		"filters": [["communication_medium", "in", ",".join(media)]],
	}
	return source(name, "Communication", kind, **given | values)


def get_sources() -> list[dict[str, Any]]:
	"""Every standard source whose document type the site has."""
	event = {"handler": "event", "date_field": "starts_on", "subject_field": "subject", "only_submitted": 0}
	dynamic = {"party_type": "From Field", "party_field": "party_name"}
	issue = {"subject_field": "subject", "only_submitted": 0}
	sources = [
		letter("Email", "Email", "Email"),
		letter("Call Note", "Call", "Phone"),
		letter("Message", "Message", "Chat", "SMS", "Other"),
		letter("Meeting Note", "Meeting", "Meeting"),
		letter("Visit Note", "Visit", "Visit"),
		source(
			"Event",
			"Event",
			"Meeting",
			**event,
			direction="Out",
			filters=[["event_category", "not in", "Call,Sent/Received Email"]],
		),
		source(
			"Scheduled Call",
			"Event",
			"Call",
			**event,
			direction="Out",
			filters=[["event_category", "=", "Call"]],
		),
		source(
			"Task",
			"ToDo",
			"Note",
			party_type="From Field",
			party_type_field="reference_type",
			party_field="reference_name",
			date_field="modified",
			user_field="allocated_to",
			note_field="description",
			direction="Internal",
			only_submitted=0,
			filters=[["status", "=", "Closed"]],
		),
		source(
			"Phone Call",
			"Call Log",
			"Call",
			handler="call_log",
			date_field="start_time",
			direction_field="type",
			minutes_field="duration",
			note_field="summary",
			user_field="employee_user_id",
			only_submitted=0,
			filters=[["status", "=", "Completed"]],
		),
		document("Invoice", "Sales Invoice", "Invoice", "posting_date"),
		document("Order", "Sales Order", "Order", "transaction_date"),
		document("Delivery", "Delivery Note", "Delivery", "posting_date"),
		document(
			"Payment",
			"Payment Entry",
			"Payment",
			"posting_date",
			party_type="From Field",
			party_type_field="party_type",
			party_field="party",
		),
		document(
			"Quotation",
			"Quotation",
			"Quotation",
			"transaction_date",
			**dynamic,
			party_type_field="quotation_to",
		),
		source(
			"Opportunity",
			"Opportunity",
			"Opportunity",
			**dynamic,
			party_type_field="opportunity_from",
			date_field="transaction_date",
			user_field="opportunity_owner",
			subject_field="title",
			direction="Internal",
			only_submitted=0,
		),
		source(
			"Issue Opened",
			"Issue",
			"Case Opened",
			handler="issue",
			date_field="opening_date",
			direction="In",
			**issue,
		),
		source(
			"Issue Resolved",
			"Issue",
			"Case Resolved",
			handler="issue_resolved",
			date_field=get_resolution_field(),
			direction="Out",
			filters=[["status", "in", "Resolved,Closed"]],
			**issue,
		),
		source(
			"Warranty Claim",
			"Warranty Claim",
			"Case Opened",
			party_field="customer",
			date_field="complaint_date",
			contact_field="contact_person",
			direction="In",
			only_submitted=0,
		),
		document(
			"Servicing",
			"Maintenance Visit",
			"Servicing",
			"mntc_date",
			direction="Out",
			contact_field="contact_person",
		),
	]
	return [row for row in sources if frappe.db.exists("DocType", row["document_type"])]


def get_resolution_field() -> str:
	"""When an issue was resolved: called so by ERPNext 15, and otherwise before."""
	meta = frappe.get_meta("Issue")
	return "sla_resolution_date" if meta.has_field("sla_resolution_date") else "resolution_date"


def get_docs() -> list[dict[str, Any]]:
	"""The defaults as documents, those that others link to first."""
	docs = [{"doctype": "Contact Channel", **row} for row in CHANNELS]
	docs += [
		{"doctype": "Interaction Kind", **row, "required_facts": get_facts(row["kind_name"])} for row in KINDS
	]
	return [*docs, *get_sources()]


def get_facts(kind: str) -> list[dict[str, Any]]:
	"""The required facts of a kind as rows; what is missing is reported and not refused."""
	return [{"fact": fact} for fact in FACTS.get(kind, ())]

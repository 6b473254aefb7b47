"""DocTypes that no source, signal or occasion reads, whoever asks: what people earn, accounts, credentials, the platform itself.

A list of names and modules, and one rule about metadata: whatever keeps a password is closed.
"""

from __future__ import annotations

from dataclasses import dataclass

import frappe
from frappe import _

from crm_retention.engine.errors import Problem
from crm_retention.parties import PARTY_TYPES

PEOPLE, SECRETS, PLATFORM, REMARKS, ROWS = "people", "secrets", "platform", "remarks", "rows"

# Frappe HR keeps what people earn and how they are judged in these modules; DocTypes that a site adds there are of the kind
PEOPLE_MODULES = ("HR", "Payroll")
# rights, settings, logs and queues; DocTypes that a site adds there are the site's own and not meant
PLATFORM_MODULES = ("Automation", "Core", "Custom", "Desk", "Email", "Integrations", "Workflow")
# what those modules have about dealings with customers
OPEN = ("Communication", "Email Unsubscribe", "Event", "Newsletter", "Note", "ToDo")
NAMED = {
	"Activity Cost": PEOPLE,  # what an hour of an employee costs
	"Bank": PEOPLE,
	"Bank Account": PEOPLE,
	"Bank Statement Import": PEOPLE,
	"Bank Transaction": PEOPLE,
	"Comment": REMARKS,
	"Employee": PEOPLE,
	"Payment Gateway Account": SECRETS,
	"Personal Data Deletion Request": PEOPLE,
	"Personal Data Download Request": PEOPLE,
	"SMS Log": REMARKS,
	"Timesheet": PEOPLE,  # what their hours cost
	"Transaction Deletion Record": PLATFORM,
	"Web Page View": PEOPLE,
}
# what reads documents, the field that names their type, and what picks those of them that do
READERS = (
	("Interaction Source", "document_type", {}),
	("Retention Signal", "source_doctype", {}),
	("Care Occasion", "document_type", {"kind": "Date Field"}),
)


@dataclass(frozen=True)
class About:
	"""What decides whether a DocType is closed."""

	name: str
	module: str
	custom: bool
	is_list: bool
	has_password: bool


def get_reasons() -> dict[str, str]:
	"""Why a DocType is closed, for people."""
	return {
		PEOPLE: _("it holds people's pay, accounts or personal records"),
		SECRETS: _("it holds passwords or keys"),
		PLATFORM: _("it belongs to the platform: its rights, settings and logs"),
		REMARKS: _("what it says is read with the document that it is about"),
		ROWS: _("it is no list of documents"),
	}


def judge(about: About) -> str | None:
	"""The key of the reason why a DocType is closed; None for one that may be read."""
	if not about.is_list:
		return ROWS
	if about.name in NAMED:
		return NAMED[about.name]
	if about.has_password and about.name not in PARTY_TYPES:
		return SECRETS
	if about.module in PEOPLE_MODULES:
		return PEOPLE
	if about.module in PLATFORM_MODULES and not about.custom and about.name not in OPEN:
		return PLATFORM
	return None


def why_closed(doctype: str | None) -> str | None:
	"""Why nothing may be made of the documents of this type, for people; None where it may, or where there is none."""
	if not doctype or not frappe.db.exists("DocType", doctype):
		return None
	meta = frappe.get_meta(doctype)
	reason = judge(
		About(
			doctype,
			meta.module,
			bool(meta.custom),
			not (meta.istable or meta.issingle or meta.get("is_virtual")),
			any(df.fieldtype == "Password" for df in meta.fields),
		)
	)
	return get_reasons()[reason] if reason else None


def get_open_doctypes() -> list[str]:
	"""Every DocType that is not closed, by name; who may read which is another question."""
	secret = set(frappe.get_all("DocField", {"fieldtype": "Password"}, pluck="parent", limit=0))
	secret |= set(frappe.get_all("Custom Field", {"fieldtype": "Password"}, pluck="dt", limit=0))
	fields = ["name", "module", "custom", "istable", "issingle", "is_virtual"]
	rows = frappe.get_all("DocType", fields=fields, order_by="name", limit=0)
	return [
		row.name
		for row in rows
		if not judge(
			About(
				row.name,
				row.module,
				bool(row.custom),
				not (row.istable or row.issingle or row.is_virtual),
				row.name in secret,
			)
		)
	]


def get_problems() -> list[Problem]:
	"""Enabled sources, signals and occasions of closed DocTypes, which captures and runs leave out."""
	found = []
	for reader, field, filters in READERS:
		label = _(frappe.get_meta(reader).get_label(field))
		for row in frappe.get_all(
			reader, {"enabled": 1, **filters}, ["name", field], order_by="name", limit=0
		):
			if reason := why_closed(row[field]):
				message = _("{0} cannot be used here: {1}").format(_(row[field]), reason)
				found.append(Problem(_(reader), row.name, label, message))
	return found

"""An Interaction Source is refused where it could not work, naming the field; the seeded ones work."""

from __future__ import annotations

import json

import frappe
import pytest

from crm_retention.setup import interaction_defaults
from tests.site.desk import make_user

GIVEN = {
	"doctype": "Interaction Source",
	"source_name": "Mine",
	"document_type": "Sales Invoice",
	"interaction_kind": "Invoice",
	"party_type": "Customer",
	"party_field": "customer",
	"date_field": "posting_date",
}
FAULTS = [
	({"document_type": "Sales Invoice Item"}, "Document Type"),
	({"document_type": "Retention Settings"}, "Document Type"),
	({"document_type": "Interaction Log"}, "Document Type"),
	({"party_field": ""}, "Party Field"),
	({"party_field": "no_such"}, "Party Field"),
	({"party_field": "company"}, "Party Field"),
	({"party_type": "Lead"}, "Party Field"),
	({"party_type": "From Field"}, "Party Field"),
	({"date_field": "customer"}, "Date Field"),
	({"date_field": "no_such"}, "Date Field"),
	({"minutes_field": "customer"}, "Minutes Field"),
	({"subject_field": "items"}, "Subject Field"),
	({"note_field": "no_such"}, "Note Field"),
	({"user_field": "customer"}, "User Field"),
	({"contact_field": "customer"}, "Contact Field"),
	({"direction_field": "items"}, "Direction Field"),
	({"channel_field": "no_such"}, "Channel Field"),
	({"handler": "unknown"}, "Read By"),
	({"filters_json": "[1]"}, "Conditions"),
	({"filters_json": json.dumps([["Sales Invoice", "no_such", "=", 1]])}, "no_such"),
	({"filters_json": json.dumps([["Sales Invoice", "grand_total", ">", "a lot"]])}, "Grand Total"),
	({"source_name": "x" * 120}, "Source"),
]


def make(**values):
	return frappe.get_doc(GIVEN | values)


@pytest.mark.parametrize(("values", "label"), FAULTS)
def test_fault_is_refused_naming_the_field(values, label):
	with pytest.raises(frappe.ValidationError, match=label):
		make(**values).insert()


def test_dynamic_link_finds_its_type_field_and_refuses_another():
	values = {"document_type": "Quotation", "party_type": "From Field", "party_field": "party_name"}
	values["date_field"] = "transaction_date"
	assert make(**values).insert().party_type_field == "quotation_to"
	with pytest.raises(frappe.ValidationError, match="Party Type Field"):
		make(**values, source_name="Other", party_type_field="customer_group").insert()


def test_changed_rule_starts_from_the_beginning():
	doc = make().insert()
	frappe.db.set_value(
		"Interaction Source", doc.name, {"swept_until": "2026-01-01 00:00:00", "swept_name": "x"}
	)
	doc.reload()
	doc.update({"minutes": 3}).save()
	assert doc.swept_until
	doc.update({"filters_json": json.dumps([["Sales Invoice", "is_return", "=", 0]])}).save()
	assert not doc.swept_until


def test_merging_is_refused():
	make().insert()
	with pytest.raises(frappe.ValidationError):
		frappe.rename_doc("Interaction Source", "Mine", "Invoice", merge=True, force=True)


def test_every_seeded_source_can_be_saved_and_covers_what_is_promised():
	names = [row["source_name"] for row in interaction_defaults.get_sources()]
	for name in names:
		frappe.get_doc("Interaction Source", name).save()
	covered = {row["document_type"] for row in interaction_defaults.get_sources()}
	wanted = {
		"Communication",
		"Event",
		"ToDo",
		"Call Log",
		"Sales Invoice",
		"Sales Order",
		"Delivery Note",
		"Issue",
	}
	wanted |= {"Payment Entry", "Quotation", "Opportunity", "Warranty Claim", "Maintenance Visit"}
	assert wanted <= covered


def test_users_read_sources_and_managers_change_them():
	make_user("u@example.com", "Retention User")
	make_user("m@example.com", "Retention Manager")
	for doctype in ("Interaction Source", "Interaction Kind"):
		assert frappe.has_permission(doctype, "read", user="u@example.com")
		assert not frappe.has_permission(doctype, "write", user="u@example.com")
		assert frappe.has_permission(doctype, "write", user="m@example.com")


def test_fact_that_is_required_twice_is_refused():
	doc = frappe.get_doc("Interaction Kind", "Call")
	doc.set("required_facts", [{"fact": "note"}, {"fact": "note"}])
	with pytest.raises(frappe.ValidationError, match="row 2"):
		doc.save()

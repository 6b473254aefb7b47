"""Every standard source: which documents it logs, for whom, and what the row says."""

from __future__ import annotations

import frappe
import pytest
from frappe.utils import add_days, now_datetime

from tests.site.interactions import capture, get_log, make_touchpoint
from tests.site.trade import DAY, add_customers, insert

TODAY = str(DAY)
SALES = {"docstatus": 1, "customer": "Buyer"}
TRADE = {
	"Sales Invoice": (SALES | {"posting_date": TODAY}, "Invoice"),
	"Sales Order": (SALES | {"transaction_date": TODAY}, "Order"),
	"Delivery Note": (SALES | {"posting_date": TODAY}, "Delivery"),
	"Payment Entry": (
		{"docstatus": 1, "party_type": "Customer", "party": "Buyer", "posting_date": TODAY},
		"Payment",
	),
	"Quotation": (
		{"docstatus": 1, "quotation_to": "Customer", "party_name": "Buyer", "transaction_date": TODAY},
		"Quotation",
	),
	"Opportunity": (
		{"opportunity_from": "Customer", "party_name": "Buyer", "transaction_date": TODAY, "title": "A deal"},
		"Opportunity",
	),
	"Issue": (
		{"customer": "Buyer", "opening_date": TODAY, "subject": "Broken", "status": "Open"},
		"Case Opened",
	),
	"Warranty Claim": ({"customer": "Buyer", "complaint_date": TODAY, "status": "Open"}, "Case Opened"),
	"Maintenance Visit": (SALES | {"mntc_date": TODAY}, "Servicing"),
	"ToDo": (
		{"status": "Closed", "reference_type": "Customer", "reference_name": "Buyer", "description": "Done"},
		"Note",
	),
	"Call Log": (
		{
			"customer": "Buyer",
			"status": "Completed",
			"type": "Incoming",
			"duration": 300,
			"start_time": f"{TODAY} 00:00:01",
		},
		"Call",
	),
}


MEDIA = {
	"Email": ("Email", "Email"),
	"Phone": ("Call", "Phone"),
	"Chat": ("Message", "Chat"),
	"SMS": ("Message", "SMS"),
	"Meeting": ("Meeting", "Meeting"),
	"Visit": ("Visit", "Visit"),
	"Other": ("Message", "Chat"),
}
LETTERS = ("Email",)
EVENTS = ("Event", "Scheduled Call")


@pytest.fixture(autouse=True)
def parties():
	add_customers("Buyer", "Other")
	insert("Lead", [{"name": "LEAD-1", "lead_name": "Prospect", "status": "Lead"}])


def add(doctype, **values):
	row = {"name": frappe.generate_hash(length=10)} | values
	insert(doctype, [row])
	return row["name"]


def child(parent, parenttype, doctype, **values):
	insert(doctype, [{"name": frappe.generate_hash(), "parent": parent, "parenttype": parenttype, **values}])


def add_contact(name, *links):
	add("Contact", name=name, first_name=name)
	for link_doctype, link_name in links:
		child(
			name,
			"Contact",
			"Dynamic Link",
			parentfield="links",
			link_doctype=link_doctype,
			link_name=link_name,
		)
	return name


def add_letter(**values):
	given = {"communication_type": "Communication", "communication_medium": "Email", "subject": "Hello"}
	given |= {"sent_or_received": "Sent", "communication_date": f"{TODAY} 00:00:01"}
	return add("Communication", **given | values)


def link_letter(letter, doctype, name):
	child(letter, "Communication", "Communication Link", link_doctype=doctype, link_name=name)


def add_event(**values):
	given = {
		"subject": "Lunch",
		"event_category": "Meeting",
		"status": "Open",
		"starts_on": f"{TODAY} 00:00:01",
	}
	return add("Event", **given | values)


def test_documents_are_logged_once_with_their_facts():
	names = {doctype: add(doctype, **values) for doctype, (values, _kind) in TRADE.items()}
	capture()
	capture()
	capture(everything=True)
	rows = {row.reference_doctype: row for row in get_log("Buyer")}
	assert len(get_log("Buyer")) == len(rows) == len(TRADE)
	for doctype, (_values, kind) in TRADE.items():
		row = rows[doctype]
		assert (row.kind, row.reference_name) == (kind, names[doctype])
		assert (row.party_type, row.party_name, row.user) == ("Customer", "Buyer", "Administrator")
		assert row.reference_key.startswith(f"{row.source}|{doctype}|{names[doctype]}")
		when = now_datetime().date() if doctype == "ToDo" else DAY
		assert row.occurred_on.date() == when


def test_drafts_are_no_interactions():
	submitted = {doctype: values for doctype, (values, _kind) in TRADE.items() if values.get("docstatus")}
	assert len(submitted) == 6
	for doctype, values in submitted.items():
		add(doctype, **values | {"docstatus": 0})
	capture()
	assert get_log("Buyer") == []


def test_offers_to_leads_are_the_leads():
	add("Quotation", docstatus=1, quotation_to="Lead", party_name="LEAD-1", transaction_date=TODAY)
	add("Quotation", docstatus=1, quotation_to="Prospect", party_name="LEAD-1", transaction_date=TODAY)
	add("Opportunity", opportunity_from="Lead", party_name="LEAD-1", transaction_date=TODAY, title="x")
	capture()
	assert sorted(get_log("LEAD-1", "kind", party_type="Lead")) == ["Opportunity", "Quotation"]


def test_payment_to_a_supplier_is_none():
	add("Payment Entry", docstatus=1, party_type="Supplier", party="Buyer", posting_date=TODAY)
	capture()
	assert get_log("Buyer") == []


def test_party_that_does_not_exist_is_left_out():
	add("Sales Invoice", docstatus=1, customer="Nobody", posting_date=TODAY)
	capture()
	assert get_log("Nobody") == []


def test_letters_by_medium_and_direction():
	for medium in MEDIA:
		for said in ("Sent", "Received"):
			about = {"reference_doctype": "Customer", "reference_name": "Buyer"}
			add_letter(
				communication_medium=medium, sent_or_received=said, subject=f"{medium} {said}", **about
			)
	capture()
	rows = {row.subject: (row.kind, row.channel, row.direction) for row in get_log("Buyer")}
	assert rows == {
		f"{medium} {said}": (kind, channel, direction)
		for medium, (kind, channel) in MEDIA.items()
		for said, direction in (("Sent", "Out"), ("Received", "In"))
	}


def test_letter_to_a_contact_is_logged_for_every_party_of_it_once():
	contact = add_contact("Ann", ("Customer", "Buyer"), ("Lead", "LEAD-1"), ("Supplier", "Somebody"))
	letter = add_letter(reference_doctype="Contact", reference_name=contact)
	link_letter(letter, "Contact", contact)
	link_letter(letter, "Customer", "Buyer")
	link_letter(letter, "Customer", "Other")
	capture(False, *LETTERS)
	assert [len(get_log(party)) for party in ("Buyer", "LEAD-1", "Other", "Somebody")] == [1, 1, 1, 0]


def test_event_of_participants_and_of_their_contacts():
	contact = add_contact("Ann", ("Customer", "Other"))
	event = add_event()
	for kind, name in (("Customer", "Buyer"), ("Contact", contact), ("Lead", "LEAD-1")):
		child(event, "Event", "Event Participants", reference_doctype=kind, reference_docname=name)
	capture(False, *EVENTS)
	assert [get_log(party, "kind") for party in ("Buyer", "Other", "LEAD-1")] == [["Meeting"]] * 3


def test_event_that_is_cancelled_or_still_to_come_is_none_until_it_was():
	gone = add_event(status="Cancelled")
	later = add_event(starts_on=add_days(now_datetime(), 1))
	for event in (gone, later):
		child(event, "Event", "Event Participants", reference_doctype="Customer", reference_docname="Buyer")
	capture(False, *EVENTS)
	assert get_log("Buyer") == []
	frappe.db.set_value("Event", later, "starts_on", f"{TODAY} 00:00:01", update_modified=False)
	old = frappe.utils.add_to_date(now_datetime(), days=-3)
	frappe.db.set_value("Event", later, "modified", old, update_modified=False)
	capture(True, *EVENTS)
	assert get_log("Buyer", "reference_name") == [later]


def test_event_and_the_letter_that_it_makes_are_one():
	event = add_event(event_category="Call")
	child(event, "Event", "Event Participants", reference_doctype="Customer", reference_docname="Buyer")
	letter = add_letter(communication_medium="Phone", reference_doctype="Event", reference_name=event)
	link_letter(letter, "Customer", "Buyer")
	capture()
	assert get_log("Buyer", "kind", "reference_doctype") == [{"kind": "Call", "reference_doctype": "Event"}]


def test_what_a_touchpoint_made_itself_is_not_logged_again():
	letter = add_letter(reference_doctype="Customer", reference_name="Buyer")
	event = add_event()
	child(event, "Event", "Event Participants", reference_doctype="Customer", reference_docname="Buyer")
	touchpoint = make_touchpoint("Buyer", communication=letter, event=event)
	add("ToDo", status="Closed", reference_type="Touchpoint", reference_name=touchpoint.name)
	capture()
	assert get_log("Buyer") == []


def test_answer_to_the_message_of_a_touchpoint_is_its_partys():
	touchpoint = make_touchpoint("Buyer")
	add_letter(sent_or_received="Received", reference_doctype="Touchpoint", reference_name=touchpoint.name)
	capture(False, *LETTERS)
	assert get_log("Buyer", "direction") == ["In"]


def test_call_takes_minutes_and_direction_from_the_log():
	contact = add_contact("Ann", ("Customer", "Buyer"))
	values = {"type": "Outgoing", "duration": 1230, "start_time": f"{TODAY} 00:00:01", "summary": "Said yes"}
	call = add("Call Log", status="Completed", **values)
	child(call, "Call Log", "Dynamic Link", parentfield="links", link_doctype="Contact", link_name=contact)
	missed = add("Call Log", status="No Answer", **values)
	child(missed, "Call Log", "Dynamic Link", parentfield="links", link_doctype="Customer", link_name="Buyer")
	capture()
	(row,) = get_log("Buyer")
	assert (row.direction, row.minutes, row.channel, row.note) == ("Out", 21, "Phone", "Said yes")


def test_open_task_is_none_and_closing_it_logs_it():
	task = add("ToDo", status="Open", reference_type="Customer", reference_name="Buyer", allocated_to="Guest")
	capture()
	assert get_log("Buyer") == []
	frappe.db.set_value("ToDo", task, "status", "Closed")
	capture()
	assert get_log("Buyer", "user") == ["Guest"]


def test_issue_of_a_lead_or_contact_opened_and_resolved():
	add_contact("Ann", ("Customer", "Other"))
	field = (
		"sla_resolution_date"
		if frappe.get_meta("Issue").has_field("sla_resolution_date")
		else "resolution_date"
	)
	add("Issue", lead="LEAD-1", opening_date=TODAY, status="Open", subject="a")
	add("Issue", contact="Ann", opening_date=TODAY, status="Open", subject="b")
	add(
		"Issue",
		customer="Buyer",
		opening_date=add_days(TODAY, -9),
		status="Closed",
		subject="c",
		**{field: f"{TODAY} 00:00:01"},
	)
	add("Issue", customer="Buyer", opening_date=add_days(TODAY, -8), status="Resolved", subject="no date")
	capture()
	assert get_log("LEAD-1", "kind", party_type="Lead") == ["Case Opened"]
	assert get_log("Other", "kind") == ["Case Opened"]
	kinds = get_log("Buyer", "kind", "direction", "subject")
	assert [(row.kind, row.direction, row.subject) for row in kinds[:2]] == [
		("Case Opened", "In", "c"),
		("Case Opened", "In", "no date"),
	]
	resolved = get_log("Buyer", "occurred_on", kind="Case Resolved")
	assert [day.date() for day in resolved] == [DAY, now_datetime().date()]


def test_department_is_that_of_the_user_as_an_employee():
	department = frappe.get_all("Department", pluck="name", limit=1)[0]
	add("Employee", user_id="Administrator", department=department, employee_name="A", status="Active")
	add("Sales Invoice", docstatus=1, customer="Buyer", posting_date=TODAY)
	capture(False, "Invoice")
	assert get_log("Buyer", "department") == [department]

"""Slices of the site's tables: every name that is asked for is answered, however it is spelled, counted or typed."""

from __future__ import annotations

import frappe
import pytest

from crm_retention.site.memory import engine_of_request
from crm_retention.site.slices import ASKED, Slices
from tests.site.interactions import capture, get_log
from tests.site.trade import DAY, add_customers, add_sales

SPELLINGS = ("Café Émile", "cafe emile", "CAFÉ ÉMILE")
NUMBERED = "Retention Numbered Visit"
same_for_the_database = pytest.mark.usefixtures("compares_without_case")


@pytest.fixture
def compares_without_case():
	if frappe.db.db_type != "mariadb":
		pytest.skip("this database compares exactly")


def ask(names, columns=(), doctype="Customer", **options):
	"""What a slice finds: {name as it was asked for: names of the rows}."""
	with engine_of_request() as backend:
		slices = Slices(backend)
		keys = slices.load("asked", [[name] for name in names], ["name"])
		rows = slices.read("found", doctype, ["name", *columns], keys.name, **options)
		found: dict[str, list[str]] = {}
		for asked, name in backend.query(backend.compile(rows.select(ASKED, "name"))):
			found.setdefault(asked, []).append(name)
	return {asked: sorted(rows) for asked, rows in found.items()}


@same_for_the_database
@pytest.mark.parametrize("asked", [SPELLINGS, SPELLINGS[1:], SPELLINGS[:1], (*SPELLINGS, "Other", "nobody")])
def test_each_spelling_of_a_name_finds_its_row(asked):
	add_customers(SPELLINGS[0], "Other", "Unasked")
	expected = {name: [SPELLINGS[0]] for name in asked if name in SPELLINGS}
	assert ask(asked) == expected | ({"Other": ["Other"]} if "Other" in asked else {})


@same_for_the_database
def test_rows_that_spell_a_name_in_two_ways_are_all_found():
	add_customers(SPELLINGS[0])
	names = sorted(add_sales(SPELLINGS[0], (DAY, 1.0)) + add_sales(SPELLINGS[1], (DAY, 1.0)))
	for asked in SPELLINGS:
		assert ask([asked], doctype="Sales Invoice", by="customer") == {asked: names}
	assert ask(SPELLINGS, doctype="Sales Invoice", by="customer") == dict.fromkeys(SPELLINGS, names)


@same_for_the_database
@pytest.mark.parametrize("everything", [False, True])
def test_documents_of_one_batch_that_spell_their_party_in_several_ways_are_all_logged(everything):
	add_customers(SPELLINGS[0])
	names = [name for spelled in SPELLINGS for name in add_sales(spelled, (DAY, 1.0))]
	capture(everything, "Invoice")
	rows = frappe.get_all("Interaction Log", {"reference_name": ("in", names)}, ["reference_name", "party"])
	assert sorted(row.reference_name for row in rows) == sorted(names)
	assert {row.party for row in rows} == {SPELLINGS[0]}


@same_for_the_database
def test_a_mail_that_names_one_party_in_two_ways_is_logged_once():
	add_customers(SPELLINGS[0])
	mail = frappe.get_doc(
		{
			"doctype": "Communication", "communication_type": "Communication", "communication_medium": "Email",
			"subject": "Twice", "sent_or_received": "Sent", "reference_doctype": "Customer", "reference_name": SPELLINGS[0],
		}
	).insert()  # fmt: skip
	link = {"doctype": "Communication Link", "parent": mail.name, "parenttype": "Communication"}
	link |= {"parentfield": "timeline_links", "link_doctype": "Customer", "link_name": SPELLINGS[1]}
	frappe.get_doc({**link, "name": frappe.generate_hash(length=10)}).db_insert()
	for everything in (False, True):
		capture(everything, "Email")
	assert get_log(SPELLINGS[0], "reference_name") == [mail.name]


@pytest.mark.commits
def test_documents_that_are_numbered_are_logged_with_what_they_say():
	"""Of a DocType of the admin's whose documents the database numbers, with a field that is called ``asked``."""
	fields = [
		{"fieldname": "customer", "fieldtype": "Link", "options": "Customer", "label": "Customer"},
		{"fieldname": "asked", "fieldtype": "Data", "label": "Asked"},
	]
	doctype = {"doctype": "DocType", "name": NUMBERED, "module": "Core", "custom": 1, "fields": fields}
	frappe.get_doc(
		{**doctype, "autoname": "autoincrement", "permissions": [{"role": "System Manager"}]}
	).insert()
	given = {"doctype": "Interaction Source", "source_name": "Numbered", "document_type": NUMBERED}
	given |= {"interaction_kind": "Visit", "party_type": "Customer", "party_field": "customer"}
	frappe.get_doc({**given, "subject_field": "asked"}).insert()
	add_customers("Buyer")
	numbers = []
	for everything, word in ((False, "first"), (True, "second")):
		doc = frappe.get_doc({"doctype": NUMBERED, "customer": "Buyer", "asked": word}).insert()
		numbers.append((str(doc.name), word))
		for _again in range(2):
			capture(everything, "Numbered")
	rows = get_log("Buyer", "reference_name", "subject", source="Numbered")
	assert sorted((row.reference_name, row.subject) for row in rows) == sorted(numbers)

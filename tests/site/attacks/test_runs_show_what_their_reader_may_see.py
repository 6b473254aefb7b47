"""A night leaves out what nothing may be made of, and a preview counts nobody whom its asker may not see."""

from __future__ import annotations

import frappe
import pytest

from crm_retention.capture.sweep import sweep_source
from crm_retention.crm_retention.doctype.retention_run.retention_run import get_preview
from tests.site.attacks.restricted import limit, make_territories
from tests.site.desk import make_user
from tests.site.trade import DAY, add_customers, add_sales, run

pytestmark = pytest.mark.commits
LIMITED = "limited.reader@example.com"
PARTIES = {"Near One": "Near", "Far One": "Far", "Far Two": "Far"}


@pytest.fixture(scope="module", autouse=True)
def trade(leave_site_as_it_was):
	make_territories("Near", "Far")
	make_user(LIMITED, "Retention Manager", "Sales Manager")
	limit(LIMITED, "Near")
	frappe.db.set_value("Interaction Source", {"enabled": 1}, "enabled", 0)
	for name, territory in PARTIES.items():
		add_customers(name, territory=territory)
		add_sales(name, (DAY, 10.0))
	frappe.db.commit()


@pytest.fixture(autouse=True)
def nobody_in_particular():
	yield
	frappe.set_user("Administrator")


def test_preview_counts_and_names_for_a_limited_manager_the_customers_that_he_sees():
	frappe.set_user(LIMITED)
	mine = run(DAY, "Preview")
	assert (mine.status, mine.parties, mine.tier_changes) == ("Completed", 1, 1)
	shown = get_preview(mine.name)
	assert [cell["count"] for cell in shown["matrix"]] == [1]
	assert [move["party"] for move in shown["moves"]] == ["Near One"]


def test_preview_that_an_administrator_asked_for_tells_a_limited_manager_no_more():
	whole = run(DAY, "Preview")
	assert whole.parties >= len(PARTIES)
	assert sum(cell["count"] for cell in get_preview(whole.name)["matrix"]) == whole.parties
	frappe.set_user(LIMITED)
	shown = get_preview(whole.name)
	assert [cell["count"] for cell in shown["matrix"]] == [1]
	assert [move["party"] for move in shown["moves"]] == ["Near One"]


def test_closed_documents_that_older_configuration_names_are_left_out_and_reported():
	frappe.get_doc(
		{
			"doctype": "Interaction Source",
			"name": "Old",
			"source_name": "Old",
			"document_type": "Comment",
			"interaction_kind": "Note",
			"party_type": "From Field",
			"party_field": "reference_name",
			"party_type_field": "reference_doctype",
			"note_field": "content",
			"enabled": 1,
		}
	).db_insert()
	frappe.get_doc(
		{
			"doctype": "Care Occasion",
			"name": "Old",
			"occasion_name": "Old",
			"kind": "Date Field",
			"document_type": "Employee",
			"date_field": "date_of_birth",
			"enabled": 1,
		}
	).db_insert()
	frappe.get_doc("Customer", "Near One").add_comment("Comment", "Between us")
	frappe.db.commit()
	assert sweep_source("Old", everything=True).captured == 0
	assert "cannot" not in (frappe.db.get_value("Interaction Source", "Old", "last_error") or "cannot")
	done = run(DAY)
	found = {(row.table, row.row, row.field) for row in done.problems}
	assert done.status == "Partial"
	assert {(table, "Old", "Document Type") for table in ("Interaction Source", "Care Occasion")} <= found
	assert not frappe.db.exists("Interaction Log", {"note": ("like", "%Between us%")})

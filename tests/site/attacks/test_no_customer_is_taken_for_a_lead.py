"""No customer goes by the key of a lead: neither a new one, nor one that was called so before."""

from __future__ import annotations

from typing import Any

import frappe
import pytest

from crm_retention.backends.site_relations import namesakes_of_leads
from crm_retention.sources import get_source_problems, get_sources
from tests.site.desk import make_customer
from tests.site.trade import DAY, add_customers, add_sales, ago, get_profiles, insert

LEAD = "LEAD-OF-ATTACKS"
NAMES = (
	f"Lead: {LEAD}",
	f"lead: {LEAD}",
	f"LÉAD: {LEAD}",
	f"Ｌｅａｄ： {LEAD}",
	f"Le\u00adad: {LEAD}",
	f"Lead:\u00a0{LEAD}",
)


@pytest.fixture(autouse=True)
def lead() -> None:
	insert("Lead", [{"name": LEAD, "lead_name": "Prospect", "status": "Lead"}])
	frappe.db.set_single_value("Retention Settings", "include_leads", 1)
	frappe.clear_document_cache("Retention Settings", "Retention Settings")


@pytest.mark.parametrize("name", NAMES)
def test_no_new_customer_is_called_so(name: str) -> None:
	with pytest.raises(frappe.ValidationError, match="leads go by names"):
		make_customer(name)
	assert not frappe.db.exists("Customer", name)


def test_no_customer_is_renamed_so() -> None:
	make_customer("Honest")
	with pytest.raises(frappe.ValidationError, match="leads go by names"):
		frappe.rename_doc("Customer", "Honest", NAMES[1], force=True)
	assert frappe.db.exists("Customer", "Honest")


@pytest.mark.parametrize("name", ["Leads: all of them", "Misleading: a name", "Lead", "A lead: for us"])
def test_other_names_are_as_free_as_before(name: str) -> None:
	assert make_customer(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_stored_one_stops_nothing_and_the_lead_stays(name: str) -> None:
	add_customers(name, "Buyer")
	add_sales("Buyer", (ago(10), 100))
	found: dict[str, dict[str, Any]] = get_profiles()
	assert found[f"Lead: {LEAD}"]["party_type"] == "Lead"
	assert found["Buyer"]["party_type"] == "Customer"


def test_stored_one_is_counted_and_not_named() -> None:
	from crm_retention.configuration import get_config

	assert not namesakes_of_leads()
	add_customers(NAMES[1], "Lead: of nobody")
	assert namesakes_of_leads() == [NAMES[1]]
	(problem,) = get_source_problems(get_sources(get_config(), DAY))
	assert "1" in problem.message
	assert LEAD.lower() not in str(problem).lower()

"""What of a site counts as a purchase, a contact or a complaint, and what does not."""

from __future__ import annotations

import datetime

import frappe
import pytest

from crm_retention.configuration import get_config
from crm_retention.engine.errors import ConfigError
from crm_retention.sources import get_source_problems, get_sources
from tests.site.interactions import capture, make_row
from tests.site.trade import DAY, add_customers, add_sales, ago, get_profiles, insert

SALES = ((ago(400), 100.0), (ago(100), 200.0), (ago(40), 50.0))


@pytest.fixture(autouse=True)
def buyer():
	add_customers("Buyer")


def settings(**values):
	for field, value in values.items():
		frappe.db.set_single_value("Retention Settings", field, value)
	frappe.clear_document_cache("Retention Settings", "Retention Settings")


def add_company(name, currency="USD"):
	insert("Company", [{"name": name, "company_name": name, "abbr": name[:3], "default_currency": currency}])


def choose(*companies):
	parent = {"parent": "Retention Settings", "parenttype": "Retention Settings", "parentfield": "companies"}
	rows = ({"name": frappe.generate_hash(), "company": company, **parent} for company in companies)
	insert("Retention Company", rows)
	frappe.clear_document_cache("Retention Settings", "Retention Settings")


def get_company():
	return frappe.get_all("Company", fields=["name", "default_currency"], order_by="creation", limit=1)[0]


class TestPurchases:
	def test_submitted_invoices_count(self):
		add_sales("Buyer", *SALES)
		found = get_profiles()["Buyer"]
		assert (found["purchases"], found["monetary_total"], found["frequency"]) == (3, 350, 2)
		assert (found["first_purchase"], found["last_purchase"]) == (ago(400), ago(40))
		assert (found["recency_days"], found["monetary_12m"]) == (40, 250)

	@pytest.mark.parametrize("values", [{"docstatus": 0}, {"docstatus": 2}, {"is_opening": "Yes"}])
	def test_drafts_cancelled_and_opening_invoices_do_not(self, values):
		add_sales("Buyer", (ago(10), 999.0), **values)
		found = get_profiles()["Buyer"]
		assert found["last_purchase"] is None
		assert found["monetary_total"] is None

	def test_returns_are_negative_and_no_purchases(self):
		add_sales("Buyer", *SALES, (ago(30), -80.0))
		found = get_profiles()["Buyer"]
		assert (found["purchases"], found["monetary_total"]) == (3, 270)
		assert found["recency_days"] == 40
		assert found["return_share"] == pytest.approx(80 / 350, abs=1e-6)

	def test_what_lies_after_the_day_does_not_count(self):
		add_sales("Buyer", *SALES, (DAY + datetime.timedelta(days=1), 1000.0))
		found = get_profiles()["Buyer"]
		assert (found["purchases"], found["monetary_total"]) == (3, 350)
		assert get_profiles(DAY + datetime.timedelta(days=1))["Buyer"]["purchases"] == 4

	def test_purchase_on_the_day_itself_counts(self):
		add_sales("Buyer", (DAY, 10.0))
		assert get_profiles()["Buyer"]["recency_days"] == 0

	def test_two_invoices_on_one_day_are_one_purchase_day(self):
		add_sales("Buyer", (ago(20), 10.0), (ago(20), 30.0))
		found = get_profiles()["Buyer"]
		assert (found["purchases"], found["frequency"], found["monetary_average"]) == (2, 0, 40)

	def test_discount_and_balance_are_read(self):
		add_sales("Buyer", (ago(60), 90.0), base_discount_amount=10.0, outstanding_amount=45.0)
		found = get_profiles()["Buyer"]
		assert found["discount_share"] == pytest.approx(0.1)
		assert found["overdue_share"] == pytest.approx(0.5)


class TestPurchaseSource:
	@pytest.mark.parametrize("doctype", ["Sales Order", "POS Invoice"])
	def test_only_the_chosen_doctype_counts(self, doctype):
		add_sales("Buyer", *SALES)
		add_sales("Buyer", (ago(5), 70.0), (ago(3), 30.0), doctype=doctype)
		assert get_profiles()["Buyer"]["purchases"] == 3
		settings(purchase_source=doctype)
		found = get_profiles()["Buyer"]
		assert (found["purchases"], found["monetary_total"], found["recency_days"]) == (2, 100, 3)

	def test_pos_returns_are_negative(self):
		settings(purchase_source="POS Invoice")
		add_sales("Buyer", (ago(5), 70.0), (ago(3), -30.0), doctype="POS Invoice")
		found = get_profiles()["Buyer"]
		assert (found["purchases"], found["monetary_total"], found["recency_days"]) == (1, 40, 5)

	def test_orders_know_nothing_of_payment(self):
		settings(purchase_source="Sales Order")
		add_sales("Buyer", *SALES, doctype="Sales Order")
		found = get_profiles()["Buyer"]
		assert found["days_late"] is None
		assert found["overdue_share"] is None


class TestCompanies:
	def test_all_companies_of_one_currency_count(self):
		company = get_company()
		add_company("Second", company.default_currency)
		add_sales("Buyer", (ago(20), 100.0))
		add_sales("Buyer", (ago(10), 30.0), company="Second")
		assert get_profiles()["Buyer"]["monetary_total"] == 130

	def test_chosen_companies_alone_count(self):
		company = get_company()
		add_company("Second", company.default_currency)
		add_sales("Buyer", (ago(20), 100.0))
		add_sales("Buyer", (ago(10), 30.0), company="Second")
		choose("Second")
		assert get_profiles()["Buyer"]["monetary_total"] == 30

	def test_company_in_another_currency_is_left_out_and_said(self):
		company = get_company()
		add_company("Abroad", "CHF")
		add_sales("Buyer", (ago(20), 100.0))
		add_sales("Buyer", (ago(10), 30.0), company="Abroad")
		assert get_profiles()["Buyer"]["monetary_total"] == 100
		(problem,) = get_source_problems(get_sources(get_config(), DAY))
		assert "Abroad (CHF)" in problem.message
		assert company.name not in problem.message

	def test_no_company_of_the_sites_currency_is_a_clear_error(self):
		add_company("Abroad", "CHF")
		add_company("Overseas", "JPY")
		choose("Abroad", "Overseas")
		with pytest.raises(ConfigError) as caught:
			get_profiles()
		for part in ("Abroad", "CHF", "Overseas", "JPY"):
			assert part in str(caught.value)

	def test_company_in_another_currency_that_does_not_count_is_no_error(self):
		company = get_company()
		add_company("Abroad", "CHF")
		choose(company.name)
		add_sales("Buyer", (ago(20), 100.0))
		add_sales("Buyer", (ago(10), 30.0), company="Abroad")
		assert get_profiles()["Buyer"]["monetary_total"] == 100

	def test_configured_conversion_uses_the_rate_of_the_day(self):
		company = get_company()
		add_company("Abroad", "CHF")
		settings(convert_currencies=1, target_currency=company.default_currency)
		for day, rate in ((ago(300), 3.0), (ago(15), 1.25), (DAY + datetime.timedelta(days=3), 9.0)):
			add_rate("CHF", company.default_currency, day, rate)
		add_sales("Buyer", (ago(20), 100.0))
		add_sales("Buyer", (ago(10), 40.0), company="Abroad")
		assert get_profiles()["Buyer"]["monetary_total"] == pytest.approx(150)

	def test_rate_of_the_other_direction_will_do(self):
		company = get_company()
		add_company("Abroad", "CHF")
		settings(convert_currencies=1, target_currency=company.default_currency)
		add_rate(company.default_currency, "CHF", ago(15), 0.8)
		add_sales("Buyer", (ago(10), 40.0), company="Abroad")
		assert get_profiles()["Buyer"]["monetary_total"] == pytest.approx(50)

	def test_company_without_a_rate_is_left_out_and_said(self):
		add_company("Abroad", "CHF")
		settings(convert_currencies=1, target_currency=get_company().default_currency)
		add_sales("Buyer", (ago(20), 100.0))
		add_sales("Buyer", (ago(10), 40.0), company="Abroad")
		assert get_profiles()["Buyer"]["monetary_total"] == 100
		(problem,) = get_source_problems(get_sources(get_config(), DAY))
		assert "CHF" in problem.message

	def test_no_rate_at_all_is_a_clear_error(self):
		add_company("Abroad", "CHF")
		choose("Abroad")
		settings(convert_currencies=1, target_currency=get_company().default_currency)
		with pytest.raises(ConfigError, match="CHF"):
			get_profiles()


def add_rate(source, target, day, rate):
	row = {"name": frappe.generate_hash(), "from_currency": source, "to_currency": target, "date": day}
	insert("Currency Exchange", [row | {"exchange_rate": rate, "for_selling": 1, "for_buying": 1}])


class TestParties:
	def test_disabled_customers_are_left_out(self):
		add_customers("Gone", disabled=1)
		add_sales("Gone", *SALES)
		found = get_profiles()
		assert "Gone" not in found
		assert "Buyer" in found

	def test_customer_without_purchases_is_a_potential_one(self):
		found = get_profiles()["Buyer"]
		assert (found["stage"], found["tier"]) == ("Potential", "Potential")
		assert found["frequency"] is None
		assert found["purchases"] == 0

	def test_leads_are_read_when_wanted(self):
		lead = {"name": "LEAD-1", "lead_name": "Prospect", "status": "Lead"}
		insert("Lead", [lead, {**lead, "name": "LEAD-2", "status": "Converted"}])
		assert "Lead: LEAD-1" not in get_profiles()
		settings(include_leads=1)
		found = get_profiles()
		assert found["Lead: LEAD-1"]["stage"] == "Potential"
		assert found["Lead: LEAD-1"]["party_type"] == "Lead"
		assert "Lead: LEAD-2" not in found

	def test_lead_with_the_name_of_a_customer_is_somebody_else(self):
		insert("Lead", [{"name": "Buyer", "lead_name": "Namesake", "status": "Lead"}])
		settings(include_leads=1)
		add_sales("Buyer", *SALES)
		found = get_profiles()
		assert found["Buyer"]["purchases"] == 3
		assert found["Lead: Buyer"]["purchases"] == 0

	@pytest.mark.parametrize(
		"name", ['It\'s "Quoted" \\ 100 %', "汉语咖啡 有限公司", "Ünïcode Straße", "a;b--c"]
	)
	def test_names_of_every_kind(self, name):
		add_customers(name)
		add_sales(name, *SALES)
		assert get_profiles()[name]["purchases"] == 3

	def test_site_without_customers(self):
		frappe.db.delete("Customer")
		frappe.db.delete("Sales Invoice")
		assert get_profiles() == {}

	def test_site_without_purchases(self):
		frappe.db.delete("Sales Invoice")
		found = get_profiles()
		assert {row["stage"] for row in found.values()} == {"Potential"}

	def test_buyer_who_is_no_customer_any_more_is_left_out(self):
		add_sales("Deleted Customer", *SALES)
		assert "Deleted Customer" not in get_profiles()


class TestInteractions:
	def test_letters_linked_to_the_customer_count_by_direction(self):
		for number, (direction, day) in enumerate((("Sent", 10), ("Received", 20), ("Sent", 200))):
			letter = add_letter(f"COM-{number}", direction, ago(day))
			insert("Communication Link", [link(letter, "Customer", "Buyer")])
		capture(False, "Email")
		found = get_profiles()["Buyer"]
		assert (found["inbound_count"], found["outbound_count"]) == (1, 1)
		assert (found["last_inbound"], found["last_outbound"]) == (ago(20), ago(10))

	def test_letter_about_the_customer_counts_without_a_link(self):
		"""A mail from the Customer form to an address that is nobody's contact has the reference alone."""
		add_letter("COM-1", "Sent", ago(10), reference_doctype="Customer", reference_name="Buyer")
		capture(False, "Email")
		assert get_profiles()["Buyer"]["outbound_count"] == 1

	def test_letter_with_reference_and_link_counts_once(self):
		letter = add_letter("COM-1", "Sent", ago(10), reference_doctype="Customer", reference_name="Buyer")
		insert("Communication Link", [link(letter, "Customer", "Buyer")])
		capture(False, "Email")
		assert get_profiles()["Buyer"]["outbound_count"] == 1

	def test_letter_to_two_contacts_of_the_customer_counts_once(self):
		letter = add_letter("COM-1", "Sent", ago(10))
		insert("Communication Link", [link(letter, "Customer", "Buyer"), link(letter, "Customer", "Buyer")])
		capture(False, "Email")
		assert get_profiles()["Buyer"]["outbound_count"] == 1

	def test_comments_and_notices_of_the_system_do_not_count(self):
		kinds = ("Notification", "Automated Message", "Comment")
		for number, kind in enumerate(kinds):
			letter = add_letter(f"COM-{number}", "Sent", ago(10), communication_type=kind)
			insert("Communication Link", [link(letter, "Customer", "Buyer")])
		capture(False, "Email")
		assert get_profiles()["Buyer"]["last_interaction"] is None

	def test_what_is_no_contact_and_what_was_corrected_does_not_count(self):
		add_sales("Buyer", (ago(3), 100.0))
		make_row("Buyer", "Note", occurred_on=f"{ago(4)} 10:00:00").insert()
		wrong = make_row("Buyer", "Call", occurred_on=f"{ago(2)} 10:00:00").insert()
		right = make_row("Buyer", "Call", occurred_on=f"{ago(9)} 10:00:00", supersedes=wrong.name)
		right.insert()
		capture(False, "Email")
		found = get_profiles()["Buyer"]
		assert (found["outbound_count"], found["last_interaction"]) == (1, ago(9))


def add_letter(name, direction, day, **values):
	row = {"name": name, "communication_type": "Communication", "communication_medium": "Email"}
	row |= {"sent_or_received": direction, "communication_date": f"{day} 10:00:00"}
	insert("Communication", [row | values])
	return name


def link(letter, doctype, name):
	parent = {"parent": letter, "parenttype": "Communication", "parentfield": "timeline_links"}
	return {"name": frappe.generate_hash(), "link_doctype": doctype, "link_name": name, **parent}


class TestCases:
	def test_complaints_are_open_recent_or_neither(self):
		add_issue("Complaint", ago(10))
		add_issue("Complaint", ago(20), closed=ago(15))
		add_issue("Complaint", ago(200), closed=ago(190))
		add_issue("Request", ago(5))
		found = get_profiles()["Buyer"]
		assert (found["open_complaints"], found["recent_complaints"]) == (1, 2)

	def test_complaint_closed_later_was_open_on_the_day(self):
		add_issue("Complaint", ago(10), closed=DAY + datetime.timedelta(days=2))
		assert get_profiles()["Buyer"]["open_complaints"] == 1

	def test_warranty_claims_are_complaints(self):
		claim = {"customer": "Buyer", "complaint_date": ago(10), "docstatus": 0, "status": "Open"}
		insert("Warranty Claim", [{"name": "WC-1", **claim}, {"name": "WC-2", **claim, "docstatus": 2}])
		assert get_profiles()["Buyer"]["open_complaints"] == 1

	def test_next_end_of_a_running_contract(self):
		contract = {"party_type": "Customer", "party_name": "Buyer", "docstatus": 1, "start_date": ago(100)}
		for number, (days, values) in enumerate(
			((30, {}), (90, {}), (-5, {}), (3, {"docstatus": 0}), (2, {"party_type": "Supplier"}))
		):
			end = DAY + datetime.timedelta(days=days)
			insert("Contract", [{"name": f"CON-{number}", **contract, "end_date": end, **values}])
		assert get_profiles()["Buyer"]["days_to_contract_end"] == 30


def add_issue(kind, day, closed=None):
	meta = frappe.get_meta("Issue")
	field = "sla_resolution_date" if meta.has_field("sla_resolution_date") else "resolution_date"
	row = {"name": frappe.generate_hash(), "customer": "Buyer", "issue_type": kind, "opening_date": day}
	row |= {"subject": "x", "status": "Closed" if closed else "Open"}
	insert("Issue", [row | ({field: f"{closed} 10:00:00"} if closed else {})])


class TestItemsAndPayments:
	def test_different_items_of_the_period(self):
		(name,) = add_sales("Buyer", (ago(10), 100.0))
		(old,) = add_sales("Buyer", (ago(500), 100.0))
		for document, item in ((name, "A"), (name, "B"), (name, "A"), (old, "C")):
			row = {"parent": document, "parenttype": "Sales Invoice", "parentfield": "items", "docstatus": 1}
			row |= {"item_code": item, "base_net_amount": 10.0, "name": frappe.generate_hash()}
			insert("Sales Invoice Item", [row])
		assert get_profiles()["Buyer"]["product_breadth"] == 2
		settings(read_items=0)
		assert get_profiles()["Buyer"]["product_breadth"] is None

	def test_days_from_due_date_to_payment(self):
		for days, paid in ((60, 50), (40, 45)):  # ten days late; five days early
			(name,) = add_sales("Buyer", (ago(days), 100.0))
			ledger = {"voucher_type": "Payment Entry", "voucher_no": f"PAY-{name}", "docstatus": 1}
			ledger |= {"against_voucher_type": "Sales Invoice", "against_voucher_no": name, "delinked": 0}
			row = {"name": frappe.generate_hash(), "posting_date": ago(paid), "amount": -100.0}
			insert("Payment Ledger Entry", [ledger | row])
		assert get_profiles()["Buyer"]["days_late"] == pytest.approx(5)
		settings(read_payment_dates=0)
		assert get_profiles()["Buyer"]["days_late"] is None

"""The demo company and the CDNOW sample: what they promise, in books that ERPNext itself would have written."""

from __future__ import annotations

import datetime

import frappe
import pytest
from frappe.utils import add_days, getdate

from crm_retention.demo import create_demo_data, load_cdnow, run_past_cycles
from crm_retention.demo.cdnow import SAMPLE
from crm_retention.demo.kinds import KINDS
from crm_retention.demo.origin import REMARKS
from crm_retention.demo.pattern import Pattern
from crm_retention.demo.sales import Sale, make_credit_note, make_invoice, make_payment
from crm_retention.demo.story import tell
from tests.site.trade import evaluate

SCALE = 0.15
MADE = ["Customer", "Contact", "Lead", "Sales Invoice", "Sales Invoice Item", "Payment Entry", "GL Entry"]
MADE += ["Payment Ledger Entry", "Issue", "Warranty Claim", "Contract", "Communication", "Item", "User"]
# what differs between two documents of the same content
OWN = {"name", "creation", "modified", "idx", "parent", "amended_from", "title", "sales_invoice_item"}


@pytest.fixture(scope="module", autouse=True)
def demo(site, leave_site_as_it_was):
	"""A small demo company, within the transaction of the module."""
	frappe.cache.delete_key("fiscal_years")
	made = create_demo_data(SCALE)
	yield made
	frappe.cache.delete_key("fiscal_years")


def invoices(**filters):
	fields = ["name", "customer", "posting_date", "due_date", "base_net_total", "grand_total", "status"]
	fields += ["outstanding_amount", "is_return", "return_against", "discount_amount"]
	return frappe.get_all(
		"Sales Invoice", {"remarks": REMARKS, "docstatus": 1, **filters}, fields, order_by="name"
	)


def table_sizes():
	return {doctype: frappe.db.count(doctype) for doctype in MADE}


def test_company_has_customers_of_several_kinds(demo):
	groups = frappe.get_all("Customer", fields=["customer_group", "territory", "language", "industry"])
	for field, least in (("customer_group", 4), ("territory", 3), ("language", 3), ("industry", 3)):
		assert len({row[field] for row in groups if row[field]}) >= least, field
	assert demo["Customer"] >= 2 * len(KINDS)
	assert demo["Lead"] >= 2


def test_trade_covers_three_years_up_to_today():
	days = [row.posting_date for row in invoices()]
	assert min(days) < getdate(add_days(None, -1000))
	assert getdate(add_days(None, -10)) <= max(days) <= getdate()


def test_demo_has_every_kind_of_event(demo):
	for doctype in ("Credit Note", "Payment Entry", "Issue", "Warranty Claim", "Contract", "Communication"):
		assert demo[doctype] > 0, doctype
	statuses = {row.status for row in invoices()}
	assert {"Paid", "Unpaid", "Overdue", "Return", "Credit Note Issued"} <= statuses
	assert any(row.discount_amount for row in invoices())
	assert frappe.db.exists("Issue", {"issue_type": "Complaint", "status": "Open"})
	assert frappe.db.exists("Contract", {"status": "Active", "end_date": (">", getdate())})
	for direction in ("Sent", "Received"):
		assert frappe.db.exists(
			"Communication", {"sent_or_received": direction, "reference_doctype": "Customer"}
		)


def test_payments_come_on_time_and_late():
	rows = frappe.db.sql(
		"""select datediff(p.posting_date, i.due_date) from `tabPayment Entry` p
		join `tabPayment Entry Reference` r on r.parent = p.name
		join `tabSales Invoice` i on i.name = r.reference_name"""
	)
	days = [row[0] for row in rows]
	assert min(days) <= 0 < 20 < max(days)


def test_second_call_adds_nothing_and_says_so(capsys):
	before = table_sizes()
	assert create_demo_data(SCALE) == {}
	assert "nothing was added" in capsys.readouterr().out
	assert table_sizes() == before


def test_story_is_the_same_every_time():
	day = datetime.date(2026, 3, 31)
	assert tell(day, 0.5) == tell(day, 0.5)
	shifted = tell(day + datetime.timedelta(days=7), 0.5)
	sales = [
		(a.day, b.day)
		for x, y in zip(tell(day, 0.5), shifted, strict=True)
		for a, b in zip(x.purchases, y.purchases, strict=True)
	]
	assert {(b - a).days for a, b in sales} == {7}


def test_invoice_totals_are_those_of_its_lines():
	wrong = frappe.db.sql(
		"""select i.name from `tabSales Invoice` i join `tabSales Invoice Item` l on l.parent = i.name
		group by i.name, i.base_net_total, i.total, i.discount_amount, i.total_qty
		having abs(sum(l.base_net_amount) - i.base_net_total) > 0.001 or abs(sum(l.amount) - i.total) > 0.001
			or abs(i.total - i.discount_amount - i.base_net_total) > 0.001 or abs(sum(l.qty) - i.total_qty) > 0.001"""
	)
	assert not wrong


def test_every_voucher_is_balanced():
	wrong = frappe.db.sql(
		"""select voucher_no from `tabGL Entry` group by voucher_type, voucher_no
		having abs(sum(debit) - sum(credit)) > 0.001 or count(*) < 2"""
	)
	assert not wrong
	booked = frappe.db.sql("select count(distinct voucher_no) from `tabGL Entry`")[0][0]
	assert booked == len(invoices()) + frappe.db.count("Payment Entry", {"docstatus": 1})


def test_outstanding_amounts_agree_with_the_payment_ledger():
	ledger = dict(
		frappe.db.sql(
			"select against_voucher_no, sum(amount) from `tabPayment Ledger Entry` group by against_voucher_no"
		)
	)
	for row in invoices():
		assert row.outstanding_amount == pytest.approx(ledger.get(row.name, 0), abs=0.001), row.name


def test_status_is_what_erpnext_would_say():
	for row in invoices()[::11]:
		doc = frappe.get_doc("Sales Invoice", row.name)
		doc.set_status()
		assert doc.status == row.status, row.name


def test_receivables_report_shows_what_is_outstanding():
	from erpnext.accounts.report.accounts_receivable.accounts_receivable import execute

	company = frappe.db.get_value("Sales Invoice", {"remarks": REMARKS}, "company")
	filters = {
		"company": company,
		"report_date": getdate(),
		"range": "30, 60, 90, 120",
		"ageing_based_on": "Due Date",
	}
	filters |= {"range1": 30, "range2": 60, "range3": 90, "range4": 120}
	rows = execute(frappe._dict(filters))[1]
	total = sum(row["outstanding"] for row in rows if row.get("voucher_no"))
	assert total == pytest.approx(sum(row.outstanding_amount for row in invoices()), abs=0.01)


def test_rows_in_bulk_are_those_of_erpnext():
	"""The same sale once more, each document submitted by ERPNext: every column of every table is the same."""
	sale, copy = get_bulk_sale()
	bulk = [Pattern.of(frappe.get_doc(*key)) for key in document_keys(sale)]
	real = [make_invoice(copy, get_books()), make_credit_note(copy), make_payment(copy, get_books())]
	for document in real:
		document.reload()
	for ours, theirs in zip(bulk, [Pattern.of(document) for document in real], strict=True):
		assert comparable(ours, sale) == comparable(theirs, copy)


def get_books():
	from crm_retention.demo.company import open_books

	return open_books(None, getdate(add_days(None, -1100)), getdate())


def get_bulk_sale():
	"""A sale that was inserted in bulk, with discount, several lines, return and payment; and its copy to submit."""
	buyers = tell(getdate(), SCALE)
	first = min(sale.day for buyer in buyers for sale in buyer.purchases)
	name = frappe.db.get_value("Customer", {"customer_name": buyers[0].name.organisation})
	assert name
	for buyer in buyers:
		for purchase in buyer.purchases:
			if purchase.day > first and purchase.returned and purchase.paid and len(purchase.lines) > 1:
				customer = frappe.db.get_value("Customer", {"customer_name": buyer.name.organisation})
				note = frappe.db.get_value(
					"Sales Invoice",
					{"customer": customer, "posting_date": purchase.returned.day, "is_return": 1},
					["name", "return_against"],
				)
				if note:
					payment = frappe.db.get_value(
						"Payment Entry Reference", {"reference_name": note[1]}, "parent"
					)
					customer = frappe._dict(name=customer)
					ours = Sale(customer, purchase, note[1], note[0], payment)
					return ours, Sale(customer, purchase, "TEST-SINV", "TEST-RETURN", "TEST-PAYMENT")
	pytest.fail("the story has no sale with several lines, a return and a payment")


def document_keys(sale):
	return [
		("Sales Invoice", sale.invoice),
		("Sales Invoice", sale.credit_note),
		("Payment Entry", sale.payment),
	]


def comparable(pattern, sale):
	"""Rows without their own names; references to the documents of the sale by their role."""
	roles = {sale.invoice: "invoice", sale.credit_note: "credit note", sale.payment: "payment"}

	def plain(value):
		if isinstance(value, str):
			for name, role in roles.items():
				value = value.replace(name, role)
		return round(value, 2) if isinstance(value, float) else value

	return {
		doctype: sorted(
			(
				sorted((key, str(plain(value))) for key, value in row.items() if key not in OWN)
				for row in rows
			),
		)
		for doctype, rows in pattern.rows.items()
	}


def test_erpnext_works_on_with_what_was_inserted():
	"""An open invoice of the bulk can be paid, returned and cancelled like any other."""
	from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
	from erpnext.controllers.sales_and_purchase_return import make_return_doc

	first, second, third = (row.name for row in invoices(status="Unpaid")[:3])
	payment = get_payment_entry("Sales Invoice", first)
	payment.update({"reference_no": "1", "reference_date": getdate()})
	payment.insert().submit()
	assert frappe.db.get_value("Sales Invoice", first, ["outstanding_amount", "status"]) == (0, "Paid")
	make_return_doc("Sales Invoice", second).insert().submit()
	frappe.get_doc("Sales Invoice", third).cancel()
	assert frappe.db.get_value("Sales Invoice", third, "docstatus") == 2


def test_naming_series_goes_on_behind_the_demo():
	customer = frappe.db.get_value("Sales Invoice", {"remarks": REMARKS}, "customer")
	item = {"item_code": frappe.get_all("Item", pluck="name", limit=1)[0], "qty": 1, "rate": 10}
	invoice = frappe.get_doc({"doctype": "Sales Invoice", "customer": customer, "items": [item]}).insert()
	assert invoice.name not in {row.name for row in invoices()}


@pytest.mark.parametrize("remarks", ["ours", "", None])
def test_site_with_invoices_of_its_own_is_refused(remarks):
	frappe.db.set_value("Sales Invoice", {"remarks": REMARKS}, "remarks", remarks)
	before = table_sizes()
	for load in (create_demo_data, load_cdnow):
		with pytest.raises(frappe.ValidationError, match="of its own"):
			load()
	assert table_sizes() == before


@pytest.mark.parametrize(
	"line", ["00004 0001 19970101 2", "00004 0001 1997-01-01 2 29.33", "00004 0001 19970101 x 1"]
)
def test_cdnow_file_with_a_bad_line_is_refused(tmp_path, line):
	path = tmp_path / "bad.txt"
	path.write_text(f"00004 0001 19970101 2 29.98\n{line}\n")
	with pytest.raises(frappe.ValidationError, match="line 2"):
		load_cdnow(path)


@pytest.fixture(scope="class")
def sample():
	"""The CDNOW sample beside the demo company, within the transaction of the module."""
	return load_cdnow()


@pytest.mark.slow
class TestCdnow:
	def test_purchases_become_paid_invoices(self, sample):
		values = [line.split() for line in SAMPLE.read_text().splitlines()]
		assert sample == {"Customer": 2357, "Sales Invoice": 6919}
		found = frappe.db.sql(
			"""select count(*), sum(base_net_total), sum(total_qty), min(posting_date), max(posting_date),
				sum(outstanding_amount), count(distinct customer)
			from `tabSales Invoice` where docstatus = 1 and remarks = 'CDNOW sample'"""
		)[0]
		assert found[0] == len(values)
		assert found[1] == pytest.approx(sum(float(row[4]) for row in values))
		assert found[2] == sum(int(row[3]) for row in values)
		assert [str(day) for day in found[3:5]] == ["1997-01-01", "1998-06-30"]
		assert found[5] == 0
		assert found[6] == len({row[0] for row in values})

	@pytest.mark.usefixtures("sample")
	def test_books_are_balanced(self):
		income = frappe.db.sql(
			"""select sum(e.credit), sum(e.debit) from `tabGL Entry` e join `tabAccount` a on a.name = e.account
			where e.remarks = 'CDNOW sample' and a.root_type = 'Income'"""
		)[0]
		values = [float(line.split()[4]) for line in SAMPLE.read_text().splitlines()]
		assert income == (pytest.approx(sum(values)), 0)
		wrong = frappe.db.sql(
			"""select voucher_no from `tabGL Entry` group by voucher_type, voucher_no
			having abs(sum(debit) - sum(credit)) > 0.001"""
		)
		assert not wrong

	@pytest.mark.usefixtures("sample")
	def test_second_call_adds_nothing(self):
		before = table_sizes()
		assert load_cdnow() == {}
		assert table_sizes() == before

	@pytest.mark.usefixtures("sample")
	def test_site_fits_the_published_model(self):
		"""Fader, Hardie and Lee (2005), Table 2: purchases up to 30 September 1997, in weeks."""
		model = evaluate(datetime.date(1997, 9, 30))[0].model.bgnbd
		found = (model.r, model.alpha, model.a, model.b)
		assert found == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=0.002)


@pytest.mark.commits
def test_every_tier_and_stage_has_members_after_the_cycles():
	create_demo_data(SCALE)
	frappe.db.commit()
	assert run_past_cycles(months=3) == 4
	assert run_past_cycles(months=3) == 0
	for doctype, field in (("Customer Tier", "tier"), ("Lifecycle Stage", "stage")):
		found = set(frappe.get_all("Retention Profile", pluck=field, distinct=True))
		assert found == set(frappe.get_all(doctype, {"enabled": 1}, pluck="name"))

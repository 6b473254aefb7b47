"""Submitted Sales Invoices, credit notes and Payment Entries with their ledger entries.

The first sale is submitted by ERPNext; the others follow its rows (see ``pattern``), so that outstanding amounts,
the general ledger and the receivables report agree as if each had been submitted.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.model.naming import NamingSeries
from frappe.utils import money_in_words

from crm_retention.demo.company import Books
from crm_retention.demo.customers import Customer, at
from crm_retention.demo.items import PRICE_LIST
from crm_retention.demo.origin import REMARKS
from crm_retention.demo.pattern import Bulk, Pattern, follow, new_name
from crm_retention.demo.story import Line, Purchase

INVOICE_PREFIX, PAYMENT_PREFIX = "ACC-SINV", "ACC-PAY"

Values = dict[Any, Any]


@dataclass(frozen=True)
class Amounts:
	"""The money of a document: lines before discount, discount, what remains, and its share of each line."""

	gross: float
	discount: float
	net: float
	shares: tuple[float, ...]

	@classmethod
	def of(cls, lines: list[Line], percent: float) -> Amounts:
		"""As ERPNext distributes a discount: by value, the last line takes what rounding leaves."""
		gross = round(sum(line.amount for line in lines), 2)
		discount = round(gross * percent / 100, 2)
		net = round(gross - discount, 2)
		shares = [round(line.amount - discount * line.amount / gross, 2) for line in lines]
		shares[-1] = round(net - sum(shares[:-1]), 2)
		return cls(gross, discount, net, tuple(shares))


@dataclass
class Sale:
	"""A purchase of the story with the names of its documents."""

	customer: Customer
	purchase: Purchase
	invoice: str = ""
	credit_note: str = ""
	payment: str = ""

	@property
	def amounts(self) -> Amounts:
		return Amounts.of(self.purchase.lines, self.purchase.discount_percent)

	@property
	def return_lines(self) -> list[Line]:
		return [Line(self.purchase.lines[0].product, self.purchase.returned.qty)]

	@property
	def returned(self) -> float:
		if not self.purchase.returned:
			return 0.0
		return Amounts.of(self.return_lines, self.purchase.discount_percent).net

	@property
	def to_pay(self) -> float:
		return round(self.amounts.net - self.returned, 2)

	@property
	def outstanding(self) -> float:
		return 0.0 if self.purchase.paid else self.to_pay


class SalesWriter:
	"""Writes sales; ``counts`` says how many documents of which DocType."""

	def __init__(self, books: Books) -> None:
		self.books = books
		self.bulk = Bulk()
		self.counts: Counter[str] = Counter()

	def write(self, sales: list[Sale]) -> None:
		"""Write all sales. The first that is discounted, partly returned and paid serves as the pattern."""
		sales = sorted(sales, key=lambda sale: (sale.purchase.day, sale.customer.name))
		name_documents(sales)
		first = next(sale for sale in sales if is_pattern(sale))
		self.submit(first)
		for sale in sales:
			if sale is not first:
				self.add(sale)
		self.bulk.insert()

	def submit(self, sale: Sale) -> None:
		"""Let ERPNext make the documents of one sale, and keep their rows as patterns."""
		self.first = sale
		invoice = make_invoice(sale, self.books)
		self.invoice = Pattern.of(invoice)
		credit_note = make_credit_note(sale)
		self.credit_note = Pattern.of(credit_note)
		self.payment = Pattern.of(make_payment(sale, self.books))
		self.counts.update(("Sales Invoice", "Credit Note", "Payment Entry"))

	def add(self, sale: Sale) -> None:
		"""Add the rows of one sale."""
		self.add_invoice(sale)
		if sale.credit_note:
			self.add_credit_note(sale)
		if sale.payment:
			self.add_payment(sale)

	def add_invoice(self, sale: Sale) -> None:
		purchase, amounts = sale.purchase, sale.amounts
		swap = self.swap(sale, purchase.day, self.first.purchase.day)
		swap |= {self.first.purchase.due: purchase.due}
		swap |= self.swap_amounts(self.first.amounts, amounts)
		swap |= self.swap_percent(sale) | self.swap_qty(self.first.purchase.lines, purchase.lines)
		own = {"status": get_status(sale), "outstanding_amount": sale.outstanding}
		self.add_rows(self.invoice, "Sales Invoice", swap, purchase.day, own)
		lines = [f"{sale.invoice}-{n}" for n in range(1, len(purchase.lines) + 1)]
		self.add_lines(self.invoice, swap, purchase.day, purchase.lines, amounts, lines)
		self.counts["Sales Invoice"] += 1

	def add_credit_note(self, sale: Sale) -> None:
		back, first = sale.purchase.returned, self.first
		swap = self.swap(sale, back.day, first.purchase.returned.day) | self.swap_percent(sale)
		before = Amounts.of(first.return_lines, first.purchase.discount_percent)
		amounts = Amounts.of(sale.return_lines, sale.purchase.discount_percent)
		swap |= self.swap_amounts(before, amounts) | self.swap_qty(first.return_lines, sale.return_lines)
		self.add_rows(self.credit_note, "Sales Invoice", swap, back.day, {})
		swap |= {self.invoice.first("Sales Invoice Item")["name"]: f"{sale.invoice}-1"}
		lines = [f"{sale.credit_note}-1"]
		self.add_lines(self.credit_note, swap, back.day, sale.return_lines, amounts, lines, sign=-1)
		self.counts["Credit Note"] += 1

	def add_payment(self, sale: Sale) -> None:
		day = sale.purchase.paid
		swap = self.swap(sale, day, self.first.purchase.paid)
		swap |= {self.first.purchase.due: sale.purchase.due, self.first.amounts.net: sale.amounts.net}
		swap |= {self.first.to_pay: sale.to_pay}
		swap |= {get_remarks(self.first, self.books): get_remarks(sale, self.books)}
		swap |= {get_reference(self.first): get_reference(sale)}
		self.add_rows(self.payment, "Payment Entry", swap | self.swap_words(sale.to_pay), day, {})
		self.counts["Payment Entry"] += 1

	def add_rows(
		self, pattern: Pattern, doctype: str, swap: Values, day: datetime.date, own: Mapping[str, Any]
	) -> None:
		"""Rows of every table but the lines."""
		stamps = {"creation": at(day), "modified": at(day)}
		for table, rows in pattern.rows.items():
			for row in rows if table != "Sales Invoice Item" else ():
				named = {"name": swap[row["name"]] if table == doctype else new_name()}
				self.bulk.add(
					table, follow(row, swap, **stamps, **named, **(own if table == doctype else {}))
				)

	def add_lines(
		self,
		pattern: Pattern,
		swap: Values,
		day: datetime.date,
		lines: list[Line],
		amounts: Amounts,
		names: list[str],
		sign: int = 1,
	) -> None:
		"""The lines of an invoice or credit note, after the pattern's only line."""
		row = pattern.first("Sales Invoice Item")
		for idx, (line, share, name) in enumerate(zip(lines, amounts.shares, names, strict=True), 1):
			net_rate = round(share / line.qty, 2)
			values = {
				row["item_name"]: line.product.name,
				row["item_code"]: line.product.code,
				row["item_group"]: line.product.group,
				row["qty"]: sign * line.qty,
				row["rate"]: line.product.price,
				row["amount"]: sign * line.amount,
				row["net_amount"]: sign * share,
				row["net_rate"]: net_rate,
			}
			if row.get("distributed_discount_amount"):
				values[row["distributed_discount_amount"]] = sign * round(line.amount - share, 2)
			stamps = {"creation": at(day), "modified": at(day)}
			self.bulk.add("Sales Invoice Item", follow(row, swap | values, name=name, idx=idx, **stamps))

	def swap(self, sale: Sale, day: datetime.date, first_day: datetime.date) -> Values:
		"""Names, customer, day and fiscal year of the pattern to those of a sale."""
		first = self.first
		names = {
			first.invoice: sale.invoice,
			first.credit_note: sale.credit_note,
			first.payment: sale.payment,
		}
		years = {self.books.fiscal_year(first_day): self.books.fiscal_year(day)}
		return {**names, **years, **first.customer.swap_for(sale.customer), first_day: day}

	def swap_amounts(self, before: Amounts, now: Amounts) -> Values:
		amounts = {before.gross: now.gross, before.discount: now.discount, before.net: now.net}
		return amounts | self.swap_words(now.net, before.net)

	def swap_words(self, amount: float, before: float | None = None) -> Values:
		"""The amount in words, as documents print it."""
		words = money_in_words(before if before is not None else self.first.to_pay, self.books.currency)
		return {words: money_in_words(amount, self.books.currency)}

	def swap_percent(self, sale: Sale) -> Values:
		return {self.first.purchase.discount_percent: sale.purchase.discount_percent}

	def swap_qty(self, before: list[Line], now: list[Line]) -> Values:
		return {sum(line.qty for line in before): sum(line.qty for line in now)}


def is_pattern(sale: Sale) -> bool:
	"""Whether the amounts of a sale tell every field apart."""
	purchase, amounts = sale.purchase, sale.amounts
	if not (purchase.paid and purchase.returned and len(purchase.lines) == 1):
		return False
	different = {amounts.gross, amounts.discount, amounts.net, purchase.discount_percent, sale.to_pay}
	different |= {purchase.lines[0].qty, purchase.lines[0].product.price, purchase.returned.qty, 0.0, 1.0}
	return len(different) == 10


def name_documents(sales: list[Sale]) -> None:
	"""Names as the naming series would have given them day by day; its counters go on behind them."""
	invoices = [(sale.purchase.day, sale, "invoice") for sale in sales]
	invoices += [
		(sale.purchase.returned.day, sale, "credit_note") for sale in sales if sale.purchase.returned
	]
	name_by_year(INVOICE_PREFIX, invoices)
	paid = [sale for sale in sales if sale.purchase.paid and sale.to_pay > 0]
	name_by_year(PAYMENT_PREFIX, [(sale.purchase.paid, sale, "payment") for sale in paid])


def name_by_year(prefix: str, documents: list[tuple[datetime.date, Sale, str]]) -> None:
	counters: dict[int, int] = {}
	for day, sale, attribute in sorted(documents, key=lambda item: (item[0], item[1].customer.name)):
		year = day.year
		if year not in counters:
			counters[year] = NamingSeries(f"{prefix}-{year}-.#####").get_current_value()
		counters[year] += 1
		setattr(sale, attribute, f"{prefix}-{year}-{counters[year]:05d}")
	for year, count in counters.items():
		NamingSeries(f"{prefix}-{year}-.#####").update_counter(count)


def make_invoice(sale: Sale, books: Books) -> Any:
	"""A Sales Invoice, submitted by ERPNext."""
	purchase = sale.purchase
	invoice = frappe.get_doc(
		{
			"doctype": "Sales Invoice",
			"company": books.company,
			"customer": sale.customer.name,
			"posting_date": purchase.day,
			"posting_time": "10:00:00",
			"set_posting_time": 1,
			"due_date": purchase.due,
			"currency": books.currency,
			"selling_price_list": PRICE_LIST,
			"update_stock": 0,
			"disable_rounded_total": 1,
			"additional_discount_percentage": purchase.discount_percent,
			"ignore_pricing_rule": 1,
			"remarks": REMARKS,
			"items": [
				{"item_code": line.product.code, "qty": line.qty, "rate": line.product.price}
				for line in purchase.lines
			],
		}
	)
	invoice.insert(ignore_permissions=True, set_name=sale.invoice)
	invoice.flags.ignore_permissions = True
	invoice.submit()
	return invoice


def make_credit_note(sale: Sale) -> Any:
	"""The return of a part of the first line, set off against its invoice."""
	from erpnext.controllers.sales_and_purchase_return import make_return_doc

	back = sale.purchase.returned
	note = make_return_doc("Sales Invoice", sale.invoice)
	note.update({"posting_date": back.day, "posting_time": "10:00:00", "set_posting_time": 1})
	note.update({"due_date": back.day, "update_outstanding_for_self": 0, "remarks": REMARKS})
	note.items = note.items[:1]
	note.items[0].qty = -back.qty
	note.insert(ignore_permissions=True, set_name=sale.credit_note)
	note.flags.ignore_permissions = True
	note.submit()
	return note


def make_payment(sale: Sale, books: Books) -> Any:
	"""The payment of what an invoice still asks for."""
	from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry

	payment = get_payment_entry("Sales Invoice", sale.invoice, bank_account=books.bank_account)
	payment.update({"posting_date": sale.purchase.paid, "reference_date": sale.purchase.paid})
	payment.update({"reference_no": get_reference(sale)})
	payment.update({"custom_remarks": 1, "remarks": get_remarks(sale, books)})
	payment.insert(ignore_permissions=True, set_name=sale.payment)
	payment.flags.ignore_permissions = True
	payment.submit()
	return payment


def get_reference(sale: Sale) -> str:
	"""What the bank statement says."""
	return f"TRF {sale.invoice}"


def get_remarks(sale: Sale, books: Books) -> str:
	"""The remarks of a payment."""
	return f"{books.currency} {sale.to_pay:.2f} from {sale.customer.name} against {sale.invoice}. {REMARKS}"


def get_status(sale: Sale) -> str:
	"""The status that ERPNext would give the invoice today."""
	if sale.outstanding > 0:
		# whatever was not paid in time is overdue; a credit note counts as a part payment
		if sale.purchase.due < frappe.utils.getdate():
			return "Overdue"
		return "Partly Paid" if sale.returned else "Unpaid"
	return "Credit Note Issued" if sale.credit_note else "Paid"

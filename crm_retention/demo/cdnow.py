"""The CDNOW sample as a site's customers and paid Sales Invoices, inserted in bulk.

ERPNext makes the first customer and submits the first invoice, paid on the spot; the other 2,356 customers and
6,918 invoices follow the rows of these (see ``pattern``).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import frappe
from frappe import _
from frappe.utils import money_in_words
from frappe.utils.nestedset import get_root_of

from crm_retention.demo.company import Books, open_books
from crm_retention.demo.customers import at
from crm_retention.demo.items import create, create_price_list
from crm_retention.demo.origin import CDNOW_REMARKS as REMARKS
from crm_retention.demo.origin import refuse_real_books
from crm_retention.demo.pattern import Bulk, Pattern, follow, new_name
from crm_retention.demo.progress import quietly, said

SAMPLE = Path(__file__).parent.parent / "examples" / "cdnow" / "CDNOW_sample.txt"
ITEM, ITEM_GROUP = "CD", "Music"
CUSTOMER_GROUP = "Web Shop"
PRICE_LIST = "CDNOW Selling"
MODE_OF_PAYMENT = "CDNOW Card"


@dataclass(frozen=True)
class Order:
	"""A line of the file: who, when, how many CDs, for how much; ``number`` is its place in the file."""

	number: int
	customer: str
	day: datetime.date
	cds: int
	value: float

	@property
	def name(self) -> str:
		return f"CDNOW-{self.number:05d}"

	@property
	def rate(self) -> float:
		return round(self.value / self.cds, 6)


def load_cdnow(
	path: str | Path | None = None, company: str | None = None, force: bool = False
) -> dict[str, int]:
	"""Load the sample, or a file like it, into a company's books (the default company's if none is named).

	Customers are named ``CDNOW 00004`` after the file's own numbers. Returns how many customers and invoices were
	created; an empty dictionary where the sample is there already. The caller commits. Values are dollars in the
	file and taken as the company's currency.

	Raises ValidationError for a line that cannot be read, and on a site with sales of its own unless ``force``.
	"""
	if frappe.db.exists("Sales Invoice", {"remarks": REMARKS}):
		click.echo("The CDNOW sample is there already: nothing was added.")
		return {}
	if not force:
		refuse_real_books()
	orders = list(read_orders(Path(path) if path else SAMPLE))
	first = next((order for order in orders if is_pattern(order)), None)
	if first is None:
		frappe.throw(_("{0} has no purchase that can serve as a pattern").format(path))
	with quietly(), said("Company and masters"):
		days = [order.day for order in orders]
		books = open_books(company, min(days), max(days))
		create_masters(books)
	with quietly(), said(f"{len(orders)} invoices and their customers"):
		customers = write_customers(orders, first)
		write_invoices(orders, first, books)
	return {"Customer": customers, "Sales Invoice": len(orders)}


def read_orders(path: Path) -> Iterator[Order]:
	"""The purchases of a file: customer, number in the sample, date YYYYMMDD, CDs and value, blanks between."""
	for number, line in enumerate(path.read_text().splitlines(), 1):
		parts = line.split()
		if not parts:
			continue
		try:
			customer, _sample, day, cds, value = parts
			day = datetime.datetime.strptime(day, "%Y%m%d").date()
			yield Order(number, f"CDNOW {customer}", day, int(cds), float(value))
		except ValueError:
			frappe.throw(_("{0}, line {1} is not a purchase: {2}").format(path, number, line))


def is_pattern(order: Order) -> bool:
	"""Whether its amounts tell every field apart, and its rate is a price."""
	return order.cds > 1 and order.rate == round(order.rate, 2) and order.value not in (order.cds, order.rate)


def create_masters(books: Books) -> None:
	"""The item, a price list in the company's currency, and a mode of payment with an account."""
	create_price_list(books.currency, PRICE_LIST)
	create("Item Group", ITEM_GROUP, item_group_name=ITEM_GROUP, parent_item_group=get_root_of("Item Group"))
	item = {"item_code": ITEM, "item_name": "Compact Disc", "item_group": ITEM_GROUP, "stock_uom": "Nos"}
	create("Item", ITEM, **item, is_stock_item=0)
	root = get_root_of("Customer Group")
	create("Customer Group", CUSTOMER_GROUP, customer_group_name=CUSTOMER_GROUP, parent_customer_group=root)
	if not frappe.db.exists("Mode of Payment", MODE_OF_PAYMENT):
		accounts = [{"company": books.company, "default_account": books.bank_account}]
		create(
			"Mode of Payment",
			MODE_OF_PAYMENT,
			mode_of_payment=MODE_OF_PAYMENT,
			type="Bank",
			accounts=accounts,
		)


def write_customers(orders: list[Order], first: Order) -> int:
	"""The customer of the first order by Frappe, the others after its row; returns how many."""
	since: dict[str, datetime.date] = {}
	for order in sorted(orders, key=lambda order: order.day):
		since.setdefault(order.customer, order.day)
	pattern = Pattern.of(make_customer(first.customer))
	frappe.db.set_value(
		"Customer", first.customer, "creation", at(since[first.customer]), update_modified=False
	)
	bulk = Bulk()
	for name, day in since.items():
		if name == first.customer:
			continue
		stamps = {"creation": at(day), "modified": at(day)}
		for table, rows in pattern.rows.items():
			for row in rows:
				own = {} if table == "Customer" else {"name": new_name()}
				bulk.add(table, follow(row, {first.customer: name}, **stamps, **own))
	bulk.insert()
	return len(since)


def make_customer(name: str) -> Any:
	"""A customer of the web shop."""
	territory = frappe.db.get_value("Territory", {"is_group": 0})
	values = {"customer_name": name, "customer_type": "Individual", "default_price_list": PRICE_LIST}
	values |= {"customer_group": CUSTOMER_GROUP, "territory": territory}
	doc = frappe.get_doc({"doctype": "Customer", **values})
	return doc.insert(ignore_permissions=True, set_name=name)


def write_invoices(orders: list[Order], first: Order, books: Books) -> None:
	"""The first invoice by ERPNext, the others after its rows; an order of nothing has no ledger entries."""
	pattern = Pattern.of(make_invoice(first, books))
	bulk = Bulk()
	for order in orders:
		if order is first:
			continue
		swap = get_swap(first, order, books)
		stamps = {"creation": at(order.day), "modified": at(order.day)}
		for table, rows in pattern.rows.items():
			if not order.value and table not in ("Sales Invoice", "Sales Invoice Item"):
				continue
			for row in rows:
				own = {"name": order.name if table == "Sales Invoice" else new_name()}
				bulk.add(table, follow(row, swap, **stamps, **own))
	bulk.insert()


def get_swap(first: Order, order: Order, books: Books) -> dict[Any, Any]:
	"""Values of the first order's rows to those of another."""
	return {
		first.name: order.name,
		first.customer: order.customer,
		first.day: order.day,
		books.fiscal_year(first.day): books.fiscal_year(order.day),
		float(first.cds): float(order.cds),
		first.value: order.value,
		first.rate: order.rate,
		money_in_words(first.value, books.currency): money_in_words(order.value, books.currency),
	}


def make_invoice(order: Order, books: Books) -> Any:
	"""A Sales Invoice, paid at once, submitted by ERPNext."""
	invoice = frappe.get_doc(
		{
			"doctype": "Sales Invoice",
			"company": books.company,
			"customer": order.customer,
			"posting_date": order.day,
			"posting_time": "10:00:00",
			"set_posting_time": 1,
			"due_date": order.day,
			"currency": books.currency,
			"selling_price_list": PRICE_LIST,
			"update_stock": 0,
			"disable_rounded_total": 1,
			"ignore_pricing_rule": 1,
			"is_pos": 1,
			"remarks": REMARKS,
			"items": [{"item_code": ITEM, "qty": order.cds, "rate": order.rate}],
			"payments": [{"mode_of_payment": MODE_OF_PAYMENT, "amount": order.value}],
		}
	)
	invoice.insert(ignore_permissions=True, set_name=order.name)
	invoice.flags.ignore_permissions = True
	invoice.submit()
	return invoice

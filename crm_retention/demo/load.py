"""The demo company on a site, all of it or nothing, and the cycles that it would have seen."""

from __future__ import annotations

import datetime

import click
import frappe
from frappe.utils import add_months, getdate

from crm_retention.demo.care import create_care
from crm_retention.demo.company import open_books
from crm_retention.demo.customers import create_customers, create_leads, create_masters
from crm_retention.demo.items import create_items
from crm_retention.demo.kinds import LEADS, sized
from crm_retention.demo.names import get_names
from crm_retention.demo.origin import REMARKS, refuse_real_books
from crm_retention.demo.progress import quietly, said
from crm_retention.demo.sales import Sale, SalesWriter
from crm_retention.demo.story import tell


def create_demo_data(
	scale: float = 1.0,
	as_of: datetime.date | str | None = None,
	company: str | None = None,
	force: bool = False,
) -> dict[str, int]:
	"""Fill a site with a distributor's customers and three years of trade up to ``as_of`` (today by default).

	At ``scale`` 1 these are about 200 customers and 4,000 invoices. Returns how many documents of each kind were
	created; an empty dictionary where the demo data is there already. The caller commits; only ERPNext's setup
	wizard, on a site without a company, commits by itself.

	Raises ValidationError on a site with sales of its own, unless ``force``.
	"""
	if frappe.db.exists("Sales Invoice", {"remarks": REMARKS}):
		click.echo("The demo data is there already: nothing was added.")
		return {}
	if not force:
		refuse_real_books()
	as_of = getdate(as_of)
	buyers = tell(as_of, scale)
	with quietly(), said("Company, items and masters"):
		first = min(buyer.known_since for buyer in buyers)
		books = open_books(company, first, max(as_of, getdate()))
		create_items(books.currency)
		create_masters()
	with quietly(), said(f"{len(buyers)} customers with contacts, and leads"):
		customers = create_customers(buyers)
		leads = create_leads(get_names(len(buyers) + sized(LEADS, scale))[len(buyers) :], as_of)
	sales = [
		Sale(customer, purchase)
		for buyer, customer in zip(buyers, customers, strict=True)
		for purchase in buyer.purchases
	]
	writer = SalesWriter(books)
	with quietly(), said(f"{len(sales)} invoices with returns, payments and ledgers"):
		writer.write(sales)
	with quietly(), said("Conversations, complaints, claims and contracts"):
		care = create_care(list(zip(buyers, customers, strict=True)), books.company, as_of)
	return {"Customer": len(customers), "Lead": len(leads), **writer.counts, **care}


def run_past_cycles(as_of: datetime.date | str | None = None, months: int = 12) -> int:
	"""Run the cycle as of each of the past months and ``as_of``, so that histories have something to show.

	A stage such as Won Back needs an earlier one. Days that were run already are left out; returns the number
	of cycles. Commits, as every cycle does.
	"""
	from crm_retention.jobs.cycle import run_job
	from crm_retention.jobs.runs import create_run, get_latest_day

	last, latest = getdate(as_of), get_latest_day()
	days = [getdate(add_months(last, -month)) for month in range(months, -1, -1)]
	days = [day for day in days if latest is None or day > latest]
	with said(f"{len(days)} cycles, one a month"):
		for day in days:
			run = create_run("Manual", day)
			frappe.db.commit()
			run_job(run.name)
	return len(days)

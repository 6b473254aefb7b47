"""What capture costs whoever submits a Sales Invoice, and what My Day costs against the desk's own list.

Runs in a bench's environment, on a site with this app, a company and customers of its own:

	env/bin/python -m benchmarks.daily SITE --bench ~/frappe-bench

Invoices are submitted in turns with this app's hooks and without them, and rolled back. My Day is asked for the person
with the most open touchpoints, in turns with Frappe's list of the same touchpoints.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frappe

APP = "crm_retention."
BUDGET = 1.03


def main() -> None:
	"""Measure and print."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("site")
	parser.add_argument("--bench", type=Path, default=Path.home() / "frappe-bench")
	parser.add_argument("--invoices", type=int, default=40, help="submitted on each side")
	options = parser.parse_args()
	os.chdir(options.bench / "sites")  # where Frappe looks for sites and logs
	frappe.init(options.site, sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		show_capture(options.invoices)
		show_my_day()
	finally:
		frappe.db.rollback()


def show_capture(rounds: int) -> None:
	"""Submitting with and without this app's hooks."""
	company = frappe.get_all("Company", pluck="name", limit=1)[0]
	customer = frappe.get_all("Customer", {"disabled": 0}, pluck="name", limit=1)[0]
	item = make_item()
	with_app, without = hooks(), hooks(without=APP)
	times: dict[str, list[float]] = {"with": [], "without": []}
	for number in range(rounds + 3):
		sides = [("with", with_app), ("without", without)]
		for side, found in sides if number % 2 else reversed(sides):  # whoever is second finds warmer caches
			invoice = make_invoice(company, customer, item)
			frappe.local.doc_events_hooks = found
			taken = seconds(invoice.submit)
			if number >= 3:  # the first ones fill caches
				times[side].append(taken)
	middle = {side: statistics.median(values) for side, values in times.items()}
	ratio = middle["with"] / middle["without"]
	print(
		f"submitting a Sales Invoice: {middle['with'] * 1000:.0f} ms with this app, {middle['without'] * 1000:.0f} ms without"
	)
	print(f"  with / without: {ratio:.3f} (at most {BUDGET}: {'kept' if ratio <= BUDGET else 'MISSED'})")


def hooks(without: str = "") -> dict[str, Any]:
	"""Frappe's document events, as it holds them for a request; less those of an app."""
	frappe.local.doc_events_hooks = None
	del frappe.local.doc_events_hooks
	found = frappe.get_doc_hooks()
	if not without:
		return found
	return {
		doctype: {
			event: [method for method in methods if not method.startswith(without)]
			for event, methods in events.items()
		}
		for doctype, events in found.items()
	}


def make_item() -> str:
	"""A service item of the benchmark's own."""
	if not frappe.db.exists("Item", "BENCH-SERVICE"):
		group = frappe.get_all("Item Group", {"is_group": 0}, pluck="name", limit=1)[0]
		doc = {"doctype": "Item", "item_code": "BENCH-SERVICE", "item_group": group, "is_stock_item": 0}
		frappe.get_doc(doc).insert()
	return "BENCH-SERVICE"


def make_invoice(company: str, customer: str, item: str) -> Any:
	"""A saved draft."""
	invoice = frappe.get_doc(
		{
			"doctype": "Sales Invoice",
			"company": company,
			"customer": customer,
			"due_date": frappe.utils.nowdate(),
		}
	)
	invoice.append("items", {"item_code": item, "qty": 1, "rate": 100})
	return invoice.insert()


def show_my_day() -> None:
	"""My Day of the busiest person, and the list of the same touchpoints."""
	from crm_retention.care.my_day import get_my_day

	busiest = frappe.db.sql(
		"SELECT assigned_to, COUNT(*) AS n FROM tabTouchpoint WHERE status = 'Open' AND assigned_to IS NOT NULL "
		"GROUP BY assigned_to ORDER BY n DESC, assigned_to LIMIT 1"
	)
	if not busiest:
		print("My Day: left out, nobody has an open touchpoint")
		return
	user, many = busiest[0]
	today = frappe.utils.getdate(frappe.utils.nowdate())
	filters = {"assigned_to": user, "status": "Open"}

	def listed() -> None:
		frappe.get_list("Touchpoint", filters=filters, fields=["*"], order_by="due_date", limit=200)

	sides: dict[str, Callable[[], object]] = {"my day": lambda: get_my_day(user, today), "list": listed}
	times: dict[str, list[float]] = {name: [] for name in sides}
	for _ in range(15):
		for name, work in sides.items():
			times[name].append(seconds(work))
	middle = {name: statistics.median(values) for name, values in times.items()}
	print(
		f"My Day of a person with {many} open of {frappe.db.count('Touchpoint'):,} touchpoints: "
		f"{middle['my day'] * 1000:.0f} ms; the first 200 of Frappe's list: {middle['list'] * 1000:.0f} ms"
	)


def seconds(work: Callable[[], object]) -> float:
	"""Wall time of one call."""
	begun = time.perf_counter()
	work()
	return time.perf_counter() - begun


if __name__ == "__main__":
	main()

"""The cycle on a site against its database's own aggregate and against documents one by one.

Runs in a bench's environment, on a site of its own that has this app and a company, and fills that site:

	env/bin/python -m benchmarks.site SITE --bench ~/frappe-bench --customers 100000 --invoices 1000000

Every figure of a ratio comes from the same run; sides take turns, medians are quoted. Documents are loaded and
saved for a sample and scaled up to all customers.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frappe

MARK = "BENCH-"
BESIDE = ("capture", "writing", "planning", "touchpoints")  # steps that are no part of scoring


def main() -> None:
	"""Fill the site if its size differs, then measure and print."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("site")
	parser.add_argument("--bench", type=Path, default=Path.home() / "frappe-bench")
	parser.add_argument("--customers", type=int, default=100_000)
	parser.add_argument("--invoices", type=int, default=1_000_000)
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument("--sample", type=int, default=200, help="documents loaded and saved one by one")
	options = parser.parse_args()
	os.chdir(options.bench / "sites")  # where Frappe looks for sites and logs
	frappe.init(options.site, sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	if frappe.db.count("Customer", {"name": ("like", f"{MARK}%")}) != options.customers:
		fill(options.customers, options.invoices)
	report(options)


def fill(customers: int, invoices: int) -> None:
	"""Rows straight into the tables (MariaDB), the same for the same sizes; what carries the mark goes first."""
	company = frappe.db.get_value("Company", {})
	frappe.db.sql(f"DELETE FROM tabCustomer WHERE name LIKE '{MARK}%%'".replace("%%", "%"))
	frappe.db.sql(f"DELETE FROM `tabSales Invoice` WHERE name LIKE '{MARK}%%'".replace("%%", "%"))
	stamp = "NOW(), NOW(), 'Administrator', 'Administrator'"
	columns = "creation, modified, owner, modified_by"
	frappe.db.sql(
		f"INSERT INTO tabCustomer (name, customer_name, disabled, docstatus, {columns}) "
		f"SELECT CONCAT('{MARK}', LPAD(seq, 8, '0')), CONCAT('Customer ', seq), 0, 0, {stamp} "
		f"FROM seq_1_to_{int(customers)}"
	)
	share = "CRC32(CONCAT('{0}', seq)) / 4294967295"
	customer = f"1 + FLOOR(POW({share.format('c')}, 2) * {int(customers) - 1})"
	day = f"DATE_SUB(CURDATE(), INTERVAL FLOOR(POW({share.format('d')}, 1.2) * 1095) DAY)"
	amount = f"IF(CRC32(CONCAT('r', seq)) % 40 = 0, -1, 1) * (10 + EXP({share.format('a')} * 6))"
	frappe.db.sql(
		"INSERT INTO `tabSales Invoice` (name, customer, posting_date, due_date, docstatus, company, is_opening, "
		f"base_net_total, base_discount_amount, outstanding_amount, {columns}) "
		f"SELECT CONCAT('{MARK}', LPAD(seq, 9, '0')), CONCAT('{MARK}', LPAD({customer}, 8, '0')), {day}, {day}, 1, "
		f"{frappe.db.escape(company)}, 'No', ROUND({amount}, 2), IF(CRC32(CONCAT('e', seq)) % 5 = 0, 5, 0), 0, {stamp} "
		f"FROM seq_1_to_{int(invoices)}"
	)
	frappe.db.commit()
	frappe.db.sql("ANALYZE TABLE `tabSales Invoice`")


def report(options: argparse.Namespace) -> None:
	"""Print each budget as a ratio with both sides."""
	today = frappe.utils.getdate(frappe.utils.nowdate())
	latest = frappe.db.get_value("Retention Run", {"kind": ("!=", "Preview")}, "as_of", order_by="as_of desc")
	first = max(today, frappe.utils.getdate(latest) + datetime.timedelta(days=1)) if latest else today
	cycle(first)  # the first run inserts every profile; those measured below change every one
	rows: dict[str, list[float]] = {
		"aggregate": [],
		"scoring": [],
		"cycle": [],
		"again": [],
		"one by one": [],
	}
	for number in range(1, options.rounds + 1):
		day = first + datetime.timedelta(days=number)
		rows["aggregate"].append(seconds(aggregate))
		steps: dict[str, float] = {}
		rows["cycle"].append(seconds(lambda day=day, steps=steps: steps.update(cycle(day))))
		rows["scoring"].append(sum(value for name, value in steps.items() if name not in BESIDE))
		rows["again"].append(seconds(lambda day=day: cycle(day)))
		sample = frappe.get_all("Retention Profile", limit=options.sample, pluck="name", order_by="name")
		each = seconds(lambda sample=sample: one_by_one(sample)) / len(sample)
		rows["one by one"].append(each * options.customers)
	middle = {name: statistics.median(values) for name, values in rows.items()}
	for name, values in rows.items():
		print(f"{name:>12} {middle[name]:10.2f} s   ({min(values):.2f} to {max(values):.2f})")
	print(f"scoring pass / bare grouped aggregate: {middle['scoring'] / middle['aggregate']:.1f}")
	print(f"documents one by one / whole cycle:    {middle['one by one'] / middle['cycle']:.0f}")
	print(f"second cycle of a day / first:         {middle['again'] / middle['cycle']:.2f}")


def aggregate() -> None:
	"""The least that any scoring has to do: one grouped pass over the covering index."""
	frappe.db.sql(
		"SELECT COUNT(*) FROM (SELECT customer, COUNT(*) AS n, SUM(base_net_total) AS total, MIN(posting_date) AS "
		"first, MAX(posting_date) AS last FROM `tabSales Invoice` WHERE docstatus = 1 GROUP BY customer) AS bare"
	)


def cycle(as_of: datetime.date) -> dict[str, float]:
	"""A whole run; seconds by step."""
	from crm_retention.jobs.cycle import run_job
	from crm_retention.jobs.runs import create_run

	run = create_run("Manual", as_of)
	frappe.db.commit()
	run_job(run.name)
	run.reload()
	if run.status != "Completed":
		raise SystemExit(f"{run.name} ended as {run.status}: {run.error}")
	return {row.step: row.seconds for row in run.steps}


def one_by_one(names: list[str]) -> None:
	"""What an app without sets would do: a query, a document and a save for each customer."""
	for name in names:
		found: list[Any] = frappe.get_all(
			"Sales Invoice",
			filters={"customer": name, "docstatus": 1},
			fields=["posting_date", "base_net_total"],
			order_by="posting_date",
		)
		profile = frappe.get_doc("Retention Profile", name)
		profile.monetary_total = sum(row.base_net_total for row in found)
		profile.frequency = max(len({row.posting_date for row in found}) - 1, 0)
		profile.save()
	frappe.db.commit()


def seconds(work: Callable[[], object]) -> float:
	"""Wall time of one call."""
	begun = time.perf_counter()
	work()
	return time.perf_counter() - begun


if __name__ == "__main__":
	main()

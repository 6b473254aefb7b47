"""The customer in one view and its timeline, against ERPNext's own form and report, on the same site in the same run.

Runs in a bench's environment, on a site of its own that benchmarks/site.py filled with customers, and adds the rest:

	env/bin/python -m benchmarks.timeline SITE --bench ~/frappe-bench --rows 1000000

Sides take turns over the same customers: some at random, and the one with the most rows. Server time, no network.
Inactive Customers asks the database once for each customer, so it runs once.
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

MARK = "BENCH-"
BUDGET_SECONDS = 1.0
STAMP = "'Administrator', 'Administrator', 0"
COLUMNS = "creation, modified, owner, modified_by, docstatus"
KINDS = ("Call", "Visit", "Email", "Invoice", "Payment", "Note", "Meeting", "Delivery")
CHANNELS = ("Phone", "Visit", "Email", "Document", "Document", "", "Visit", "Document")
FORM = "ERPNext's form"
READER = "bench.reader@example.com"


def main() -> None:
	"""Fill the site if its size differs, then measure and print."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("site")
	parser.add_argument("--bench", type=Path, default=Path.home() / "frappe-bench")
	parser.add_argument("--rows", type=int, default=1_000_000)
	parser.add_argument("--sample", type=int, default=30, help="customers in turns")
	parser.add_argument("--without-report", action="store_true", help="leave Inactive Customers out")
	options = parser.parse_args()
	os.chdir(options.bench / "sites")  # where Frappe looks for sites and logs
	frappe.init(options.site, sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	customers = frappe.db.count("Customer", {"name": ("like", f"{MARK}%")})
	if not customers:
		raise SystemExit(f"{options.site} has no customers of benchmarks/site.py")
	if frappe.db.count("Interaction Log", {"party": ("like", f"{MARK}%")}) != options.rows:
		fill(customers, options.rows)
	print(
		f"{customers:,} customers, {options.rows:,} rows of the log, {frappe.db.count('Touchpoint'):,} touchpoints"
	)
	try:
		report(options)
	finally:
		frappe.db.rollback()


def fill(customers: int, rows: int) -> None:
	"""Rows straight into the tables (MariaDB), the same for the same sizes; a few customers have very many."""
	for doctype in ("Interaction Log", "Touchpoint", "Plan Enrollment", "Contact Stop", "Issue"):
		field = "customer" if doctype == "Issue" else "party"
		frappe.db.sql(f"DELETE FROM `tab{doctype}` WHERE `{field}` LIKE %s", (f"{MARK}%",))
		frappe.db.commit()
	kind, channel = elt(KINDS), elt(CHANNELS)
	insert(
		"Interaction Log",
		rows,
		customers,
		{
			"occurred_on": moment(),
			"kind": kind,
			"channel": channel,
			"direction": elt(("In", "Out")),
			"user": "'Administrator'",
			"subject": "CONCAT('What happened, ', seq)",
			"note": "REPEAT('said and done ', 8)",
			"reference_key": f"CONCAT('{MARK}', seq)",
		},
	)
	status = elt(("Open", "Done", "Skipped", "Missed", "Cancelled", "Missed", "Skipped", "Waiting"))
	insert(
		"Touchpoint",
		rows // 4,
		customers,
		{
			"touchpoint_type": "'Check-In Call'",
			"title": "CONCAT('Call ', seq)",
			"status": status,
			"due_date": f"DATE({moment()})",
			"channel": elt(("Phone", "Email")),
			"assigned_to": "'Administrator'",
			"completed_on": moment(),
		},
	)
	plan = frappe.db.get_value("Maintenance Plan", {}) or "None"
	insert(
		"Plan Enrollment",
		customers,
		customers,
		{
			"plan": frappe.db.escape(plan),
			"arm": "'Treated'",
			"from_date": f"DATE({moment()})",
			"open_key": key(),
		},
	)
	insert("Contact Stop", customers, customers, {"on_date": f"DATE({moment()})", "key": key()})
	values = {
		"subject": "CONCAT('Question ', seq)",
		"status": elt(("Open", "Closed")),
		"opening_date": "CURDATE()",
	}
	insert("Issue", customers // 2, customers, values, "customer")
	for doctype in ("Interaction Log", "Touchpoint", "Plan Enrollment", "Contact Stop", "Issue"):
		frappe.db.sql(f"ANALYZE TABLE `tab{doctype}`")


def insert(doctype: str, rows: int, customers: int, values: dict[str, str], party: str = "party") -> None:
	"""INSERT ... SELECT over a sequence; names in no order, as Frappe draws them."""
	share = f"POW(CRC32(CONCAT('{doctype}', seq)) / 4294967295, 2)"
	values = {party: f"CONCAT('{MARK}', LPAD(1 + FLOOR({share} * {customers - 1}), 8, '0'))", **values}
	if party == "party":
		values["party_type"] = "'Customer'"
	names = ", ".join(f"`{name}`" for name in values)
	frappe.db.sql(
		f"INSERT INTO `tab{doctype}` (name, {COLUMNS}, {names}) SELECT LEFT(MD5(CONCAT('{doctype}', seq)), 14), NOW(), "
		f"NOW(), {STAMP}, {', '.join(values.values())} FROM seq_1_to_{int(rows)}"
	)
	frappe.db.commit()


def moment() -> str:
	"""A moment in the last three years."""
	return "DATE_SUB(NOW(), INTERVAL FLOOR(CRC32(CONCAT('m', seq)) / 4294967295 * 94608000) SECOND)"


def elt(choices: tuple[str, ...]) -> str:
	"""One of some texts."""
	texts = ", ".join(f"'{choice}'" for choice in choices)
	return f"ELT(1 + CRC32(CONCAT('e', seq)) % {len(choices)}, {texts})"


def key() -> str:
	"""A unique key."""
	return f"CONCAT('{MARK}', seq)"


def report(options: argparse.Namespace) -> None:
	"""Print both sides, their ratios and the budget."""
	from frappe.desk.form.load import getdoc

	from crm_retention.api.timeline import get_timeline, get_view

	heavy, most = frappe.db.sql(
		"SELECT party, COUNT(*) FROM `tabInteraction Log` WHERE party_type = 'Customer' GROUP BY party ORDER BY 2 DESC LIMIT 1"
	)[0]
	sample = [heavy, *get_sample(options.sample)]
	print(f"{len(sample)} customers, one of them with {most:,} rows")
	deep = walk(get_timeline, heavy, pages=8)
	contacts = {"only_contacts": 1, "from_date": "2024-06-01"}
	sides: dict[str, Callable[[str], Any]] = {
		"view": lambda name: get_view("Customer", name),
		"timeline": lambda name: get_timeline("Customer", name),
		"timeline, filtered": lambda name: get_timeline("Customer", name, contacts),
		"timeline, page 9": lambda _name: get_timeline("Customer", heavy, None, deep),
		FORM: lambda name: getdoc("Customer", name),
	}
	make_reader()
	sides["view, restricted user"] = as_reader(sides["view"])
	sides["timeline, restricted user"] = as_reader(sides["timeline"])
	times: dict[str, list[float]] = {name: [] for name in sides}
	for customer in (sample[1], *sample):  # the first one warms the caches of both sides
		for name, work in sides.items():
			times[name].append(seconds(lambda work=work, customer=customer: work(customer)))
	middle = {name: statistics.median(values[1:]) for name, values in times.items()}
	for name, values in times.items():
		print(f"{name:>26} {middle[name] * 1000:8.1f} ms   (to {max(values[1:]) * 1000:.1f})")
	both = middle["view"] + middle["timeline"]
	print(f"view and timeline / ERPNext's form: {both / middle[FORM]:.2f}")
	worst = max(max(values[1:]) for name, values in times.items() if name != FORM)
	print(
		f"the slowest of all: {worst:.3f} s (under {BUDGET_SECONDS:g} s: {'kept' if worst < BUDGET_SECONDS else 'MISSED'})"
	)
	if not options.without_report:
		inactive = seconds(run_inactive_customers)
		print(
			f"{'Inactive Customers':>26} {inactive:8.1f} s    view and timeline / that: {both / inactive:.5f}"
		)


def get_sample(number: int) -> list[str]:
	"""Customers without an order, the same every time."""
	rows = frappe.db.sql(
		"SELECT name FROM tabCustomer WHERE name LIKE %s ORDER BY CRC32(name) LIMIT %s", (f"{MARK}%", number)
	)
	return [name for (name,) in rows]


def walk(get_timeline: Callable[..., Any], customer: str, pages: int) -> str | None:
	"""Where the timeline goes on after so many pages."""
	before = None
	for _ in range(pages):
		before = get_timeline("Customer", customer, None, before)["before"] or before
	return before


def make_reader() -> None:
	"""A user who may see the customers of one group only; gone at the end."""
	group = frappe.db.get_value("Customer", {"name": ("like", f"{MARK}%")}, "customer_group")
	if not group:
		group = frappe.db.get_value("Customer Group", {"is_group": 0})
		frappe.db.sql("UPDATE tabCustomer SET customer_group = %s WHERE name LIKE %s", (group, f"{MARK}%"))
	user = frappe.get_doc(
		{"doctype": "User", "email": READER, "first_name": "Reader", "send_welcome_email": 0}
	)
	user.append_roles("Retention User", "Sales User", "Support Team")
	user.flags.no_welcome_mail = True
	user.insert(ignore_permissions=True, ignore_if_duplicate=True)
	permission = {"doctype": "User Permission", "user": READER, "allow": "Customer Group", "for_value": group}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)


def as_reader(work: Callable[[str], Any]) -> Callable[[str], Any]:
	"""The same as a user whose User Permissions are part of every query."""

	def run(customer: str) -> Any:
		frappe.set_user(READER)
		try:
			return work(customer)
		finally:
			frappe.set_user("Administrator")

	return run


def run_inactive_customers() -> None:
	"""ERPNext's report, as the desk runs it."""
	from erpnext.selling.report.inactive_customers.inactive_customers import execute

	execute(frappe._dict(days_since_last_order=60, doctype="Sales Invoice"))


def seconds(work: Callable[[], object]) -> float:
	"""Wall time of one call."""
	begun = time.perf_counter()
	work()
	return time.perf_counter() - begun


if __name__ == "__main__":
	main()

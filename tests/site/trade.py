"""What tests of the cycle share: trade in few words, inserted in bulk, and runs as they are stored."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable
from typing import Any

import frappe
from frappe.utils import now

from crm_retention.configuration import get_config
from crm_retention.engine.cycle import CycleResult, run_cycle
from crm_retention.jobs.cycle import preview_job, run_job
from crm_retention.jobs.reading import read_all
from crm_retention.jobs.runs import create_run
from crm_retention.site.memory import engine_of_request
from crm_retention.site.read import own_connection
from crm_retention.sources import get_sources

DAY = datetime.date(2026, 6, 30)
LOGS = ("Retention Run", "Retention Run Step", "Retention Run Problem")
STORED = ("Retention Profile", "Tier Change")
# what a row says about its writing, not about the party
WRITING = {"creation", "modified", "modified_by", "owner", "run"}


def ago(days: int, day: datetime.date = DAY) -> datetime.date:
	"""So many days before ``DAY``."""
	return day - datetime.timedelta(days=days)


def insert(doctype: str, rows: Iterable[dict[str, Any]]) -> None:
	"""Rows as they are, without ERPNext's own work: the cycle reads no more of them."""
	rows = list(rows)
	stamps = {"creation": now(), "modified": now(), "owner": "Administrator", "modified_by": "Administrator"}
	for columns in dict.fromkeys(tuple(row) for row in rows):
		values = [[*row.values(), *stamps.values()] for row in rows if tuple(row) == columns]
		frappe.db.bulk_insert(doctype, [*columns, *stamps], values, chunk_size=2000)


def get_company() -> str:
	"""The site's first company."""
	return frappe.get_all("Company", pluck="name", order_by="creation", limit=1)[0]


def add_customers(*names: str, **values: Any) -> None:
	"""Customers that are not disabled."""
	given = {"customer_group": "Commercial", "territory": "All Territories", "disabled": 0} | values
	insert("Customer", ({"name": name, "customer_name": name, **given} for name in names))


def add_sales(
	customer: str, *sales: tuple[datetime.date, float], doctype: str = "Sales Invoice", **values: Any
) -> list[str]:
	"""Submitted documents of (day, net value); a negative value is a return."""
	dated = "transaction_date" if doctype == "Sales Order" else "posting_date"
	company = values.pop("company", None) or get_company()
	rows = []
	for day, value in sales:
		row = {"name": frappe.generate_hash(length=12), "customer": customer, dated: day, "docstatus": 1}
		row |= {"company": company, "base_net_total": value}
		if doctype != "Sales Order":
			row |= {"is_return": int(value < 0), "is_opening": "No", "due_date": day, "outstanding_amount": 0}
		rows.append(row | values)
	insert(doctype, rows)
	return [row["name"] for row in rows]


def add_market(count: int, day: datetime.date = DAY) -> None:
	"""So many customers of all kinds up to a day: frequent and rare, early and late, some without a purchase."""
	rng, sales = random.Random(count), []
	names = [f"Market {number:05d}" for number in range(count)]
	company = get_company()
	for number, name in enumerate(names):
		first, rhythm = rng.randint(30, 1000), rng.randint(10, 120)
		last = rng.choice((rng.randint(0, 40), rng.randint(0, first)))
		for position, back in enumerate(range(last, first, rhythm) if number % 12 else ()):
			value = round(rng.lognormvariate(5, 1), 2) * (-0.2 if position and not rng.randint(0, 30) else 1)
			row = {"name": f"{name}-{position}", "customer": name, "posting_date": ago(back, day)}
			row |= {"docstatus": 1, "company": company, "base_net_total": round(value, 2), "is_opening": "No"}
			row |= {"base_discount_amount": round(abs(value) * 0.1, 2) if number % 5 == 0 else 0.0}
			sales.append(row | {"due_date": ago(back - 30, day), "outstanding_amount": 0.0})
	add_customers(*names)
	insert("Sales Invoice", sales)


def evaluate(day: datetime.date = DAY) -> tuple[CycleResult, list[dict[str, Any]]]:
	"""The cycle without writing, and its profiles. It sees what the test has not committed."""
	config = get_config()
	with engine_of_request() as backend:
		read_all(backend, own_connection(), get_sources(config, day), plans=False)
		result = run_cycle(backend, config, day)
		rows = backend.query(backend.compile(result.profiles))
	return result, [dict(zip(result.profiles.columns, row, strict=True)) for row in rows]


def get_profiles(day: datetime.date = DAY) -> dict[str, dict[str, Any]]:
	"""What the cycle finds, by party, without writing; unknown is None."""
	return {row["party"]: row for row in evaluate(day)[1]}


def run(day: datetime.date = DAY, kind: str = "Manual") -> Any:
	"""A run in this process, as the queue would do it; returns its Retention Run. Commits."""
	doc = create_run(kind, day)
	frappe.db.commit()
	(preview_job if kind == "Preview" else run_job)(doc.name)
	return doc.reload()


def get_state() -> dict[str, list[dict[str, Any]]]:
	"""What runs left: profiles, tier changes and the fields on Customer, without when and by which run."""
	frappe.db.rollback()  # a new snapshot, in which other processes' work is visible
	state = {}
	for doctype in STORED:
		rows = frappe.db.sql(f"select * from `tab{doctype}`", as_dict=True)
		dropped = WRITING | ({"name"} if doctype == "Tier Change" else set())
		plain = [{key: value for key, value in row.items() if key not in dropped} for row in rows]
		state[doctype] = sorted(
			plain, key=lambda row: (row["party"], row.get("on_date") or DAY, row.get("kind") or "")
		)
	fields = [
		"name",
		*(name for name in frappe.db.get_table_columns("Customer") if name.startswith("retention_")),
	]
	state["Customer"] = frappe.get_all("Customer", fields=fields, order_by="name", limit=0)
	return state


def forget_runs() -> None:
	"""Take away everything that runs left."""
	frappe.db.rollback()
	for doctype in (*STORED, *LOGS):
		frappe.db.delete(doctype)
	for field in frappe.db.get_table_columns("Customer"):
		if field.startswith("retention_"):
			frappe.db.sql(f"update `tabCustomer` set `{field}` = null")
	frappe.db.commit()

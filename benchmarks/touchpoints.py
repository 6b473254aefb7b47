"""Making due touchpoints set by set, against inserting them as documents, on the same site in the same run.

Runs in a bench's environment, on a site of its own that benchmarks/site.py filled with customers:

	env/bin/python -m benchmarks.touchpoints SITE --bench ~/frappe-bench

Takes away all touchpoints and enrollments of that site, makes every customer due at once, and measures planning and
writing apart. Documents are inserted for a sample and scaled up to what was written.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import statistics
import time
from pathlib import Path

import frappe

BUDGET = 100
MARK = "BENCH-"
TABLES = ("Touchpoint", "Plan Enrollment", "Contact Stop")


def main() -> None:
	"""Measure and print."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("site")
	parser.add_argument("--bench", type=Path, default=Path.home() / "frappe-bench")
	parser.add_argument("--sample", type=int, default=200, help="documents inserted one by one")
	options = parser.parse_args()
	os.chdir(options.bench / "sites")  # where Frappe looks for sites and logs
	frappe.init(options.site, sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	as_of = frappe.utils.getdate(frappe.utils.nowdate())
	forget_all()
	planned = plan(as_of)
	each = one_by_one(as_of, options.sample)
	again = plan(as_of)
	show(planned, again, each)


def forget_all() -> None:
	"""Start from a site on which no plan ever ran."""
	for doctype in TABLES:
		frappe.db.sql_ddl(f"TRUNCATE `tab{doctype}`")
	frappe.db.delete("ToDo", {"reference_type": "Touchpoint"})
	frappe.db.commit()


def plan(as_of: datetime.date) -> dict[str, float]:
	"""Plan and write a night; nobody is spread, so that all members are due. Seconds and counts."""
	from crm_retention.backends.site_write import Stamp
	from crm_retention.jobs import care as care_job
	from crm_retention.jobs import cycle
	from crm_retention.jobs.runs import RunLog, create_run
	from crm_retention.plans.configuration import get_care
	from crm_retention.site.memory import engine_of_run

	log = RunLog(create_run("Manual", as_of).name)
	care = get_care(as_of)
	people = tuple(dataclasses.replace(person, a_day=None) for person in care.people)
	care = dataclasses.replace(care, people=people, begun=frozenset(plan.family for plan in care.plans))
	stamp = Stamp(log.doc.name, as_of, "benchmark", frappe.utils.now(), frappe.session.user)
	with engine_of_run() as backend:
		_config, result = cycle.evaluate(log, backend, as_of, care)
		writer, total, _problems = care_job.plan_what_works(log, backend, care, result, stamp, 0)
		frappe.db.commit()
		with log.step("touchpoints"):
			for _done in writer.batches(total):
				pass
	log.finish([])
	seconds = {row.step: row.seconds for row in log.doc.steps}
	made = sum(writer.result.counts[name] for name in ("due", "waiting", "suppressed"))
	return {
		"planning": seconds["planning"],
		"writing": seconds["touchpoints"],
		"touchpoints": made,
		"members": writer.result.counts["entered"],
	}


def one_by_one(as_of: datetime.date, sample: int) -> float:
	"""Seconds a document: a Touchpoint with its checks, its ToDo and its keys, as an app without sets would insert it."""
	parties = frappe.get_all("Customer", limit=sample, pluck="name", order_by="name")
	kind = frappe.db.get_value("Touchpoint Type", {"enabled": 1})
	times = []
	for party in parties:
		doc = frappe.get_doc(
			{
				"doctype": "Touchpoint",
				"party_type": "Customer",
				"party": party,
				"touchpoint_type": kind,
				"due_date": as_of,
				"assigned_to": frappe.session.user,
			}
		)
		begun = time.perf_counter()
		doc.insert()
		times.append(time.perf_counter() - begun)
	frappe.db.rollback()
	return statistics.median(times)


def show(first: dict[str, float], again: dict[str, float], each: float) -> None:
	"""The figures, with both sides of each ratio."""
	made = first["touchpoints"]
	whole = first["planning"] + first["writing"]
	documents = each * made
	print(f"{made:,.0f} touchpoints and {first['members']:,.0f} enrollments of a first night")
	print(f"  planning {first['planning']:.1f} s, writing {first['writing']:.1f} s")
	print(f"  the same night again: planning {again['planning']:.1f} s, writing {again['writing']:.1f} s")
	print(f"  documents one by one: {each * 1000:.1f} ms each, {documents:,.0f} s for all")
	print(f"  documents / writing: {documents / first['writing']:.0f}")
	verdict = "kept" if documents / whole >= BUDGET else "MISSED"
	print(f"  documents / planning and writing: {documents / whole:.0f} (at least {BUDGET}: {verdict})")


if __name__ == "__main__":
	main()

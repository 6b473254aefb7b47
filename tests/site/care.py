"""What tests of the nightly planning share: a site with no plans but the test's own, and what runs left of them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe

from tests.site.desk import make_user
from tests.site.plans import make_plan
from tests.site.touchpoints import make_type
from tests.site.trade import add_customers, add_sales, ago, forget_runs, run

MONDAY = datetime.date(2026, 6, 29)
ANN, BOB, FAY = "ann.care@example.com", "bob.care@example.com", "fay.care@example.com"
CALL, OFFER, LETTER = "Call of Tests", "Offer of Tests", "Letter of Tests"
PLANNED = ("Touchpoint", "Plan Enrollment", "Contact Stop", "Interaction Log")
SETTINGS = ("fallback_owner", "planning_days", "touchpoints_per_day", "holiday_list")


def set_up() -> None:
	"""People and types of touchpoints; plans, rules and sources that every site has are set aside. Commits."""
	for user in (ANN, BOB, FAY):
		if not frappe.db.exists("User", user):
			make_user(user, "Retention User", "Sales User")
	make_type(CALL, minutes=20, priority=5)
	make_type(OFFER, nature="Offer", minutes=10)
	make_type(LETTER, nature="Greeting", channel="Email", minutes=5)
	frappe.db.set_value("Maintenance Plan", {"status": "Active"}, "status", "Ended")
	frappe.db.set_value("Contact Rule", {"enabled": 1}, "enabled", 0)
	frappe.db.set_value("Interaction Source", {"enabled": 1}, "enabled", 0)
	configure(fallback_owner=FAY, planning_days=14, touchpoints_per_day="", holiday_list=None)
	configure(plans_enabled=1)
	frappe.clear_cache()
	frappe.db.commit()


def configure(**values: Any) -> None:
	"""Change Retention Settings."""
	for field, value in values.items():
		frappe.db.set_single_value("Retention Settings", field, value)
	frappe.clear_document_cache("Retention Settings", "Retention Settings")


def forget() -> None:
	"""Take away everything that runs planned, the plans and customers of tests, and what a test configured. Commits."""
	forget_runs()
	for doctype in (*PLANNED, "Customer", "Sales Invoice", "Contract", "Issue", "Contact Preference"):
		frappe.db.delete(doctype)
	frappe.db.delete("ToDo", {"reference_type": "Touchpoint"})
	tests_own = frappe.get_all("Maintenance Plan", {"plan_family": ("like", "Trial%")}, pluck="name")
	for doctype in ("Maintenance Plan Step", "Maintenance Plan Tier", "Maintenance Plan Stage"):
		frappe.db.delete(doctype, {"parent": ("in", tests_own)})
	frappe.db.delete("Maintenance Plan", {"name": ("in", tests_own)})
	frappe.db.delete("Contact Rule", {"name": ("like", "Trial%")})
	frappe.db.delete("Care Occasion", {"name": ("like", "Trial%")})
	frappe.db.set_value("User", {"name": ("in", (ANN, BOB, FAY))}, "enabled", 1)
	configure(fallback_owner=FAY, planning_days=14, touchpoints_per_day="", holiday_list=None)
	for doctype in ("Maintenance Plan", "Contact Rule", "Care Occasion", "Customer", "User"):
		frappe.cache.delete_keys(f"document_cache::{doctype}")
	frappe.db.commit()


def step(name: str = "Call", **values: Any) -> dict[str, Any]:
	"""A weekly call by the account manager, but for what is given."""
	given = {"step_name": name, "touchpoint_type": CALL, "owner_rule": "Account Manager"}
	return given | {"timing": "Every", "every": 1, "unit": "Weeks", "service_level_days": 3} | values


def on_occasion(occasion: str, days: int = 0, **values: Any) -> dict[str, Any]:
	"""A step so many days after an occasion."""
	return step(**{"timing": "Occasion", "occasion": occasion, "offset_days": days, "unit": ""} | values)


def start_plan(title: str = "Trial", *steps: dict[str, Any], begun: bool = True, **values: Any) -> Any:
	"""A plan at work. ``begun``: members are attended to at once, not spread over the first interval."""
	plan = make_plan(title, list(steps) or [step()], **values).insert()
	plan.submit()
	if begun:
		add_former_member(plan)
	return plan


def add_former_member(plan: Any) -> None:
	"""Somebody was a member long ago: this is not the plan's first night."""
	row = {"doctype": "Plan Enrollment", "party_type": "Customer", "party": "Long Gone", "plan": plan.name}
	row |= {"plan_family": plan.plan_family, "from_date": "2000-01-01", "to_date": "2000-01-02"}
	frappe.get_doc(row | {"arm": "Treated"}).insert(ignore_permissions=True, ignore_links=True)


def add_rule(title: str, kind: str, action: str = "Postpone", **values: Any) -> Any:
	"""A contact rule of tests."""
	rule = {"doctype": "Contact Rule", "rule_name": f"Trial {title}", "kind": kind, "action": action}
	return frappe.get_doc(rule | {"enabled": 1} | values).insert()


def add_occasion(title: str, kind: str, **values: Any) -> str:
	"""A care occasion of tests; its name."""
	row = {"doctype": "Care Occasion", "occasion_name": f"Trial {title}", "kind": kind, "enabled": 1}
	return frappe.get_doc(row | values).insert().name


def add_members(*names: str, manager: str | None = ANN, day: datetime.date = MONDAY) -> None:
	"""Customers with a purchase in the last weeks before ``day``."""
	add_customers(*names, account_manager=manager)
	for name in names:
		add_sales(name, (ago(40, day), 100), (ago(10, day), 150))


def night(day: datetime.date = MONDAY) -> Any:
	"""A nightly run as of a day, which must have ended well."""
	frappe.db.commit()
	log = run(day)
	assert log.status == "Completed", (log.error, [row.message for row in log.problems])
	return log


def touchpoints(**filters: Any) -> list[Any]:
	"""The touchpoints that plans made, by party, step and occurrence."""
	frappe.db.rollback()  # a new snapshot, in which other processes' work is visible
	return frappe.get_all("Touchpoint", filters, ["*"], order_by="party, step_key, occurrence", limit=0)


def planned(plan: Any, **filters: Any) -> list[tuple[str, datetime.date]]:
	"""(party, due date) of a plan's touchpoints."""
	return [(row.party, row.due_date) for row in touchpoints(plan=plan.name, **filters)]


def get_care_state() -> dict[str, list[tuple]]:
	"""What planning left, without when and by which run: touchpoints, members, stops and to-dos."""
	made = touchpoints()
	todos = frappe.get_all(
		"ToDo",
		{"reference_type": "Touchpoint"},
		["reference_name", "allocated_to", "date", "status", "description"],
		limit=0,
	)
	keys = {row.name: row.occurrence_key for row in made}
	facts = (
		"occurrence_key", "open_key", "status", "due_date", "service_date", "assigned_to", "_assign", "rule",
		"plan", "version_number", "message_status", "title",
	)  # fmt: skip
	members = (
		"party",
		"plan",
		"plan_family",
		"arm",
		"from_date",
		"clock_start",
		"phase",
		"spread",
		"open_key",
	)
	stops = ("key", "party", "on_date", "rule", "action", "stage")
	return {
		"touchpoints": sorted(tuple(row[name] for name in facts) for row in made),
		"members": frappe.get_all("Plan Enrollment", {"run": ("is", "set")}, members, order_by="open_key", as_list=True, limit=0),
		"stops": frappe.get_all("Contact Stop", {}, stops, order_by="`tabContact Stop`.`key`", as_list=True, limit=0),
		"todos": sorted(
			(keys[row.reference_name], row.allocated_to, row.date, row.status, row.description) for row in todos
		),
	}  # fmt: skip


def table_sums() -> dict[str, int]:
	"""A checksum of every table but the run log, its naming counter and single values."""
	frappe.db.rollback()
	left_out = {
		"tabRetention Run",
		"tabRetention Run Step",
		"tabRetention Run Problem",
		"tabSeries",
		"tabSingles",
	}
	names = [name for name in frappe.db.get_tables(cached=False) if name not in left_out]
	return dict(frappe.db.sql(f"checksum table {', '.join(f'`{name}`' for name in names)}"))


@contextmanager
def small_batches(site: Any, size: int) -> Iterator[None]:
	"""So few parties in a transaction, here and in other processes of the site."""
	config = site.sites_path / site.name / "site_config.json"
	before = config.read_text()
	config.write_text(json.dumps(json.loads(before) | {"retention_batch_size": size}))
	frappe.conf.retention_batch_size = size
	try:
		yield
	finally:
		config.write_text(before)
		frappe.conf.pop("retention_batch_size")

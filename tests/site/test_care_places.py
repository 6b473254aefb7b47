"""The same nights from the site and from an export of its relations: nothing is lost on the way into the engine."""

from __future__ import annotations

import datetime

import duckdb
import frappe
import pytest

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.engine.touchpoints import plan_care
from crm_retention.jobs import cycle
from crm_retention.jobs.care import get_standing
from crm_retention.jobs.runs import RunLog, create_run
from crm_retention.plans.configuration import get_care
from crm_retention.site.memory import engine_of_run
from tests.site import care
from tests.site.care import (
	MONDAY,
	OFFER,
	add_members,
	add_occasion,
	add_rule,
	night,
	on_occasion,
	start_plan,
	step,
	touchpoints,
)
from tests.support.cycles import fill, read

pytestmark = pytest.mark.commits
EXPORTED = (
	"enrollments",
	"touchpoints",
	"consents",
	"interactions",
	"cases",
	"contracts",
	"parties",
	"occasion_dates",
)
COLUMNS = ("key", "status", "occurrence", "due", "service", "person", "rule_nr", "moved_by", "again")


@pytest.fixture(scope="module", autouse=True)
def ground(site, leave_site_as_it_was):
	care.set_up()
	yield
	care.forget()


def from_site(day):
	"""What a run as of a day would find here, and what it read: rules, outcome, rows, standing."""
	log = RunLog(create_run("Preview", day).name)
	rules = get_care(day)
	with engine_of_run() as backend:
		_config, result = cycle.evaluate(log, backend, day, rules)
		given = backend.relations()
		standing = get_standing(backend, rules, result, given)
		found = outcome(backend, plan_care(backend, rules, given, standing, day))
		rows = {name: read(backend, given[name]) for name in EXPORTED if name in given}
		return rules, found, rows, read(backend, standing)


def outcome(backend, found):
	rows = [tuple(plain(row[name]) for name in COLUMNS) for row in read(backend, found.touchpoints)]
	over = [(row["key"], row["status"], row["why"]) for row in read(backend, found.over)]
	members = [(row["party"], row["plan_nr"], row["treated"]) for row in read(backend, found.entered)]
	return sorted(rows, key=str), sorted(over), sorted(members), found.counts


def plain(value):
	if isinstance(value, (datetime.date, datetime.datetime)):
		return str(value)[:10]
	return value if value is None or isinstance(value, str) else int(value)


def from_export(rules, rows, standing, day):
	connection = duckdb.connect()
	fill(connection, {**{name: found for name, found in rows.items() if found}, "standing": standing})
	backend = DuckDBBackend(connection, ["standing"])
	given = {name: backend.table(name) for name in rows if rows[name]}
	return backend, plan_care(backend, rules, given, backend.table("standing"), day)


def test_site_and_export_plan_the_same_nights():
	bought = {"document_type": "Sales Invoice", "party_field": "customer", "date_field": "posting_date"}
	bought = add_occasion("bought", "Date Field", every_year=0, **bought)
	steps = (
		step("Week", every=1),
		step("Month", unit="Months", touchpoint_type=OFFER),
		step("Rhythm", timing="Buying Rhythm", rhythm=0.5, unit=""),
		on_occasion(bought, 45),
	)
	start_plan("Trial", *steps, holdout_share=20, begun=False)
	start_plan("Trial Two", step("Fortnight", every=2))
	add_rule("cap", "Cap", max_contacts="2", window_days=7)
	add_rule("quiet", "Quiet Days", weekdays="Saturday, Sunday")
	add_members(*(f"Place {number:02d}" for number in range(25)))
	seen = 0
	for ahead in (0, 1, 9, 23):
		day = MONDAY + datetime.timedelta(days=ahead)
		rules, here, rows, standing = from_site(day)
		there = outcome(*from_export(rules, rows, standing, day))
		assert there == here, day
		frappe.db.rollback()
		night(day)
		seen += len(here[0])
		assert {row.occurrence_key for row in touchpoints()} >= {row[0] for row in here[0]}
	assert seen > 60

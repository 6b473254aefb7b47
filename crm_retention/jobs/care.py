"""Plans in the nightly run: who enters and leaves, what falls due, written set by set after the profiles."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import frappe
import ibis
import ibis.expr.types as ir
from frappe.utils import cint

from crm_retention.backends.site_care import care_relations
from crm_retention.backends.site_care_write import PARTIES_PER_BATCH, CareWriter, PlansChanged, StepFacts
from crm_retention.backends.site_write import Stamp
from crm_retention.backends.sql import SqlBackend
from crm_retention.care.text_checks import get_plan_problems
from crm_retention.engine.cycle import CycleResult
from crm_retention.engine.errors import Problem
from crm_retention.engine.plans import Care
from crm_retention.engine.touchpoints import CareResult, plan_care, standing_of, wanted_columns
from crm_retention.jobs.runs import RunLog
from crm_retention.plans.configuration import get_care, get_what, get_why

FIELDS = {
	"entered": "members_entered",
	"left": "members_left",
	"due": "touchpoints_created",
	"waiting": "touchpoints_waiting",
	"suppressed": "touchpoints_suppressed",
	"missed": "touchpoints_missed",
	"cancelled": "touchpoints_cancelled",
	"unplaced": "touchpoints_unplaced",
}


TRIES = 5  # times that plans may change while a run writes, before it gives up


def run_plans(
	log: RunLog, backend: SqlBackend, care: Care, result: CycleResult, stamp: Stamp
) -> tuple[dict[str, int], list[Problem]]:
	"""Plan and write; returns counts by field of the Retention Run, and the rules that could not be used.

	Where somebody changes a plan in the meantime, the rest is planned anew by what it says then.
	"""
	counts = dict.fromkeys(FIELDS, 0)
	for turn in range(TRIES):
		with log.step("planning"):
			found = evaluate(backend, care, result, stamp.as_of)
		with log.step("touchpoints"):
			written = write(log, CareWriter(backend, care, found, get_facts(care), stamp, turn))
		for name in FIELDS:
			counts[name] += (found.counts if written is None else written)[name]
		if written is None:
			break
		if turn == TRIES - 1:
			frappe.throw(frappe._("Plans were changed again and again while the run was at work."))
		care = get_care(stamp.as_of)
	unsendable = get_plan_problems(plan.name for plan in care.plans)
	return {FIELDS[name]: number for name, number in counts.items()}, found.problems + unsendable


def write(log: RunLog, writer: CareWriter) -> dict[str, int] | None:
	"""Write all batches; where a plan changed before the last, the counts of what is written."""
	total, done = writer.prepare(), 0
	frappe.db.commit()
	try:
		for done in writer.batches(total, batch_size()):
			log.advance("touchpoints", done / max(total, 1))
	except PlansChanged:
		frappe.db.rollback()
		return writer.counts(done)
	return None


def evaluate(backend: SqlBackend, care: Care, result: CycleResult, as_of: datetime.date) -> CareResult:
	"""The engine's result, still in work tables of this connection."""
	given = {**backend.relations(), **care_relations()}
	return plan_care(backend, care, given, get_standing(backend, care, result, given), as_of)


def get_standing(
	backend: SqlBackend, care: Care, result: CycleResult, given: Mapping[str, ir.Table]
) -> ir.Table:
	"""The profiles of this run with what planning asks of them, numbered."""
	profiles = result.profiles
	numbered = profiles.mutate(nr=ibis.row_number().over(ibis.window(order_by=profiles.party)))
	table = standing_of(numbered, given["parties"], wanted_columns(care))
	return backend.materialise("care_standing", table, ("nr",))


def get_facts(care: Care) -> list[StepFacts]:
	"""For each step of the plans, in their order, its row in the form, what its touchpoints are and why they are there."""
	facts = []
	for plan in care.plans:
		doc = frappe.get_doc("Maintenance Plan", plan.name)
		rows = {row.step_key: row for row in doc.steps}
		facts += [
			StepFacts(row.name, get_what(row), get_why(doc, row))
			for row in (rows[step.key] for step in plan.steps)
		]
	return facts


def batch_size() -> int:
	"""Parties a transaction; ``retention_batch_size`` in the site's configuration changes it."""
	return cint(frappe.conf.get("retention_batch_size")) or PARTIES_PER_BATCH

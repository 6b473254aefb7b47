"""Plans in the nightly run: who enters and leaves, what falls due, written set by set after the profiles."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

import frappe
import ibis
import ibis.expr.types as ir
from frappe.utils import cint

from crm_retention.backends.site_care_write import PARTIES_PER_BATCH, CareWriter, PlansChanged, StepFacts
from crm_retention.backends.site_write import Stamp
from crm_retention.care.text_checks import get_plan_problems
from crm_retention.engine.cycle import CycleResult
from crm_retention.engine.errors import Problem
from crm_retention.engine.plans import Care
from crm_retention.engine.touchpoints import CareResult, plan_care, standing_of, wanted_columns
from crm_retention.jobs.left_out import Part, with_what_works
from crm_retention.jobs.reading import read_plans_again
from crm_retention.jobs.runs import RunLog
from crm_retention.plans.configuration import get_what, get_why, read_care
from crm_retention.site.memory import SiteBackend

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
	log: RunLog, backend: SiteBackend, care: Care, result: CycleResult, stamp: Stamp
) -> tuple[dict[str, int], list[Problem]]:
	"""Plan and write; returns counts by field of the Retention Run, and the rules that could not be used.

	Where somebody changes a plan in the meantime, the rest is planned anew by what it says then.
	"""
	counts = dict.fromkeys(FIELDS, 0)
	problems: list[Problem] = []
	for turn in range(TRIES):
		writer, total, more = plan_what_works(log, backend, care, result, stamp, turn)
		with log.step("touchpoints"):
			written = write(log, writer, total)
			log.log_losses(writer.lost)
		problems += more + writer.result.problems + writer.problems
		for name in FIELDS:
			counts[name] += (writer.result.counts if written is None else written)[name]
		if written is None:
			break
		if turn == TRIES - 1:
			frappe.throw(frappe._("Plans were changed again and again while the run was at work."))
		care, more = read_care(stamp.as_of)
		problems += more + read_plans_again(backend)
	problems += get_plan_problems(plan.name for plan in care.plans)
	return {FIELDS[name]: number for name, number in counts.items()}, problems


def plan_what_works(
	log: RunLog, backend: SiteBackend, care: Care, result: CycleResult, stamp: Stamp, turn: int
) -> tuple[CareWriter, int, list[Problem]]:
	"""What is to be written and for how many parties, without the plans, rules and occasions that make planning fail."""
	steps = len(log.doc.steps)

	def attempt(parts: Sequence[Part]) -> tuple[CareWriter, int]:
		with log.step("planning"):
			chosen = only(care, parts)
			found = evaluate(backend, chosen, result, stamp.as_of)
			writer = CareWriter(backend, chosen, found, get_facts(chosen), stamp, turn)
			return writer, writer.prepare()

	(writer, total), problems = with_what_works(parts_of(care), attempt, lambda: log.begin_again(steps))
	return writer, total, problems


def parts_of(care: Care) -> list[Part]:
	"""What planning can do without."""
	return [
		*(Part("occasions", occasion.name) for occasion in care.occasions),
		*(Part("contact rules", rule.name) for rule in care.rules),
		*(Part("plans", plan.name) for plan in care.plans),
	]


def only(care: Care, parts: Sequence[Part]) -> Care:
	"""What is planned by, with these parts alone. The members of a plan that is left out stay as they are."""
	kept = set(parts)
	return replace(
		care,
		occasions=tuple(item for item in care.occasions if Part("occasions", item.name) in kept),
		rules=tuple(rule for rule in care.rules if Part("contact rules", rule.name) in kept),
		plans=tuple(plan for plan in care.plans if Part("plans", plan.name) in kept),
	)


def write(log: RunLog, writer: CareWriter, total: int) -> dict[str, int] | None:
	"""Write all batches; where a plan changed before the last, the counts of what is written."""
	done = 0
	frappe.db.commit()
	try:
		for done in writer.batches(total, batch_size()):
			log.advance("touchpoints", done / max(total, 1))
	except PlansChanged:
		frappe.db.rollback()
		return writer.counts(done)
	return None


def evaluate(backend: SiteBackend, care: Care, result: CycleResult, as_of: datetime.date) -> CareResult:
	"""The engine's result, still in the backend."""
	given = backend.relations()
	return plan_care(backend, care, given, get_standing(backend, care, result, given), as_of)


def get_standing(
	backend: SiteBackend, care: Care, result: CycleResult, given: Mapping[str, ir.Table]
) -> ir.Table:
	"""The profiles of this run with what planning asks of them, numbered."""
	profiles = result.profiles
	numbered = profiles.mutate(nr=ibis.row_number().over(ibis.window(order_by=profiles.party)))
	table = standing_of(numbered, given["parties"], wanted_columns(care))
	return backend.materialise("care_standing", table)


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

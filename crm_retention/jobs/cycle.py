"""The cycle on a site: read configuration and sources, run the engine, write or preview."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable

import frappe
from frappe import _
from frappe.translate import print_language
from frappe.utils import cint, getdate, now

from crm_retention.backends.site import Busy, only_one, site_backend
from crm_retention.backends.site_write import PARTIES_PER_BATCH, ProfileWriter, Stamp
from crm_retention.backends.sql import SqlBackend
from crm_retention.capture.sweep import sweep_all
from crm_retention.closed_doctypes import get_problems
from crm_retention.configuration import config_snapshot, get_config
from crm_retention.engine.config import Config
from crm_retention.engine.cycle import CycleResult, run_cycle
from crm_retention.engine.errors import EngineError
from crm_retention.engine.plans import Care
from crm_retention.jobs.care import run_plans
from crm_retention.jobs.comparison import compare
from crm_retention.jobs.runs import RunLog, close_dead_runs, get_latest_day
from crm_retention.plans.configuration import get_care
from crm_retention.sources import get_sources


def run_job(run: str) -> None:
	"""Body of the background job of a Nightly or Manual run; its outcome stands on the Retention Run."""
	log = RunLog(run)
	try:
		with only_one():
			close_dead_runs(but=run)
			log.start()
			guarded(log, write_cycle)
	except Busy:
		log.fail([], _("Another run is at work; this one left."))


def preview_job(run: str) -> None:
	"""Body of the background job of a Preview: who would move, nothing written but the run itself."""
	log = RunLog(run)
	log.start()
	guarded(log, preview_cycle)


def guarded(log: RunLog, work: Callable[[RunLog], None]) -> None:
	"""Do the work; whatever goes wrong is rolled back, then recorded, and unforeseen errors are raised again."""
	try:
		# a background job has no language of its own, and what a run writes is read by everybody
		with print_language(frappe.db.get_default("lang")):
			work(log)
	except EngineError as error:
		frappe.db.rollback()
		log.fail(error.problems, str(error))
	except frappe.ValidationError as error:
		frappe.db.rollback()
		log.fail([], str(error))
	except Exception:
		frappe.db.rollback()
		log.fail([], frappe.get_traceback())
		raise


def write_cycle(log: RunLog) -> None:
	"""Run the engine as of the run's day and write what differs."""
	as_of = getdate(log.doc.as_of)
	refuse_going_back(as_of)
	sweep_all()
	care = get_care(as_of) if plans_are_run() else None
	config, backend, result = evaluate(log, as_of, care)
	stamp = Stamp(log.doc.name, as_of, config.version, now(), frappe.session.user)
	with log.step("writing"):
		writer = ProfileWriter(backend, result, stamp)
		written = writer.prepare()
		frappe.db.commit()
		total = max(written.created + written.updated, 1)
		for done in writer.batches(written, batch_size()):
			log.advance("writing", done / total)
	frappe.cache.delete_keys("document_cache::Customer")
	outcome = {name: getattr(written, name) for name in ("created", "updated", "unchanged")}
	counts = {name: result.counts[name] for name in ("parties", "tier_changes", "stage_changes")}
	planned, problems = run_plans(log, backend, care, result, stamp) if care else ({}, [])
	log.finish(
		get_problems() + result.problems + problems, **outcome, **counts, **planned, **facts(config, result)
	)
	frappe.db.set_single_value("Retention Settings", "last_run", log.doc.name)
	frappe.db.commit()


def preview_cycle(log: RunLog) -> None:
	"""Run the engine and keep the migration table for whoever asked: from which tier to which, how many and who."""
	as_of = getdate(log.doc.as_of)
	config, backend, result = evaluate(log, as_of)
	with log.step("comparing"):
		found, counts = compare(backend, result)
	log.finish(result.problems, preview_result=json.dumps(found), **counts, **facts(config, result))


def plans_are_run() -> bool:
	"""Whether maintenance plans are switched on."""
	return bool(cint(frappe.db.get_single_value("Retention Settings", "plans_enabled")))


def evaluate(
	log: RunLog, as_of: datetime.date, care: Care | None = None
) -> tuple[Config, SqlBackend, CycleResult]:
	"""Configuration, backend and result, the latter still in work tables of this connection.

	With ``care``, the fields that its conditions ask for are read as well.
	"""
	config = get_config()
	backend = site_backend(get_sources(config, as_of, care))
	return config, backend, run_cycle(backend, config, as_of, log.step)


def facts(config: Config, result: CycleResult) -> dict[str, str]:
	"""What makes the run's numbers explicable later."""
	return {
		"rule_version": config.version,
		"config_snapshot": config_snapshot(config),
		"lifetime_model": json.dumps(result.model.as_dict(), indent=1),
	}


def refuse_going_back(as_of: datetime.date) -> None:
	"""Profiles only move forward. Raises ValidationError for a day before that of the latest run."""
	latest = get_latest_day()
	if latest and as_of < getdate(latest):
		message = _("A run as of {0} is done already; a run as of {1} would go back. Use Preview instead.")
		frappe.throw(message.format(frappe.format(latest, "Date"), frappe.format(as_of, "Date")))


def batch_size() -> int:
	"""Parties a transaction; ``retention_batch_size`` in the site's configuration changes it."""
	return cint(frappe.conf.get("retention_batch_size")) or PARTIES_PER_BATCH

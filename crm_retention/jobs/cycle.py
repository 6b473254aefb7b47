"""The cycle on a site: read configuration and sources, run the engine, write or preview."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import frappe
from frappe import _
from frappe.translate import print_language
from frappe.utils import cint, getdate, now, strip_html

from crm_retention.backends.site import Busy, only_one, reading_what_is_committed
from crm_retention.backends.site_write import PARTIES_PER_BATCH, ProfileWriter, Stamp
from crm_retention.capture.sweep import sweep_all
from crm_retention.closed_doctypes import get_problems
from crm_retention.configuration import config_snapshot, read_config
from crm_retention.engine.conditions import unreadable
from crm_retention.engine.config import Config
from crm_retention.engine.cycle import CycleResult, run_cycle
from crm_retention.engine.errors import EngineError, Problem
from crm_retention.engine.plans import Care
from crm_retention.jobs.care import run_plans
from crm_retention.jobs.comparison import compare
from crm_retention.jobs.left_out import Part, with_what_works
from crm_retention.jobs.limits import limited_statements
from crm_retention.jobs.reading import read_all
from crm_retention.jobs.runs import RunLog, close_dead_runs, get_latest_day
from crm_retention.plans.configuration import read_care
from crm_retention.site.memory import SiteBackend, engine_of_run
from crm_retention.site.read import snapshot
from crm_retention.sources import get_source_problems, get_sources
from crm_retention.usable import Usable


def run_job(run: str) -> None:
	"""Body of the background job of a Nightly or Manual run; its outcome stands on the Retention Run."""
	log = RunLog(run)
	if not log.is_waiting():
		return
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
	if not log.is_waiting():
		return
	log.start()
	guarded(log, preview_cycle)


def guarded(log: RunLog, work: Callable[[RunLog, SiteBackend], None]) -> None:
	"""Do the work; whatever goes wrong is rolled back, then recorded, and unforeseen errors are raised again."""
	try:
		# a background job has no language of its own, and what a run writes is read by everybody
		language = print_language(frappe.db.get_default("lang"))
		with language, limited_statements(), reading_what_is_committed(), engine_of_run() as backend:
			work(log, backend)
	except EngineError as error:
		frappe.db.rollback()
		log.fail(error.problems, str(error))
	except frappe.ValidationError as error:
		frappe.db.rollback()
		log.fail([], strip_html(str(error)), frappe.get_traceback())
	except Exception:
		frappe.db.rollback()
		log.fail([], _("The run ended with an error. Please tell a manager."), frappe.get_traceback())
		raise


def write_cycle(log: RunLog, backend: SiteBackend) -> None:
	"""Run the engine as of the run's day and write what differs."""
	as_of = getdate(log.doc.as_of)
	refuse_going_back(as_of)
	problems = capture_all(log)
	care, care_problems = read_care(as_of) if plans_are_run() else (None, [])
	config, result = evaluate(log, backend, as_of, care)
	stamp = Stamp(log.doc.name, as_of, config.version, now(), frappe.session.user)
	with log.step("writing"):
		writer = ProfileWriter(backend, result, stamp)
		written = writer.prepare()
		frappe.db.commit()
		total = max(written.created + written.updated, 1)
		for done in writer.batches(written, batch_size()):
			log.advance("writing", done / total)
		log.log_losses(writer.lost)
	frappe.cache.delete_keys("document_cache::Customer")
	outcome = {name: getattr(written, name) for name in ("created", "updated", "unchanged")}
	counts = {name: result.counts[name] for name in ("parties", "tier_changes", "stage_changes")}
	planned: dict[str, int] = {}
	if care:
		planned, more = run_plans(log, backend, care, result, stamp)
		care_problems = care_problems + more
	problems += get_problems() + result.problems + writer.problems + care_problems
	log.finish(problems, **outcome, **counts, **planned, **facts(config, result))
	frappe.db.set_single_value("Retention Settings", "last_run", log.doc.name)
	frappe.db.commit()


def capture_all(log: RunLog) -> list[Problem]:
	"""Sweep every source; one that fails, or the matching of touchpoints, is reported and stops nothing else."""
	usable = Usable()
	with log.step("capture"):
		left = log.deadline.get_seconds_left()
		swept = usable.read("interactions", "", lambda: sweep_all(left, lambda: log.publish("capture", 0)))
	if swept is None:
		frappe.db.rollback()
		frappe.log_error(title="Retention Run: interactions")
	failed = [source for source in swept or [] if source.error]
	return usable.problems + [Problem("interaction sources", item.source, "", item.error) for item in failed]


def preview_cycle(log: RunLog, backend: SiteBackend) -> None:
	"""Run the engine and keep the migration table for whoever asked: from which tier to which, how many and who."""
	as_of = getdate(log.doc.as_of)
	config, result = evaluate(log, backend, as_of)
	with log.step("comparing"):
		found, counts = compare(backend, result)
	log.finish(result.problems, preview_result=json.dumps(found), **counts, **facts(config, result))


def plans_are_run() -> bool:
	"""Whether maintenance plans are switched on."""
	return bool(cint(frappe.db.get_single_value("Retention Settings", "plans_enabled")))


def evaluate(
	log: RunLog, backend: SiteBackend, as_of: datetime.date, care: Care | None = None
) -> tuple[Config, CycleResult]:
	"""Configuration and result, the latter still in the backend.

	With ``care``, what planning and its conditions ask for is read as well. What cannot be used of the configuration, or
	what makes the cycle fail, is left out and among the problems of the result.
	"""
	config, problems = read_config()
	sources = get_sources(config, as_of, care)
	problems = problems + get_source_problems(sources)
	with log.step("reading"), snapshot() as connection:
		problems += read_all(backend, connection, sources, plans=care is not None)

	steps = len(log.doc.steps)

	def attempt(parts: Sequence[Part]) -> tuple[Config, CycleResult]:
		chosen = only(config, parts)
		return chosen, run_cycle(backend, chosen, as_of, log.step)

	(config, result), more = with_what_works(parts_of(config), attempt, lambda: log.begin_again(steps))
	return config, replace(result, problems=problems + more + result.problems)


def parts_of(config: Config) -> list[Part]:
	"""What can be left out of a configuration, the largest first."""
	criteria = [(card.name, item.signal) for card in config.scorecards for item in card.criteria]
	return [
		*(Part("signals", signal.name) for signal in config.signals),
		*(Part("scorecards", criterion_name(*pair)) for pair in criteria),
		*(Part("tiers", tier.name) for tier in config.tiers),
		*(Part("stages", stage.name) for stage in config.stages),
	]


def criterion_name(card: str, signal: str) -> str:
	"""How problems name a criterion."""
	return f"{card}, {signal}"


def only(config: Config, parts: Sequence[Part]) -> Config:
	"""The configuration with these parts alone; tiers and stages that are left out take nobody in and let nobody go."""
	kept = set(parts)
	left_out = (unreadable(_("it made the run fail")),)
	cards = []
	for card in config.scorecards:
		criteria = [
			item
			for item in card.criteria
			if Part("scorecards", criterion_name(card.name, item.signal)) in kept
		]
		cards += [replace(card, criteria=tuple(criteria))] if criteria else []
	scored = any(card.purpose == "value" for card in cards) or not config.scorecard("value")
	tiers = [
		tier
		if Part("tiers", tier.name) in kept and (scored or tier.min_score is None)
		else replace(tier, conditions=left_out)
		for tier in config.tiers
	]
	stages = [
		stage if Part("stages", stage.name) in kept else replace(stage, conditions=left_out)
		for stage in config.stages
	]
	signals = tuple(signal for signal in config.signals if Part("signals", signal.name) in kept)
	return replace(config, scorecards=tuple(cards), tiers=tuple(tiers), stages=tuple(stages), signals=signals)


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

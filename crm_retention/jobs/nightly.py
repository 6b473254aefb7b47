"""When a run is due, and the one place that puts it on the queue."""

from __future__ import annotations

import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, now_datetime

from crm_retention.jobs.runs import DONE, create_run, is_at_work, today

TIMEOUT = 6 * 60 * 60
TRIES_A_DAY = 3


def enqueue_if_due() -> None:
	"""Called every hour: the nightly run from its hour on, once a day, again where it failed or was killed."""
	settings = frappe.get_cached_doc("Retention Settings")
	if not cint(settings.enabled) or now_datetime().hour < cint(settings.run_hour):
		return
	as_of = today()
	mine = {"as_of": as_of, "kind": ("!=", "Preview")}
	done = frappe.db.exists("Retention Run", mine | {"status": ("in", DONE)})
	failed = frappe.db.count("Retention Run", mine | {"status": "Failed"})
	if not done and failed < TRIES_A_DAY and not is_at_work():
		enqueue_run("Nightly", as_of)


def enqueue_run(kind: str, as_of: datetime.date) -> Any:
	"""A queued Retention Run and its job on the long queue. Raises ValidationError while another is at work."""
	if kind != "Preview" and is_at_work():
		frappe.throw(_("A run is already queued or at work. Please wait until it has ended."))
	run = create_run(kind, as_of)
	frappe.enqueue(
		f"crm_retention.jobs.cycle.{'preview_job' if kind == 'Preview' else 'run_job'}",
		queue="long",
		timeout=TIMEOUT,
		job_id=f"retention_run::{run.name}",
		deduplicate=True,
		enqueue_after_commit=True,
		run=run.name,
	)
	return run

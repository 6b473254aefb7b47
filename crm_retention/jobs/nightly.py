"""When a run is due, and the one place that puts it on the queue."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, now_datetime
from frappe.utils.background_jobs import get_redis_conn
from redis.exceptions import RedisError

from crm_retention.backends.site import Busy, only_one
from crm_retention.jobs.runs import DONE, close_forgotten_runs, create_run, is_at_work, today

TIMEOUT = 6 * 60 * 60
TRIES_A_DAY = 3
LOCK = "retention_enqueue"
SECONDS_TO_WAIT = 10


class QueueIsDown(frappe.ValidationError):
	"""The queue of background jobs cannot be reached."""

	http_status_code = 503


def enqueue_if_due() -> None:
	"""Called every hour: the nightly run from its hour on, once a day, again where it failed or was killed."""
	settings = frappe.get_cached_doc("Retention Settings")
	close_forgotten_runs()
	if not cint(settings.enabled) or now_datetime().hour < cint(settings.run_hour):
		return
	as_of = today()
	mine = {"as_of": as_of, "kind": ("!=", "Preview")}
	done = frappe.db.exists("Retention Run", mine | {"status": ("in", DONE)})
	failed = frappe.db.count("Retention Run", mine | {"status": "Failed"})
	if not done and failed < TRIES_A_DAY and not is_at_work():
		enqueue_run("Nightly", as_of)


def enqueue_run(kind: str, as_of: datetime.date) -> Any:
	"""A queued Retention Run, and its job on the long queue once the transaction is committed.

	Raises ValidationError while another one is at work, for previews another one of the same user; QueueIsDown where
	there is no queue.
	"""
	with until_committed():
		refuse_second(kind)
		refuse_without_queue()
		run = create_run(kind, as_of)
	frappe.db.after_commit.add(lambda: put_on_queue(run.name, kind))
	return run


@contextmanager
def until_committed() -> Iterator[None]:
	"""One at a time, on whatever web worker, until what was done is there for others to see, or undone."""
	with ExitStack() as stack:
		try:
			stack.enter_context(only_one(LOCK, SECONDS_TO_WAIT))
		except Busy:
			frappe.throw(_("Runs are being queued by others. Please try again."))
		yield
		release = stack.pop_all().close
	frappe.db.after_commit.add(release)
	frappe.db.after_rollback.add(release)


def refuse_second(kind: str) -> None:
	"""Raises ValidationError where a run is queued or at work already that this one would get in the way of."""
	if kind == "Preview":
		if is_at_work(kind="Preview", user=frappe.session.user):
			frappe.throw(_("Your preview is already queued or at work. Please wait until it has ended."))
	elif is_at_work():
		frappe.throw(_("A run is already queued or at work. Please wait until it has ended."))


def refuse_without_queue() -> None:
	"""Raises QueueIsDown where the queue does not answer."""
	try:
		get_redis_conn().ping()
	except (RedisError, OSError):
		frappe.throw(get_queue_message(), QueueIsDown)


def get_queue_message() -> str:
	"""What to say of a queue that does not answer."""
	return _(
		"The queue of background jobs cannot be reached, so nothing was started. Please tell your administrator."
	)


def put_on_queue(run: str, kind: str) -> None:
	"""The job of a run that is committed. Where the queue is gone by now, the run says so: none waits for ever.

	The job has no identity of its own: a restored backup names runs again that the queue believes to be at work.
	"""
	try:
		frappe.enqueue(
			f"crm_retention.jobs.cycle.{'preview_job' if kind == 'Preview' else 'run_job'}",
			queue="long",
			timeout=TIMEOUT,
			run=run,
		)
	except (RedisError, OSError):
		values = {"status": "Failed", "ended_at": now_datetime(), "error": get_queue_message()}
		frappe.db.set_value("Retention Run", run, values)
		frappe.db.commit()

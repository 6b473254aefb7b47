"""The run log: the one place that makes, fills and closes Retention Run documents."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Max
from frappe.utils import now_datetime, nowdate

from crm_retention.engine.cycle import STEPS
from crm_retention.engine.errors import Problem

DONE = ("Completed", "Partial")
EVENT = "retention_run_progress"
WRITING_STEPS = 3  # profiles, and planning and writing of touchpoints
DEAD_AFTER = datetime.timedelta(minutes=15)


def create_run(kind: str, as_of: datetime.date) -> Any:
	"""A queued run, inserted. ``kind`` is Nightly, Manual or Preview."""
	run = frappe.new_doc("Retention Run")
	run.update({"kind": kind, "as_of": as_of, "status": "Queued", "user": frappe.session.user})
	run.insert(ignore_permissions=True)
	return run


def get_latest_day() -> datetime.date | None:
	"""The latest day that any profile is of, also where the run that wrote it was killed or its log is cleared."""
	profile = frappe.qb.DocType("Retention Profile")
	return frappe.qb.from_(profile).select(Max(profile.as_of)).run()[0][0]


def is_at_work() -> bool:
	"""Whether a run that writes is queued or gives signs of life."""
	alive = now_datetime() - DEAD_AFTER
	return any(
		frappe.db.exists("Retention Run", {"kind": ("!=", "Preview"), "status": status, stamp: (">", alive)})
		for status, stamp in (("Queued", "creation"), ("Running", "heartbeat"))
	)


class RunLog:
	"""Progress and outcome of one run. Every change is committed at once, so that a kill leaves it readable."""

	def __init__(self, name: str) -> None:
		self.doc = frappe.get_doc("Retention Run", name)
		self.total = len(STEPS) + WRITING_STEPS

	def start(self) -> None:
		"""Running from now on."""
		self.save(status="Running", started_at=now_datetime(), progress=0)

	@contextmanager
	def step(self, name: str) -> Iterator[None]:
		"""Time a step of the cycle."""
		self.publish(name, len(self.doc.steps) / self.total * 100)
		begun = time.perf_counter()
		yield
		self.doc.append("steps", {"step": name, "seconds": round(time.perf_counter() - begun, 3)})
		self.save(progress=len(self.doc.steps) / self.total * 100)

	def advance(self, name: str, share: float) -> None:
		"""Progress within the last step, ``share`` from 0 to 1."""
		self.publish(name, (len(self.doc.steps) + share) / self.total * 100)

	def publish(self, name: str, progress: float) -> None:
		"""A sign of life for whoever watches."""
		self.save(current_step=name, progress=round(progress, 1))
		message = {"run": self.doc.name, "step": name, "progress": round(progress, 1)}
		frappe.publish_realtime(EVENT, message, user=self.doc.user)

	def finish(self, problems: list[Problem], **values: Any) -> None:
		"""Completed, or Partial where rules could not be used."""
		self.add(problems)
		self.save(
			status="Partial" if problems else "Completed", ended_at=now_datetime(), progress=100, **values
		)
		self.publish("done", 100)

	def fail(self, problems: list[Problem], error: str) -> None:
		"""Failed: nothing more was written; what was wrong stands on the run."""
		self.add(problems)
		self.save(status="Failed", ended_at=now_datetime(), error=error)
		self.publish("failed", 100)

	def add(self, problems: list[Problem]) -> None:
		for problem in problems:
			row = {
				"table": problem.table,
				"row": problem.row,
				"field": problem.field,
				"message": problem.message,
			}
			self.doc.append("problems", row)

	def save(self, **values: Any) -> None:
		"""Set fields with a heartbeat, save and commit."""
		self.doc.update(values | {"heartbeat": now_datetime()})
		self.doc.flags.ignore_version = True
		self.doc.save(ignore_permissions=True)
		frappe.db.commit()


def close_dead_runs(but: str) -> None:
	"""Runs whose worker is gone; called by whoever holds the lock, so nobody else can be at work."""
	message = _("The worker ended while at work. What it had written is whole; the next run does the rest.")
	filters = {"status": "Running", "kind": ("!=", "Preview"), "name": ("!=", but)}
	for name in frappe.get_all("Retention Run", filters=filters, pluck="name"):
		values = {"status": "Failed", "ended_at": now_datetime(), "error": message}
		frappe.db.set_value("Retention Run", name, values)


def today() -> datetime.date:
	"""Today by the clock of the site."""
	return frappe.utils.getdate(nowdate())

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
from crm_retention.jobs.limits import Deadline

DONE = ("Completed", "Partial")
EVENT = "retention_run_progress"
STEPS_AROUND = 5  # capture, reading, writing of profiles, and planning and writing of touchpoints
DEAD_AFTER = datetime.timedelta(minutes=15)
FORGOTTEN_AFTER = datetime.timedelta(days=1)  # a queue that was emptied or lost will not come back to a run
MOST_PROBLEMS = 500
LONGEST, LONGEST_MESSAGE = 140, 1_000  # characters of a problem's place and message


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


def is_at_work(**filters: Any) -> bool:
	"""Whether a run that writes, or another that ``filters`` tell, is queued or gives signs of life.

	It is read past the snapshot of the transaction: what others have committed since it began counts.
	"""
	alive = now_datetime() - DEAD_AFTER
	given = filters or {"kind": ("!=", "Preview")}
	locking = frappe.db.db_type != "sqlite"  # where one transaction is all that there is
	return any(
		frappe.db.get_value(
			"Retention Run", given | {"status": status, stamp: (">", alive)}, for_update=locking
		)
		for status, stamp in (("Queued", "creation"), ("Running", "heartbeat"))
	)


class RunLog:
	"""Progress and outcome of one run. Every change is committed at once, so that a kill leaves it readable."""

	def __init__(self, name: str) -> None:
		self.doc = frappe.get_doc("Retention Run", name)
		self.total = len(STEPS) + STEPS_AROUND
		self.deadline = Deadline()

	def is_waiting(self) -> bool:
		"""Whether nobody has begun it: a queue may hold two jobs of one run."""
		return self.doc.status == "Queued"

	def start(self) -> None:
		"""Running from now on."""
		self.save(status="Running", started_at=now_datetime(), progress=0)

	@contextmanager
	def step(self, name: str) -> Iterator[None]:
		"""Time a step of the cycle. Raises TooLong where there is no time left for it."""
		self.deadline.check()
		self.publish(name, len(self.doc.steps) / self.total * 100)
		begun = time.perf_counter()
		yield
		self.doc.append("steps", {"step": name, "seconds": round(time.perf_counter() - begun, 3)})
		self.save(progress=len(self.doc.steps) / self.total * 100)

	def advance(self, name: str, share: float) -> None:
		"""Progress within the last step, ``share`` from 0 to 1. Raises TooLong."""
		self.deadline.check()
		self.publish(name, (len(self.doc.steps) + share) / self.total * 100)

	def log_losses(self, losses: list[str]) -> None:
		"""Name the parties that could not be written where system managers look."""
		if losses:
			frappe.log_error(title=f"Retention Run {self.doc.name}: not written", message="\n".join(losses))
			frappe.db.commit()

	def begin_again(self, steps: int = 0) -> None:
		"""Forget the steps after the first so many: they are done anew."""
		frappe.db.rollback()
		self.deadline.check()
		self.doc.set("steps", self.doc.steps[:steps])
		self.save()

	def publish(self, name: str, progress: float) -> None:
		"""A sign of life for whoever watches: three columns, not the whole document."""
		values = {"current_step": name, "progress": round(progress, 1), "heartbeat": now_datetime()}
		self.doc.update(values)
		frappe.db.set_value("Retention Run", self.doc.name, values, update_modified=False)
		frappe.db.commit()
		message = {"run": self.doc.name, "step": name, "progress": round(progress, 1)}
		frappe.publish_realtime(EVENT, message, user=self.doc.user)

	def finish(self, problems: list[Problem], **values: Any) -> None:
		"""Completed, or Partial where rules could not be used."""
		self.add(problems)
		self.save(
			status="Partial" if problems else "Completed", ended_at=now_datetime(), progress=100, **values
		)
		self.publish("done", 100)

	def fail(self, problems: list[Problem], error: str, traceback: str | None = None) -> None:
		"""Failed: nothing more was written; what was wrong stands on the run.

		``error`` is a sentence for everybody who reads the run, ``traceback`` is for managers.
		"""
		self.add(problems)
		self.save(status="Failed", ended_at=now_datetime(), error=error, traceback=traceback)
		self.publish("failed", 100)

	def add(self, problems: list[Problem]) -> None:
		"""Problems as rows, each once."""
		different = list(dict.fromkeys(problems))
		for problem in different[:MOST_PROBLEMS]:
			row = {
				"table": problem.table[:LONGEST],
				"row": problem.row[:LONGEST],
				"field": problem.field[:LONGEST],
				"message": problem.message[:LONGEST_MESSAGE],
			}
			self.doc.append("problems", row)
		if len(different) > MOST_PROBLEMS:
			more = _("and {0} more").format(len(different) - MOST_PROBLEMS)
			self.doc.append("problems", {"message": more})

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


def close_forgotten_runs() -> None:
	"""Runs that nobody will begin any more, because the queue has lost them."""
	message = _("No worker began it within a day.")
	old = now_datetime() - FORGOTTEN_AFTER
	for name in frappe.get_all("Retention Run", {"status": "Queued", "creation": ("<", old)}, pluck="name"):
		values = {"status": "Failed", "ended_at": now_datetime(), "error": message}
		frappe.db.set_value("Retention Run", name, values)


def today() -> datetime.date:
	"""Today by the clock of the site."""
	return frappe.utils.getdate(nowdate())

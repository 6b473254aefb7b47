"""Documents into the Interaction Log, by itself: a sweep over what changed since the last one.

Nothing hangs on the documents' own saving, so capture costs a Sales Invoice nothing; and what was done while the
site was down, or written past Frappe, is found all the same:

- ``sweep`` follows a watermark (modified, name) for each source, and goes back an overlap each time, because a
  transaction that began before the last sweep may have been committed after it;
- ``sweep_all`` compares every document with the log, which finds rows that were imported with an old ``modified``
  and documents whose date has come since. It runs before the nightly cycle.

Both read slices of the site's tables into a DuckDB, and insert what is missing by its reference key, in batches that
are transactions of their own: killed at any moment and run again, nothing is lost and nothing doubled.

A cancelled document is not removed from the log, which is history, and did say something until then; a row of the
kind Cancelled takes it back, so that a visit that never was counts as no contact. What is logged once is not logged
again when the document changes.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import frappe
import ibis.expr.types as ir
from frappe.utils import cint, now

from crm_retention.backends.site import Busy, only_one, reading_what_is_committed
from crm_retention.capture import write
from crm_retention.capture.candidates import (
	CANCELLED,
	Source,
	get_cancellations,
	get_columns,
	get_counting,
	get_missing,
	get_source,
	get_unread,
)
from crm_retention.capture.match import complete_matching
from crm_retention.closed_doctypes import why_closed
from crm_retention.keeping import get_kept_since
from crm_retention.site.memory import SiteBackend, engine_of_run
from crm_retention.site.slices import Slices
from crm_retention.usable import say

LOCK = "retention_sweep"
DOCUMENTS_PER_BATCH = 10_000
OVERLAP = datetime.timedelta(hours=1)
# rows logged since then may still fulfil a touchpoint: those entered by hand, and those of a sweep that was killed
MATCHED_AGAIN = datetime.timedelta(days=2)
SECONDS_A_SWEEP = 240
WAIT_AT_NIGHT = 600
THREADS = 1  # batches are small, and others work meanwhile
BEGINNING = "1900-01-01 00:00:00"


@dataclass
class Swept:
	"""What one source gave: rows written, whether all is read, and what went wrong."""

	source: str
	captured: int = 0
	complete: bool = True
	error: str | None = None


def enqueue_sweep() -> None:
	"""Called every few minutes."""
	if is_enabled():
		frappe.enqueue(
			"crm_retention.capture.sweep.sweep",
			queue="default",
			timeout=SECONDS_A_SWEEP * 2,
			job_id="retention_sweep",
			deduplicate=True,
			seconds=SECONDS_A_SWEEP,
		)


def is_enabled() -> bool:
	"""Whether Retention Settings let interactions be captured."""
	return bool(cint(frappe.db.get_single_value("Retention Settings", "capture_enabled")))


def sweep(seconds: float | None = None) -> list[Swept]:
	"""Log what changed since the last sweep, then complete touchpoints that it fulfils. Commits.

	Leaves when another sweep is at work. After ``seconds`` it stops between two batches; the next one goes on there.
	"""
	return run_sweep(everything=False, seconds=seconds)


def sweep_all(seconds: float | None = None, alive: Callable[[], None] = lambda: None) -> list[Swept]:
	"""Compare every document with the log, however old its last change. Commits. Waits for a sweep at work.

	``seconds`` as in ``sweep``. ``alive`` is called after each batch.
	"""
	return run_sweep(everything=True, seconds=seconds, wait=WAIT_AT_NIGHT, alive=alive)


def run_sweep(
	everything: bool,
	seconds: float | None = None,
	wait: int = 0,
	alive: Callable[[], None] = lambda: None,
) -> list[Swept]:
	"""One sweep at a time over all sources; one that fails is rolled back, says why, and the rest goes on."""
	if not is_enabled():
		return []
	begun = time.monotonic()
	try:
		with only_one(LOCK, wait), reading_what_is_committed(), engine_of_run(THREADS) as backend:
			done = []
			for name in get_enabled_sources():
				left = None if seconds is None else seconds - (time.monotonic() - begun)
				done.append(sweep_source(name, everything, left, alive, backend))
			complete_matching(write.earlier(now(), MATCHED_AGAIN), commit=True, backend=backend)
			return done
	except Busy:
		return []


def get_enabled_sources() -> list[str]:
	"""Sources in use, in the order of their names."""
	return frappe.get_all("Interaction Source", filters={"enabled": 1}, order_by="name", pluck="name")


def sweep_source(
	name: str,
	everything: bool = False,
	seconds: float | None = None,
	alive: Callable[[], None] = lambda: None,
	backend: SiteBackend | None = None,
) -> Swept:
	"""One source to its end or for so many seconds, committing after each batch. Raises nothing."""
	result, begun = Swept(name), time.monotonic()
	if reason := why_closed(frappe.db.get_value("Interaction Source", name, "document_type")):
		return leave_out(result, reason)
	try:
		for written in read_batches(name, everything, backend=backend):
			result.captured += written
			frappe.db.commit()
			alive()
			if seconds is not None and time.monotonic() - begun > seconds:
				result.complete = False
				break
		if result.complete:
			write.set_swept(name, {"last_error": None})
	except Exception as error:
		frappe.db.rollback()
		result.error = say(error)
		result.complete = False
		frappe.log_error(title=f"Interaction Source {name}"[:140])
		write.set_swept(name, {"last_error": result.error[:1000]})
	frappe.db.commit()
	return result


def leave_out(result: Swept, reason: str) -> Swept:
	"""A source of documents that nothing may be made of says so and logs nothing; commits. The nightly run reports it."""
	result.complete = False
	write.set_swept(result.source, {"last_error": reason})
	frappe.db.commit()
	return result


def read_batches(
	name: str,
	everything: bool = False,
	size: int = DOCUMENTS_PER_BATCH,
	backend: SiteBackend | None = None,
) -> Iterator[int]:
	"""Log one source batch by batch; yields the rows of each, which the caller commits."""
	row = frappe.db.get_value("Interaction Source", name, "*", as_dict=True)
	source = get_source(row)
	with nullcontext(backend) if backend else engine_of_run(THREADS) as backend:
		reader = Reader(source, backend)
		yield from reader.read_everything(size) if everything else reader.read_changed(size)


class Reader:
	"""The batches of one source."""

	def __init__(self, source: Source, backend: SiteBackend) -> None:
		self.source = source
		self.columns = get_columns(source)
		self.slices = Slices(backend)
		self.keep_from = get_kept_since("log_keep_days")  # what the log has cleared does not come back

	@cached_property
	def can_cancel(self) -> bool:
		"""Whether documents can be cancelled, and the kind that says so is still there."""
		submittable = frappe.get_meta(self.source.doctype).is_submittable
		return bool(submittable and frappe.db.exists("Interaction Kind", CANCELLED))

	def read_changed(self, size: int) -> Iterator[int]:
		"""Documents by (modified, name), from an overlap before the watermark on; the watermark never goes back.

		A watermark is never in the future, whatever a wrong clock wrote: what comes now would be passed over.
		"""
		row = self.source.row
		mark = str(row.swept_until or BEGINNING)
		place = write.Place(write.earlier(mark, OVERLAP) if row.swept_until else BEGINNING)
		found = size
		while found >= size:
			moment = now()
			changed = write.get_changed(self.source.doctype, place, size)
			found, captured = len(changed), 0
			if changed:
				name, modified = changed[-1]
				place = write.Place(str(modified), name)
				names = self.slices.load("batch", [[str(name)] for name, _ in changed], ["name"])
				captured = self.log_batch(names.name, moment)
			mark = max(mark, min(place.modified, moment))
			keep_place(self.source, mark if found else None, place.name, captured)
			yield captured

	def read_everything(self, size: int) -> Iterator[int]:
		"""Every document whose rows may be missing, by name."""
		if not frappe.db.exists(self.source.doctype, {"docstatus": ("<", 3)}):
			return
		unread = get_unread(self.source, self.slices, self.keep_from)
		backend = self.slices.backend
		(count,) = backend.query(backend.compile(unread.aggregate(n=unread.count())))[0]
		for start in range(0, count, size):
			batch = unread.filter((unread.n >= start) & (unread.n < start + size))
			captured = self.log_batch(batch.name, now())
			keep_place(self.source, None, None, captured)
			yield captured

	def log_batch(self, names: ir.Column, moment: str) -> int:
		"""The documents of a batch into the log, and cancelled ones out of it again."""
		docs = self.slices.read("documents", self.source.doctype, self.columns, names)
		captured = 0
		counting = self.slices.keep("counting", get_counting(self.source, docs, self.slices))
		if self.slices.has_rows(counting):
			captured = self.add(get_missing(self.source, self.slices, counting, self.keep_from), moment)
		if self.can_cancel and self.slices.has_rows(docs.filter(docs.docstatus == 2)):
			self.add(get_cancellations(self.source, self.slices, docs), moment)
		return captured

	def add(self, rows: ir.Table, moment: str) -> int:
		"""What there is of rows into the log; returns how many."""
		rows = self.slices.keep("rows", rows)
		return (
			write.add_rows(self.slices.tables, self.source.doctype, rows, moment)
			if self.slices.has_rows(rows)
			else 0
		)


def keep_place(source: Source, mark: str | None, name: str | None, captured: int) -> None:
	"""Watermark and count on the source; in the transaction of the batch."""
	values: dict[str, Any] = {"swept_until": mark, "swept_name": name} if mark else {}
	if captured:
		stored = frappe.db.get_value("Interaction Source", source.name, "captured")
		values["captured"] = cint(stored) + captured
	if values:
		write.set_swept(source.name, values)

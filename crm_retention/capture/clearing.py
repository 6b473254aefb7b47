"""Old rows of the Interaction Log leave by the retention setting, and in no other way."""

from __future__ import annotations

import datetime

import frappe

from crm_retention.capture.candidates import LOG
from crm_retention.keeping import get_kept_since

ROWS_PER_BATCH = 1_000


def enqueue_clearing() -> None:
	"""Called every day."""
	if get_kept_since("log_keep_days"):
		frappe.enqueue(
			"crm_retention.capture.clearing.clear_old_rows",
			queue="long",
			job_id="retention_log_clearing",
			deduplicate=True,
		)


def clear_old_rows(commit: bool = True) -> int:
	"""Delete rows older than Retention Settings keep them, batch by batch; returns how many."""
	cutoff, deleted = get_kept_since("log_keep_days"), 0
	while cutoff and (names := get_old_rows(cutoff)):
		delete(names)
		deleted += len(names)
		if commit:
			frappe.db.commit()
	return deleted


def get_old_rows(cutoff: datetime.date) -> list[str]:
	"""Some rows from before a day; a correction stays as long as what it corrects, which would count again."""
	log, corrected = frappe.qb.DocType(LOG), frappe.qb.DocType(LOG).as_("corrected")
	query = (
		frappe.qb.from_(log)
		.left_join(corrected)
		.on(log.supersedes == corrected.name)
		.select(log.name)
		.where(log.occurred_on < cutoff)
		.where(corrected.name.isnull() | (corrected.occurred_on < cutoff))
		.limit(ROWS_PER_BATCH)
	)
	return query.run(pluck=True)


def delete(names: list[str]) -> None:
	"""Rows with their files; what named them names nothing."""
	for doctype, field in ((LOG, "supersedes"), ("Touchpoint", "interaction")):
		table = frappe.qb.DocType(doctype)
		frappe.qb.update(table).set(table[field], None).where(table[field].isin(names)).run()
	delete_files(names)
	frappe.db.delete(LOG, {"name": ("in", names)})


def delete_files(names: list[str]) -> None:
	"""What is attached to rows."""
	attached = {"attached_to_doctype": LOG, "attached_to_name": ("in", names)}
	for file in frappe.get_all("File", filters=attached, pluck="name", limit=0):
		frappe.delete_doc("File", file, ignore_permissions=True, force=True)

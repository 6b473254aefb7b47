"""Start a run or a preview and follow it."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from crm_retention.bounds import to_day
from crm_retention.filters import FIRST_DAY
from crm_retention.jobs.nightly import enqueue_run
from crm_retention.jobs.runs import today


@frappe.whitelist(methods=["POST"])
def run_now(as_of: str | None = None) -> dict[str, str]:
	"""Queue a run as of a day (YYYY-MM-DD, today by default). Returns {run: name of the Retention Run}."""
	frappe.only_for(("Retention Manager", "System Manager"))
	return {"run": enqueue_run("Manual", get_day(as_of)).name}


@frappe.whitelist(methods=["POST"])
def preview(as_of: str | None = None) -> dict[str, str]:
	"""Queue a preview: who would move from which tier to which, nothing is written. Returns {run: name}."""
	frappe.only_for(("Retention Manager", "System Manager"))
	return {"run": enqueue_run("Preview", get_day(as_of)).name}


@frappe.whitelist()
def progress(run: str) -> dict[str, Any]:
	"""status, current_step, progress (0 to 100) and error of a run; what a preview found is ``get_preview``'s."""
	doc = frappe.get_doc("Retention Run", run)
	doc.check_permission("read")
	return {name: doc.get(name) for name in ("status", "current_step", "progress", "error")}


def get_day(as_of: str | None) -> Any:
	"""A day from text, today by default. Raises ValidationError for no date and for one in the future."""
	day = to_day(as_of) if as_of else today()
	if day is None or day < FIRST_DAY:
		frappe.throw(_("{0} is not a date").format(as_of))
	if day > today():
		frappe.throw(_("{0} lies in the future").format(as_of))
	return day

"""Start a run or a preview and follow it."""

from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Day, DayKind, Name
from crm_retention.jobs.nightly import enqueue_run
from crm_retention.jobs.runs import today
from crm_retention.views.access import get_document


@endpoint("POST")
def run_now(as_of: Day | None = None) -> dict[str, str]:
	"""Queue a run as of a day (YYYY-MM-DD, today by default). Returns {run: name of the Retention Run}."""
	frappe.only_for(("Retention Manager", "System Manager"))
	return {"run": enqueue_run("Manual", get_day(as_of)).name}


@endpoint("POST")
def preview(as_of: Day | None = None) -> dict[str, str]:
	"""Queue a preview: who would move from which tier to which, nothing is written. Returns {run: name}."""
	frappe.only_for(("Retention Manager", "System Manager"))
	return {"run": enqueue_run("Preview", get_day(as_of)).name}


@endpoint()
def progress(run: Name) -> dict[str, Any]:
	"""status, current_step, progress (0 to 100) and error of a run; what a preview found is ``get_preview``'s."""
	doc = get_document("Retention Run", run)
	return {name: doc.get(name) for name in ("status", "current_step", "progress", "error")}


def get_day(as_of: str | None) -> Any:
	"""A day from text, today by default. Raises ValidationError for no date and for one in the future."""
	day = getdate(DayKind().read("as_of", as_of)) if as_of else today()
	if day > today():
		frappe.throw(_("{0} lies in the future").format(as_of))
	return day

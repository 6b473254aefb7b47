from __future__ import annotations

import json
from collections import Counter
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Name
from crm_retention.documents import BoundedDocument
from crm_retention.keeping import get_kept_since
from crm_retention.parties import PARTY_TYPES
from crm_retention.permissions import get_readable_query
from crm_retention.sealed import seal, unseal
from crm_retention.seen_parties import sees_all_parties
from crm_retention.views.access import get_document

# of these a reader of runs may not be shown everything, and Frappe 15 answers filters over any field
SEALED = ("preview_result", "traceback")


class RetentionRun(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from crm_retention.crm_retention.doctype.retention_run_problem.retention_run_problem import (
			RetentionRunProblem,
		)
		from crm_retention.crm_retention.doctype.retention_run_step.retention_run_step import RetentionRunStep

		as_of: DF.Date
		config_snapshot: DF.Code | None
		created: DF.Int
		current_step: DF.Data | None
		ended_at: DF.Datetime | None
		error: DF.SmallText | None
		heartbeat: DF.Datetime | None
		kind: DF.Literal["Nightly", "Manual", "Preview"]
		lifetime_model: DF.Code | None
		members_entered: DF.Int
		members_left: DF.Int
		parties: DF.Int
		preview_result: DF.Code | None
		problems: DF.Table[RetentionRunProblem]
		progress: DF.Float
		rule_version: DF.Data | None
		stage_changes: DF.Int
		started_at: DF.Datetime | None
		status: DF.Literal["Queued", "Running", "Completed", "Partial", "Failed"]
		steps: DF.Table[RetentionRunStep]
		tier_changes: DF.Int
		touchpoints_cancelled: DF.Int
		touchpoints_created: DF.Int
		touchpoints_missed: DF.Int
		touchpoints_suppressed: DF.Int
		touchpoints_unplaced: DF.Int
		touchpoints_waiting: DF.Int
		traceback: DF.Code | None
		unchanged: DF.Int
		updated: DF.Int
		user: DF.Link | None

	# end: auto-generated types
	def load_from_db(self) -> Any:
		super().load_from_db()
		self.unseal()
		return self

	def before_save(self) -> None:
		for field in SEALED:
			self.set(field, seal(self.get(field)))

	def on_update(self) -> None:
		self.unseal()

	def unseal(self) -> None:
		"""In memory the fields are as they were written, in the database nobody reads them."""
		for field in SEALED:
			self.set(field, unseal(self.get(field)))

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete runs older than ``days``, and history older than Retention Settings keep it. Called by Log Settings."""
		run = frappe.qb.DocType("Retention Run")
		old = (
			frappe.qb.from_(run)
			.select(run.name)
			.where(run.creation < Now() - Interval(days=days))
			.run(pluck=True)
		)
		last = frappe.db.get_single_value("Retention Settings", "last_run")
		names = [name for name in old if name != last]
		for child in ("Retention Run Step", "Retention Run Problem"):
			frappe.db.delete(child, {"parent": ("in", names or [""])})
		frappe.db.delete("Retention Run", {"name": ("in", names or [""])})
		clear_old_history()


def clear_old_history() -> None:
	"""Delete tier and stage changes of more than ``history_keep_days`` ago; 0 keeps them for ever."""
	if kept := get_kept_since("history_keep_days"):
		frappe.db.delete("Tier Change", {"on_date": ("<", kept)})


@endpoint()
def get_preview(run: Name) -> dict[str, Any]:
	"""Who would move, as the preview found.

	``moves`` names the parties that the user may read, ``tiers`` are all by rank. ``matrix`` and ``more`` count for whoever
	asked for the preview; from others, unless nothing is hidden from them, they count the moves that they see.
	"""
	doc = get_document("Retention Run", run)
	if not doc.preview_result and frappe.db.get_value("Retention Run", doc.name, "preview_result"):
		frappe.throw(
			_("The site has another key now: what this preview found cannot be opened. Please preview again.")
		)
	result = json.loads(doc.preview_result or "{}")
	moves = result.get("moves", [])
	readable = {party_type: _get_readable(party_type, moves) for party_type in PARTY_TYPES}
	result["tiers"] = frappe.get_all("Customer Tier", order_by="`tabCustomer Tier`.`rank` desc", pluck="name")
	result["moves"] = [move for move in moves if move["party"] in readable.get(move["party_type"], ())]
	if result.pop("user", None) != frappe.session.user and not sees_all_parties():
		pairs = Counter((move["from"], move["to"]) for move in result["moves"])
		cells = sorted(pairs.items(), key=str)
		result["matrix"] = [{"from": old, "to": new, "count": count} for (old, new), count in cells]
		result["more"] = 0
	return result


def _get_readable(party_type: str, moves: list[dict[str, Any]]) -> set[str]:
	names = [move["party"] for move in moves if move["party_type"] == party_type]
	if not names or get_readable_query(party_type) is None:
		return set()
	return set(frappe.get_list(party_type, filters={"name": ("in", names)}, pluck="name", limit=0))


@endpoint()
def get_last_run_card() -> str:
	"""The day of the last run that ended well, for the number card of the workspace."""
	frappe.has_permission("Retention Run", "read", throw=True)
	filters = {"kind": ("!=", "Preview"), "status": ("in", ("Completed", "Partial"))}
	as_of = frappe.db.get_value("Retention Run", filters, "as_of", order_by="as_of desc")
	return frappe.format(as_of, "Date") if as_of else _("None yet")

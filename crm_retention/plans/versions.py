"""Versions of a plan: a draft that follows the running one, and how it takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.utils import getdate

from crm_retention import filters
from crm_retention.plans import ending

if TYPE_CHECKING:
	from frappe.model.document import Document

RUNNING = ("Active", "Paused")
# Keys of touchpoints hold the family, a step's key, a day and the party's name in 255 characters.
FAMILY_LENGTH = 80


def make_new_version(plan: str) -> Document:
	"""An unsaved draft that follows the running version of the plan's family; its steps keep their keys.

	Raises ValidationError while the family has a draft already, or no version that was submitted.
	"""
	family = frappe.db.get_value("Maintenance Plan", plan, "plan_family")
	previous = get_latest(family)
	if not previous:
		frappe.throw(_("{0} is not submitted yet: change it as it is.").format(plan))
	refuse_second_draft(family)
	draft = frappe.copy_doc(frappe.get_doc("Maintenance Plan", previous), ignore_no_copy=False)
	draft.update({"previous_version": previous, "plan_family": family, "docstatus": 0, "status": "Draft"})
	draft.version_number = get_next_number(family)
	if draft.starts_on and getdate(draft.starts_on) < getdate():
		draft.starts_on = None
	return draft


def set_identity(plan: Any) -> None:
	"""Family, version and predecessor of a plan that is about to be inserted, whatever the request says they are."""
	follows = plan.previous_version or plan.amended_from
	plan.amended_from = None  # an amended plan is the next version of its family like any other
	if not follows:
		plan.plan_family, plan.version_number, plan.previous_version = plan.title, 1, None
		return
	plan.plan_family = frappe.db.get_value("Maintenance Plan", follows, "plan_family")
	refuse_second_draft(plan.plan_family)
	plan.previous_version = get_latest(plan.plan_family)
	plan.version_number = get_next_number(plan.plan_family)


def get_latest(family: str | None) -> str | None:
	"""The last version of a family that was submitted, running or ended."""
	conditions = {"plan_family": family, "docstatus": (">", 0)}
	return frappe.db.get_value("Maintenance Plan", conditions, order_by="version_number desc")


def get_next_number(family: str) -> int:
	"""The number of the next version."""
	latest = frappe.db.get_value(
		"Maintenance Plan", {"plan_family": family}, "version_number", order_by="version_number desc"
	)
	return (latest or 0) + 1


def refuse_second_draft(family: str) -> None:
	"""Two drafts of a family would each undo the other."""
	draft = frappe.db.get_value("Maintenance Plan", {"plan_family": family, "docstatus": 0})
	if draft:
		frappe.throw(_("{0} is a draft of this plan already: finish or delete it first.").format(draft))


def validate_identity(plan: Any) -> None:
	"""One family a name, and names short enough for the keys of touchpoints."""
	problem = None
	if len(plan.title or "") > FAMILY_LENGTH:
		problem = _("must not be longer than {0} characters").format(FAMILY_LENGTH)
	elif namesake := get_namesake(plan):
		problem = _("{0} has this name already").format(namesake)
	if problem:
		line = _("{0}: {1}").format(_(plan.meta.get_label("title")), problem)
		filters.throw_faults(_("{0} {1}").format(_(plan.doctype), plan.name or ""), [line])


def get_namesake(plan: Any) -> str | None:
	"""A plan of another family that has this plan's title, or had it first."""
	table = frappe.qb.DocType("Maintenance Plan")
	same = (table.plan_family == plan.title) | (table.title == plan.title)
	if not plan.is_new() or plan.version_number > 1:
		same &= table.plan_family != plan.plan_family
	found = frappe.qb.from_(table).select(table.name).where(same).limit(1).run()
	return found[0][0] if found else None


def validate_takeover(plan: Any) -> None:
	"""A version takes over when it is submitted, so it cannot wait for a day."""
	if plan.previous_version and plan.starts_on and getdate(plan.starts_on) > getdate():
		message = _("{0}: must not be in the future: a new version takes over at once.")
		frappe.throw(message.format(_(plan.meta.get_label("starts_on"))))


def take_over(plan: Any) -> None:
	"""Make the version the running one of its family: members move, and removed steps end as chosen.

	Enrollments keep arm, clock and phase, and touchpoints are known by family and step, so that nobody gets the
	same act twice. All of it is one transaction with the submission.
	"""
	previous = plan.previous_version
	if not previous:
		return
	before = frappe.db.get_value(
		"Maintenance Plan", previous, ["status", "paused_on", "paused_days"], as_dict=True, for_update=True
	)
	if before.status not in RUNNING:
		return
	if plan.members_move == "At Their Next Step":
		promise_members(plan)
	else:
		move_members(plan)
	if plan.removed_steps == "Cancel":
		cancel_removed_steps(plan)
	frappe.db.set_value("Maintenance Plan", previous, "status", "Superseded")
	# what a changed interval would have asked for before today was asked for by the version before
	carried = {"paused_days": before.paused_days, "since": getdate()}
	if before.status == "Paused":  # a new version of a plan that waits, waits
		carried |= {"status": "Paused", "paused_on": before.paused_on}
	plan.db_set(carried)


def move_members(plan: Any) -> None:
	"""Current members belong to this version from now on."""
	table = frappe.qb.DocType("Plan Enrollment")
	query = frappe.qb.update(table).set(table.plan, plan.name).set(table.next_plan, None)
	query = query.set(table.version_number, plan.version_number)
	query.where((table.plan_family == plan.plan_family) & table.open_key.isnotnull()).run()


def promise_members(plan: Any) -> None:
	"""Current members follow when their next touchpoint is created."""
	table = frappe.qb.DocType("Plan Enrollment")
	query = frappe.qb.update(table).set(table.next_plan, plan.name)
	query.where((table.plan_family == plan.plan_family) & table.open_key.isnotnull()).run()


def cancel_removed_steps(plan: Any) -> None:
	"""End the open touchpoints of steps that this version no longer has."""
	keys = [step.step_key for step in plan.steps]
	conditions = {"plan_family": plan.plan_family, "step_key": ("not in", keys)}
	ending.cancel_touchpoints(conditions, _("Not in {0}").format(plan.name))

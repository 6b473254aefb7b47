from __future__ import annotations

import frappe
from frappe import _

from crm_retention import filters, rules
from crm_retention.plans import checks, ending, steps, versions

IDENTITY = ("plan_family", "version_number", "previous_version")
CLOCK = ("status", "paused_on", "paused_days", "since")


class MaintenancePlan(rules.ConditionalDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from crm_retention.crm_retention.doctype.maintenance_plan_goal.maintenance_plan_goal import (
			MaintenancePlanGoal,
		)
		from crm_retention.crm_retention.doctype.maintenance_plan_stage.maintenance_plan_stage import (
			MaintenancePlanStage,
		)
		from crm_retention.crm_retention.doctype.maintenance_plan_step.maintenance_plan_step import (
			MaintenancePlanStep,
		)
		from crm_retention.crm_retention.doctype.maintenance_plan_tier.maintenance_plan_tier import (
			MaintenancePlanTier,
		)

		amended_from: DF.Link | None
		description: DF.TextEditor | None
		ends_on: DF.Date | None
		goals: DF.Table[MaintenancePlanGoal]
		holdout_share: DF.Percent
		hours_per_party: DF.Float
		members_move: DF.Literal["At Once", "At Their Next Step"]
		money_per_party: DF.Currency
		party_conditions_json: DF.Code | None
		paused_days: DF.Int
		paused_on: DF.Date | None
		plan_family: DF.Data | None
		previous_version: DF.Link | None
		priority: DF.Int
		removed_steps: DF.Literal["Keep", "Cancel"]
		review_every: DF.Literal["", "Month", "Quarter", "Half-Year", "Year"]
		signal_conditions_json: DF.Code | None
		since: DF.Date | None
		stages: DF.TableMultiSelect[MaintenancePlanStage]
		starts_on: DF.Date | None
		status: DF.Literal["Draft", "Active", "Paused", "Superseded", "Ended"]
		steps: DF.Table[MaintenancePlanStep]
		tiers: DF.TableMultiSelect[MaintenancePlanTier]
		title: DF.Data
		version_number: DF.Int
		workflow_state: DF.Link | None

	# end: auto-generated types
	def before_insert(self) -> None:
		versions.set_identity(self)
		versions.validate_identity(self)

	def autoname(self) -> None:
		self.name = f"{self.title} v{self.version_number}"

	def validate(self) -> None:
		self.keep_identity()
		versions.validate_identity(self)
		self.set_steps()
		self.validate_conditions()
		self.validate_contents()
		self.status = "Draft"

	def before_submit(self) -> None:
		versions.validate_takeover(self)
		self.status = "Active"

	def on_submit(self) -> None:
		versions.take_over(self)

	def before_update_after_submit(self) -> None:
		self.validate_clock()

	def on_cancel(self) -> None:
		ending.end_plan(self, _("Plan cancelled"))

	def keep_identity(self) -> None:
		"""Family, version and clock are nobody's to write."""
		stored = self.get_doc_before_save()
		if stored:
			self.update({field: stored.get(field) for field in IDENTITY})
		self.update({"paused_on": None, "paused_days": 0, "since": None})

	def set_steps(self) -> None:
		steps.set_keys(self)
		steps.clear_unused(self)
		steps.set_details(self)

	def validate_contents(self) -> None:
		filters.throw_faults(_("{0} {1}").format(_(self.doctype), self.name), checks.get_faults(self))

	def validate_clock(self) -> None:
		"""Status and clock of a plan in use move by pausing, resuming and taking over only."""
		stored = self.get_doc_before_save()
		for field in CLOCK:
			if stored and self.get_value(field) != stored.get_value(field):
				label = _(self.meta.get_label(field))
				message = _("{0} changes by pausing, resuming or a new version only.").format(label)
				frappe.throw(message, frappe.UpdateAfterSubmitError)

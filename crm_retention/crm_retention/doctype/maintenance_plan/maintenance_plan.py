from __future__ import annotations

from frappe.model.document import Document


class MaintenancePlan(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from crm_retention.crm_retention.doctype.maintenance_plan_goal.maintenance_plan_goal import MaintenancePlanGoal
		from crm_retention.crm_retention.doctype.maintenance_plan_stage.maintenance_plan_stage import MaintenancePlanStage
		from crm_retention.crm_retention.doctype.maintenance_plan_step.maintenance_plan_step import MaintenancePlanStep
		from crm_retention.crm_retention.doctype.maintenance_plan_tier.maintenance_plan_tier import MaintenancePlanTier
		from frappe.types import DF

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
		stages: DF.TableMultiSelect[MaintenancePlanStage]
		starts_on: DF.Date | None
		status: DF.Literal["Draft", "Active", "Paused", "Superseded", "Ended"]
		steps: DF.Table[MaintenancePlanStep]
		tiers: DF.TableMultiSelect[MaintenancePlanTier]
		title: DF.Data
		version_number: DF.Int
	# end: auto-generated types
	pass

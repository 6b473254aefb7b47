from __future__ import annotations

from crm_retention.plans.rows import PlanRow


class MaintenancePlanStep(PlanRow):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		channel: DF.Link | None
		cost: DF.Currency
		department: DF.Link | None
		email_template: DF.Link | None
		event: DF.Literal[
			"",
			"Tier Entered",
			"Stage Entered",
			"Complaint Opened",
			"Complaint Closed",
			"Detractor Feedback",
			"Contract End",
			"First Purchase",
			"Silent",
		]
		event_value: DF.Data | None
		every: DF.Int
		instructions: DF.SmallText | None
		minutes: DF.Int
		occasion: DF.Link | None
		offset_days: DF.Int
		owner_rule: DF.Literal["Account Manager", "Role, Round Robin", "Role, Least Loaded", "User"]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		rhythm: DF.Float
		role: DF.Link | None
		send_by_itself: DF.Check
		service_level_days: DF.Int
		sms_text: DF.SmallText | None
		step_key: DF.Data | None
		step_name: DF.Data
		timing: DF.Literal["Every", "Buying Rhythm", "Occasion", "Event"]
		touchpoint_type: DF.Link
		unit: DF.Literal["Days", "Weeks", "Months", "Quarters"]
		user: DF.Link | None
	# end: auto-generated types

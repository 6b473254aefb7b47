from __future__ import annotations

from crm_retention.plans.rows import PlanRow


class MaintenancePlanGoal(PlanRow):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		by_date: DF.Date
		kpi: DF.Literal[
			"Repeat Purchase Rate",
			"Churn Rate",
			"Customer Lifetime Value",
			"Net Promoter Score",
			"Satisfaction",
			"Activity Rate",
			"Renewal Rate",
			"Touchpoint Compliance",
			"Loop-Closure Time",
			"Cost to Serve",
			"Return on Maintenance",
		]
		note: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		target: DF.Float
	# end: auto-generated types

from __future__ import annotations

import frappe

from crm_retention import rules
from crm_retention.configuration import get_plain_tier


class CustomerTier(rules.ConditionalDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		benefits: DF.TextEditor | None
		colour: DF.Color | None
		enabled: DF.Check
		frequency: DF.Literal["", "Weekly", "Fortnightly", "Monthly", "Quarterly", "Half-Yearly", "Yearly"]
		margin: DF.Float
		min_score: DF.Float
		min_stay_days: DF.Int
		party_conditions_json: DF.Code | None
		personal_measures: DF.SmallText | None
		rank: DF.Int
		signal_conditions_json: DF.Code | None
		tier_name: DF.Data
		way_of_care: DF.SmallText | None
		yearly_budget: DF.Currency
		yearly_budget_hours: DF.Float

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_conditions()
		self.validate_rules()

	def validate_rules(self) -> None:
		"""Number ranges, and the order of all enabled tiers with this one among them."""
		others = []
		if self.enabled:
			names = frappe.get_all(
				"Customer Tier", {"enabled": 1, "name": ("!=", self.name or "")}, pluck="name"
			)
			others = [get_plain_tier(frappe.get_doc("Customer Tier", name)) for name in names]
		rules.check(self, "tiers", [*others, get_plain_tier(self)])

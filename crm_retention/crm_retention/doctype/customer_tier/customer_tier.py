from __future__ import annotations

import frappe

from crm_retention import rules
from crm_retention.configuration import get_plain_tier


class CustomerTier(rules.ConditionalDocument):
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

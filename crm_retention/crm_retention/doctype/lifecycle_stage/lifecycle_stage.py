from __future__ import annotations

import frappe

from crm_retention import rules
from crm_retention.configuration import get_plain_stage


class LifecycleStage(rules.ConditionalDocument):
	def validate(self) -> None:
		self.validate_conditions()
		self.validate_rules()

	def validate_rules(self) -> None:
		"""The order of all enabled stages with this one among them."""
		others = []
		if self.enabled:
			names = frappe.get_all(
				"Lifecycle Stage", {"enabled": 1, "name": ("!=", self.name or "")}, pluck="name"
			)
			others = [get_plain_stage(frappe.get_doc("Lifecycle Stage", name)) for name in names]
		rules.check(self, "stages", [*others, get_plain_stage(self)], {"order": "sequence"})

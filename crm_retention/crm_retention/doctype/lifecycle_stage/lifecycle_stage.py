from __future__ import annotations

import frappe

from crm_retention import rules
from crm_retention.configuration import get_plain_stage


class LifecycleStage(rules.ConditionalDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		activation: DF.SmallText | None
		colour: DF.Color | None
		data_to_collect: DF.SmallText | None
		enabled: DF.Check
		main_actions: DF.SmallText | None
		party_conditions_json: DF.Code | None
		sequence: DF.Int
		signal_conditions_json: DF.Code | None
		stage_name: DF.Data

	# end: auto-generated types
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

from __future__ import annotations

import frappe
from frappe import _

from crm_retention.documents import BoundedDocument


class InteractionKind(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from crm_retention.crm_retention.doctype.interaction_fact.interaction_fact import InteractionFact

		channel: DF.Link | None
		enabled: DF.Check
		is_contact: DF.Check
		kind_name: DF.Data
		required_facts: DF.Table[InteractionFact]

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_facts()

	def on_trash(self) -> None:
		if frappe.db.exists("Interaction Log", {"kind": self.name}):
			message = _("There are interactions of the kind {0}. Disable it instead.")
			frappe.throw(message.format(self.name), frappe.LinkExistsError)

	def validate_facts(self) -> None:
		facts = set()
		for row in self.required_facts:
			if row.fact in facts:
				label = _(self.meta.get_label("required_facts"))
				message = _("{0}, row {1}: {2} is there twice.")
				frappe.throw(message.format(label, row.idx, _(frappe.unscrub(row.fact))))
			facts.add(row.fact)

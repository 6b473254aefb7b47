from __future__ import annotations

from frappe.model.document import Document


class InteractionKind(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from crm_retention.crm_retention.doctype.interaction_fact.interaction_fact import InteractionFact
		from frappe.types import DF

		channel: DF.Link | None
		enabled: DF.Check
		is_contact: DF.Check
		kind_name: DF.Data
		required_facts: DF.Table[InteractionFact]
	# end: auto-generated types
	pass

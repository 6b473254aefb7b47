from __future__ import annotations

from frappe.model.document import Document


class TouchpointType(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		channel: DF.Link | None
		colour: DF.Color | None
		cost: DF.Currency
		department: DF.Link | None
		enabled: DF.Check
		instructions: DF.TextEditor | None
		interaction_kind: DF.Link | None
		minutes: DF.Int
		nature: DF.Literal["Care", "Offer", "Greeting", "Notice", "Message"]
		priority: DF.Int
		type_name: DF.Data
	# end: auto-generated types
	pass

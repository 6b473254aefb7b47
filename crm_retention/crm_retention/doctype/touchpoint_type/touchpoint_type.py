from __future__ import annotations

from frappe import _
from frappe.utils import cint, flt

from crm_retention import filters
from crm_retention.documents import BoundedDocument


class TouchpointType(BoundedDocument):
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
	def validate(self) -> None:
		self.validate_numbers()

	def validate_numbers(self) -> None:
		"""Time and money are spent, never earned."""
		below = [field for field in ("minutes", "cost") if flt(self.get(field)) < 0]
		messages = [_("{0}: must not be negative").format(_(self.meta.get_label(field))) for field in below]
		filters.throw_faults(_("{0} {1}").format(_(self.doctype), self.name), messages)

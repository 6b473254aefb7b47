from __future__ import annotations

from frappe.model.document import Document


class ContactChannel(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		channel_name: DF.Data
		enabled: DF.Check
		minutes: DF.Int
		sends: DF.Literal["", "Email", "SMS"]
	# end: auto-generated types
	pass

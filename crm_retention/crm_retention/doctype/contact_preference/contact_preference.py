from __future__ import annotations

from frappe.model.document import Document


class ContactPreference(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		answer: DF.Literal["Yes", "No"]
		channel: DF.Link | None
		key: DF.Data | None
		nature: DF.Literal["", "Care", "Offer", "Greeting", "Notice", "Message"]
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		since: DF.Date | None
		source: DF.Data | None
	# end: auto-generated types
	pass

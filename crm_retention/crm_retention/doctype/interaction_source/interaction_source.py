from __future__ import annotations

from frappe.model.document import Document


class InteractionSource(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		captured: DF.Int
		channel: DF.Link | None
		channel_field: DF.Data | None
		contact_field: DF.Data | None
		date_field: DF.Data | None
		department: DF.Link | None
		direction: DF.Literal["", "In", "Out", "Internal"]
		direction_field: DF.Data | None
		document_type: DF.Link
		enabled: DF.Check
		filters_json: DF.Code | None
		handler: DF.Data | None
		interaction_kind: DF.Link
		is_standard: DF.Check
		last_error: DF.SmallText | None
		minutes: DF.Int
		minutes_field: DF.Data | None
		note_field: DF.Data | None
		only_submitted: DF.Check
		party_field: DF.Data | None
		party_type: DF.Literal["Customer", "Lead", "From Field"]
		party_type_field: DF.Data | None
		source_name: DF.Data
		subject_field: DF.Data | None
		swept_name: DF.Data | None
		swept_until: DF.Datetime | None
		user_field: DF.Data | None
	# end: auto-generated types
	pass

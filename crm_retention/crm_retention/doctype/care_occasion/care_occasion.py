from __future__ import annotations

from frappe.model.document import Document


class CareOccasion(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		country: DF.Link | None
		date_field: DF.Data | None
		day: DF.Int
		document_type: DF.Link | None
		enabled: DF.Check
		every_year: DF.Check
		holiday: DF.Data | None
		kind: DF.Literal["Fixed Date", "Lunar Date", "Public Holiday", "Date Field"]
		lead_days: DF.Int
		leap_day: DF.Literal["28 February", "1 March"]
		month: DF.Int
		note: DF.SmallText | None
		occasion_name: DF.Data
		party_field: DF.Data | None
	# end: auto-generated types
	pass

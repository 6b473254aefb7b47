from crm_retention.documents import BoundedDocument


class CustomerScorecardBand(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from_value: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		score: DF.Float
		signal: DF.Autocomplete
		to_value: DF.Data | None
	# end: auto-generated types
	pass

from crm_retention.documents import BoundedDocument


class CustomerScorecardCriterion(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		direction: DF.Literal["Higher", "Lower"]
		method: DF.Literal["Percentile", "Bands"]
		missing: DF.Literal["Skip", "Worst", "Neutral"]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		signal: DF.Autocomplete
		weight: DF.Float
	# end: auto-generated types
	pass

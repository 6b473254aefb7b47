from crm_retention.documents import BoundedDocument


class RetentionRunStep(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		rows: DF.Int
		seconds: DF.Float
		step: DF.Data | None
	# end: auto-generated types
	pass

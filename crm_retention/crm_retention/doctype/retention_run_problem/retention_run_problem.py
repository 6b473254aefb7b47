from crm_retention.documents import BoundedDocument


class RetentionRunProblem(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		field: DF.Data | None
		message: DF.SmallText | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		row: DF.Data | None
		table: DF.Data | None
	# end: auto-generated types
	pass

from __future__ import annotations

from crm_retention.documents import BoundedDocument


class RetentionCapacity(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		hours_per_week: DF.Float
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		touchpoints_per_day: DF.Data | None
		user: DF.Link
	# end: auto-generated types
	pass

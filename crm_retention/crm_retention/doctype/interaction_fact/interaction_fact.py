from __future__ import annotations

from crm_retention.documents import BoundedDocument


class InteractionFact(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		fact: DF.Literal[
			"channel",
			"department",
			"direction",
			"minutes",
			"note",
			"subject",
			"outcome",
			"sentiment",
			"contact",
		]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		refuse: DF.Check
	# end: auto-generated types
	pass

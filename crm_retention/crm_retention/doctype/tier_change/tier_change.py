from __future__ import annotations

import frappe

from crm_retention.documents import AppendOnly, UnknownNumbers
from crm_retention.setup.nullable import allow_unknown


class TierChange(AppendOnly, UnknownNumbers):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from_value: DF.Data | None
		health: DF.Float
		kind: DF.Literal["Tier", "Stage"]
		on_date: DF.Date
		party: DF.DynamicLink
		party_type: DF.Link
		reason: DF.Data | None
		rule_version: DF.Data | None
		run: DF.Link | None
		score: DF.Float
		to_value: DF.Data | None
	# end: auto-generated types
	pass


def on_doctype_update() -> None:
	allow_unknown("Tier Change")
	frappe.db.add_unique("Tier Change", ["run", "party_type", "party", "kind"], "one_change_a_run")
	frappe.db.add_index("Tier Change", ["party_type", "party"], "party_index")

from __future__ import annotations

import frappe

from crm_retention.documents import BoundedDocument


class ContactStop(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		action: DF.Literal["Postpone", "Drop"]
		channel: DF.Link | None
		key: DF.Data | None
		on_date: DF.Date | None
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		rule: DF.Link
		run: DF.Link | None
		stage: DF.Literal["Creating", "Sending"]
		touchpoint: DF.Link | None
		touchpoint_type: DF.Link | None
	# end: auto-generated types
	pass


def on_doctype_update() -> None:
	frappe.db.add_index("Contact Stop", ["party_type", "party", "on_date"], "party_index")

from __future__ import annotations

from frappe.model.document import Document


class InteractionLog(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		attachment: DF.Attach | None
		channel: DF.Link | None
		contact: DF.Link | None
		cost: DF.Currency
		department: DF.Link | None
		direction: DF.Literal["", "In", "Out", "Internal"]
		kind: DF.Link
		latitude: DF.Float
		longitude: DF.Float
		minutes: DF.Int
		note: DF.Text | None
		occurred_on: DF.Datetime
		outcome: DF.Literal["", "Reached", "Not Reached", "Interested", "Declined", "Problem Raised", "Resolved", "Ordered"]
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		reference_doctype: DF.Link | None
		reference_key: DF.Data | None
		reference_name: DF.DynamicLink | None
		request_id: DF.Data | None
		sentiment: DF.Literal["", "Positive", "Neutral", "Negative"]
		source: DF.Link | None
		subject: DF.Data | None
		supersedes: DF.Link | None
		touchpoint: DF.Link | None
		user: DF.Link | None
	# end: auto-generated types
	pass

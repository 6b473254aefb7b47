from __future__ import annotations

from frappe.model.document import Document


class Touchpoint(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		assigned_to: DF.Link | None
		channel: DF.Link | None
		communication: DF.Link | None
		completed_by: DF.Link | None
		completed_on: DF.Datetime | None
		cost: DF.Currency
		department: DF.Link | None
		due_date: DF.Date
		duration: DF.Int
		email_template: DF.Link | None
		escalated_on: DF.Datetime | None
		event: DF.Link | None
		instructions: DF.SmallText | None
		interaction: DF.Link | None
		is_promise: DF.Check
		location: DF.Data | None
		message_error: DF.SmallText | None
		message_status: DF.Literal["", "Due", "Sending", "Sent", "Failed", "Stopped"]
		minutes: DF.Int
		note: DF.Text | None
		occurrence: DF.Date | None
		occurrence_key: DF.Data | None
		open_key: DF.Data | None
		outcome: DF.Literal["", "Reached", "Not Reached", "Interested", "Declined", "Problem Raised", "Resolved", "Ordered"]
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		plan: DF.Link | None
		plan_family: DF.Data | None
		priority: DF.Int
		reason: DF.SmallText | None
		reminded_on: DF.Date | None
		request_id: DF.Data | None
		rule: DF.Link | None
		run: DF.Link | None
		send_by_itself: DF.Check
		service_date: DF.Date | None
		sms_text: DF.SmallText | None
		starts_at: DF.Datetime | None
		status: DF.Literal["Open", "Done", "Skipped", "Missed", "Waiting", "Suppressed", "Cancelled"]
		step_key: DF.Data | None
		step_name: DF.Data | None
		tier: DF.Link | None
		times_rescheduled: DF.Int
		title: DF.Data | None
		touchpoint_type: DF.Link
		version_number: DF.Int
		why: DF.Data | None
	# end: auto-generated types
	pass

from __future__ import annotations

from typing import Any

import frappe

from crm_retention.care import meetings, rules, text_checks, todos
from crm_retention.care.completion import finish
from crm_retention.documents import BoundedDocument


class Touchpoint(BoundedDocument):
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
		next_date: DF.Date | None
		next_step: DF.Data | None
		note: DF.Text | None
		occurrence: DF.Date | None
		occurrence_key: DF.Data | None
		open_key: DF.Data | None
		outcome: DF.Literal[
			"", "Reached", "Not Reached", "Interested", "Declined", "Problem Raised", "Resolved", "Ordered"
		]
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		plan: DF.Link | None
		plan_family: DF.Data | None
		priority: DF.Int
		reason: DF.SmallText | None
		reminded_on: DF.Date | None
		request_fingerprint: DF.Data | None
		request_id: DF.Data | None
		rule: DF.Link | None
		run: DF.Link | None
		send_after: DF.Datetime | None
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
	def _validate_links(self) -> None:
		"""Before Frappe says of a name that is sent whether it is there: what only the app names is not looked for."""
		if self.is_new():
			rules.keep_to_the_app(self)
		elif before := self.get_doc_before_save():
			rules.restore_computed(self, before)
		super()._validate_links()

	def before_insert(self) -> None:
		rules.set_defaults(self)

	def validate(self) -> None:
		before = self.get_doc_before_save()
		rules.set_facts(self)
		rules.validate_request(self, before)
		text_checks.validate_touchpoint(self)
		if before is None:
			rules.validate_new(self)
			return
		rules.validate_may_act(before, self.flags.ignore_permissions)
		rules.restore_computed(self, before)
		if before.status in rules.ENDED:
			rules.validate_unchanged(self, before)
		elif self.status == before.status:
			rules.validate_open(self, before)
		else:
			rules.end(self, before)

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		if before and before.status in rules.ENDED:
			return
		if self.status in rules.ENDED:
			finish(self)
		todos.keep_in_step(self)
		meetings.keep_in_step(self)

	def on_trash(self) -> None:
		rules.validate_may_delete(self)
		todos.delete(self.name)
		meetings.cancel(self)


def on_doctype_update() -> None:
	frappe.db.add_index("Touchpoint", ["party_type", "party", "status"], "party_index")

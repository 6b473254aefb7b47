from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention import filters
from crm_retention.documents import BoundedDocument


class ContactChannel(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		channel_name: DF.Data
		enabled: DF.Check
		minutes: DF.Int
		sends: DF.Literal["", "Email", "SMS"]

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_minutes()
		self.validate_use()

	def validate_minutes(self) -> None:
		if cint(self.minutes) < 0:
			self.throw_field("minutes", _("must not be negative"))

	def validate_use(self) -> None:
		"""A running plan that sends through this channel goes on sending."""
		if self.is_new() or not self.has_value_changed("sends"):
			return
		sending = {"channel": self.name, "send_by_itself": 1, "docstatus": 1}
		plans = frappe.get_all("Maintenance Plan Step", filters=sending, pluck="parent", distinct=True)
		running = {"name": ("in", plans), "status": ("in", ("Active", "Paused"))}
		names = frappe.get_all("Maintenance Plan", filters=running, pluck="name") if plans else []
		if names:
			self.throw_field("sends", _("these plans send through it: {0}").format(", ".join(sorted(names))))

	def throw_field(self, field: str, message: str) -> None:
		line = _("{0}: {1}").format(_(self.meta.get_label(field)), message)
		filters.throw_faults(_("{0} {1}").format(_(self.doctype), self.name), [line])

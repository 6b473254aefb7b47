"""Rows of a plan: they change with their plan, and with a plan in use not at all."""

from __future__ import annotations

import frappe
from frappe import _

from crm_retention.documents import BoundedDocument


class PlanRow(BoundedDocument):
	"""A step, goal or target. Saved by itself, as REST allows, it would get round the rules of its plan."""

	def validate(self) -> None:
		self.throw_in_use()

	def before_update_after_submit(self) -> None:
		self.throw_in_use()

	def before_cancel(self) -> None:
		self.throw_in_use()

	def on_trash(self) -> None:
		self.throw_in_use()

	def throw_in_use(self) -> None:
		if frappe.db.get_value(self.parenttype, self.parent, "docstatus"):
			message = _("{0} is in use: a change to it is a new version.").format(self.parent)
			frappe.throw(message, frappe.UpdateAfterSubmitError)

"""Texts that were stored when texts could still run code: what does not fit is held back and reported."""

import frappe
from frappe import _

from crm_retention.care import text_checks


def execute() -> None:
	frappe.db.auto_commit_on_many_writes = True  # there may be more than one transaction takes
	held, lines = text_checks.hold_back_stored(), text_checks.comment_on_plans()
	if held or lines:
		count = _("{0} messages are held back.").format(len(held))
		frappe.log_error(title=_("Texts that cannot be sent"), message="\n".join([count, *lines, *held]))

"""What a preview found and what an error said are searched by nobody: stored runs are sealed as new ones are."""

import frappe

from crm_retention.crm_retention.doctype.retention_run.retention_run import SEALED
from crm_retention.sealed import PREFIX, seal


def execute() -> None:
	for field in SEALED:
		open_ones = [[field, "is", "set"], [field, "not like", f"{PREFIX}%"]]
		for name in frappe.get_all("Retention Run", filters=open_ones, pluck="name", limit=0):
			text = frappe.db.get_value("Retention Run", name, field)
			frappe.db.set_value("Retention Run", name, field, seal(text), update_modified=False)

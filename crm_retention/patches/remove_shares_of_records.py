"""Records of a party are not shared by themselves any more: what was shared would outlast the permission on the party."""

import frappe

from crm_retention.records import RECORDS


def execute() -> None:
	frappe.db.delete("DocShare", {"share_doctype": ("in", RECORDS)})

"""The Workflow that plans go through where an admin switches it on, and how it goes again."""

from __future__ import annotations

from typing import Any

import frappe

NAME = "Maintenance Plan Approval"
STATE, ACTION = "Withdrawn", "Withdraw"  # the others are the platform's own

STATES = (
	{"state": "Pending", "doc_status": "0", "allow_edit": "Retention User"},
	{"state": "Rejected", "doc_status": "0", "allow_edit": "Retention User"},
	{"state": "Approved", "doc_status": "1", "allow_edit": "Retention Manager"},
	{"state": STATE, "doc_status": "2", "allow_edit": "Retention Manager"},
)
TRANSITIONS = (
	# whoever wrote a plan does not approve it
	{
		"state": "Pending",
		"action": "Approve",
		"next_state": "Approved",
		"allowed": "Retention Manager",
		"allow_self_approval": 0,
	},
	{"state": "Pending", "action": "Reject", "next_state": "Rejected", "allowed": "Retention Manager"},
	{"state": "Rejected", "action": "Review", "next_state": "Pending", "allowed": "Retention User"},
	{"state": "Approved", "action": ACTION, "next_state": STATE, "allowed": "Retention Manager"},
)


def get_docs() -> list[dict[str, Any]]:
	"""The inactive Workflow, after the states and actions that it names."""
	states = {row["state"] for row in STATES}
	actions = {row["action"] for row in TRANSITIONS}
	docs = [{"doctype": "Workflow State", "workflow_state_name": name} for name in sorted(states)]
	docs += [{"doctype": "Workflow Action Master", "workflow_action_name": name} for name in sorted(actions)]
	return [
		*docs,
		{
			"doctype": "Workflow",
			"workflow_name": NAME,
			"document_type": "Maintenance Plan",
			"is_active": 0,
			"workflow_state_field": "workflow_state",
			"states": [dict(row) for row in STATES],
			"transitions": [dict(row) for row in TRANSITIONS],
		},
	]


def delete_workflows() -> None:
	"""Delete every workflow over plans, with the state and action that nothing else uses."""
	for name in frappe.get_all("Workflow", {"document_type": "Maintenance Plan"}, pluck="name"):
		frappe.delete_doc("Workflow", name, force=True, ignore_permissions=True)
	frappe.db.delete("Workflow Action", {"reference_doctype": "Maintenance Plan"})
	if not frappe.db.exists("Workflow Document State", {"state": STATE}):
		frappe.db.delete("Workflow State", {"name": STATE})
	if not frappe.db.exists("Workflow Transition", {"action": ACTION}):
		frappe.db.delete("Workflow Action Master", {"name": ACTION})

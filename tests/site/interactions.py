"""What tests of the Interaction Log share: sweeps that leave the transaction to the test, and rows in few words."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import now_datetime

from crm_retention.capture.sweep import get_enabled_sources, read_batches


def capture(everything: bool = False, *names: str) -> int:
	"""All sources, or these, swept without a commit; returns the rows logged."""
	return sum(sum(read_batches(name, everything)) for name in names or get_enabled_sources())


def get_log(party: str, *fields: str, **filters: Any) -> list[Any]:
	"""The log of a party by date: dictionaries, or single values for one field."""
	return frappe.get_all(
		"Interaction Log",
		filters={"party": party, **filters},
		fields=list(fields) or ["*"],
		order_by="occurred_on, reference_key",
		pluck=fields[0] if len(fields) == 1 else None,
		limit=0,
	)


def make_row(party: str, kind: str = "Call", **values: Any) -> Any:
	"""A row as a person enters it, not inserted."""
	given = {"party_type": "Customer", "party": party, "kind": kind, "occurred_on": now_datetime()}
	return frappe.get_doc({"doctype": "Interaction Log", **given, **values})


def make_touchpoint(party: str, **values: Any) -> Any:
	"""An open touchpoint as the nightly run leaves it, inserted past its own rules."""
	given = {"party_type": "Customer", "party": party, "touchpoint_type": get_type(), "status": "Open"}
	given |= {"due_date": frappe.utils.nowdate(), "channel": "Phone", "name": frappe.generate_hash(length=10)}
	doc = frappe.get_doc({"doctype": "Touchpoint", **given, **values})
	doc.db_insert()
	return doc


def get_type(name: str = "Check In", kind: str | None = "Call") -> str:
	"""A touchpoint type of its own."""
	if not frappe.db.exists("Touchpoint Type", name):
		values = {"type_name": name, "nature": "Care", "interaction_kind": kind}
		frappe.get_doc({"doctype": "Touchpoint Type", **values}).insert(ignore_permissions=True)
	return name

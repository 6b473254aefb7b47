"""The field of Retention Profile that holds the value of a Retention Signal."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe.model.utils.rename_field import rename_field

from crm_retention.setup.columns import drop_column
from crm_retention.setup.nullable import allow_unknown

PROFILE = "Retention Profile"
ANCHOR = "custom_signals_section"


def get_fieldtype(signal: Any) -> str:
	"""Int for counts, Float for sums and averages, otherwise what the value itself is."""
	if signal.aggregate == "Count":
		return "Int"
	if signal.aggregate in ("Sum", "Average"):
		return "Float"
	kind = frappe.get_meta(signal.source_doctype).get_field(signal.value_field).fieldtype
	if kind in ("Date", "Datetime"):
		return "Date"
	if kind in ("Int", "Check"):
		return "Int"
	return "Float" if kind in ("Float", "Currency", "Percent", "Rating", "Duration") else "Data"


def get_definition(signal: Any) -> dict[str, Any]:
	"""The custom field of a signal."""
	kind = get_fieldtype(signal)
	return {
		"fieldname": signal.signal_name,
		"fieldtype": kind,
		"label": signal.label,
		"description": signal.description or signal.unit or "",
		"insert_after": ANCHOR,
		"read_only": 1,
		"no_copy": 1,
		"module": "CRM Retention",
		"default": "0" if kind == "Float" else None,
	}


def get_name(signal_name: str) -> str | None:
	"""The name of a signal's Custom Field, or None."""
	return frappe.db.get_value("Custom Field", {"dt": PROFILE, "fieldname": signal_name})


def is_own(fieldname: str, signal: str | None) -> bool:
	"""Whether the field of this name on the profile is the signal's own."""
	return fieldname == signal and bool(get_name(fieldname))


def sync(signal: Any) -> None:
	"""Create the field, or bring it up to date. A value of another kind gets a new column."""
	wanted = get_definition(signal)
	name = get_name(signal.signal_name)
	if name:
		field = frappe.get_doc("Custom Field", name)
		if field.fieldtype == wanted["fieldtype"]:
			update(field, wanted)
			return
		delete(signal.signal_name)
	insert(wanted)
	allow_unknown(PROFILE)


def insert(wanted: dict[str, Any]) -> None:
	"""Make the custom field: whoever may make the signal makes the field that holds it, and no other."""
	given = {"doctype": "Custom Field", "dt": PROFILE, "permlevel": 0, "is_system_generated": 1}
	field = frappe.get_doc(given | wanted)
	field.flags.ignore_validate = True
	field.insert(ignore_permissions=True)


def update(field: Any, wanted: dict[str, Any]) -> None:
	"""Save the custom field if something is different."""
	keys = ("label", "description")
	if any((field.get(key) or "") != (wanted[key] or "") for key in keys):
		field.update({key: wanted[key] for key in keys})
		field.flags.ignore_permissions = True
		field.save()


def rename(old: str, new: str) -> None:
	"""Move the values to a field of the new name, and put it into the rules that use it."""
	frappe.db.set_value("Retention Signal", new, "signal_name", new, update_modified=False)
	sync(frappe.get_doc("Retention Signal", new))
	if get_name(old):
		rename_field(PROFILE, old, new, validate=False)
		delete(old)
	for doctype in ("Customer Scorecard Criterion", "Customer Scorecard Band"):
		frappe.db.set_value(doctype, {"signal": old}, "signal", new, update_modified=False)
	for doctype in ("Customer Tier", "Lifecycle Stage"):
		_rename_in_conditions(doctype, old, new)


def _rename_in_conditions(doctype: str, old: str, new: str) -> None:
	for row in frappe.get_all(doctype, fields=["name", "signal_conditions_json"]):
		rules = json.loads(row.signal_conditions_json or "[]")
		changed = [[of, new if field == old else field, *rest] for of, field, *rest in rules]
		if changed != rules:
			frappe.db.set_value(
				doctype, row.name, "signal_conditions_json", json.dumps(changed), update_modified=False
			)


def delete(signal_name: str) -> None:
	"""Delete the custom field and its column."""
	name = get_name(signal_name)
	if not name:
		return
	frappe.delete_doc("Custom Field", name, force=True, ignore_permissions=True)
	drop_column(PROFILE, signal_name)
	frappe.clear_cache(doctype=PROFILE)

"""A party is a Customer or a Lead; its profile and all that was recorded of it follow it when it is renamed, merged or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.model.rename_doc import rename_doc
from frappe.utils import nowdate

if TYPE_CHECKING:
	from frappe.model.document import Document

PARTY_TYPES = ("Customer", "Lead")
COMPUTED_FIELDS = ("retention_tier", "retention_stage")
NAME_FIELDS = {"Customer": "customer_name", "Lead": "lead_name"}
# records that carry party_type and party, and their unique keys that end in the party's
CARRIED: dict[str, tuple[str, ...]] = {
	"Tier Change": (),
	"Interaction Log": ("reference_key",),
	"Touchpoint": ("occurrence_key", "open_key"),
	"Plan Enrollment": ("open_key",),
	"Contact Preference": ("key",),
	"Contact Stop": ("key",),
}


def profile_name(party_type: str, party: str) -> str:
	"""The name of a party's Retention Profile, and its key in the engine: unique over all kinds of party."""
	return party if party_type == "Customer" else f"{party_type}: {party}"


def get_party_name(party_type: str, party: str) -> str:
	"""What people call a party; its key where it has no name."""
	return frappe.db.get_value(party_type, party, NAME_FIELDS[party_type]) or party


def before_party_rename(doc: Document, _method: str, old: str, new: str, merge: bool = False) -> None:
	"""Merging keeps the surviving party's profile and plans, and carries over what the other one did and was promised."""
	if merge:
		delete_profile(doc.doctype, old)
		end_plans(doc.doctype, old, new)
		keep_stricter_preferences(doc.doctype, old, new)
		move_records(doc.doctype, old, new)


def after_party_rename(doc: Document, _method: str, old: str, new: str, merge: bool = False) -> None:
	"""Profile and records go by the new name, whoever renames and whatever Frappe's map of links knew."""
	if merge:
		return
	move_records(doc.doctype, old, new)
	profile = frappe.qb.DocType("Retention Profile")
	of_party = (profile.party_type == doc.doctype) & (profile.party == old)
	frappe.qb.update(profile).set(profile.party, new).where(of_party).run()
	before, after = profile_name(doc.doctype, old), profile_name(doc.doctype, new)
	if frappe.db.exists("Retention Profile", before):
		rename_doc("Retention Profile", before, after, force=True, ignore_permissions=True, show_alert=False)


def keep_computed_fields(doc: Document, _method: str | None = None) -> None:
	"""Only the cycle sets tier and stage: a form that was open while it ran, or an import, does not undo it."""
	stored = doc.get_doc_before_save()
	for field in COMPUTED_FIELDS:
		doc.set(field, stored.get(field) if stored else None)


def on_party_trash(doc: Document, _method: str | None = None) -> None:
	"""Leaves nothing of a deleted party behind."""
	delete_party_records(doc.doctype, doc.name)


def delete_party_records(party_type: str, party: str) -> None:
	"""Deletes a party's profile and everything recorded of it."""
	of_party = {"party_type": party_type, "party": party}
	touchpoints = frappe.get_all("Touchpoint", filters=of_party, pluck="name", limit=0)
	frappe.db.delete("ToDo", {"reference_type": "Touchpoint", "reference_name": ("in", touchpoints or [""])})
	for doctype in CARRIED:
		frappe.db.delete(doctype, of_party)
	delete_profile(party_type, party)


def delete_profile(party_type: str, party: str) -> None:
	"""Deletes a party's profile with the history of its tiers."""
	frappe.db.delete("Tier Change", {"party_type": party_type, "party": party})
	for name in frappe.get_all("Retention Profile", {"party_type": party_type, "party": party}, pluck="name"):
		frappe.delete_doc(
			"Retention Profile", name, force=True, ignore_permissions=True, delete_permanently=True
		)


def end_plans(party_type: str, old: str, new: str) -> None:
	"""The merged party leaves its plans and what they scheduled is cancelled: the survivor has its own.

	What people promised or planned by hand stays open and is carried over. What is cancelled gives up its
	occurrence, so that the survivor's plan may create it.
	"""
	of_party = {"party_type": party_type, "party": old}
	reason = _("Merged into {0}").format(new)
	planned = of_party | {"open_key": ("is", "set"), "status": ("in", ("Open", "Waiting"))}
	names = frappe.get_all("Touchpoint", filters=planned, pluck="name", limit=0)
	cancelled = {"status": "Cancelled", "open_key": None, "occurrence_key": None, "reason": reason}
	for name in names:
		frappe.db.set_value("Touchpoint", name, cancelled | {"_assign": None})
	todos = {"reference_type": "Touchpoint", "reference_name": ("in", names or [""]), "status": "Open"}
	frappe.db.set_value("ToDo", todos, "status", "Closed")
	left = {"open_key": None, "to_date": nowdate(), "ended_why": reason[:140]}
	for name in frappe.get_all("Plan Enrollment", of_party | {"open_key": ("is", "set")}, pluck="name"):
		frappe.db.set_value("Plan Enrollment", name, left)


def keep_stricter_preferences(party_type: str, old: str, new: str) -> None:
	"""Where both parties have answered the same question, a No of either stands."""
	ending = (f"|{profile_name(party_type, old)}", f"|{profile_name(party_type, new)}")
	fields = ["name", "key", "answer"]
	mine = frappe.get_all("Contact Preference", {"party_type": party_type, "party": new}, fields)
	kept = {strip(row.key, ending[1]): row for row in mine}
	for row in frappe.get_all("Contact Preference", {"party_type": party_type, "party": old}, fields):
		other = kept.get(strip(row.key, ending[0]))
		if other:
			loser = other if row.answer == "No" and other.answer == "Yes" else row
			frappe.db.delete("Contact Preference", {"name": loser.name})


def strip(key: str | None, ending: str) -> str | None:
	"""A key without the party at its end."""
	return key[: -len(ending)] if key and key.endswith(ending) else key


def move_records(party_type: str, old: str, new: str) -> None:
	"""Everything recorded of a party goes by its new name, the ends of its keys too."""
	for doctype, keys in CARRIED.items():
		for field in keys:
			rewrite_keys(doctype, field, party_type, old, new)
		table = frappe.qb.DocType(doctype)
		of_party = (table.party_type == party_type) & (table.party == old)
		query = frappe.qb.update(table).set(table.party, new)
		if doctype != "Tier Change":
			query = query.set(table.party_name, get_new_name(party_type, old, new))
		query.where(of_party).run()


def get_new_name(party_type: str, old: str, new: str) -> str:
	"""The name that people know the party by, whether it stands under its old key or its new one."""
	known = new if frappe.db.exists(party_type, new) else old
	return get_party_name(party_type, known)


def rewrite_keys(doctype: str, field: str, party_type: str, old: str, new: str) -> None:
	"""Replace the party at the end of unique keys; a key that the other party has already is given up."""
	before, after = (f"|{profile_name(party_type, name)}" for name in (old, new))
	# Frappe may have renamed the party in these rows already
	of_party = {"party_type": party_type, "party": ("in", (old, new)), field: ("is", "set")}
	for row in frappe.get_all(doctype, filters=of_party, fields=["name", field], limit=0):
		key = row[field]
		if not key.endswith(before):
			continue
		wanted: Any = strip(key, before) + after
		taken = wanted.lower() != key.lower() and frappe.db.get_value(doctype, {field: wanted})
		if taken:
			wanted = None
			give_up(doctype, row.name, taken)
		frappe.db.set_value(doctype, row.name, {field: wanted}, update_modified=False)


def give_up(doctype: str, name: str, other: str) -> None:
	"""The same interaction was logged for both parties: it is one, so the survivor's row takes the other's place."""
	if doctype != "Interaction Log" or frappe.db.exists(doctype, {"supersedes": name}):
		return
	if not frappe.db.get_value(doctype, other, "supersedes"):
		frappe.db.set_value(doctype, other, "supersedes", name, update_modified=False)

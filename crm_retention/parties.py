"""A party is a Customer or a Lead; its profile and all that was recorded of it follow it when it is renamed or merged."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.model.rename_doc import rename_doc
from frappe.query_builder.functions import Coalesce
from frappe.utils import nowdate

from crm_retention.newest import get_newest_names

if TYPE_CHECKING:
	from frappe.model.document import Document

PARTY_TYPES = ("Customer", "Lead")
COMPUTED_FIELDS = ("retention_tier", "retention_stage")
NAME_FIELDS = {"Customer": "customer_name", "Lead": "lead_name"}
LEAD_PREFIX = "Lead: "
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
	"""The name of a party's Retention Profile, and its key in the engine.

	Unique over all kinds of party, because no customer is given a name that begins like a lead's key.
	"""
	return party if party_type == "Customer" else f"{party_type}: {party}"


def validate_customer_name(doc: Document, _method: str | None = None) -> None:
	"""Raises ValidationError for a new customer whose name is like the key of a lead."""
	if doc.is_new():
		refuse_key_of_lead(doc.name)


def refuse_key_of_lead(name: str | None) -> None:
	"""Raises ValidationError for a customer's name that databases could take for the key of a lead."""
	if is_like_key_of_lead(name or ""):
		message = _("{0}: a customer is not called so, because leads go by names that begin with {1}.")
		frappe.throw(message.format(frappe.utils.escape_html(name), LEAD_PREFIX.strip()))


def is_like_key_of_lead(name: str) -> bool:
	"""Whether a name begins like a lead's key to a database, which sees no case, accents, widths and control characters."""
	plain = unicodedata.normalize("NFKD", name)
	seen = "".join(char for char in plain if unicodedata.category(char)[0] not in "MC")
	return seen.casefold().lstrip().startswith(LEAD_PREFIX.casefold())


def get_party_name(party_type: str, party: str) -> str:
	"""What people call a party; its key where it has no name."""
	return frappe.db.get_value(party_type, party, NAME_FIELDS[party_type]) or party


def before_party_rename(doc: Document, _method: str, old: str, new: str, merge: bool = False) -> None:
	"""Merging keeps the surviving party's profile and plans, and carries over what the other one did and was promised."""
	if doc.doctype == "Customer" and not merge:
		refuse_key_of_lead(new)
	if merge:
		delete_profile(doc.doctype, old)
		end_plans(doc.doctype, old, _("Merged into {0}").format(new), give_up_occurrence=True)
		keep_stricter_preferences(doc.doctype, old, new)
		part_changes_of_one_run(doc.doctype, old, new)
		move_records(doc.doctype, old, new, merged=True)


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


def delete_profile(party_type: str, party: str) -> None:
	"""Deletes a party's profile, which is computed; the history of its tiers stays."""
	for name in frappe.get_all("Retention Profile", {"party_type": party_type, "party": party}, pluck="name"):
		frappe.delete_doc(
			"Retention Profile", name, force=True, ignore_permissions=True, delete_permanently=True
		)


def end_plans(party_type: str, party: str, reason: str, give_up_occurrence: bool = False) -> None:
	"""The party leaves its plans, and what they scheduled is cancelled.

	What people promised or planned by hand stays open. Where the party is merged, what is cancelled gives up its
	occurrence, so that the plan of the survivor may create it: nobody has acted on it yet.
	"""
	of_party = {"party_type": party_type, "party": party}
	planned = of_party | {"open_key": ("is", "set"), "status": ("in", ("Open", "Waiting"))}
	names = get_newest_names("Touchpoint", planned)
	cancel_touchpoints(names, reason, {"occurrence_key": None} if give_up_occurrence else {})
	left = {"open_key": None, "to_date": nowdate(), "ended_why": reason[:140]}
	for name in get_newest_names("Plan Enrollment", of_party | {"open_key": ("is", "set")}):
		frappe.db.set_value("Plan Enrollment", name, left)


def cancel_touchpoints(names: list[str], reason: str, values: dict[str, Any]) -> None:
	"""Cancel touchpoints without asking their people, and close their to-dos."""
	cancelled = {"status": "Cancelled", "open_key": None, "reason": reason, "_assign": None} | values
	for name in names:
		frappe.db.set_value("Touchpoint", name, cancelled)
	todos = {"reference_type": "Touchpoint", "reference_name": ("in", names or [""]), "status": "Open"}
	frappe.db.set_value("ToDo", todos, "status", "Closed")


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


def part_changes_of_one_run(party_type: str, old: str, new: str) -> None:
	"""One run has one change of a kind a party: where both parties have one, the other's names its run no more."""
	mine = frappe.get_all(
		"Tier Change",
		{"party_type": party_type, "party": new, "run": ("is", "set")},
		["run", "kind"],
		as_list=True,
	)
	for run, kind in mine:
		other = {"party_type": party_type, "party": old, "run": run, "kind": kind}
		frappe.db.set_value("Tier Change", other, "run", None, update_modified=False)


def move_records(party_type: str, old: str, new: str, merged: bool = False) -> None:
	"""Everything recorded of a party goes by its new name, the ends of its keys too.

	What happened with a party that is merged goes on saying whose it was: ``party_name`` stays.
	"""
	name, name_before = get_new_name(party_type, old, new), merged and get_party_name(party_type, old)
	for doctype, keys in CARRIED.items():
		for field in keys:
			rewrite_keys(doctype, field, party_type, old, new)
		table = frappe.qb.DocType(doctype)
		of_party = (table.party_type == party_type) & (table.party == old) & (table.docstatus < 2)
		if merged:
			unnamed = of_party & (Coalesce(table.party_name, "") == "")
			frappe.qb.update(table).set(table.party_name, name_before).where(unnamed).run()
		current = get_current(doctype, table, merged)
		if current is not None:
			frappe.qb.update(table).set(table.party_name, name).where(of_party & current).run()
		frappe.qb.update(table).set(table.party, new).where(of_party).run()


def get_current(doctype: str, table: Any, merged: bool) -> Any:
	"""Which rows say the name that the party has now; None for none. History names a merged party as it was."""
	if doctype == "Tier Change":
		return None
	if not merged or doctype == "Contact Preference":
		return table.name.isnotnull()
	return table.status.isin(["Open", "Waiting"]) if doctype == "Touchpoint" else None


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

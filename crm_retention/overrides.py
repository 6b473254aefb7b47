"""A tier or stage set by hand: in force from the moment it is saved, on record, and lifted the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frappe
from frappe.utils import getdate, nowdate

if TYPE_CHECKING:
	from frappe.model.document import Document

KINDS = ("tier", "stage")


def set_overridden(profile: Document, before: Any) -> None:
	"""Mutate a profile that is being saved: what is set by hand is in force; a lifted tier is the candidate's.

	A lifted stage stays until the next run, which decides it. Taking away what had expired changes nothing.
	"""
	for kind in KINDS:
		field = f"override_{kind}"
		wanted = profile.get(field)
		if wanted:
			put(profile, before, kind, wanted, "override")
		elif before and before.get(field) and kind == "tier" and before.tier_reason == "override":
			lift_tier(profile, before)


def put(profile: Document, before: Any, kind: str, value: str | None, reason: str) -> None:
	"""Set tier or stage as of today, with what was true until yesterday as the previous one."""
	today = getdate(nowdate())
	if (before.get(kind) if before else None) == value:
		profile.set(f"{kind}_reason", reason)
		return
	since = getdate(before.get(f"{kind}_since")) if before and before.get(f"{kind}_since") else None
	if since is None or since < today:
		profile.set(f"previous_{kind}", before.get(kind) if before else None)
		profile.set(f"previous_{kind}_since", since)
	set_value(profile, kind, value, reason)


def lift_tier(profile: Document, before: Any) -> None:
	"""Set the candidate's tier as of today. The previous tier stays that of before the decision, so that what
	holds a tier against flapping does not hold the decided one in a further run of today.
	"""
	if profile.candidate_tier == before.tier:
		profile.tier_reason = "override lifted"
	else:
		set_value(profile, "tier", profile.candidate_tier, "override lifted")


def set_value(profile: Document, kind: str, value: str | None, reason: str) -> None:
	"""Set tier or stage as of today."""
	profile.set(kind, value)
	profile.set(f"{kind}_since", getdate(nowdate()))
	profile.set(f"{kind}_reason", reason)
	if kind == "tier":
		profile.tier_rank = frappe.db.get_value("Customer Tier", value, "rank") if value else None


def record_changes(profile: Document, before: Any) -> None:
	"""A Tier Change for each of tier and stage that this save changed, and the fields on the Customer."""
	for kind in KINDS:
		was = before.get(kind) if before else None
		if profile.get(kind) != was:
			change = frappe.new_doc("Tier Change")
			change.update(
				{
					"party_type": profile.party_type,
					"party": profile.party,
					"on_date": nowdate(),
					"kind": kind.capitalize(),
					"from_value": was,
					"to_value": profile.get(kind),
					"reason": profile.get(f"{kind}_reason"),
					"score": profile.score,
					"health": profile.health,
					"rule_version": profile.rule_version,
				}
			)
			change.flags.by_app = True
			change.insert(ignore_permissions=True)
	if profile.party_type == "Customer":
		values = {f"retention_{kind}": profile.get(kind) for kind in KINDS}
		frappe.db.set_value("Customer", profile.party, values, update_modified=False)

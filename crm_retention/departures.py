"""What is left of a party that is deleted: what happened with it stays on record with its name, and its plans end.

Rows of the past say ``party_deleted``. They are for managers alone, whoever is called the same later gets none of
them, and they go with a Personal Data Deletion Request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.query_builder.functions import Coalesce
from frappe.utils import now_datetime

from crm_retention.newest import get_newest_names
from crm_retention.parties import cancel_touchpoints, delete_profile, end_plans, get_party_name

if TYPE_CHECKING:
	from frappe.model.document import Document

HISTORY = ("Contact Stop", "Interaction Log", "Plan Enrollment", "Tier Change", "Touchpoint")


def on_party_trash(doc: Document, _method: str | None = None) -> None:
	"""End what is planned for a party, keep what happened, and forget what was computed of it."""
	end_party_records(doc.doctype, doc.name)


def end_party_records(party_type: str, party: str) -> None:
	"""End what is planned for a party, mark its history, and delete its profile and wishes about contact."""
	end_care(party_type, party, _("{0} was deleted").format(get_party_name(party_type, party)))
	for doctype in HISTORY:
		mark(doctype, party_type, party)
	frappe.db.delete("Contact Preference", {"party_type": party_type, "party": party})


def end_care(party_type: str, party: str, reason: str) -> None:
	"""End a party's plans and all that is still to be done for it, and delete what was computed of it."""
	end_plans(party_type, party, reason)
	still = {"party_type": party_type, "party": party, "status": ("in", ("Open", "Waiting"))}
	cancel_touchpoints(get_newest_names("Touchpoint", still), reason, {})
	delete_profile(party_type, party)


def mark(doctype: str, party_type: str, party: str) -> None:
	"""Rows of a party from now on say that it was deleted, and what it was called.

	Cancelled, because Frappe deletes no document that rows which are not cancelled link to.
	"""
	table = frappe.qb.DocType(doctype)
	name = get_party_name(party_type, party)
	of_party = (table.party_type == party_type) & (table.party == party) & (table.party_deleted == 0)
	unnamed = of_party & (Coalesce(table.party_name, "") == "")
	frappe.qb.update(table).set(table.party_name, name).where(unnamed).run()
	query = frappe.qb.update(table).set(table.party_deleted, 1).set(table.docstatus, 2)
	query.set(table.modified, now_datetime()).where(of_party).run()

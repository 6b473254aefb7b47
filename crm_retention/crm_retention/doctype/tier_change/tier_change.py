from __future__ import annotations

import frappe

from crm_retention.documents import AppendOnly, UnknownNumbers
from crm_retention.setup.nullable import allow_unknown


class TierChange(AppendOnly, UnknownNumbers):
	pass


def on_doctype_update() -> None:
	allow_unknown("Tier Change")
	frappe.db.add_unique("Tier Change", ["run", "party_type", "party", "kind"], "one_change_a_run")
	frappe.db.add_index("Tier Change", ["party_type", "party"], "party_index")

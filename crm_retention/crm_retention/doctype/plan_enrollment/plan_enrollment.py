from __future__ import annotations

import frappe

from crm_retention.documents import BoundedDocument


class PlanEnrollment(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		arm: DF.Literal["Treated", "Holdout"]
		clock_start: DF.Date | None
		ended_why: DF.Data | None
		from_date: DF.Date | None
		next_plan: DF.Link | None
		open_key: DF.Data | None
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		phase: DF.Float
		plan: DF.Link
		plan_family: DF.Data | None
		run: DF.Link | None
		spread: DF.Check
		to_date: DF.Date | None
		version_number: DF.Int
		why: DF.Data | None
	# end: auto-generated types
	pass


def on_doctype_update() -> None:
	frappe.db.add_index("Plan Enrollment", ["party_type", "party"], "party_index")

from __future__ import annotations

import frappe
from frappe import _

from crm_retention.documents import UnknownNumbers
from crm_retention.overrides import record_changes, set_overridden
from crm_retention.parties import PARTY_TYPES, profile_name
from crm_retention.setup.nullable import allow_unknown

OVERRIDE_FIELDS = ("override_tier", "override_stage", "override_until", "override_reason")


class RetentionProfile(UnknownNumbers):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		as_of: DF.Date | None
		candidate_tier: DF.Link | None
		csat: DF.Float
		days_late: DF.Float
		days_overdue: DF.Float
		days_since_contact: DF.Int
		days_to_contract_end: DF.Int
		discount_documents_share: DF.Float
		discount_share: DF.Float
		expected_purchases_30d: DF.Float
		expected_purchases_365d: DF.Float
		expected_purchases_90d: DF.Float
		expected_value: DF.Currency
		first_purchase: DF.Date | None
		frequency: DF.Int
		health: DF.Float
		health_parts: DF.SmallText | None
		inbound_count: DF.Int
		last_inbound: DF.Date | None
		last_interaction: DF.Date | None
		last_outbound: DF.Date | None
		last_purchase: DF.Date | None
		lifetime_value: DF.Currency
		margin_12m: DF.Currency
		mean_interval_days: DF.Float
		monetary_12m: DF.Currency
		monetary_average: DF.Currency
		monetary_prior_12m: DF.Currency
		monetary_total: DF.Currency
		nps: DF.Float
		open_complaints: DF.Int
		outbound_count: DF.Int
		overdue_ratio: DF.Float
		overdue_share: DF.Float
		override_by: DF.Link | None
		override_on: DF.Datetime | None
		override_reason: DF.SmallText | None
		override_stage: DF.Link | None
		override_tier: DF.Link | None
		override_until: DF.Date | None
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		previous_stage: DF.Link | None
		previous_stage_since: DF.Date | None
		previous_tier: DF.Link | None
		previous_tier_since: DF.Date | None
		probability_alive: DF.Float
		product_breadth: DF.Int
		purchases: DF.Int
		recency_days: DF.Int
		recent_complaints: DF.Int
		repeat_value: DF.Currency
		return_share: DF.Float
		rule_version: DF.Data | None
		run: DF.Link | None
		score: DF.Float
		score_parts: DF.SmallText | None
		stage: DF.Link | None
		stage_reason: DF.Data | None
		stage_since: DF.Date | None
		tenure_days: DF.Int
		tier: DF.Link | None
		tier_rank: DF.Int
		tier_reason: DF.Data | None
		tier_since: DF.Date | None
		trend: DF.Float

	# end: auto-generated types
	def autoname(self) -> None:
		self.name = profile_name(self.party_type, self.party)

	def validate(self) -> None:
		self.validate_party_type()
		self.validate_computed_fields()
		self.validate_override()
		self.set_override_author()
		set_overridden(self, self.get_doc_before_save())

	def on_update(self) -> None:
		record_changes(self, self.get_doc_before_save())

	def before_rename(self, _old: str, new: str, merge: bool = False) -> None:
		if merge or new != profile_name(self.party_type, self.party):
			frappe.throw(_("A profile has the name of its customer: rename the customer instead."))

	def on_trash(self) -> None:
		if not self.flags.ignore_permissions and frappe.db.exists(self.party_type, self.party):
			frappe.throw(_("A profile goes with its customer: it cannot be deleted by itself."))

	def validate_party_type(self) -> None:
		if self.party_type not in PARTY_TYPES:
			frappe.throw(_("Party Type: {0} is neither a customer nor a lead.").format(self.party_type))

	def validate_computed_fields(self) -> None:
		"""Frappe ignores read-only fields only in forms: what the cycle computed is not written through the API."""
		before = self.get_doc_before_save()
		if not before:
			return
		for df in self.meta.fields:
			if df.read_only and not df.fieldname.startswith("override_"):
				self.set(df.fieldname, before.get(df.fieldname))

	def validate_override(self) -> None:
		if not self.is_overridden():
			self.override_until = self.override_reason = None
			return
		if not (self.override_reason or "").strip():
			frappe.throw(_("Override, Reason: a decision by hand needs a reason."), frappe.MandatoryError)
		expired = self.override_until and frappe.utils.getdate(self.override_until) < frappe.utils.getdate()
		if expired and self.has_value_changed("override_until"):
			frappe.throw(_("Override, Until: the day has passed already."))
		for field, doctype in (("override_tier", "Customer Tier"), ("override_stage", "Lifecycle Stage")):
			value = self.get(field)
			if value and self.has_value_changed(field) and not frappe.db.get_value(doctype, value, "enabled"):
				frappe.throw(
					_("Override, {0}: {1} is disabled.").format(_(self.meta.get_label(field)), value)
				)

	def set_override_author(self) -> None:
		if not self.is_overridden():
			self.override_by = self.override_on = None
		elif any(self.has_value_changed(field) for field in OVERRIDE_FIELDS):
			self.override_by = frappe.session.user
			self.override_on = frappe.utils.now_datetime()

	def is_overridden(self) -> bool:
		return bool(self.override_tier or self.override_stage)


def on_doctype_update() -> None:
	allow_unknown("Retention Profile")
	frappe.db.add_unique("Retention Profile", ["party_type", "party"], "one_profile_a_party")

from __future__ import annotations

import re

import frappe
from frappe import _

from crm_retention import catalogue, filters, readable, rules
from crm_retention.configuration import LIFETIME_RESULTS, get_plain_signal
from crm_retention.crm_retention.doctype.retention_signal import signal_field
from crm_retention.documents import BoundedDocument
from crm_retention.engine.signals import SIGNAL_NAMES
from crm_retention.parties import PARTY_TYPES

NUMBER_TYPES = ("Int", "Float", "Currency", "Percent", "Check", "Rating", "Duration")
DATE_TYPES = ("Date", "Datetime")


class RetentionSignal(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		aggregate: DF.Literal["Count", "Sum", "Average", "Minimum", "Maximum", "Latest"]
		date_field: DF.Autocomplete | None
		description: DF.SmallText | None
		enabled: DF.Check
		filters_json: DF.Code | None
		label: DF.Data
		only_submitted: DF.Check
		party_field: DF.Autocomplete
		signal_name: DF.Data
		source_doctype: DF.Link
		unit: DF.Data | None
		value_field: DF.Autocomplete | None
		window_days: DF.Int

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_signal_name(self.signal_name)
		self.validate_source()
		readable.validate_reading(self)
		self.validate_party_field()
		self.validate_date_field()
		self.validate_value_field()
		self.validate_filters()
		rules.check(self, "signals", [get_plain_signal(self)])
		self.validate_disabling()

	def on_update(self) -> None:
		signal_field.sync(self)

	def before_rename(self, _old: str, new: str, merge: bool = False) -> None:
		if merge:
			frappe.throw(_("Signals cannot be merged."))
		self.validate_signal_name(new)

	def after_rename(self, old: str, new: str, _merge: bool = False) -> None:
		signal_field.rename(old, new)

	def on_trash(self) -> None:
		self.validate_unused(_("cannot be deleted"))
		signal_field.delete(self.name)

	def validate_signal_name(self, name: str) -> None:
		label = _(self.meta.get_label("signal_name"))
		if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name or ""):
			message = _(
				"{0}: {1} is not a name of small letters, digits and underscores, at most 50 and a letter first."
			)
			frappe.throw(message.format(label, frappe.bold(name)))
		if name in SIGNAL_NAMES or name in LIFETIME_RESULTS:
			frappe.throw(_("{0}: {1} is a standard signal.").format(label, frappe.bold(name)))
		meta = frappe.get_meta("Retention Profile")
		taken = meta.has_field(name) and not signal_field.is_own(name, self.name)
		if taken or name in catalogue.RESERVED or name in frappe.model.default_fields:
			message = _("{0}: {1} is already a field of Retention Profile.")
			frappe.throw(message.format(label, frappe.bold(name)))

	def validate_source(self) -> None:
		self.require("source_doctype")
		meta = frappe.get_meta(self.source_doctype)
		if meta.issingle or meta.istable or meta.get("is_virtual"):
			self.throw_field(
				"source_doctype", _("{0} is no list of documents.").format(_(self.source_doctype))
			)

	def validate_party_field(self) -> None:
		df = self.get_source_field("party_field")
		if not df or not is_party_field(df):
			message = _("{0} is no link to a customer or lead in {1}.")
			self.throw_field("party_field", message.format(self.party_field, _(self.source_doctype)))

	def validate_date_field(self) -> None:
		if not self.date_field:
			if self.window_days:
				self.throw_field("date_field", _("a window needs a date."))
			return
		df = self.get_source_field("date_field")
		if self.date_field not in ("creation", "modified") and (not df or df.fieldtype not in DATE_TYPES):
			message = _("{0} is no date in {1}.")
			self.throw_field("date_field", message.format(self.date_field, _(self.source_doctype)))

	def validate_value_field(self) -> None:
		if self.aggregate == "Count":
			self.value_field = None
			return
		df = self.get_source_field("value_field")
		if (
			not df
			or df.fieldtype in frappe.model.no_value_fields
			or df.fieldtype in frappe.model.table_fields
		):
			message = _("{0} is no field with a value in {1}.")
			self.throw_field("value_field", message.format(self.value_field or "", _(self.source_doctype)))
		if self.aggregate in ("Sum", "Average") and df.fieldtype not in NUMBER_TYPES:
			self.throw_field("value_field", _("{0} is no number.").format(_(df.label)))

	def validate_filters(self) -> None:
		label = _(self.meta.get_label("filters_json"))
		try:
			rows = filters.read(self.filters_json)
		except ValueError:
			self.throw_field("filters_json", _("this is not a list of filters."))
		faults = filters.get_faults(rows, self.source_doctype)
		filters.throw_faults(label, [_("{0}, {1}").format(label, fault) for fault in faults])

	def validate_disabling(self) -> None:
		if not self.enabled and not self.is_new():
			self.validate_unused(_("cannot be disabled"))

	def validate_unused(self, what: str) -> None:
		uses = rules.get_uses_of_field(self.name)
		if uses:
			places = ", ".join(f"{_(doctype)} {name}" for doctype, name in uses)
			frappe.throw(_("{0} {1}: {2} uses it.").format(self.name, what, places), frappe.LinkExistsError)

	def get_source_field(self, field: str) -> object | None:
		return frappe.get_meta(self.source_doctype).get_field(self.get(field) or "")

	def throw_field(self, field: str, message: str) -> None:
		frappe.throw(_("{0}: {1}").format(_(self.meta.get_label(field)), message))


def is_party_field(df: object) -> bool:
	"""Whether a field links to a customer or lead, or may do so."""
	return (df.fieldtype == "Link" and df.options in PARTY_TYPES) or df.fieldtype == "Dynamic Link"

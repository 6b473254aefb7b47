from __future__ import annotations

import frappe
from frappe import _
from frappe.model import no_value_fields, table_fields

from crm_retention import filters, readable
from crm_retention.capture import write
from crm_retention.capture.candidates import get_source
from crm_retention.capture.parties_of import HANDLERS
from crm_retention.documents import BoundedDocument
from crm_retention.engine.errors import ConfigError
from crm_retention.setup import interaction_defaults

KEY_LENGTH = 100  # of source and document type together; the rest of a reference key is names of documents
DATE_TYPES = ("Date", "Datetime")
NUMBER_TYPES = ("Int", "Float", "Duration")
TEXT_FIELDS = ("subject_field", "note_field", "direction_field", "channel_field")
STANDARD_DATES = ("creation", "modified")


class InteractionSource(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		captured: DF.Int
		channel: DF.Link | None
		channel_field: DF.Autocomplete | None
		contact_field: DF.Autocomplete | None
		date_field: DF.Autocomplete | None
		department: DF.Link | None
		direction: DF.Literal["", "In", "Out", "Internal"]
		direction_field: DF.Autocomplete | None
		document_type: DF.Link
		enabled: DF.Check
		filters_json: DF.Code | None
		handler: DF.Data | None
		interaction_kind: DF.Link
		is_standard: DF.Check
		last_error: DF.SmallText | None
		minutes: DF.Int
		minutes_field: DF.Autocomplete | None
		note_field: DF.Autocomplete | None
		only_submitted: DF.Check
		party_field: DF.Autocomplete | None
		party_type: DF.Literal["Customer", "Lead", "From Field"]
		party_type_field: DF.Autocomplete | None
		source_name: DF.Data
		subject_field: DF.Autocomplete | None
		swept_name: DF.Data | None
		swept_until: DF.Datetime | None
		user_field: DF.Autocomplete | None

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_document_type()
		self.validate_rights()
		self.validate_key_length()
		self.validate_handler()
		self.validate_party()
		self.validate_date_field()
		self.validate_text_fields()
		self.validate_minutes_field()
		self.validate_link("user_field", "User")
		self.validate_link("contact_field", "Contact")
		self.validate_filters()
		self.forget_watermark()

	def before_rename(self, _old: str, new: str, merge: bool = False) -> None:
		if merge:
			frappe.throw(_("Sources cannot be merged: what one has logged the other would log again."))
		self.validate_key_length(new)

	def after_rename(self, old: str, new: str, _merge: bool = False) -> None:
		write.rewrite_keys(old, new)

	def on_trash(self) -> None:
		if frappe.db.exists("Interaction Log", {"source": self.name}):
			message = _("{0} has logged interactions. Disable it instead.")
			frappe.throw(message.format(self.name), frappe.LinkExistsError)

	def validate_document_type(self) -> None:
		self.require("document_type")
		meta = frappe.get_meta(self.document_type)
		if meta.issingle or meta.istable or meta.get("is_virtual"):
			self.throw_field("document_type", _("{0} is no list of documents.").format(_(self.document_type)))
		if self.document_type == "Interaction Log":
			self.throw_field("document_type", _("the log cannot log itself."))

	def validate_rights(self) -> None:
		"""What goes into the log is read by many, so whoever makes it do so reads all of it already."""
		readable.validate_reading(self, interaction_defaults.get_sources())

	def validate_key_length(self, name: str | None = None) -> None:
		"""Keys of documents begin with both names and end with the document's, in one column."""
		if len(name or self.source_name or "") + len(self.document_type or "") > KEY_LENGTH:
			self.throw_field("source_name", _("is too long."))

	def validate_handler(self) -> None:
		"""Which documents the app itself knows how to read is the app's to say."""
		before = self.get_doc_before_save()
		changed = (
			before and (before.handler or before.is_standard) and before.document_type != self.document_type
		)
		if changed:
			self.throw_field("document_type", _("a standard source keeps its document type."))
		if self.handler and self.handler not in HANDLERS:
			self.throw_field("handler", _("{0} is not known.").format(self.handler))

	def validate_party(self) -> None:
		if self.handler:
			return
		df = self.get_source_field("party_field")
		dynamic = self.party_type == "From Field"
		if not df or df.fieldtype != ("Dynamic Link" if dynamic else "Link"):
			message = _("{0} is no link to a customer or lead in {1}.")
			self.throw_field("party_field", message.format(self.party_field or "", _(self.document_type)))
		if dynamic:
			self.party_type_field = self.party_type_field or df.options
			self.validate_party_type_field(df)
		elif df.options != self.party_type:
			message = _("{0} links to {1} and not to {2}.")
			self.throw_field("party_field", message.format(_(df.label), _(df.options), _(self.party_type)))

	def validate_party_type_field(self, df: object) -> None:
		if self.party_type_field != df.options:
			message = _("the type of {0} is in {1}.")
			self.throw_field("party_type_field", message.format(_(df.label), df.options))

	def validate_date_field(self) -> None:
		if not self.date_field or self.date_field in STANDARD_DATES:
			return
		df = self.get_source_field("date_field")
		if not df or df.fieldtype not in DATE_TYPES:
			message = _("{0} is no date in {1}.")
			self.throw_field("date_field", message.format(self.date_field, _(self.document_type)))

	def validate_text_fields(self) -> None:
		for field in TEXT_FIELDS:
			if self.get(field):
				df = self.get_source_field(field)
				if not df or df.fieldtype in (*no_value_fields, *table_fields) or df.get("is_virtual"):
					message = _("{0} is no field with a value in {1}.")
					self.throw_field(field, message.format(self.get(field), _(self.document_type)))

	def validate_minutes_field(self) -> None:
		if not self.minutes_field:
			return
		df = self.get_source_field("minutes_field")
		if not df or df.fieldtype not in NUMBER_TYPES:
			message = _("{0} is no number or duration in {1}.")
			self.throw_field("minutes_field", message.format(self.minutes_field, _(self.document_type)))

	def validate_link(self, field: str, target: str) -> None:
		if not self.get(field) or (target == "User" and self.get(field) in ("owner", "modified_by")):
			return
		df = self.get_source_field(field)
		if not df or df.fieldtype != "Link" or df.options != target:
			message = _("{0} is no link to {1} in {2}.")
			self.throw_field(field, message.format(self.get(field), _(target), _(self.document_type)))

	def validate_filters(self) -> None:
		label = _(self.meta.get_label("filters_json"))
		try:
			rows = filters.read(self.filters_json)
		except ValueError:
			self.throw_field("filters_json", _("this is not a list of filters."))
		faults = filters.get_faults(rows, self.document_type)
		filters.throw_faults(label, [_("{0}, {1}").format(label, fault) for fault in faults])
		try:
			get_source(self)
		except ConfigError as error:
			self.throw_field("filters_json", str(error))

	def forget_watermark(self) -> None:
		"""Documents that a changed rule lets in may have been changed last long ago."""
		before = self.get_doc_before_save()
		watched = (
			"document_type",
			"party_field",
			"party_type",
			"filters_json",
			"only_submitted",
			"date_field",
		)
		if before and any(before.get(name) != self.get(name) for name in (*watched, "enabled")):
			self.swept_until = self.swept_name = None

	def get_source_field(self, field: str) -> object | None:
		return frappe.get_meta(self.document_type).get_field(self.get(field) or "")

	def throw_field(self, field: str, message: str) -> None:
		frappe.throw(_("{0}: {1}").format(_(self.meta.get_label(field)), message))

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import getdate

from crm_retention import filters
from crm_retention.care.keys import preference_key
from crm_retention.documents import BoundedDocument
from crm_retention.parties import PARTY_TYPES, profile_name


class ContactPreference(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		answer: DF.Literal["Yes", "No"]
		channel: DF.Link | None
		key: DF.Data | None
		nature: DF.Literal["", "Care", "Offer", "Greeting", "Notice", "Message"]
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		since: DF.Date | None
		source: DF.Data | None

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_party_type()
		self.validate_since()
		self.set_party_name()
		self.set_key()
		self.validate_only_one()

	def validate_party_type(self) -> None:
		if self.party_type not in PARTY_TYPES:
			self.throw_field("party_type", _("must be one of {0}").format(", ".join(map(_, PARTY_TYPES))))

	def validate_since(self) -> None:
		if self.since and getdate(self.since) > getdate():
			self.throw_field("since", _("must not be in the future"))

	def set_party_name(self) -> None:
		field = "customer_name" if self.party_type == "Customer" else "lead_name"
		self.party_name = frappe.db.get_value(self.party_type, self.party, field) or self.party

	def set_key(self) -> None:
		"""One answer for each party, channel and nature; the database keeps it so."""
		party = profile_name(self.party_type, self.party)
		self.key = preference_key(self.channel or "", self.nature or "", party)

	def validate_only_one(self) -> None:
		other = frappe.db.get_value("Contact Preference", {"key": self.key, "name": ("!=", self.name)})
		if other:
			about = [_(self.nature or "every nature"), _(self.channel or "every channel")]
			message = _("{0} has an answer for {1} already: change that one").format(
				self.party_name, " / ".join(about)
			)
			self.throw_field("party", message)

	def throw_field(self, field: str, message: str) -> None:
		line = _("{0}: {1}").format(_(self.meta.get_label(field)), message)
		filters.throw_faults(_(self.doctype), [line])


def on_doctype_update() -> None:
	frappe.db.add_index("Contact Preference", ["party_type", "party"], "party_index")

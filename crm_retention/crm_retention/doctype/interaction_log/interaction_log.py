from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import add_to_date, cint, cstr, flt, get_datetime, now_datetime

from crm_retention.documents import AppendOnly
from crm_retention.parties import PARTY_TYPES, get_party_name
from crm_retention.permissions import is_manager
from crm_retention.views.access import get_document

CLOCK_TOLERANCE_MINUTES = 5  # a phone's clock may be ahead of the server's
SUBJECT_LENGTH = 140
NAMED = {"touchpoint": "Touchpoint", "supersedes": "Interaction Log", "contact": "Contact"}
ORIGIN_FIELDS = ("source", "reference_doctype", "reference_name", "reference_key")


class InteractionLog(AppendOnly):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		attachment: DF.Attach | None
		channel: DF.Link | None
		contact: DF.Link | None
		cost: DF.Currency
		department: DF.Link | None
		direction: DF.Literal["", "In", "Out", "Internal"]
		kind: DF.Link
		latitude: DF.Float
		longitude: DF.Float
		minutes: DF.Int
		note: DF.Text | None
		occurred_on: DF.Datetime
		outcome: DF.Literal[
			"", "Reached", "Not Reached", "Interested", "Declined", "Problem Raised", "Resolved", "Ordered"
		]
		party: DF.DynamicLink
		party_name: DF.Data | None
		party_type: DF.Link
		reference_doctype: DF.Link | None
		reference_key: DF.Data | None
		reference_name: DF.DynamicLink | None
		request_fingerprint: DF.Data | None
		request_id: DF.Data | None
		sentiment: DF.Literal["", "Positive", "Neutral", "Negative"]
		source: DF.Link | None
		subject: DF.Data | None
		supersedes: DF.Link | None
		touchpoint: DF.Link | None
		user: DF.Link | None

	# end: auto-generated types
	def _validate_links(self) -> None:
		"""Before Frappe says of a name that is sent whether it is there."""
		if not self.flags.ignore_permissions and self.is_new():
			self.set_origin()
			self.set_named()
		super()._validate_links()

	def validate(self) -> None:
		self.validate_party()
		self.validate_kind()
		self.validate_occurred_on()
		self.validate_supersedes()
		self.validate_touchpoint()
		self.validate_place()
		self.set_party_name()
		self.set_usual()
		self.validate_facts()

	def set_origin(self) -> None:
		"""Whoever enters a row by hand cannot say that it was captured: its key would keep the document itself out."""
		for field in ORIGIN_FIELDS:
			self.set(field, None)
		self.validate_user()

	def set_named(self) -> None:
		"""What a row names may be read. Raises PermissionError, whether it is there or not."""
		for field, doctype in NAMED.items():
			if self.get(field):
				self.set(field, get_document(doctype, self.get(field)).name)

	def validate_user(self) -> None:
		"""Nobody is said to have done what somebody else entered; a manager may log for others."""
		if self.user and self.user != frappe.session.user and not is_manager():
			message = _("only a Retention Manager logs what somebody else did.")
			frappe.throw(
				_("{0}: {1}").format(_(self.meta.get_label("user")), message), frappe.PermissionError
			)

	def validate_party(self) -> None:
		if self.party_type not in PARTY_TYPES:
			self.throw_field("party_type", _("{0} is not a kind of party").format(_(self.party_type)))

	def validate_kind(self) -> None:
		if self.is_by_hand() and not cint(frappe.db.get_value("Interaction Kind", self.kind, "enabled")):
			self.throw_field("kind", _("{0} is disabled.").format(self.kind))

	def validate_occurred_on(self) -> None:
		moment, present = get_datetime(self.occurred_on), now_datetime()
		if moment > add_to_date(present, minutes=CLOCK_TOLERANCE_MINUTES):
			message = _("{0} lies in the future. What is still to come is a touchpoint.")
			self.throw_field("occurred_on", message.format(frappe.format(moment, "Datetime")))
		if moment > present:
			self.occurred_on = present

	def validate_supersedes(self) -> None:
		if not self.supersedes:
			return
		if not self.flags.ignore_permissions:
			corrected = frappe.get_doc("Interaction Log", self.supersedes)
			corrected.check_may_correct()
		party = frappe.db.get_value("Interaction Log", self.supersedes, ["party_type", "party"])
		if party != (self.party_type, self.party):
			self.throw_field("supersedes", _("a correction concerns the same party."))
		later = frappe.db.get_value("Interaction Log", {"supersedes": self.supersedes})
		if later:
			message = _("{0} is corrected already, by {1}. Correct that one.")
			self.throw_field("supersedes", message.format(self.supersedes, later))

	def validate_touchpoint(self) -> None:
		"""What a row says to have fulfilled was of the same party."""
		if not self.touchpoint:
			return
		of = frappe.db.get_value("Touchpoint", self.touchpoint, ["party_type", "party"])
		if of != (self.party_type, self.party):
			self.throw_field("touchpoint", _("it concerns another party."))

	def validate_place(self) -> None:
		for field, most in (("latitude", 90), ("longitude", 180)):
			if abs(flt(self.get(field))) > most:
				self.throw_field(field, _("{0} is no place on earth.").format(self.get(field)))

	def set_party_name(self) -> None:
		self.party_name = get_party_name(self.party_type, self.party)

	def set_usual(self) -> None:
		"""What goes without saying: who, through what, from where."""
		if self.is_by_hand():
			self.user = self.user or frappe.session.user
		self.channel = self.channel or frappe.db.get_value("Interaction Kind", self.kind, "channel")
		self.department = self.department or get_department(self.user)
		first_line = next(iter(cstr(self.note).strip().splitlines()), "")
		self.subject = cstr(self.subject or first_line or _(self.kind))[:SUBJECT_LENGTH]

	def validate_facts(self) -> None:
		"""Rows entered by hand say what their kind demands; documents are as they are."""
		if not self.is_by_hand():
			return
		for row in get_refused_facts(self.kind):
			if not self.get(row):
				message = _("{0} is needed for an interaction of the kind {1}.")
				frappe.throw(message.format(_(self.meta.get_label(row)), _(self.kind)), frappe.MandatoryError)

	def check_may_correct(self) -> None:
		"""Raises PermissionError unless the user logged it, did it or is a manager."""
		user = frappe.session.user
		if user not in (self.owner, self.user) and not is_manager(user):
			message = _("{0} was logged by somebody else: only they or a Retention Manager may correct it.")
			frappe.throw(message.format(self.name), frappe.PermissionError)

	def is_by_hand(self) -> bool:
		"""Entered by somebody, not captured from a document."""
		return not self.source

	def throw_field(self, field: str, message: str) -> None:
		frappe.throw(_("{0}: {1}").format(_(self.meta.get_label(field)), message))


def get_refused_facts(kind: str) -> list[str]:
	"""Facts without which a row of the kind is refused."""
	filters = {"parent": kind, "parenttype": "Interaction Kind", "refuse": 1}
	return frappe.get_all("Interaction Fact", filters=filters, pluck="fact", order_by="idx")


def get_department(user: str | None) -> str | None:
	"""The department of a user as an employee."""
	return frappe.db.get_value("Employee", {"user_id": user}, "department") if user else None


def on_doctype_update() -> None:
	frappe.db.add_index("Interaction Log", ["party_type", "party", "occurred_on"], "party_index")
	frappe.db.add_index("Interaction Log", ["reference_doctype", "reference_name"], "reference_index")
	frappe.db.add_index("Interaction Log", ["creation"], "creation_index")

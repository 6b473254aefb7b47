from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention import filters, readable
from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Name
from crm_retention.documents import BoundedDocument
from crm_retention.parties import PARTY_TYPES
from crm_retention.plans import occasions
from crm_retention.setup import care_defaults

OF_KIND = {
	"Fixed Date": ("month", "day"),
	"Lunar Date": ("month", "day"),
	"Public Holiday": ("country", "holiday"),
	"Date Field": ("document_type", "party_field", "date_field"),
}


class CareOccasion(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		country: DF.Link | None
		date_field: DF.Autocomplete | None
		day: DF.Int
		document_type: DF.Link | None
		enabled: DF.Check
		every_year: DF.Check
		holiday: DF.Autocomplete | None
		kind: DF.Literal["Fixed Date", "Lunar Date", "Public Holiday", "Date Field"]
		lead_days: DF.Int
		leap_day: DF.Literal["28 February", "1 March"]
		month: DF.Int
		note: DF.SmallText | None
		occasion_name: DF.Data
		party_field: DF.Autocomplete | None

	# end: auto-generated types
	def validate(self) -> None:
		self.clear_other_kinds()
		readable.validate_reading(self, care_defaults.OCCASIONS)
		faults = {
			"Fixed Date": self.get_fixed_faults,
			"Lunar Date": self.get_lunar_faults,
			"Public Holiday": self.get_holiday_faults,
			"Date Field": self.get_field_faults,
		}[self.kind]()
		if cint(self.lead_days) < 0:
			faults["lead_days"] = _("must not be negative")
		messages = [
			_("{0}: {1}").format(_(self.meta.get_label(field)), text) for field, text in faults.items()
		]
		filters.throw_faults(_("{0} {1}").format(_(self.doctype), self.name), messages)

	def clear_other_kinds(self) -> None:
		"""What the form hides for this kind says nothing."""
		own = OF_KIND[self.kind]
		for fields in OF_KIND.values():
			for field in fields:
				if field not in own:
					self.set(field, None)

	def get_fixed_faults(self) -> dict[str, str]:
		if not 1 <= cint(self.month) <= 12:
			return {"month": _("must be from 1 to 12")}
		try:
			occasions.fixed_days(cint(self.month), cint(self.day), [2024])
		except ValueError:
			return {"day": _("month {0} has no day {1}").format(self.month, self.day)}
		return {}

	def get_lunar_faults(self) -> dict[str, str]:
		faults = {}
		if not 1 <= cint(self.month) <= 12:
			faults["month"] = _("must be from 1 to 12")
		if not 1 <= cint(self.day) <= 30:
			faults["day"] = _("must be from 1 to 30")
		return faults

	def get_holiday_faults(self) -> dict[str, str]:
		if not self.country:
			return {"country": _("is needed")}
		if not self.holiday:
			return {"holiday": _("is needed")}
		try:
			names = read_holiday_names(self.country)
		except NotImplementedError:
			return {"country": _("no list of public holidays is known for {0}").format(_(self.country))}
		code = get_country_code(self.country)
		if not occasions.public_holidays(code, self.holiday, occasions.SAMPLE_YEARS):
			text = _("{0} has no such public holiday. There are: {1}")
			return {"holiday": text.format(_(self.country), ", ".join(names))}
		return {}

	def get_field_faults(self) -> dict[str, str]:
		if not self.document_type:
			return {"document_type": _("is needed")}
		meta = frappe.get_meta(self.document_type)
		if meta.istable or meta.issingle or meta.get("is_virtual"):
			return {"document_type": _("{0} has no records of its own").format(_(self.document_type))}
		faults = {}
		date = meta.get_field(self.date_field) if self.date_field else None
		if not date or date.fieldtype not in ("Date", "Datetime"):
			faults["date_field"] = _("{0} has no date field {1}").format(
				_(self.document_type), self.date_field or ""
			)
		return faults | self.get_party_field_faults(meta)

	def get_party_field_faults(self, meta: frappe.model.meta.Meta) -> dict[str, str]:
		if not self.party_field:
			linked = any(df.fieldname == "links" and df.options == "Dynamic Link" for df in meta.fields)
			if self.document_type in PARTY_TYPES or linked:
				return {}
			return {"party_field": _("is needed: {0} itself is no party").format(_(self.document_type))}
		df = meta.get_field(self.party_field)
		if df and (df.fieldtype == "Dynamic Link" or (df.fieldtype == "Link" and df.options in PARTY_TYPES)):
			return {}
		text = _("{0} has no field {1} that links to a customer or lead")
		return {"party_field": text.format(_(self.document_type), self.party_field)}


def get_country_code(country: str) -> str:
	"""ISO 3166-1 alpha-2 code of a Country."""
	return (frappe.db.get_value("Country", country, "code") or "").upper()


@endpoint()
def get_holiday_names(country: Name) -> list[str]:
	"""Names of the public holidays of a Country; none where no list is known."""
	frappe.has_permission("Care Occasion", "read", throw=True)
	try:
		return read_holiday_names(country)
	except NotImplementedError:
		return []


def read_holiday_names(country: str) -> list[str]:
	"""Names of the public holidays of a Country. Raises NotImplementedError where no list is known."""
	return occasions.holiday_names(get_country_code(country))

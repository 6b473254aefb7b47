from __future__ import annotations

import re

import frappe
from frappe import _
from frappe.utils import cint, get_time

from crm_retention import filters, rules
from crm_retention.plans.quiet import WEEKDAYS, get_weekdays, parse_month_days

OF_KIND = {
	"Cap": ("max_contacts",),
	"Quiet Hours": ("from_time", "to_time"),
	"Quiet Days": ("weekdays", "holiday_list", "month_days"),
}


class ContactRule(rules.ConditionalDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from crm_retention.crm_retention.doctype.contact_rule_channel.contact_rule_channel import (
			ContactRuleChannel,
		)
		from crm_retention.crm_retention.doctype.contact_rule_type.contact_rule_type import ContactRuleType

		action: DF.Literal["Postpone", "Drop"]
		because: DF.SmallText | None
		case_kind: DF.Literal["Complaint", "Any"]
		channels: DF.TableMultiSelect[ContactRuleChannel]
		cool_down_days: DF.Int
		count_inbound: DF.Check
		enabled: DF.Check
		from_time: DF.Time | None
		holiday_list: DF.Link | None
		kind: DF.Literal["Cap", "Quiet Hours", "Quiet Days", "Consent", "Cool-Down", "Condition"]
		max_contacts: DF.Data | None
		month_days: DF.SmallText | None
		nature: DF.Literal["", "Care", "Offer", "Greeting", "Notice", "Message"]
		natures: DF.TableMultiSelect[ContactRuleType]
		only_messages: DF.Check
		opt_in: DF.Check
		party_conditions_json: DF.Code | None
		per_channel: DF.Check
		rule_name: DF.Data
		sequence: DF.Int
		signal_conditions_json: DF.Code | None
		to_time: DF.Time | None
		weekdays: DF.Data | None
		window_days: DF.Int

	# end: auto-generated types
	def validate(self) -> None:
		self.clear_other_kinds()
		self.validate_conditions()
		checks = {
			"Cap": self.get_cap_faults,
			"Quiet Hours": self.get_hour_faults,
			"Quiet Days": self.get_day_faults,
			"Cool-Down": self.get_cool_down_faults,
			"Condition": self.get_missing_condition,
		}
		faults = checks[self.kind]() if self.kind in checks else {}
		messages = [
			_("{0}: {1}").format(_(self.meta.get_label(field)), text) for field, text in faults.items()
		]
		filters.throw_faults(_("{0} {1}").format(_(self.doctype), self.name), messages)

	def clear_other_kinds(self) -> None:
		"""What the form hides for this kind says nothing; an empty time would be the hour of the entry."""
		for kind, fields in OF_KIND.items():
			if kind != self.kind:
				self.update(dict.fromkeys(fields))

	def get_cap_faults(self) -> dict[str, str]:
		"""Empty is no limit and 0 is none; so the number is a text, and is checked here."""
		faults = {}
		self.max_contacts = str("" if self.max_contacts is None else self.max_contacts).strip()
		if self.max_contacts and not re.fullmatch(r"[0-9]{1,6}", self.max_contacts):
			faults["max_contacts"] = _(
				"{0} is not a whole number; 0 means none, empty means no limit"
			).format(self.max_contacts)
		if cint(self.window_days) < 1:
			faults["window_days"] = _("must be 1 or more")
		return faults

	def get_hour_faults(self) -> dict[str, str]:
		missing = [field for field in ("from_time", "to_time") if self.get(field) in (None, "")]
		if missing:
			return {field: _("is needed") for field in missing}
		if get_time(self.from_time) == get_time(self.to_time):
			return {"to_time": _("must differ from {0}").format(_(self.meta.get_label("from_time")))}
		return {}

	def get_day_faults(self) -> dict[str, str]:
		faults = {}
		try:
			self.weekdays = ", ".join(WEEKDAYS[day] for day in get_weekdays(self.weekdays))
		except ValueError as error:
			faults["weekdays"] = _("{0} is no day of the week; write {1}").format(error, ", ".join(WEEKDAYS))
		try:
			parse_month_days(self.month_days)
		except ValueError as error:
			faults["month_days"] = _("{0} is not a day such as 12-24 or 12-24 to 01-02").format(error)
		if not faults and not (self.weekdays or self.month_days or self.holiday_list):
			faults["weekdays"] = _("at least one of weekdays, holiday list and days of the year is needed")
		return faults

	def get_cool_down_faults(self) -> dict[str, str]:
		return {"cool_down_days": _("must not be negative")} if cint(self.cool_down_days) < 0 else {}

	def get_missing_condition(self) -> dict[str, str]:
		groups = (self.party_conditions_json, self.signal_conditions_json)
		if any(filters.read(text) for text in groups):
			return {}
		return {"party_conditions_json": _("without any condition, this rule would hold back everything")}

from __future__ import annotations

from frappe.model.document import Document


class ContactRule(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from crm_retention.crm_retention.doctype.contact_rule_channel.contact_rule_channel import ContactRuleChannel
		from crm_retention.crm_retention.doctype.contact_rule_type.contact_rule_type import ContactRuleType
		from frappe.types import DF

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
	pass

"""Occasions, contact rules, preferences, capacity and what a new site starts with: each says what is wrong with it."""

import json

import frappe
import pytest
from frappe.utils import add_days, today

from crm_retention.care import text_checks, texts
from crm_retention.setup import approval, care_defaults, letters, seeds
from tests.site.desk import make_customer, refusal
from tests.site.plans import make_plan


def make_occasion(**values):
	return frappe.get_doc({"doctype": "Care Occasion", "occasion_name": "Trial", **values})


def make_rule(**values):
	return frappe.get_doc({"doctype": "Contact Rule", "rule_name": "Trial", **values})


@pytest.mark.parametrize(
	("values", "says"),
	[
		({"kind": "Fixed Date", "month": 13, "day": 1}, "Month: must be from 1 to 12"),
		({"kind": "Fixed Date", "month": 4, "day": 31}, "Day: month 4 has no day 31"),
		({"kind": "Lunar Date", "month": 0, "day": 31}, "Day: must be from 1 to 30"),
		({"kind": "Public Holiday", "country": "Germany"}, "Holiday: is needed"),
		({"kind": "Public Holiday", "country": "Germany", "holiday": "Diwali"}, "Easter Monday"),
		({"kind": "Date Field"}, "Document Type: is needed"),
		({"kind": "Date Field", "document_type": "Sales Invoice Item", "date_field": "x"}, "Document Type"),
		(
			{"kind": "Date Field", "document_type": "Customer", "date_field": "customer_name"},
			"Date Field: Customer",
		),
		(
			{"kind": "Date Field", "document_type": "Contract", "date_field": "end_date"},
			"Party Field: is needed",
		),
		(
			{
				"kind": "Date Field",
				"document_type": "Contract",
				"date_field": "end_date",
				"party_field": "status",
			},
			"Party Field: Contract has no field status",
		),
		({"kind": "Fixed Date", "month": 1, "day": 1, "lead_days": -1}, "Usual Days Before"),
	],
)
def test_occasion_at_fault_names_the_field(values, says):
	assert says in refusal(make_occasion(**values))


def test_country_without_public_holidays_is_told():
	nowhere = frappe.get_doc(
		{"doctype": "Country", "country_name": "Nowhere", "code": "xx", "name": "Nowhere"}
	)
	nowhere.db_insert()  # Frappe 16 saves none that no standard knows
	message = refusal(make_occasion(kind="Public Holiday", country="Nowhere", holiday="Day of Nothing"))
	assert "Country: no list of public holidays is known for Nowhere" in message


@pytest.mark.parametrize(
	"values",
	[
		{"kind": "Fixed Date", "month": 2, "day": 29},
		{"kind": "Lunar Date", "month": 12, "day": 30},
		{"kind": "Public Holiday", "country": "China", "holiday": "Mid-Autumn Festival"},
		{
			"kind": "Date Field",
			"document_type": "Sales Order",
			"date_field": "delivery_date",
			"party_field": "customer",
		},
		{
			"kind": "Date Field",
			"document_type": "Contract",
			"date_field": "end_date",
			"party_field": "party_name",
		},
	],
)
def test_occasions_of_all_kinds_are_accepted(values):
	make_occasion(**values).insert()


def test_date_field_of_contacts_needs_no_party_field():
	field = {"fieldname": "birthday", "label": "Birthday", "fieldtype": "Date"}
	frappe.get_doc({"doctype": "Custom Field", "dt": "Contact", **field}).db_insert()
	frappe.clear_cache(doctype="Contact")
	make_occasion(kind="Date Field", document_type="Contact", date_field="birthday").insert()


def test_occasion_keeps_only_what_its_kind_uses():
	doc = make_occasion(kind="Lunar Date", month=1, day=1, country="China", document_type="Contract").insert()
	assert (doc.month, doc.country, doc.document_type) == (1, None, None)


@pytest.mark.parametrize(
	("values", "says"),
	[
		({"kind": "Cap", "max_contacts": "two"}, "At Most: two is not a whole number"),
		({"kind": "Cap", "max_contacts": "-1"}, "At Most"),
		({"kind": "Cap", "max_contacts": "1.5"}, "At Most"),
		({"kind": "Cap", "max_contacts": "2", "window_days": 0}, "Within Days: must be 1 or more"),
		({"kind": "Quiet Hours", "from_time": "20:00:00", "to_time": "20:00:00"}, "To: must differ"),
		({"kind": "Quiet Days"}, "at least one of"),
		({"kind": "Quiet Days", "weekdays": "Caturday"}, "Weekdays: Caturday is no day"),
		({"kind": "Quiet Days", "month_days": "12-24\n02-30"}, "Month and Day: 02-30 is not a day"),
		({"kind": "Cool-Down", "cool_down_days": -1}, "Days After Closing: must not be negative"),
		({"kind": "Condition"}, "Customer Conditions: without any condition"),
	],
)
def test_contact_rule_at_fault_names_the_field(values, says):
	assert says in refusal(make_rule(**values))


@pytest.mark.parametrize("maximum", ["", "0", "3", " 2 "])
def test_no_limit_and_none_are_different_caps(maximum):
	assert make_rule(kind="Cap", max_contacts=maximum).insert().reload().max_contacts == maximum.strip()


def test_quiet_hours_may_cross_midnight_and_weekdays_read_in_order():
	make_rule(kind="Quiet Hours", from_time="22:00:00", to_time="06:00:00").insert()
	rule = make_rule(rule_name="Days", kind="Quiet Days", weekdays="sunday,SATURDAY").insert()
	assert rule.weekdays == "Saturday, Sunday"


def test_condition_rule_checks_its_conditions():
	rows = json.dumps([["Retention Profile", "no_such_signal", ">", 1]])
	assert "condition 1 (no_such_signal)" in refusal(make_rule(kind="Condition", signal_conditions_json=rows))
	rows = json.dumps([["Retention Profile", "stage", "=", "Lost"]])
	make_rule(kind="Condition", signal_conditions_json=rows).insert()


def make_preference(customer, **values):
	party = {"party_type": "Customer", "party": customer}
	return frappe.get_doc({"doctype": "Contact Preference", **party, "answer": "No", **values})


def test_party_has_one_answer_for_a_channel_and_nature():
	customer = make_customer("Firm A").name
	first = make_preference(customer, channel="Email").insert()
	assert (first.key, first.party_name) == ("Email||Firm A", "Firm A")
	make_preference(customer, channel="Email", nature="Offer").insert()
	make_preference(customer).insert()
	assert "has an answer for every nature / Email already" in refusal(
		make_preference(customer, channel="Email")
	)
	first.answer = "Yes"
	first.save()


def test_preference_of_the_future_or_of_no_party_is_refused():
	customer = make_customer("Firm A").name
	assert "Since: must not be in the future" in refusal(
		make_preference(customer, since=add_days(today(), 1))
	)
	doc = make_preference("Administrator")
	doc.party_type = "User"
	assert "Party Type: must be one of" in refusal(doc)


def test_channel_that_a_running_plan_sends_through_goes_on_sending():
	letter = {"doctype": "Email Template", "name": "Trial Letter", "subject": "Hi", "response": "Hello"}
	step = {"touchpoint_type": "Industry Insight", "email_template": frappe.get_doc(letter).insert().name}
	plan = make_plan(steps=[{**step, "send_by_itself": 1}]).submit()
	channel = frappe.get_doc("Contact Channel", "Email")
	channel.sends = ""
	assert plan.name in refusal(channel)


@pytest.mark.parametrize(
	("values", "says"),
	[
		({"touchpoints_per_day": "many"}, "Touchpoints a Person and Day: must be a whole number"),
		({"touchpoints_per_day": "-1"}, "Touchpoints a Person and Day"),
		({"capacities": [{"user": "Administrator", "touchpoints_per_day": "x"}]}, "row 1, Touchpoints a Day"),
		(
			{"capacities": [{"user": "Administrator"}, {"user": "Administrator"}]},
			"row 2: Administrator is there twice",
		),
	],
)
def test_capacity_at_fault_names_the_field(values, says):
	settings = frappe.get_doc("Retention Settings")
	for field, value in values.items():
		settings.set(field, value)
	assert says in refusal(settings)


@pytest.mark.parametrize("value", ["", "0", "12"])
def test_no_limit_and_none_are_different_capacities(value):
	settings = frappe.get_doc("Retention Settings")
	settings.touchpoints_per_day = value
	settings.save()
	assert (frappe.db.get_single_value("Retention Settings", "touchpoints_per_day") or "") == value


def test_new_site_has_a_plan_for_each_tier_and_moment():
	active = set(frappe.get_all("Maintenance Plan", {"status": "Active"}, pluck="title"))
	wanted = {"High Value Care", "Regular Care", "Potential Growth", "Wake-Up", "Welcome", "Contract Renewal"}
	assert wanted <= active
	tiers = frappe.get_all("Maintenance Plan Tier", {"parent": ("like", "% v1")}, pluck="tier")
	assert set(frappe.get_all("Customer Tier", pluck="name")) <= set(tiers)
	notice = frappe.get_doc("Maintenance Plan", "Advance Notice v1")
	assert notice.docstatus == 0
	assert [step.offset_days for step in notice.steps] == [-60, -45, -30, 14]
	notice.submit()


def test_nothing_of_a_new_site_sends_by_itself():
	assert not frappe.get_all("Maintenance Plan Step", {"send_by_itself": 1, "parent": ("like", "% v1")})


def test_seeded_masters_are_valid_on_save():
	for doctype in ("Touchpoint Type", "Care Occasion", "Contact Rule", "Contact Channel", "Email Template"):
		for name in frappe.get_all(doctype, pluck="name"):
			frappe.get_doc(doctype, name).save()


def test_seeding_again_makes_nothing_twice():
	count = frappe.db.count("Maintenance Plan")
	frappe.db.set_default(seeds.SEEDED, "[]")  # as after a restored backup
	seeds.seed()
	assert frappe.db.count("Maintenance Plan") == count
	assert len({seeds.get_name(doc) for doc in care_defaults.get_docs()}) == len(care_defaults.get_docs())


def test_letters_fill_in_the_customer():
	for letter in letters.LETTERS:
		parts = text_checks.get_parts(frappe.get_doc("Email Template", letter["name"]))
		subject, content = (
			texts.render(text, {"party_name": "Firm A"}, kind) for _label, text, kind in parts
		)
		assert "Firm A" in content
		assert "{{" not in subject + content


def test_approval_is_the_admins_to_switch_on():
	workflow = frappe.get_doc("Workflow", approval.NAME)
	assert not workflow.is_active
	workflow.is_active = 1
	workflow.save()
	plan = make_plan().insert()
	assert plan.workflow_state == "Pending"


def test_uninstallation_takes_the_workflow_and_the_letters():
	approval.delete_workflows()
	letters.delete_letters()
	assert not frappe.db.exists("Workflow", {"document_type": "Maintenance Plan"})
	assert not frappe.db.exists("Workflow State", approval.STATE)
	assert not frappe.db.exists("Workflow Action Master", approval.ACTION)
	assert frappe.db.exists("Workflow State", "Approved")
	assert not frappe.db.exists("Email Template", {"name": ("like", "Care: %")})

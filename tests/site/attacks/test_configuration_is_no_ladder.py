"""Configuration is no ladder: nobody reads by a source, signal, occasion, condition or count what they may not read."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.client import set_value
from frappe.custom.doctype.property_setter.property_setter import make_property_setter
from frappe.desk.search import search_link

from crm_retention import closed_doctypes
from crm_retention.api import plans, profile
from crm_retention.care.text_values import get_known
from crm_retention.closed_doctypes import About, get_open_doctypes, judge, why_closed
from crm_retention.crm_retention.doctype.customer_scorecard.customer_scorecard import get_criterion_options
from tests.site.attacks.restricted import limit, make_territories
from tests.site.desk import make_customer, make_profile, make_tier, make_user
from tests.site.interactions import capture, get_log
from tests.site.plans import make_plan
from tests.site.trade import DAY, add_customers, add_sales, insert

ALONE, SELLER, BOOKS = "alone@example.com", "seller.boss@example.com", "books.boss@example.com"
LIMITED, ADMIN = "limited.boss@example.com", "admin.only@example.com"
NO_LEADS = "no.leads.boss@example.com"
ROLES = {
	ALONE: ("Retention Manager",),
	SELLER: ("Retention Manager", "Sales Manager"),
	BOOKS: ("Retention Manager", "Sales Manager", "Accounts Manager"),
	LIMITED: ("Retention Manager", "Sales Manager"),
	ADMIN: ("System Manager",),
	NO_LEADS: ("Retention Manager", "Accounts User"),
}
HIDDEN = (
	("Customer", "default_commission_rate"),
	("Customer", "tax_id"),
	("Customer", "website"),  # leads show theirs
	("Lead", "mobile_no"),  # customers show theirs
	("Lead", "disabled"),
	("Payment Entry", "remarks"),
)
CLOSED = (
	"Access Log", "Activity Log", "Bank Account", "Bank Transaction", "Comment", "Deleted Document", "DocShare",
	"Email Account", "Email Queue", "Employee", "Error Log", "File", "Integration Request", "Notification Log",
	"OAuth Bearer Token", "OAuth Client", "Server Script", "Social Login Key", "Token Cache",
	"User", "User Permission", "Version", "Webhook",
)  # fmt: skip
PAYMENT = {
	"document_type": "Payment Entry",
	"interaction_kind": "Payment",
	"party_type": "From Field",
	"party_type_field": "party_type",
	"party_field": "party",
	"date_field": "posting_date",
}
LEDGER = PAYMENT | {"document_type": "GL Entry"}
ORDERS = {
	"document_type": "Sales Order",
	"interaction_kind": "Order",
	"party_type": "Customer",
	"party_field": "customer",
	"date_field": "delivery_date",
}


@pytest.fixture(scope="module", autouse=True)
def people(leave_site_as_it_was):
	"""Managers of every kind, and fields that nobody but Administrator is shown."""
	for user, roles in ROLES.items():
		make_user(user, *roles)
	make_territories("Near", "Far")
	limit(LIMITED, "Near")
	for doctype, field in HIDDEN:
		make_property_setter(doctype, field, "permlevel", 7, "Int", validate_fields_for_doctype=False)
		frappe.clear_cache(doctype=doctype)
	yield
	for doctype, _field in HIDDEN:
		frappe.clear_cache(doctype=doctype)


def source(given=ORDERS, **values):
	return frappe.get_doc({"doctype": "Interaction Source", "source_name": "Mine", **given, **values})


def signal(doctype="Sales Order", party="customer", **values):
	given = {"label": "Mine", "signal_name": "mine", "source_doctype": doctype, "party_field": party}
	return frappe.get_doc({"doctype": "Retention Signal", "aggregate": "Count", **given, **values})


def occasion(doctype="Sales Order", party="customer", date="transaction_date", **values):
	given = {"occasion_name": "Mine", "kind": "Date Field", "document_type": doctype}
	given |= {"party_field": party, "date_field": date}
	return frappe.get_doc({"doctype": "Care Occasion", **given, **values})


def rows(*conditions):
	return json.dumps([list(row) for row in conditions])


def is_refused(doc, says, error=frappe.PermissionError):
	"""By its own checks, before anything is written; the refusal names the field."""
	with pytest.raises(error) as caught:
		doc.run_method("validate") if doc.is_new() else doc.save()
	assert says in str(caught.value)
	frappe.clear_messages()


def passes(doc):
	"""Its own checks; inserting a signal would change the table of profiles, which ends the transaction."""
	doc.run_method("validate")


# what a source, signal or occasion reads


@pytest.mark.parametrize("user", [ALONE, SELLER, LIMITED, ADMIN])
def test_ledger_is_not_copied_by_whoever_does_not_keep_it(user):
	frappe.set_user(user)
	is_refused(source(LEDGER), "Document Type: you may not read GL Entry")
	is_refused(signal("GL Entry", "party"), "Document Type: you may not read GL Entry")
	is_refused(occasion("GL Entry", "party", "posting_date"), "Document Type: you may not read GL Entry")


def test_source_of_the_ledger_is_not_inserted_over_the_api():
	frappe.set_user(ALONE)
	with pytest.raises(frappe.PermissionError):
		frappe.client.insert(source(LEDGER).as_dict())
	assert not frappe.db.exists("Interaction Source", "Mine")


@pytest.mark.parametrize("user", [ALONE, ADMIN, "Administrator"])
def test_pay_accounts_credentials_remarks_and_the_platform_are_closed_to_everybody(user):
	frappe.set_user(user)
	known = [name for name in CLOSED if frappe.db.exists("DocType", name)]
	assert len(known) > 20
	for doctype in known:
		says = f"Document Type: {doctype} "
		is_refused(source(document_type=doctype), says, frappe.ValidationError)
		is_refused(signal(doctype), says, frappe.ValidationError)
		is_refused(occasion(doctype), says, frappe.ValidationError)


def test_payroll_of_any_app_and_whatever_keeps_a_password_is_closed():
	assert why_closed("Timesheet") == why_closed("Employee")  # what hours cost
	assert judge(About("Salary Slip", "Payroll", False, True, False)) == closed_doctypes.PEOPLE
	assert judge(About("Our Bonus", "HR", True, True, False)) == closed_doctypes.PEOPLE
	assert judge(About("Our Vault", "Selling", True, True, True)) == closed_doctypes.SECRETS
	assert judge(About("Our Visits", "Core", True, True, False)) is None
	assert judge(About("Customer", "Selling", False, True, True)) is None


def test_what_is_offered_is_what_is_open():
	offered = set(get_open_doctypes())
	for doctype in frappe.get_all("DocType", pluck="name"):
		assert (doctype in offered) == (not why_closed(doctype)), doctype
	assert not offered & set(CLOSED)
	assert {"Sales Order", "Payment Entry", "Issue", "Communication", "Event", "ToDo"} <= offered


@pytest.mark.parametrize(
	("user", "offers"), [(ALONE, set()), (SELLER, {"Sales Order"}), (LIMITED, set()), (ADMIN, set())]
)
def test_forms_offer_only_what_their_reader_may_use(user, offers):
	frappe.set_user(user)
	query = "crm_retention.api.choices.search_document_types"
	found = {
		row["value"]
		for txt in ("Sales Order", "GL Entry", "User")
		for row in search_link("DocType", txt, query)
	}
	assert found == offers


def test_form_of_sources_offers_nothing_to_those_who_write_none():
	frappe.set_user(make_user("reader.only@example.com", "Retention User", "Sales User"))
	from crm_retention.api.choices import search_document_types

	with pytest.raises(frappe.PermissionError):
		search_document_types(txt="Sales")


@pytest.mark.parametrize(
	("values", "says"),
	[
		({"subject_field": "remarks"}, "Subject Field: you may not read the field Remarks of Payment Entry"),
		({"note_field": "remarks"}, "Note Field: "),
		({"channel_field": "remarks"}, "Channel Field: "),
		({"direction_field": "remarks"}, "Direction Field: "),
		(
			{"filters_json": rows(["Payment Entry", "remarks", "like", "%bribe%"])},
			"Conditions, condition 1 (Remarks)",
		),
	],
)
def test_source_neither_shows_nor_asks_for_a_field_that_its_maker_is_not_shown(values, says):
	frappe.set_user(BOOKS)
	is_refused(source(PAYMENT, **values), says)
	passes(source(PAYMENT))


@pytest.mark.parametrize(
	("values", "says"),
	[
		(
			{"aggregate": "Latest", "value_field": "remarks"},
			"Value Field: you may not read the field Remarks",
		),
		({"aggregate": "Maximum", "value_field": "remarks"}, "Value Field: "),
		(
			{"filters_json": rows(["Payment Entry", "remarks", "like", "a%"])},
			"Filters, condition 1 (Remarks)",
		),
	],
)
def test_signal_neither_takes_nor_counts_by_a_field_that_its_maker_is_not_shown(values, says):
	frappe.set_user(BOOKS)
	values |= {"date_field": "posting_date"}
	is_refused(signal("Payment Entry", "party", **values), says)
	passes(signal("Payment Entry", "party"))


def test_payments_remarks_reach_no_profile_of_a_manager_without_accounts():
	frappe.set_user(SELLER)
	values = {"aggregate": "Latest", "value_field": "remarks", "date_field": "posting_date"}
	is_refused(signal("Payment Entry", "party", **values), "Document Type: you may not read Payment Entry")


@pytest.mark.parametrize("make", [source, signal, occasion])
def test_who_sees_some_documents_makes_nothing_of_all(make):
	frappe.set_user(LIMITED)
	is_refused(make(), "Document Type: some documents of the type Sales Order are hidden from you")
	frappe.set_user(SELLER)
	passes(make())


def test_right_to_own_documents_or_a_shared_one_is_none_to_all_of_them():
	make_customer("Shared Firm")
	name = frappe.get_all("Sales Invoice", pluck="name", limit=1) or add_sales("Shared Firm", (DAY, 10.0))
	frappe.share.add("Sales Invoice", name[0], ALONE)
	frappe.set_user(ALONE)
	invoices = ORDERS | {"document_type": "Sales Invoice", "date_field": "due_date"}
	is_refused(source(invoices), "you may not read Sales Invoice")
	letters = {"document_type": "Communication", "party_type": "From Field", "party_field": "reference_name"}
	is_refused(
		source(letters, interaction_kind="Email"), "some documents of the type Communication are hidden"
	)


# what an administrator set up


@pytest.fixture
def of_an_admin():
	return source(PAYMENT, note_field="remarks", enabled=1).insert()


def test_source_of_an_admin_stays_and_its_other_settings_may_be_changed(of_an_admin):
	frappe.set_user(ALONE)
	doc = frappe.get_doc("Interaction Source", of_an_admin.name)
	doc.update({"minutes": 5, "department": None}).save()
	assert set_value("Interaction Source", doc.name, "enabled", 0)["enabled"] == 0


@pytest.mark.parametrize(
	"values",
	[
		{"filters_json": rows(["Payment Entry", "name", "=", "ACC-PAY-1"])},
		{"only_submitted": 0},
		{"note_field": "reference_no"},
		{"document_type": "GL Entry"},
		{"date_field": "reference_date"},
	],
)
def test_source_of_an_admin_is_not_pointed_elsewhere(of_an_admin, values):
	frappe.set_user(ALONE)
	is_refused(frappe.get_doc("Interaction Source", of_an_admin.name).update(values), "Document Type: ")


def test_source_of_an_admin_is_neither_switched_on_nor_copied(of_an_admin):
	of_an_admin.update({"enabled": 0}).save()
	frappe.set_user(ALONE)
	with pytest.raises(frappe.PermissionError):
		set_value("Interaction Source", of_an_admin.name, "enabled", 1)
	is_refused(frappe.copy_doc(of_an_admin).update({"source_name": "Copy"}), "Document Type: ")


def test_what_the_app_ships_is_switched_off_and_on_by_managers():
	frappe.set_user(ALONE)
	for doctype, name in (
		("Interaction Source", "Email"),
		("Interaction Source", "Payment"),
		("Care Occasion", "End of Contract"),
	):
		for enabled in (0, 1):
			assert set_value(doctype, name, "enabled", enabled)["enabled"] == enabled
	other = frappe.get_doc("Interaction Source", "Payment").update({"note_field": "reference_no"})
	is_refused(other, "Document Type: you may not read Payment Entry")


def test_row_of_an_own_source_says_which_document_it_is_and_none_of_its_text():
	add_customers("Buyer")
	insert("Sales Order", [{"name": "SO-1", "docstatus": 1, "customer": "Buyer", "transaction_date": DAY}])
	source().insert()
	capture(True, "Mine")
	assert [(row.subject, row.note) for row in get_log("Buyer")] == [("Sales Order SO-1", None)]


# conditions


SECRET = ["default_commission_rate", ">", 10]
GROUPS = [
	lambda conditions: make_tier("Mine", party=conditions),
	lambda conditions: frappe.get_doc(
		{
			"doctype": "Lifecycle Stage",
			"stage_name": "Mine",
			"sequence": 5,
			"enabled": 1,
			**as_group(conditions),
		}
	),
	lambda conditions: frappe.get_doc(
		{
			"doctype": "Contact Rule",
			"rule_name": "Mine",
			"kind": "Condition",
			"action": "Drop",
			"enabled": 1,
			**as_group(conditions),
		}
	),
	lambda conditions: make_plan("Mine", **as_group(conditions)),
]


def as_group(conditions):
	return {"party_conditions_json": rows(*(["Customer", *row] for row in conditions))}


@pytest.mark.parametrize("make", GROUPS)
def test_condition_does_not_ask_for_a_field_that_its_maker_is_not_shown(make):
	honest = ["territory", "=", "Near"]
	frappe.set_user(ALONE)
	with pytest.raises(frappe.PermissionError, match="you may not read Customer"):
		make([honest]).insert()
	frappe.set_user(SELLER)
	with pytest.raises(frappe.PermissionError, match=r"Customer Conditions, condition 2 \(Commission Rate\)"):
		make([honest, SECRET]).insert()
	make([honest]).insert()


@pytest.mark.parametrize("make", GROUPS)
def test_condition_on_customers_does_not_ask_leads_for_what_they_hide(make):
	"""A rule over customers is one over leads too, and asks their field of the same name."""
	frappe.set_user(SELLER)
	with pytest.raises(frappe.PermissionError, match="you may not read the field Mobile No of Lead"):
		make([["mobile_no", "like", "%777%"]]).insert()


def test_condition_asks_customers_for_what_they_show_where_no_lead_is_read():
	frappe.set_user(NO_LEADS)
	make_tier("Mine", party=[["language", "=", "de"]]).insert()
	with pytest.raises(frappe.PermissionError, match="Mobile No of Lead"):
		make_tier("Other", party=[["mobile_no", "like", "%777%"]]).insert()


def test_score_is_not_made_of_what_leads_hide():
	field = "party.disabled"
	given = {"doctype": "Customer Scorecard", "title": "Mine", "purpose": "Value", "is_active": 0}
	card = frappe.get_doc({**given, "criteria": [{"signal": field, "weight": 1}]})
	frappe.set_user(SELLER)
	is_refused(card, "you may not read the field Disabled of Lead")
	assert field not in {option["value"] for option in get_criterion_options()}


@pytest.mark.parametrize("field", ["website", "mobile_no"])
def test_text_for_customers_and_leads_says_nothing_that_either_hides_from_its_author(field):
	"""Who sends it may be shown more than who wrote it, and the one's field has the name of the other's."""
	frappe.set_user(SELLER)
	form = {"sms_text": f"{{{{ party.{field} }}}}", "channel": "SMS"}
	with pytest.raises(frappe.ValidationError, match=f"there is no variable party.{field}"):
		make_plan("Mine", [form]).insert()
	shown = {"website": "Lead", "mobile_no": "Customer"}[field]
	assert field in (get_known([shown])["party"] or ())


def test_text_says_what_customers_show_where_its_author_reads_no_lead():
	known = get_known(user=NO_LEADS)["party"] or ()
	assert "language" in known
	assert not {"website", "mobile_no"} & set(known)


@pytest.mark.parametrize("make", GROUPS[:3])
def test_rule_of_an_admin_stays_but_is_neither_changed_nor_switched_on(make):
	name = make([SECRET]).insert().name
	doctype = make([]).doctype
	frappe.set_user(SELLER)
	doc = frappe.get_doc(doctype, name)
	doc.update({"colour": "#112233", "because": "So it is"}).save()
	changed = frappe.get_doc(doctype, name).update(as_group([SECRET, ["name", "=", "Firm"]]))
	is_refused(changed, "condition 1 (Commission Rate)")
	set_value(doctype, name, "enabled", 0)
	is_refused(frappe.get_doc(doctype, name).update({"enabled": 1}), "condition 1 (Commission Rate)")


def test_plan_of_an_admin_is_neither_submitted_nor_followed_by_others():
	draft = make_plan("Mine", **as_group([SECRET])).insert()
	frappe.set_user(SELLER)
	with pytest.raises(frappe.PermissionError, match="Commission Rate"):
		frappe.get_doc("Maintenance Plan", draft.name).submit()
	frappe.set_user("Administrator")
	draft.reload().submit()
	frappe.set_user(SELLER)
	with pytest.raises(frappe.PermissionError, match="Commission Rate"):
		plans.make_new_version(draft.name)


def test_score_is_not_made_of_a_field_that_its_maker_is_not_shown():
	field = "party.default_commission_rate"
	criteria = [{"signal": "frequency", "weight": 1}, {"signal": field, "weight": 1}]
	given = {"doctype": "Customer Scorecard", "title": "Mine", "purpose": "Value", "is_active": 0}
	card = frappe.get_doc({**given, "criteria": criteria})
	frappe.set_user(SELLER)
	is_refused(card, "Criteria, row 2, Signal: you may not read the field Commission Rate of Customer")
	assert field not in {option["value"] for option in get_criterion_options()}
	frappe.set_user("Administrator")
	assert field in {option["value"] for option in get_criterion_options()}
	card.insert()
	frappe.set_user(SELLER)
	card = frappe.get_doc("Customer Scorecard", card.name)
	card.update({"description": "Fine"}).save()
	card.criteria.pop(0)
	# the score would be the hidden number alone
	is_refused(card, "Signal: you may not read the field Commission Rate")


# what is counted and shown


def test_forecast_does_not_count_by_a_field_that_its_asker_is_not_shown():
	frappe.set_user(SELLER)
	form = make_plan("Mine", **as_group([["tax_id", "like", "DE9%"]])).as_dict()
	with pytest.raises(frappe.PermissionError, match="Tax ID"):
		plans.get_forecast(form)


def test_forecast_counts_for_a_limited_manager_the_customers_that_he_sees():
	frappe.db.delete("Retention Profile")
	for territory in ("Near", "Far", "Far"):
		name = make_customer(f"Firm {frappe.generate_hash(length=6)}", territory=territory).name
		make_profile(name, tier="Regular", stage="Active")
	form = make_plan("Mine").as_dict()
	assert plans.get_forecast(form)["parties"] == 3
	frappe.set_user(LIMITED)
	found = plans.get_forecast(form)
	assert found["parties"] == 1
	assert found["not_counted"][0] == "customers and leads that you may not read"
	far = make_plan("Mine", **as_group([["territory", "=", "Far"]])).as_dict()
	assert plans.get_forecast(far)["parties"] == 0
	frappe.set_user(ALONE)
	assert plans.get_forecast(form)["parties"] == 0


def test_explanation_hides_the_value_of_a_field_that_its_reader_is_not_shown():
	make_customer("Firm", default_commission_rate=7.25)
	make_profile("Firm", tier="Potential", as_of=DAY, score=1)
	frappe.db.set_value("Customer", "Firm", "default_commission_rate", 7.25)
	make_tier("Mine", party=[SECRET], rank=99).insert()
	assert "7.25" in frappe.as_json(profile.explain("Customer", "Firm"))
	frappe.set_user(SELLER)
	shown = profile.explain("Customer", "Firm")
	(condition,) = next(tier for tier in shown["tiers"] if tier["name"] == "Mine")["conditions"]
	assert (condition["actual"], condition["hidden"]) == (None, True)
	assert "7.25" not in frappe.as_json(shown)

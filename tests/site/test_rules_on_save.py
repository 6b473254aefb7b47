"""Wrong configuration is refused on save, and the message names row and field in the terms of the form."""

import json

import frappe
import pytest
from frappe.custom.doctype.custom_field.custom_field import create_custom_field

from crm_retention.configuration import get_config, party_fields
from tests.site.desk import make_tier, refusal


def make_card(**values):
	criteria = [{"signal": "frequency", "weight": 1}]
	given = {"doctype": "Customer Scorecard", "title": "Trial", "purpose": "Value", "criteria": criteria}
	return frappe.get_doc(given | values)


def with_bands(*bands):
	criteria = [{"signal": "frequency", "weight": 1, "method": "Bands"}]
	rows = [
		dict(zip(("signal", "from_value", "to_value", "score"), ("frequency", *band), strict=True))
		for band in bands
	]
	return make_card(criteria=criteria, bands=rows)


def test_tier_with_unknown_customer_field_is_refused():
	message = refusal(
		make_tier("Trial", party=[["territory", "=", "All Territories"], ["no_such_field", "=", "x"]])
	)
	assert "Customer Conditions, condition 2 (no_such_field)" in message


def test_tier_with_unknown_signal_is_refused():
	message = refusal(make_tier("Trial", signals=[["no_such_signal", ">", 1]]))
	assert "Signal Conditions, condition 1 (no_such_signal)" in message


def test_tier_with_field_that_no_rule_knows_is_refused():
	message = refusal(make_tier("Trial", signals=[["frequency", ">", 1], ["rule_version", "=", "x"]]))
	assert "condition 2 (Rule Version)" in message


@pytest.mark.parametrize(
	("operator", "value", "says"),
	[
		("Timespan", "last week", "operator Timespan is not supported"),
		("not descendants of", "All Territories", "operator not descendants of is not supported"),
		("in", "", "needs a value"),
		("descendants of", "No Such Territory", "there is no Territory No Such Territory"),
	],
)
def test_condition_that_means_nothing_is_refused(operator, value, says):
	message = refusal(make_tier("Trial", party=[["territory", operator, value]]))
	assert "condition 1 (Territory)" in message
	assert says in message


def test_number_compared_with_text_is_refused():
	assert "condition 1 (Frequency): many is not a number" in refusal(
		make_tier("Trial", signals=[["frequency", ">", "many"]])
	)


def test_table_and_child_fields_are_refused():
	assert "condition 1 (Sales Team)" in refusal(make_tier("Trial", party=[["sales_team", "=", "x"]]))
	tier = make_tier("Trial")
	tier.party_conditions_json = json.dumps([["Sales Team", "sales_person", "=", "x"]])
	assert "fields of Sales Team cannot be used here" in refusal(tier)


def test_conditions_that_are_no_list_are_refused():
	tier = make_tier("Trial")
	tier.party_conditions_json = '{"territory": "x"}'
	assert "Customer Conditions, this is not a list of conditions" in refusal(tier)


def test_tier_thresholds_out_of_order_are_refused():
	message = refusal(make_tier("Trial", rank=50, min_score=10))
	assert "Minimum Score" in message
	assert "High Value" in message


def test_second_tier_of_a_rank_is_refused():
	assert "Rank" in refusal(make_tier("Trial", rank=3, min_score=90))


@pytest.mark.parametrize(
	("field", "value", "label"), [("min_score", 120, "Minimum Score"), ("margin", -1, "Margin")]
)
def test_tier_numbers_out_of_range_are_refused(field, value, label):
	assert label in refusal(make_tier("Trial", **{field: value}))


def test_second_stage_of_a_sequence_is_refused():
	stage = frappe.get_doc(
		{"doctype": "Lifecycle Stage", "stage_name": "Trial", "sequence": 10, "enabled": 1}
	)
	assert "Sequence" in refusal(stage)


def test_custom_field_is_usable_in_a_tier_at_once():
	field = {
		"fieldname": "cooperation_depth",
		"label": "Cooperation",
		"fieldtype": "Select",
		"options": "\nDeep\nFlat",
	}
	frappe.get_doc({"doctype": "Custom Field", "dt": "Customer", **field}).db_insert()
	frappe.clear_cache(doctype="Customer")
	make_tier("Trial", party=[["cooperation_depth", "in", "Deep,Flat"]]).insert()
	config = get_config()
	tier = next(tier for tier in config.tiers if tier.name == "Trial")
	assert tier.conditions[0].field == "party.cooperation_depth"
	assert tier.conditions[0].value == ("Deep", "Flat")
	assert "cooperation_depth" in party_fields(config)


@pytest.mark.commits
def test_removed_custom_field_is_no_longer_read():
	create_custom_field("Customer", {"fieldname": "cooperation_depth", "label": "Depth", "fieldtype": "Data"})
	make_tier("Trial", party=[["cooperation_depth", "=", "Deep"]]).insert()
	frappe.delete_doc("Custom Field", "Customer-cooperation_depth")
	frappe.clear_cache(doctype="Customer")
	config = get_config()
	assert any(tier.name == "Trial" for tier in config.tiers)
	assert "cooperation_depth" not in party_fields(config)


def test_descendants_take_their_tree_along():
	make_tier("Trial", party=[["territory", "descendants of (inclusive)", "All Territories"]]).insert()
	config = get_config()
	assert config.trees["territory"]["All Territories"] is None
	assert "All Territories" in config.trees["territory"].values()


def test_descendants_without_the_node_itself():
	make_tier("Trial", party=[["territory", "descendants of", "All Territories"]]).insert()
	tier = next(tier for tier in get_config().tiers if tier.name == "Trial")
	assert [(c.op, c.value) for c in tier.conditions] == [
		("descendants of", "All Territories"),
		("!=", "All Territories"),
	]


def test_minimum_score_of_zero_is_no_minimum():
	assert next(tier for tier in get_config().tiers if tier.name == "Potential").min_score is None


def test_second_active_scorecard_names_the_first():
	message = refusal(make_card(is_active=1))
	assert "Customer Value" in message
	assert "Value" in message


def test_scorecard_of_an_unknown_signal_names_row_and_field():
	rows = [{"signal": "frequency", "weight": 1}, {"signal": "no_such_signal", "weight": 1}]
	assert "Criteria, row 2, Signal" in refusal(make_card(criteria=rows))


def test_scorecard_does_not_score_dates():
	assert "Criteria, row 1, Signal" in refusal(
		make_card(criteria=[{"signal": "last_purchase", "weight": 1}])
	)


def test_scorecard_takes_number_fields_of_customers():
	make_card(criteria=[{"signal": "party.default_commission_rate", "weight": 1}], is_active=0).insert()


def test_weights_of_zero_are_refused():
	rows = [{"signal": "frequency", "weight": 0}, {"signal": "recency_days", "weight": 0}]
	assert "Weight: the weights add up to zero" in refusal(make_card(criteria=rows))


def test_signal_used_twice_names_the_second_row():
	rows = [{"signal": "frequency", "weight": 1}, {"signal": "frequency", "weight": 1}]
	assert "frequency" in refusal(make_card(criteria=rows))


@pytest.mark.parametrize(
	("bands", "says"),
	[
		([("", "5", 0), ("4", "", 100)], "overlaps"),
		([("", "5", 0), ("6", "", 100)], "values from 5 to 6 are in no band"),
		([("1", "", 100)], "are in no band"),
		([("", "", 120)], "is not within 0 to 100"),
	],
)
def test_bands_that_overlap_or_leave_holes_are_refused(bands, says):
	message = refusal(with_bands(*bands))
	assert "Criteria, row 1 (frequency), Bands" in message
	assert says in message


def test_band_with_text_names_row_and_field():
	assert "Bands, row 1, From: few is not a number" in refusal(with_bands(("few", "", 1)))


def test_bands_of_no_criterion_are_refused():
	card = make_card(bands=[{"signal": "recency_days", "from_value": "", "to_value": "", "score": 1}])
	assert "Bands, row 1, Signal" in refusal(card)


def test_criterion_without_its_bands_is_refused():
	assert "Criteria, row 1 (frequency), Bands" in refusal(with_bands())


@pytest.mark.parametrize(
	("field", "value", "label"),
	[
		("run_hour", 24, "Hour of the Run"),
		("period_days", 0, "Money and Trends"),
		("horizon_days", 0, "Horizon"),
	],
)
def test_settings_out_of_range_are_refused(field, value, label):
	settings = frappe.get_doc("Retention Settings")
	settings.set(field, value)
	assert label in refusal(settings)


def make_company(name, abbreviation, currency):
	company = frappe.get_doc("Company", frappe.get_all("Company", pluck="name")[0])
	values = {"name": name, "company_name": name, "abbr": abbreviation, "default_currency": currency}
	frappe.get_doc({**company.as_dict(), **values, "lft": 0, "rgt": 0}).db_insert()


def test_companies_of_different_currencies_are_refused_unless_converted():
	make_company("Euro Trading", "ET", "EUR")
	settings = frappe.get_doc("Retention Settings")
	message = refusal(settings)
	assert "Companies" in message
	assert "Euro Trading (EUR)" in message
	settings.reload()
	settings.update({"convert_currencies": 1, "target_currency": "EUR"})
	assert "no Currency Exchange" in refusal(settings)
	rate = {"from_currency": "USD", "to_currency": "EUR", "exchange_rate": 0.9, "date": "2020-01-01"}
	frappe.get_doc({"doctype": "Currency Exchange", **rate, "for_buying": 1, "for_selling": 1}).insert()
	settings.reload()
	settings.update({"convert_currencies": 1, "target_currency": "EUR"})
	settings.save()


def test_one_company_among_currencies_is_accepted():
	make_company("Euro Trading", "ET", "EUR")
	settings = frappe.get_doc("Retention Settings")
	settings.append("companies", {"company": "Euro Trading"})
	settings.save()

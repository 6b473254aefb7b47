"""An admin's signal becomes a field of the profile without code, and leaves with it."""

import json

import frappe
import pytest

from crm_retention.configuration import get_config, get_signal_sources
from tests.site.desk import make_tier, refusal


def make_signal(**values):
	given = {
		"doctype": "Retention Signal",
		"label": "Quotes",
		"signal_name": "quotes_90d",
		"source_doctype": "Quotation",
		"party_field": "party_name",
		"date_field": "transaction_date",
		"aggregate": "Count",
		"window_days": 90,
	}
	return frappe.get_doc(given | values)


def profile_field(name):
	return frappe.get_meta("Retention Profile").get_field(name)


def nullable(column):
	columns = frappe.qb.Schema("information_schema").columns
	query = frappe.qb.from_(columns).select(columns.is_nullable).where(columns.column_name == column)
	query = query.where(columns.table_name == "tabRetention Profile")
	return query.where(columns.table_schema == frappe.conf.db_name).run()[0][0]


@pytest.mark.parametrize("name", ["Quotes", "2quotes", "quotes-90", "q" * 51, ""])
def test_name_that_is_no_fieldname_is_refused(name):
	assert refusal(make_signal(signal_name=name))


@pytest.mark.parametrize(
	("name", "says"),
	[
		("frequency", "is a standard signal"),
		("lifetime_value", "is a standard signal"),
		("tier", "is already a field of Retention Profile"),
		("owner", "is already a field of Retention Profile"),
		("days_in_tier", "is already a field of Retention Profile"),
	],
)
def test_name_that_is_taken_is_refused(name, says):
	message = refusal(make_signal(signal_name=name))
	assert "Signal Name" in message
	assert says in message


@pytest.mark.parametrize(
	("values", "label"),
	[
		({"source_doctype": "Selling Settings"}, "Document Type"),
		({"source_doctype": "Quotation Item"}, "Document Type"),
		({"party_field": "company"}, "Customer Field"),
		({"party_field": "no_such_field"}, "Customer Field"),
		({"date_field": "party_name"}, "Date Field"),
		({"date_field": ""}, "Date Field"),
		({"aggregate": "Sum", "value_field": "status"}, "Value Field"),
		({"aggregate": "Sum", "value_field": "no_such_field"}, "Value Field"),
		(
			{"filters_json": json.dumps([["Quotation", "no_such_field", "=", 1]])},
			"condition 1 (no_such_field)",
		),
		({"filters_json": "7"}, "Filters"),
	],
)
def test_source_that_cannot_be_read_is_refused_by_field(values, label):
	assert label in refusal(make_signal(**values))


def test_latest_needs_a_date():
	values = {"aggregate": "Latest", "value_field": "status", "date_field": "", "window_days": 0}
	assert refusal(make_signal(**values))


@pytest.mark.commits
class TestColumn:
	def test_signal_makes_a_column_that_may_be_unknown(self):
		make_signal(aggregate="Sum", value_field="base_net_total").insert()
		assert profile_field("quotes_90d").fieldtype == "Float"
		assert profile_field("quotes_90d").read_only
		assert nullable("quotes_90d") == "YES"

	def test_signal_reaches_the_engine(self):
		make_signal(filters_json=json.dumps([["Quotation", "status", "in", "Open,Replied"]])).insert()
		config = get_config()
		signal = next(signal for signal in config.signals if signal.name == "quotes_90d")
		assert [(c.field, c.op, c.value) for c in signal.conditions] == [
			("status", "in", ("Open", "Replied")),
			("docstatus", "=", 1),
		]
		source = get_signal_sources(config)[0]
		assert (source.doctype, source.party_type, source.party_type_field) == (
			"Quotation",
			None,
			"quotation_to",
		)
		assert set(source.columns) >= {
			"party_name",
			"quotation_to",
			"transaction_date",
			"status",
			"docstatus",
		}

	def test_signal_is_usable_and_then_protected(self):
		signal = make_signal().insert()
		make_tier("Trial", signals=[["quotes_90d", ">", 1]]).insert()
		signal.enabled = 0
		assert "Customer Tier Trial" in refusal(signal)
		with pytest.raises(frappe.LinkExistsError, match="Customer Tier Trial"):
			frappe.delete_doc("Retention Signal", "quotes_90d")

	def test_deleted_signal_takes_its_column_along(self):
		make_signal().insert()
		frappe.delete_doc("Retention Signal", "quotes_90d")
		assert not profile_field("quotes_90d")
		assert "quotes_90d" not in frappe.db.get_table_columns("Retention Profile")

	def test_renamed_signal_keeps_values_and_rules(self):
		make_signal().insert()
		make_tier("Trial", signals=[["quotes_90d", ">", 1]]).insert()
		frappe.rename_doc("Retention Signal", "quotes_90d", "quotes_recent")
		assert profile_field("quotes_recent")
		assert not profile_field("quotes_90d")
		tier = next(tier for tier in get_config().tiers if tier.name == "Trial")
		assert tier.conditions[0].field == "quotes_recent"
		assert frappe.db.get_value("Retention Signal", "quotes_recent", "signal_name") == "quotes_recent"

	def test_another_aggregate_changes_the_type_of_the_column(self):
		signal = make_signal().insert()
		assert profile_field("quotes_90d").fieldtype == "Int"
		signal.update({"aggregate": "Latest", "value_field": "transaction_date"})
		signal.save()
		assert profile_field("quotes_90d").fieldtype == "Date"

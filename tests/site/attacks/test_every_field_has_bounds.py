"""No field of the app takes what nothing can reckon with: every number, date, text and list of rows has bounds."""

from __future__ import annotations

import datetime
import json

import frappe
import pytest
from frappe.model.base_document import get_controller

from crm_retention import bounds, filters
from crm_retention.documents import BoundedDocument
from tests.site.desk import make_tier, refusal
from tests.site.plans import make_plan, make_step
from tests.site.touchpoints import make_customers, make_touchpoint

NUMBERS = ("NaN", "inf", "-inf", 1e308, -1e308, "x", "1e400", 10**400, [], {}, [1], "--1")
DATES = (
	0, 1, True, "0000-00-00", "2026-02-30", "10000-01-01", "9999-12-31", "1899-12-31", "2201-01-01", "5", "today",
	"30-06-2026", "2026-06-30 garbage", "2026-06-30T10:00:00Z", "٢٠٢٦-06-30", "x", [], {}, datetime.date(1, 1, 1), 1e9,
)  # fmt: skip
TIMES = ("25:00:00", "x", [], datetime.timedelta(days=2), datetime.timedelta(days=-1), 5)
TEXTS = ("x" * 1_000_001, {}, [], ["x"], "\ud800", "a\0b")


def get_doctypes():
	return frappe.get_all("DocType", {"module": "CRM Retention"}, pluck="name", order_by="name")


def get_fields(*fieldtypes):
	"""(doctype, field) of the app that are of these types."""
	return [
		(doctype, df)
		for doctype in get_doctypes()
		for df in frappe.get_meta(doctype).fields
		if df.fieldtype in fieldtypes
	]


def taken(fields, values):
	"""Values that a field would take, which nobody means."""
	return [
		f"{doctype}.{df.fieldname} takes {str(value)[:40]!r}"
		for doctype, df in fields
		for value in values
		if value != "" and not bounds.get_fault(doctype, df, value)
	]


def test_no_document_of_the_app_is_saved_without_a_look_at_its_bounds():
	loose = [name for name in get_doctypes() if not issubclass(get_controller(name), BoundedDocument)]
	assert loose == []


def test_no_number_field_takes_what_is_no_number_or_beyond_all_reason():
	fields = get_fields(*bounds.OF_TYPE)
	assert len(fields) > 100
	assert taken(fields, NUMBERS) == []
	assert taken(fields, (1e13, -1e13)) == []
	assert taken(get_fields("Int"), (2**31, -(2**31), 0.5)) == []


def test_no_number_of_days_is_longer_than_a_life():
	days = [pair for pair in get_fields("Int") if "days" in pair[1].fieldname and not pair[1].read_only]
	assert len(days) > 12
	assert taken(days, (36_501, 1_000_000_000, -36_501)) == []


def test_no_bounds_are_for_a_field_that_is_gone():
	for table in (bounds.OF_FIELD, bounds.ROWS_OF, bounds.LENGTH_OF):
		for doctype, fields in table.items():
			assert [name for name in fields if not frappe.get_meta(doctype).has_field(name)] == [], doctype


def test_no_date_field_takes_what_is_no_day_of_ours():
	fields = get_fields("Date", "Datetime")
	assert len(fields) > 30
	assert taken(fields, DATES) == []
	assert taken(get_fields("Time"), TIMES) == []


def test_no_text_field_takes_what_its_column_cannot_hold():
	assert taken(get_fields("Data", "Small Text", "Text", "Link", "Select", "Dynamic Link"), TEXTS) == []
	assert taken(get_fields("Small Text", "Text"), ("x" * 65_536, "你" * 21_846)) == []
	assert taken(get_fields("Code", "Text Editor"), ([], {})) == []


def test_no_table_takes_rows_without_end():
	for doctype in get_doctypes():
		for df in frappe.get_meta(doctype).get_table_fields():
			doc = frappe.new_doc(doctype)
			doc.set(df.fieldname, [{} for _ in range(2_001)])
			assert any(fault.field == df.fieldname for fault in bounds.get_faults(doc)), (
				doctype,
				df.fieldname,
			)


def test_what_honest_people_write_is_taken():
	for value in ("2026-06-30", datetime.date(2026, 6, 30), "2026-6-3"):
		assert bounds.get_day_fault(value, "Date") is None
	for value in ("2026-06-30 08:15:00", datetime.datetime(2026, 6, 30, 8), "2026-06-30T08:15:00"):
		assert bounds.get_day_fault(value, "Datetime") is None
	for value in ("08:00:00", "8:00", datetime.timedelta(hours=8), datetime.time(8)):
		assert bounds.get_time_fault(value) is None
	df = frappe.get_meta("Customer Tier").get_field("min_score")
	assert [bounds.get_fault("Customer Tier", df, value) for value in (0, "50", 99.5, "1e1")] == [None] * 4


@pytest.mark.parametrize("value", [
		0, "0000-00-00", "2026-02-30", "9999-12-31", 20260630, ["2026-06-30"], "2026-06-30 garbage",
		"2026-06-30T10:00:00Z", "2026-06-30 24:00:00", "٢٠٢٦-06-30",
	],
)  # fmt: skip
def test_no_touchpoint_is_due_on_no_day(value):
	make_customers("Bounded")
	with pytest.raises(frappe.ValidationError, match="Due"):
		make_touchpoint("Bounded", due_date=value)
	doc = make_touchpoint("Bounded")
	doc.due_date = value
	assert "Due" in refusal(doc)


@pytest.mark.parametrize(
	("doctype", "values", "label"),
	[
		("Retention Settings", {"planning_days": 1_000_000_000}, "Plan Ahead"),
		("Retention Settings", {"period_days": 10**9}, "Money and Trends"),
		("Retention Settings", {"run_minutes": 10_000}, "Time Limit"),
		("Retention Settings", {"discount_rate": "nan"}, "Discount Rate"),
	],
)
def test_no_setting_is_beyond_reason(doctype, values, label):
	doc = frappe.get_doc(doctype)
	doc.update(values)
	assert label in refusal(doc)


@pytest.mark.parametrize(
	("values", "label"),
	[
		({"every": 10**9}, "Every"),
		({"service_level_days": 10**9}, "To Be Done Within Days"),
		({"timing": "Event", "event": "Silent", "offset_days": 10**9}, "Days After"),
		({"timing": "Buying Rhythm", "rhythm": 1e308}, "Rhythm"),
		({"minutes": {}}, "Minutes"),
	],
)
def test_a_step_beyond_reason_is_refused_by_row_and_field(values, label):
	text = refusal(make_plan("Trial", [{}, make_step(**values)]))
	assert "row 2" in text
	assert label in text


def test_no_plan_has_steps_without_end():
	assert "at most 50 rows" in refusal(make_plan("Trial", [make_step(step_name=str(n)) for n in range(51)]))


def conditions(many):
	return [["frequency", ">", n] for n in range(many)]


def test_no_tier_has_conditions_without_end():
	assert make_tier("Trial", signals=conditions(filters.MOST_CONDITIONS)).save()
	assert "at most 200 conditions" in refusal(make_tier("Trial Two", signals=conditions(10_000), rank=51))


@pytest.mark.parametrize(
	"text",
	[
		"[" * 5_000 + "]" * 5_000,
		'[["Retention Profile", "frequency", ">", NaN]]',
		'[["Retention Profile", "frequency", ">", Infinity]]',
		'[["Retention Profile", ["frequency"], ">", 1]]',
		'[["Retention Profile", "frequency", ">", {"a": 1}]]',
		'[["Retention Profile", "frequency", "in", [[1]]]]',
		'{"a": 1}',
		"[[[]]]",
		"[" + ",".join(["1"] * 200_000) + "]",
	],
)
def test_no_conditions_are_what_is_no_list_of_conditions(text):
	tier = make_tier("Trial")
	tier.signal_conditions_json = text
	assert "list of conditions" in refusal(tier)


@pytest.mark.parametrize(
	"row",
	[
		["frequency", ">", "inf"],
		["frequency", "=", "1e999"],
		["last_purchase", ">", "0000-00-00"],
		["last_purchase", ">", "2026-02-30"],
		["last_purchase", "between", ["1000-01-01", "2026-01-01"]],
		["frequency", "in", ",".join(str(n) for n in range(1_001))],
		["previous_tier", "=", "x" * 1_001],
	],
)
def test_no_condition_compares_with_what_is_no_value(row):
	assert "condition 1" in refusal(make_tier("Trial", signals=[row]))


def test_rows_saved_by_themselves_are_bounded_too():
	card = frappe.get_doc("Customer Scorecard", {"is_active": 1})
	row = frappe.get_doc("Customer Scorecard Criterion", card.criteria[0].name)
	row.weight = 1e300
	assert "Weight" in refusal(row)


def test_a_signal_with_filters_without_end_is_refused():
	rows = [["Sales Invoice", "grand_total", ">", n] for n in range(10_000)]
	values = {"signal_name": "trial_signal", "label": "Trial", "source_doctype": "Sales Invoice"}
	values |= {"party_field": "customer", "aggregate": "Count", "filters_json": json.dumps(rows)}
	assert "at most 200 conditions" in refusal(frappe.get_doc({"doctype": "Retention Signal", **values}))

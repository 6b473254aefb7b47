"""Days of occasions against published calendars."""

import datetime

import pytest

from crm_retention.plans.occasions import (
	anniversary,
	fixed_days,
	holiday_names,
	lunar_days,
	public_holidays,
)
from crm_retention.plans.quiet import get_weekdays, is_in_spans, parse_month_days


def day(text):
	return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
	("month", "of_month", "published"),
	[
		# Hong Kong Observatory, Gregorian-Lunar Calendar Conversion Tables
		(1, 1, ["2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06"]),
		(8, 15, ["2024-09-17", "2025-10-06", "2026-09-25"]),
		(5, 5, ["2024-06-10", "2025-05-31", "2026-06-19"]),
	],
)
def test_lunar_days_are_those_of_the_published_tables(month, of_month, published):
	days = [day(text) for text in published]
	assert lunar_days(month, of_month, [found.year for found in days]) == days


def test_leap_month_does_not_count():
	# 2025 has a leap sixth month: the ordinary one began on 25 June, the leap one on 25 July
	assert lunar_days(6, 1, [2025]) == [day("2025-06-25")]


def test_day_30_of_a_short_month_falls_on_the_29th():
	# the twelfth month of 2024 had 29 days: New Year's Eve was 28 January 2025
	assert lunar_days(12, 30, [2025]) == [day("2025-01-28")]


def test_late_lunar_days_belong_to_the_year_they_fall_into():
	# the eighth of the twelfth month (Laba): none in 2024's calendar is lost or doubled
	found = lunar_days(12, 8, range(2024, 2028))
	assert found == [day("2024-01-18"), day("2025-01-07"), day("2026-01-26"), day("2027-01-15")]


def test_year_may_have_a_lunar_day_twice_or_not_at_all():
	# 1 December of the lunar year: 11 January and 31 December 2024, and none in 2025
	assert lunar_days(12, 1, [2024]) == [day("2024-01-11"), day("2024-12-31")]
	assert lunar_days(12, 1, [2025]) == []


@pytest.mark.parametrize(("month", "of_month"), [(0, 1), (13, 1), (1, 0), (1, 31)])
def test_lunar_day_that_no_year_has_is_refused(month, of_month):
	with pytest.raises(ValueError, match="lunar month"):
		lunar_days(month, of_month, [2025])


def test_29_february_goes_by_the_policy():
	years = [2023, 2024, 2100]
	assert fixed_days(2, 29, years) == [day("2023-02-28"), day("2024-02-29"), day("2100-02-28")]
	assert fixed_days(2, 29, years, "1 March") == [day("2023-03-01"), day("2024-02-29"), day("2100-03-01")]


def test_unknown_policy_and_impossible_day_are_refused():
	with pytest.raises(ValueError, match="none of"):
		fixed_days(2, 29, [2023], "never")
	with pytest.raises(ValueError, match="day"):
		fixed_days(4, 31, [2023])


def test_anniversary_begins_with_the_day_itself():
	born = day("2024-02-29")
	assert anniversary(born, 2023) is None
	assert anniversary(born, 2024) == born
	assert anniversary(born, 2027, "1 March") == day("2027-03-01")


def test_moving_holidays_move():
	thanksgiving = public_holidays("US", "Thanksgiving Day", [2025, 2026])
	assert thanksgiving == [day("2025-11-27"), day("2026-11-26")]
	assert public_holidays("DE", "Easter Monday", [2026]) == [day("2026-04-06")]
	assert public_holidays("DE", "Ostermontag", [2026]) == [day("2026-04-06")]


def test_holiday_of_several_days_gives_its_first():
	assert public_holidays("CN", "Chinese New Year (Spring Festival)", [2026]) == [day("2026-02-17")]


def test_holiday_names_come_without_observed_and_make_up_days():
	names = holiday_names("CN")
	assert "Mid-Autumn Festival" in names
	assert not [name for name in names if "observed" in name or "substituted" in name]


def test_country_without_list_is_told():
	with pytest.raises(NotImplementedError):
		holiday_names("XX")


def test_weekdays_are_read_in_any_case_and_order():
	assert get_weekdays("sunday, Saturday") == [5, 6]
	assert get_weekdays("") == []
	with pytest.raises(ValueError, match="Caturday"):
		get_weekdays("Monday, Caturday")


def test_spans_cross_the_end_of_the_year():
	spans = parse_month_days("12-24 to 01-02\n05-01")
	assert [is_in_spans(day(text), spans) for text in ("2025-12-24", "2026-01-02", "2026-05-01")] == [
		True
	] * 3
	assert [is_in_spans(day(text), spans) for text in ("2025-12-23", "2026-01-03", "2026-05-02")] == [
		False
	] * 3


@pytest.mark.parametrize("text", ["13-01", "02-30", "12-24 until 01-02", "1-1"])
def test_day_of_the_year_that_is_none_is_refused(text):
	with pytest.raises(ValueError, match=text[:4]):
		parse_month_days(text)

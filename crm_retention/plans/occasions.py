"""The days of a Care Occasion: fixed and lunar dates, public holidays, anniversaries. Pure: no site, no clock."""

from __future__ import annotations

import calendar
import datetime
import functools
import re
from collections.abc import Iterable

import holidays
from lunar_python import Lunar, LunarMonth

LEAP_POLICIES = ("28 February", "1 March")
SAMPLE_YEARS = range(2024, 2034)  # holidays that are not held every year show up in one of ten
MAKE_UP_DAY = re.compile(r"\d\d\d\d")  # "Day off (substituted from 01/26/2025)" comes once


def fixed_days(
	month: int, day: int, years: Iterable[int], leap_policy: str = "28 February"
) -> list[datetime.date]:
	"""The day of each year; 29 February goes by ``leap_policy`` in years that have none.

	Raises ValueError for a day that no year has.
	"""
	return [_in_year(month, day, year, leap_policy) for year in years]


def anniversary(date: datetime.date, year: int, leap_policy: str = "28 February") -> datetime.date | None:
	"""The day on which ``date`` returns in ``year``; None before it first happened."""
	return None if year < date.year else _in_year(date.month, date.day, year, leap_policy)


def lunar_days(lunar_month: int, lunar_day: int, years: Iterable[int]) -> list[datetime.date]:
	"""The days of the Chinese calendar that fall into these years of ours: one each, at its turn none or two.

	Day 30 of a month with 29 days falls on the 29th; a leap month never counts, the ordinary month of its number does.
	Raises ValueError for a month or day that the calendar has not.
	"""
	wanted = set(years)
	lunar_years = wanted | {year - 1 for year in wanted}  # its last months end in our January and February
	days = (_lunar_day(lunar_month, lunar_day, year) for year in sorted(lunar_years))
	return [day for day in days if day.year in wanted]


def public_holidays(country_code: str, name: str, years: Iterable[int]) -> list[datetime.date]:
	"""The first day of the holiday in each year that has it, wherever that year's calendar moves it.

	``country_code`` is ISO 3166-1 alpha-2, ``name`` English or as the country's own list has it. A holiday of
	several days in a row gives one day. Raises NotImplementedError for a country that has no list.
	"""
	wanted = name.strip().casefold()
	days = []
	for year in years:
		matching = [day for day, names in _calendar(country_code, year).items() if wanted in names]
		days += [day for day in sorted(matching) if day - datetime.timedelta(days=1) not in matching]
	return days


def holiday_names(country_code: str) -> list[str]:
	"""Names of public holidays of the country over ten years, sorted. Raises NotImplementedError without a list."""
	entries = (entry for year in SAMPLE_YEARS for entry in _country(country_code, year).values())
	names = {name for entry in entries for name in entry.split("; ")}
	return sorted(name for name in names if not name.endswith("(observed)") and not MAKE_UP_DAY.search(name))


def _in_year(month: int, day: int, year: int, leap_policy: str) -> datetime.date:
	if leap_policy not in LEAP_POLICIES:
		raise ValueError(f"{leap_policy!r} is none of {', '.join(LEAP_POLICIES)}")
	if (month, day) == (2, 29) and not calendar.isleap(year):
		return datetime.date(year, 2, 28) if leap_policy == "28 February" else datetime.date(year, 3, 1)
	return datetime.date(year, month, day)


def _lunar_day(lunar_month: int, lunar_day: int, year: int) -> datetime.date:
	if not 1 <= lunar_month <= 12 or not 1 <= lunar_day <= 30:
		raise ValueError(f"there is no lunar month {lunar_month} with a day {lunar_day}")
	last = LunarMonth.fromYm(year, lunar_month).getDayCount()
	return datetime.date.fromisoformat(
		Lunar.fromYmd(year, lunar_month, min(lunar_day, last)).getSolar().toYmd()
	)


@functools.lru_cache(maxsize=512)
def _calendar(country_code: str, year: int) -> dict[datetime.date, frozenset[str]]:
	"""Every name that a day has, in English and in the country's own language, folded."""
	names: dict[datetime.date, set[str]] = {}
	for source in (_country(country_code, year), _country(country_code, year, english=False)):
		for day, entry in source.items():
			names.setdefault(day, set()).update(name.casefold() for name in entry.split("; "))
	return {day: frozenset(found) for day, found in names.items()}


def _country(country_code: str, year: int, english: bool = True) -> holidays.HolidayBase:
	"""The country's calendar, in English where it has English names. Says its language: left out, the machine's counts."""
	known = holidays.country_holidays(country_code)
	language = "en_US" if english and "en_US" in known.supported_languages else known.default_language
	return holidays.country_holidays(country_code, years=year, language=language)

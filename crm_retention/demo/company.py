"""The company whose books the demo writes to, its fiscal years and accounts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import frappe
from frappe import _
from frappe.utils import add_days, add_years, getdate

COMPANY = "Bright Harbour Trading"
ABBREVIATION = "BHT"


@dataclass
class Books:
	"""A company as documents need it: its currency, the account that payments go to, its fiscal years."""

	company: str
	currency: str
	bank_account: str
	years: list[tuple[datetime.date, datetime.date, str]] = field(default_factory=list)

	def fiscal_year(self, day: datetime.date) -> str:
		"""Name of the fiscal year of a day."""
		return next(name for start, end, name in self.years if start <= day <= end)


def open_books(company: str | None, first: datetime.date, last: datetime.date) -> Books:
	"""The books of a company, of the site's default one, or of a new one where the site has none.

	Fiscal years from ``first`` to ``last`` are created where they are missing.
	"""
	name = company or get_default_company() or create_company()
	currency = frappe.get_cached_value("Company", name, "default_currency")
	books = Books(name, currency, get_bank_account(name))
	create_fiscal_years(first, last)
	fields = ["year_start_date", "year_end_date", "name"]
	found = frappe.get_all("Fiscal Year", filters={"disabled": 0}, fields=fields, as_list=True, limit=0)
	books.years = [tuple(row) for row in found]
	return books


def get_default_company() -> str | None:
	"""The site's default company, else any, else None."""
	default = frappe.defaults.get_global_default("company")
	if default and frappe.db.exists("Company", default):
		return default
	return frappe.db.get_value("Company", {"is_group": 0}, "name", order_by="creation")


def create_company() -> str:
	"""A company with everything that ERPNext's own setup wizard gives one. The wizard commits."""
	from erpnext.setup.setup_wizard.setup_wizard import setup_complete as set_up_erpnext
	from frappe.desk.page.setup_wizard.setup_wizard import setup_complete as set_up_site

	answers = get_wizard_answers()
	if frappe.is_setup_complete():
		set_up_erpnext(frappe._dict(answers))
	else:
		set_up_site(answers)
	if not frappe.db.exists("Company", COMPANY):
		frappe.throw(_("ERPNext's setup wizard ended without a company; see the site's Error Log"))
	return COMPANY


def get_wizard_answers() -> dict[str, object]:
	"""What a person would answer; country and currency as in System Settings where they are known."""
	settings = frappe.get_cached_doc("System Settings")
	year = getdate().year
	return {
		"language": "English",
		"country": settings.country or "United States",
		"timezone": settings.time_zone or "UTC",
		"currency": settings.currency or frappe.db.get_default("currency") or "USD",
		"company_name": COMPANY,
		"company_abbr": ABBREVIATION,
		"domain": "Distribution",
		"chart_of_accounts": "Standard",
		"bank_account": "Harbour Bank",
		"fy_start_date": f"{year}-01-01",
		"fy_end_date": f"{year}-12-31",
		"setup_demo": 0,
		"enable_telemetry": 0,
	}


def get_bank_account(company: str) -> str:
	"""The account that customers pay to. Raises ValidationError when the company has none."""
	defaults = frappe.get_cached_value("Company", company, ["default_bank_account", "default_cash_account"])
	filters = {"company": company, "account_type": ("in", ("Bank", "Cash")), "is_group": 0}
	account = next(filter(None, defaults), None) or frappe.db.get_value("Account", filters)
	if not account:
		frappe.throw(_("Company {0} has no bank or cash account").format(company))
	return account


def create_fiscal_years(first: datetime.date, last: datetime.date) -> None:
	"""Fiscal years for every day of a period, cut where the existing ones are cut."""
	frappe.cache.delete_key("fiscal_years")  # ERPNext caches them and does not notice new ones
	day = first
	while day <= last:
		year = get_fiscal_year(day)
		if not year:
			start, end = get_bounds(day)
			frappe.get_doc(
				{
					"doctype": "Fiscal Year",
					"year": str(start.year) if start.year == end.year else f"{start.year}-{end.year}",
					"year_start_date": start,
					"year_end_date": end,
				}
			).insert(ignore_permissions=True)
			year = get_fiscal_year(day)
		day = getdate(add_days(year.year_end_date, 1))


def get_fiscal_year(day: datetime.date) -> frappe._dict | None:
	"""The fiscal year of a day, if there is one."""
	filters = {"year_start_date": ("<=", day), "year_end_date": (">=", day), "disabled": 0}
	fields = ["name", "year_start_date", "year_end_date"]
	return frappe.db.get_value("Fiscal Year", filters, fields, as_dict=True)


def get_bounds(day: datetime.date) -> tuple[datetime.date, datetime.date]:
	"""First and last day of a fiscal year with ``day``: it starts on the day that the latest one starts on."""
	latest = frappe.get_all("Fiscal Year", pluck="year_start_date", order_by="year_start_date desc", limit=1)
	pattern = latest[0] if latest else datetime.date(day.year, 1, 1)
	start = pattern.replace(year=day.year)
	if start > day:
		start = pattern.replace(year=day.year - 1)
	return start, getdate(add_days(add_years(start, 1), -1))

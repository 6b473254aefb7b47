from __future__ import annotations

import re

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate

from crm_retention import catalogue, filters, keeping
from crm_retention.api.endpoint import endpoint
from crm_retention.care import robots
from crm_retention.configuration import get_plain_settings
from crm_retention.documents import BoundedDocument
from crm_retention.engine.config import parse
from crm_retention.engine.errors import ConfigError
from crm_retention.sources import get_factors

FIELDNAMES = {"period": "period_days", "contact": "contact_days", "complaint": "complaint_days"}


class RetentionSettings(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from crm_retention.crm_retention.doctype.retention_capacity.retention_capacity import (
			RetentionCapacity,
		)
		from crm_retention.crm_retention.doctype.retention_company.retention_company import RetentionCompany
		from crm_retention.crm_retention.doctype.team_robot.team_robot import TeamRobot

		capacities: DF.Table[RetentionCapacity]
		capture_enabled: DF.Check
		companies: DF.TableMultiSelect[RetentionCompany]
		complaint_days: DF.Int
		complete_by_capture: DF.Check
		contact_days: DF.Int
		convert_currencies: DF.Check
		daily_digest: DF.Check
		discount_rate: DF.Percent
		enabled: DF.Check
		fallback_owner: DF.Link | None
		history_keep_days: DF.Int
		holiday_list: DF.Link | None
		horizon_days: DF.Int
		hour_rate: DF.Currency
		hours_per_week: DF.Float
		include_leads: DF.Check
		last_run: DF.Link | None
		lifetime_enabled: DF.Check
		log_keep_days: DF.Int
		match_days: DF.Int
		min_parties: DF.Int
		min_repeaters: DF.Int
		period_days: DF.Int
		planning_days: DF.Int
		plans_enabled: DF.Check
		purchase_source: DF.Literal["Sales Invoice", "Sales Order", "POS Invoice"]
		read_items: DF.Check
		read_payment_dates: DF.Check
		robots: DF.Table[TeamRobot]
		run_hour: DF.Int
		run_minutes: DF.Int
		send_messages: DF.Check
		target_currency: DF.Link | None
		touchpoints_per_day: DF.Data | None
		weekly_digest: DF.Check

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_run_hour()
		self.validate_windows()
		self.validate_currencies()
		self.validate_capacity()
		keeping.validate_periods(self)
		self.validate_robots()

	def on_update(self) -> None:
		robots.forget_removed(self)

	def validate_run_hour(self) -> None:
		if not 0 <= frappe.utils.cint(self.run_hour) <= 23:
			self.throw_field("run_hour", _("must be from 0 to 23."))

	def validate_windows(self) -> None:
		try:
			parse(get_plain_settings(self))
		except ConfigError as error:
			filters.throw_faults(_(self.doctype), filters.describe(self.doctype, error.problems, FIELDNAMES))

	def validate_currencies(self) -> None:
		"""Amounts in different currencies cannot be added up."""
		if self.convert_currencies:
			if not self.target_currency:
				self.throw_field("target_currency", _("is needed to convert currencies."))
			self.validate_rates()
			return
		currencies = self.get_company_currencies()
		if len(set(currencies.values())) > 1:
			pairs = ", ".join(f"{company} ({currency})" for company, currency in sorted(currencies.items()))
			message = _(
				"these have different currencies: {0}. Choose companies of one currency, or Convert Currencies."
			)
			self.throw_field("companies", message.format(pairs))

	def validate_rates(self) -> None:
		"""A company in a currency that nothing converts would be left out of every run."""
		_factors, problems = get_factors(self, [row.company for row in self.companies], getdate())
		if problems:
			self.throw_field("target_currency", "; ".join(problem.message for problem in problems))

	def validate_capacity(self) -> None:
		"""Empty is no limit and 0 is none, so the number is a text; each person has one row."""
		faults = [] if is_count(self) else [_(self.meta.get_label("touchpoints_per_day"))]
		users: set[str] = set()
		for row in self.capacities:
			place = _("{0}, row {1}, {2}")
			if not is_count(row):
				label = _(row.meta.get_label("touchpoints_per_day"))
				faults.append(place.format(_(self.meta.get_label("capacities")), row.idx, label))
			if row.user in users:
				text = _("{0}, row {1}: {2} is there twice")
				frappe.throw(text.format(_(self.meta.get_label("capacities")), row.idx, row.user))
			users.add(row.user)
		messages = [_("{0}: must be a whole number, 0 or more, or empty").format(place) for place in faults]
		filters.throw_faults(_(self.doctype), messages)

	def validate_robots(self) -> None:
		filters.throw_faults(_(self.doctype), robots.get_faults(self))

	def get_company_currencies(self) -> dict[str, str]:
		"""The base currency of every company whose sales count."""
		names = [row.company for row in self.companies]
		conditions = {"name": ("in", names)} if names else {"is_group": 0}
		rows = frappe.get_all("Company", filters=conditions, fields=["name", "default_currency"])
		return {row.name: row.default_currency for row in rows}

	def throw_field(self, field: str, message: str) -> None:
		frappe.throw(_("{0}: {1}").format(_(self.meta.get_label(field)), message))


def is_count(row: Document) -> bool:
	"""Whether the touchpoints a day of the settings or of a person are a whole number or empty."""
	row.touchpoints_per_day = str("" if row.touchpoints_per_day is None else row.touchpoints_per_day).strip()
	return not row.touchpoints_per_day or bool(re.fullmatch(r"[0-9]{1,4}", row.touchpoints_per_day))


@endpoint()
def get_signal_catalogue() -> list[dict[str, str]]:
	"""Every signal of the site, for the form to show."""
	frappe.has_permission("Retention Settings", "read", throw=True)
	return catalogue.get_signal_catalogue()

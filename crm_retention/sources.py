"""What of the site a cycle reads, from Retention Settings: documents, companies, currencies, fields."""

from __future__ import annotations

import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention.backends.site_relations import PURCHASE_SOURCES, Sources, namesakes_of_leads
from crm_retention.closed_doctypes import why_closed
from crm_retention.configuration import get_signal_sources, party_fields
from crm_retention.engine.config import Config
from crm_retention.engine.errors import ConfigError, Problem
from crm_retention.engine.plans import Care
from crm_retention.parties import LEAD_PREFIX


def get_sources(config: Config, as_of: datetime.date, care: Care | None = None) -> Sources:
	"""What the rules of ``config`` and the plans of ``care`` need. Raises ConfigError when there is no company whose amounts could be added up."""
	settings = frappe.get_cached_doc("Retention Settings")
	chosen = [row.company for row in settings.companies]
	purchase_source = settings.purchase_source or "Sales Invoice"
	if purchase_source not in PURCHASE_SOURCES:
		message = _("{0} is no document that says purchases").format(purchase_source)
		raise ConfigError([Problem("Retention Settings", "", _("Purchases Are"), message)])
	factors, problems = get_factors(settings, chosen, as_of)
	if problems and not factors:
		raise ConfigError(problems)
	return Sources(
		purchase_doctype=purchase_source,
		factors=factors,
		all_companies=not chosen and not problems,
		include_leads=bool(cint(settings.include_leads)),
		read_items=bool(cint(settings.read_items)),
		read_payment_dates=bool(cint(settings.read_payment_dates)),
		party_fields={"Customer": party_fields(config, care)},
		signals=tuple(source for source in get_signal_sources(config) if not why_closed(source.doctype)),
		left_out=tuple(namesakes_of_leads()),
		problems=tuple(problems),
	)


def get_source_problems(sources: Sources) -> list[Problem]:
	"""What of the site is left out. Parties are counted and not named: whoever reads of a run may not see them all."""
	if not sources.left_out:
		return list(sources.problems)
	message = _("{0} are left out, because leads have the same key; please rename those that begin with {1}")
	text = message.format(len(sources.left_out), LEAD_PREFIX.strip())
	return [*sources.problems, Problem("parties", _("Customer"), "", text)]


def get_factors(
	settings: Any, chosen: list[str], as_of: datetime.date
) -> tuple[dict[str, float], list[Problem]]:
	"""Each company's factor into the base currency, and the companies that are left out because there is none.

	1 where all share a currency, else the latest exchange rate. Without conversion the currency is that of the site's
	default company.
	"""
	filters = {"name": ("in", chosen)} if chosen else {}
	companies = frappe.get_all("Company", filters=filters, fields=["name", "default_currency"], limit=0)
	if cint(settings.convert_currencies):
		return get_converted(companies, settings.target_currency, as_of)
	currencies = {row.default_currency for row in companies}
	base = currencies.pop() if len(currencies) == 1 else get_base_currency()
	factors = {row.name: 1.0 for row in companies if row.default_currency == base}
	others = [row for row in companies if row.name not in factors]
	if not others:
		return factors, []
	listed = ", ".join(f"{row.name} ({row.default_currency})" for row in others)
	message = _(
		"{0} have another currency than {1} and are left out; choose companies or a currency to convert to"
	)
	return factors, [Problem("Retention Settings", "", _("Companies"), message.format(listed, base))]


def get_base_currency() -> str | None:
	"""The currency of the site's default company."""
	company = frappe.defaults.get_global_default("company")
	if company:
		return frappe.db.get_value("Company", company, "default_currency")
	return frappe.defaults.get_global_default("currency")


def get_converted(
	companies: list[Any], target: str, as_of: datetime.date
) -> tuple[dict[str, float], list[Problem]]:
	"""Factors by exchange rates, and those companies that have none."""
	factors, problems = {}, []
	message = _("there is no Currency Exchange from {0} to {1} on or before {2}; {3} is left out")
	for row in companies:
		rate = get_rate(row.default_currency, target, as_of)
		if rate is None:
			text = message.format(row.default_currency, target, as_of, row.name)
			problems.append(Problem("Retention Settings", "", _("Convert To"), text))
		else:
			factors[row.name] = rate
	return factors, problems


def get_rate(source: str, target: str, as_of: datetime.date) -> float | None:
	"""The latest Currency Exchange on or before a day, either way round."""
	if source == target:
		return 1.0
	straight = _latest_rate(source, target, as_of)
	if straight:
		return straight
	inverse = _latest_rate(target, source, as_of)
	return 1.0 / inverse if inverse else None


def _latest_rate(source: str, target: str, as_of: datetime.date) -> float | None:
	rows = frappe.get_all(
		"Currency Exchange",
		filters={"from_currency": source, "to_currency": target, "date": ("<=", as_of)},
		order_by="date desc",
		pluck="exchange_rate",
		limit=1,
	)
	return float(rows[0]) if rows and rows[0] else None

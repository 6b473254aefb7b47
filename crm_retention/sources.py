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
	"""What the rules of ``config`` and the plans of ``care`` need. Raises ConfigError when the companies' currencies differ and no conversion is set or known."""
	settings = frappe.get_cached_doc("Retention Settings")
	chosen = [row.company for row in settings.companies]
	purchase_source = settings.purchase_source or "Sales Invoice"
	if purchase_source not in PURCHASE_SOURCES:
		message = _("{0} is no document that says purchases").format(purchase_source)
		raise ConfigError([Problem("Retention Settings", "", _("Purchases Are"), message)])
	return Sources(
		purchase_doctype=purchase_source,
		factors=get_factors(settings, chosen, as_of),
		all_companies=not chosen,
		include_leads=bool(cint(settings.include_leads)),
		read_items=bool(cint(settings.read_items)),
		read_payment_dates=bool(cint(settings.read_payment_dates)),
		party_fields={"Customer": party_fields(config, care)},
		signals=tuple(source for source in get_signal_sources(config) if not why_closed(source.doctype)),
		left_out=tuple(namesakes_of_leads()),
	)


def get_source_problems(sources: Sources) -> list[Problem]:
	"""What of the site is left out. Parties are counted and not named: whoever reads of a run may not see them all."""
	if not sources.left_out:
		return []
	message = _("{0} are left out, because leads have the same key; please rename those that begin with {1}")
	return [Problem("parties", _("Customer"), "", message.format(len(sources.left_out), LEAD_PREFIX.strip()))]


def get_factors(settings: Any, chosen: list[str], as_of: datetime.date) -> dict[str, float]:
	"""Each company's factor into the base currency: 1 where all share one, else the latest exchange rate."""
	filters = {"name": ("in", chosen)} if chosen else {}
	companies = frappe.get_all("Company", filters=filters, fields=["name", "default_currency"], limit=0)
	currencies = {row.default_currency for row in companies}
	if not cint(settings.convert_currencies):
		if len(currencies) > 1:
			listed = ", ".join(f"{row.name} ({row.default_currency})" for row in companies)
			message = _(
				"the companies have different currencies: {0}; choose companies or a currency to convert to"
			)
			raise ConfigError([Problem("Retention Settings", "", _("Companies"), message.format(listed))])
		return {row.name: 1.0 for row in companies}
	return {row.name: get_rate(row.default_currency, settings.target_currency, as_of) for row in companies}


def get_rate(source: str, target: str, as_of: datetime.date) -> float:
	"""The latest Currency Exchange on or before a day, either way round. Raises ConfigError when there is none."""
	if source == target:
		return 1.0
	straight, inverse = _latest_rate(source, target, as_of), _latest_rate(target, source, as_of)
	if straight:
		return straight
	if inverse:
		return 1.0 / inverse
	message = _("there is no Currency Exchange from {0} to {1} on or before {2}").format(
		source, target, as_of
	)
	raise ConfigError([Problem("Retention Settings", "", _("Convert To"), message)])


def _latest_rate(source: str, target: str, as_of: datetime.date) -> float | None:
	rows = frappe.get_all(
		"Currency Exchange",
		filters={"from_currency": source, "to_currency": target, "date": ("<=", as_of)},
		order_by="date desc",
		pluck="exchange_rate",
		limit=1,
	)
	return float(rows[0]) if rows and rows[0] else None

"""All that a request can reach of the app: its whitelisted methods, DocTypes, reports, cards, charts and pages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import frappe

import crm_retention

MODULE = "CRM Retention"
# what runs outside a site as well: no request knows of it
OUTSIDE = ("cli", "backends", "engine", "files", "report", "examples")


def get_methods() -> dict[str, Callable[..., Any]]:
	"""Every whitelisted method by its dotted path, new ones by themselves."""
	for module in pkgutil.walk_packages(crm_retention.__path__, "crm_retention."):
		if module.name.split(".")[1] not in OUTSIDE:
			importlib.import_module(module.name)
	found = {
		f"{method.__module__}.{method.__name__}": method
		for method in frappe.whitelisted
		if method.__module__.startswith("crm_retention.")
	}
	return dict(sorted(found.items()))


def get_doctypes() -> list[str]:
	"""The app's DocTypes that have documents of their own."""
	return frappe.get_all("DocType", {"module": MODULE, "istable": 0}, pluck="name", order_by="name")


def get_reports() -> list[str]:
	"""The app's reports."""
	return frappe.get_all("Report", {"module": MODULE}, pluck="name", order_by="name")


def get_cards() -> list[str]:
	"""The app's number cards."""
	return frappe.get_all("Number Card", {"module": MODULE}, pluck="name", order_by="name")


def get_charts() -> list[str]:
	"""The app's dashboard charts."""
	return frappe.get_all("Dashboard Chart", {"module": MODULE}, pluck="name", order_by="name")


def get_pages() -> list[str]:
	"""The app's pages."""
	return frappe.get_all("Page", {"module": MODULE}, pluck="name", order_by="name")

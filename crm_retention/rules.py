"""Checks of configuration on save. The engine says what is wrong; this says it in the terms of the form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from crm_retention import filters, readable
from crm_retention.catalogue import get_condition_fields
from crm_retention.documents import BoundedDocument
from crm_retention.engine.config import parse
from crm_retention.engine.errors import ConfigError

GROUPS = (("party_conditions_json", "Customer"), ("signal_conditions_json", "Retention Profile"))


class ConditionalDocument(BoundedDocument):
	"""A tier, stage, plan or contact rule: rows with conditions on the customer and on its signals."""

	def validate_conditions(self) -> None:
		readable.validate_conditions(self)
		messages = []
		for field, doctype in GROUPS:
			label = _(self.meta.get_label(field))
			allowed = get_condition_fields(self.doctype) if doctype == "Retention Profile" else None
			for message in self.get_condition_faults(field, doctype, allowed):
				messages.append(_("{0}, {1}").format(label, message))
		filters.throw_faults(_("{0} {1}").format(_(self.doctype), self.name), messages)

	def get_condition_faults(self, field: str, doctype: str, allowed: Iterable[str] | None) -> list[str]:
		try:
			rows = filters.read(self.get(field))
		except ValueError:
			return [_("this is not a list of conditions")]
		return filters.get_faults(rows, doctype, allowed)


def check(
	doc: Document, table: str, rows: list[dict[str, Any]], fieldnames: dict[str, str] | None = None
) -> None:
	"""Let the engine check a table of the configuration and refuse ``doc`` with what it found."""
	try:
		parse({table: rows})
	except ConfigError as error:
		messages = filters.describe(doc.doctype, error.problems, fieldnames)
		filters.throw_faults(_("{0} {1}").format(_(doc.doctype), doc.name or ""), messages)


def get_uses_of_field(name: str) -> list[tuple[str, str]]:
	"""Documents (doctype, name) whose rules use a field or signal by this name of Retention Profile."""
	uses = [("Customer Scorecard", parent) for parent in _get_parents("Customer Scorecard Criterion", name)]
	for doctype in ("Customer Tier", "Lifecycle Stage"):
		for row in frappe.get_all(doctype, fields=["name", "signal_conditions_json"]):
			if any(rule[1] == name for rule in filters.read(row.signal_conditions_json)):
				uses.append((doctype, row.name))
	return uses


def _get_parents(doctype: str, signal: str) -> list[str]:
	return frappe.get_all(doctype, filters={"signal": signal}, pluck="parent", distinct=True)

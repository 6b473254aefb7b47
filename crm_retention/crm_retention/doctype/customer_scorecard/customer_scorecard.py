from __future__ import annotations

import frappe
from frappe import _

from crm_retention import catalogue, filters, readable
from crm_retention.api.endpoint import endpoint
from crm_retention.configuration import get_plain_scorecard
from crm_retention.documents import BoundedDocument
from crm_retention.engine.config import parse
from crm_retention.engine.errors import ConfigError, Problem

BAND_FIELDS = {"start": "from_value", "end": "to_value", "score": "score"}


class CustomerScorecard(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from crm_retention.crm_retention.doctype.customer_scorecard_band.customer_scorecard_band import (
			CustomerScorecardBand,
		)
		from crm_retention.crm_retention.doctype.customer_scorecard_criterion.customer_scorecard_criterion import (
			CustomerScorecardCriterion,
		)

		bands: DF.Table[CustomerScorecardBand]
		criteria: DF.Table[CustomerScorecardCriterion]
		description: DF.SmallText | None
		is_active: DF.Check
		purpose: DF.Literal["Value", "Health"]
		title: DF.Data

	# end: auto-generated types
	def validate(self) -> None:
		self.validate_signals()
		readable.validate_criteria(self)
		self.validate_bands_belong()
		self.validate_rules()
		self.validate_only_active()

	def validate_signals(self) -> None:
		known = {option["value"] for option in catalogue.get_criterion_options()}
		unknown = [row for row in self.criteria if row.signal not in known]
		self.throw_rows(
			"criteria",
			[(row.idx, "signal", _("there is no number called {0}").format(row.signal)) for row in unknown],
		)

	def validate_bands_belong(self) -> None:
		banded = {row.signal for row in self.criteria if row.method == "Bands"}
		faults = []
		for band in self.bands:
			if band.signal not in banded:
				faults.append(
					(band.idx, "signal", _("no criterion with the method Bands uses {0}").format(band.signal))
				)
			for field in ("from_value", "to_value"):
				if not is_number(band.get(field)):
					faults.append((band.idx, field, _("{0} is not a number").format(band.get(field))))
		self.throw_rows("bands", faults)

	def validate_rules(self) -> None:
		try:
			parse({"scorecards": [get_plain_scorecard(self)]})
		except ConfigError as error:
			filters.throw_faults(
				self.get_fault_title(), [self.describe(problem) for problem in error.problems]
			)

	def validate_only_active(self) -> None:
		if not self.is_active:
			return
		filters_ = {"is_active": 1, "purpose": self.purpose, "name": ("!=", self.name)}
		other = frappe.db.get_value("Customer Scorecard", filters_, "name")
		if other:
			message = _(
				"Active: {0} is already the active scorecard for the purpose {1}. Switch it off first."
			)
			frappe.throw(message.format(frappe.bold(other), _(self.purpose)), title=self.get_fault_title())

	def describe(self, problem: Problem) -> str:
		"""A fault of the engine as table, row and column of this form."""
		for row in self.criteria:
			if problem.row.startswith(f"{self.title}, criterion {row.idx} "):
				label = self.get_criterion_label(problem.field)
				return _("Criteria, row {0} ({1}), {2}: {3}").format(
					row.idx, row.signal, label, _(problem.message)
				)
		if problem.field == "weight":
			return _("Criteria, {0}: {1}").format(self.get_criterion_label("weight"), _(problem.message))
		return filters.describe(self.doctype, [problem])[0]

	def get_criterion_label(self, field: str) -> str:
		if field == "bands":
			return _(self.meta.get_label("bands"))
		if field in BAND_FIELDS:
			return _(frappe.get_meta("Customer Scorecard Band").get_label(BAND_FIELDS[field]))
		return _(frappe.get_meta("Customer Scorecard Criterion").get_label(field))

	def throw_rows(self, table: str, faults: list[tuple[int, str, str]]) -> None:
		meta = frappe.get_meta(self.meta.get_field(table).options)
		lines = [
			_("{0}, row {1}, {2}: {3}").format(
				_(self.meta.get_label(table)), idx, _(meta.get_label(field)), message
			)
			for idx, field, message in faults
		]
		filters.throw_faults(self.get_fault_title(), lines)

	def get_fault_title(self) -> str:
		return _("{0} {1}").format(_(self.doctype), self.title)


def is_number(text: str | None) -> bool:
	"""Whether a text is empty or a number."""
	try:
		return not text or float(text) is not None
	except ValueError:
		return False


@endpoint()
def get_criterion_options() -> list[dict[str, str]]:
	"""Value, label and description of everything that a criterion may use and the user may read."""
	frappe.has_permission("Customer Scorecard", "read", throw=True)
	return readable.only_shown(catalogue.get_criterion_options())

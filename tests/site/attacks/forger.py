"""Seeded documents of somebody who may configure, and saves whatever the forms and REST let pass."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import frappe

from tests.site import care
from tests.site.care import CALL

DEEP = "[" * 5_000 + "]" * 5_000
ANYTHING: tuple[Any, ...] = (
	None, "", 0, 1, -1, 2, 12, 13, 100, 365, 36_500, 36_501, 10**9, 2**31, 2**63, 10**400, 1e308, -1e308, 0.5, True,
	float("nan"), float("inf"), "NaN", "1e400", "x", "x" * 141, "x" * 70_000, {}, [], [[]], {"a": 1}, ["x"], [{}],
	"0000-00-00", "2026-02-30", "9999-12-31", "2026-06-29", "1900-01-01", "2200-12-31", "25:00:00", "08:00:00",
	"%", "'", "\\", "\u0000", "😀", "{{ 7*7 }}", "<b>x</b>", "null", "many", "Blursday", "13-45", "02-29 to 02-28",
)  # fmt: skip
OPERATORS = (
	"=",
	"!=",
	">",
	"<",
	">=",
	"<=",
	"like",
	"not like",
	"in",
	"not in",
	"between",
	"is",
	"descendants of",
	"x",
)
OPERANDS: tuple[Any, ...] = (
	*ANYTHING, "set", "not set", "1,2", "2,1", "a,b", [1, 2], [2, 1], ",".join(map(str, range(900))), "All Territories",
)  # fmt: skip
CONDITION_FIELDS = (
	"frequency",
	"score",
	"last_purchase",
	"tier",
	"previous_tier",
	"monetary_12m",
	"nope",
	"name",
	"",
)
PARTY_FIELDS = ("territory", "customer_group", "disabled", "creation", "customer_name", "links", "nope")


class Forger:
	"""Documents of every DocType that a manager saves, each with some fields that are hostile.

	``name`` is of a document that is there and to be changed.
	"""

	def __init__(self, seed: int, parties: Sequence[str]) -> None:
		self.random, self.parties = random.Random(seed), parties
		self.number = 0
		self.makers = {
			"Customer Tier": self.tier,
			"Lifecycle Stage": self.stage,
			"Customer Scorecard": self.scorecard,
			"Retention Signal": self.signal,
			"Maintenance Plan": self.plan,
			"Contact Rule": self.rule,
			"Care Occasion": self.occasion,
			"Touchpoint Type": lambda: {"type_name": self.name(), "nature": "Care", "minutes": 10},
			"Contact Channel": lambda: {"channel_name": self.name(), "minutes": 5},
			"Contact Preference": self.preference,
			"Interaction Kind": self.kind,
			"Interaction Source": self.source,
			"Interaction Log": self.interaction,
			"Retention Profile": self.override,
			"Retention Settings": lambda: {"name": "Retention Settings"},
			"Touchpoint": self.touchpoint,
		}

	def name(self) -> str:
		self.number += 1
		return f"Hostile {self.number}"

	def pick(self, choices: Any) -> Any:
		return self.random.choice(list(choices))

	def make(self) -> tuple[str, dict[str, Any]]:
		"""DocType and values of the next one."""
		doctype = self.pick(self.makers)
		values = self.makers[doctype]()
		fields = [
			df for df in frappe.get_meta(doctype).fields if df.fieldtype not in frappe.model.no_value_fields
		]
		for df in self.random.sample(fields, self.random.randint(0, 3)):
			rows = values.get(df.fieldname)
			if isinstance(rows, list) and rows and self.random.random() < 0.8:
				row, kind = self.pick(rows), frappe.get_meta(df.options)
				row[self.pick(kind.fields).fieldname] = self.value()
			else:
				values[df.fieldname] = self.value()
		return doctype, values

	def value(self) -> Any:
		return self.pick(ANYTHING)

	def conditions(self, doctype: str, fields: tuple[str, ...]) -> str:
		"""Conditions that may be right, wrong, too many, too deep or none."""
		if self.random.random() < 0.1:
			return self.pick((DEEP, "[[", "{}", "[NaN]", "[[]]", "null", "[" + "[]," * 10_000 + "[]]"))
		rows = [
			[doctype, self.pick(fields), self.pick(OPERATORS), self.pick(OPERANDS)]
			for _ in range(self.pick((0, 0, 1, 1, 2, 5)))
		]
		return json.dumps(rows * self.pick((1, 1, 1, 20, 2_000)))

	def groups(self) -> dict[str, str]:
		return {
			"party_conditions_json": self.conditions("Customer", PARTY_FIELDS),
			"signal_conditions_json": self.conditions("Retention Profile", CONDITION_FIELDS),
		}

	def tier(self) -> dict[str, Any]:
		rank = self.pick((100 + self.number, 10, 10**6, -1))
		numbers = {"min_score": self.pick((99, 99.5, 0)), "margin": self.pick((0, 5)), "min_stay_days": 30}
		return {"tier_name": self.name(), "rank": rank, "enabled": 1, **numbers, **self.groups()}

	def stage(self) -> dict[str, Any]:
		return {"stage_name": self.name(), "sequence": 1_000 + self.number, "enabled": 1, **self.groups()}

	def scorecard(self) -> dict[str, Any]:
		criteria = [
			{"signal": self.pick(("frequency", "recency_days", "party.disabled", "no_such")), "weight": 1}
			| {"method": self.pick(("Percentile", "Bands")), "direction": "Higher", "missing": "Skip"}
			for _ in range(self.pick((0, 1, 2, 60)))
		]
		bands = [{"signal": "frequency", "from_value": self.value(), "to_value": self.value(), "score": 50}]
		return {
			"title": self.name(),
			"purpose": "Value",
			"criteria": criteria,
			"bands": self.pick(([], bands)),
		}

	def signal(self) -> dict[str, Any]:
		self.number += 1
		doctype, party = self.pick(
			(("Sales Invoice", "customer"), ("Issue", "customer"), ("Touchpoint", "party"))
		)
		fields = ("name", "creation", "status", "docstatus", "grand_total", "nope")
		return {
			"label": f"Hostile {self.number}", "signal_name": f"hostile_{self.number}", "source_doctype": doctype,
			"party_field": party, "date_field": self.pick(("creation", "creation", "posting_date", "")), "enabled": 1,
			"aggregate": self.pick(("Count", "Count", "Count", "Sum", "Average", "Minimum", "Maximum", "Latest")),
			"value_field": self.pick(("grand_total", "status", "name", "remarks", "posting_date", "")),
			"window_days": self.pick((0, 30, 36_500)), "filters_json": self.pick(("", self.conditions(doctype, fields))),
		}  # fmt: skip

	def plan(self) -> dict[str, Any]:
		steps = [
			care.step(self.name(), timing=self.pick(("Every", "Buying Rhythm", "Occasion", "Event")))
			| {"every": self.pick((1, 3, 3_650)), "unit": self.pick(("Days", "Weeks", "Months", "Quarters"))}
			| {"rhythm": self.pick((0.001, 1, 1_000)), "offset_days": self.pick((-30, 0, 1, 365, 36_500))}
			| {
				"event": self.pick(("Silent", "Contract End", "First Purchase", "Tier Entered")),
				"touchpoint_type": CALL,
			}
			for _ in range(self.pick((1, 2, 50, 51)))
		]
		targets = {
			"tiers": self.pick(([], [{"tier": "Regular"}])),
			"holdout_share": self.pick((0, 50, 99.999999)),
		}
		return {"title": self.name(), "steps": steps, "members_move": "At Once", **targets, **self.groups()}

	def rule(self) -> dict[str, Any]:
		kind = self.pick(("Cap", "Quiet Hours", "Quiet Days", "Consent", "Cool-Down", "Condition"))
		days = {
			"weekdays": self.pick(("Sunday", "Monday, Blursday", "")),
			"month_days": self.pick(("12-24", "99-99")),
		}
		numbers = {
			"max_contacts": self.pick(("0", "1", "999999", "-1", "x")),
			"window_days": self.pick((1, 3_650, 0)),
		}
		rest = {
			"action": self.pick(("Postpone", "Drop")),
			"enabled": 1,
			"cool_down_days": self.pick((0, 3_650)),
		}
		return {"rule_name": self.name(), "kind": kind, **days, **numbers, **rest, **self.groups()}

	def occasion(self) -> dict[str, Any]:
		kind = self.pick(("Fixed Date", "Lunar Date", "Public Holiday", "Date Field"))
		day = {"month": self.pick((1, 2, 12, 13, 0)), "day": self.pick((1, 29, 30, 31, 32))}
		field = {
			"document_type": self.pick(("Customer", "Contact", "Contract")),
			"date_field": self.pick(("creation", "end_date", "name")),
		}
		place = {"country": self.pick(("Germany", "Nowhere")), "holiday": self.pick(("Easter Monday", "x"))}
		return {"occasion_name": self.name(), "kind": kind, "enabled": 1, **day, **field, **place}

	def party(self) -> dict[str, str]:
		return {"party_type": "Customer", "party": self.pick(self.parties)}

	def preference(self) -> dict[str, Any]:
		wish = {
			"channel": self.pick(("Phone", "Email", "", "Nowhere")),
			"nature": self.pick(("Care", "Offer", "")),
		}
		return {
			**self.party(),
			**wish,
			"answer": self.pick(("Yes", "No")),
			"since": self.pick(("2026-01-01", "")),
		}

	def kind(self) -> dict[str, Any]:
		facts = [
			{"fact": self.pick(("note", "outcome", "contact", "x"))} for _ in range(self.pick((0, 1, 2, 60)))
		]
		return {
			"kind_name": self.name(),
			"enabled": 1,
			"is_contact": self.pick((0, 1)),
			"required_facts": facts,
		}

	def source(self) -> dict[str, Any]:
		doctype, party = self.pick(
			(("Sales Invoice", "customer"), ("Issue", "customer"), ("Contract", "party_name"))
		)
		fields = ("name", "creation", "status", "docstatus", "grand_total", "nope")
		read = {
			"party_type": "From Field" if doctype == "Contract" else "Customer",
			"party_field": self.pick((party, party, party, "company", "")),
			"date_field": self.pick(("creation", "posting_date", "start_date", "")),
			"subject_field": self.pick(("name", "status", "remarks", "items", "")),
			"minutes_field": self.pick(("", "", "", "grand_total", "idx")),
			"user_field": self.pick(("owner", "modified_by", "customer", "")),
		}
		kept = {"interaction_kind": self.pick(("Note", "Invoice", "x")), "only_submitted": self.pick((0, 1))}
		named = {"source_name": self.name(), "enabled": 1, "document_type": doctype}
		return {**named, **kept, **read, "filters_json": self.conditions(doctype, fields)}

	def interaction(self) -> dict[str, Any]:
		said = {
			"kind": self.pick(("Note", "Call")),
			"occurred_on": self.pick(("2026-06-28 10:00:00", "2026-02-30")),
		}
		return {
			**self.party(),
			**said,
			"note": self.name(),
			"direction": self.pick(("In", "Out", "Internal")),
		}

	def override(self) -> dict[str, Any]:
		decided = {
			"override_tier": self.pick(("Regular", "High Value", "x", "")),
			"override_reason": self.name(),
		}
		return {"name": self.pick(self.parties), **decided}

	def touchpoint(self) -> dict[str, Any]:
		days = {"due_date": self.pick(("2026-06-29", "2026-07-06", "9999-12-31"))}
		more = {"minutes": self.pick((0, 15, -1)), "channel": self.pick(("Phone", "Email", ""))}
		return {**self.party(), "touchpoint_type": CALL, "title": self.name(), **days, **more}

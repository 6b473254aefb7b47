"""What the engine reads: the input relations, their columns, types and units.

A relation is an unbound ``ibis.Table``; a backend says where its rows are. Money is in one base currency,
dates are calendar dates, durations are days. Every relation but ``purchases`` may be missing: it then counts
as empty, and signals that need it are null, because "no data" is never "zero".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from .errors import DataError, Problem


@dataclass(frozen=True)
class Column:
	"""A column of a relation: its Ibis type, what it holds with its unit, and whether it must be there."""

	name: str
	type: str
	meaning: str
	required: bool = False


def _columns(*rows: tuple[str, str, str] | tuple[str, str, str, bool]) -> tuple[Column, ...]:
	return tuple(Column(*row) for row in rows)


RELATIONS: dict[str, tuple[Column, ...]] = {
	# One row a party. Further columns are attributes: usable in conditions as `party.NAME`.
	"parties": _columns(
		("party", "string", "key of the party, unique", True),
		("party_type", "string", "Customer or Lead"),
		("party_name", "string", "name for people"),
		("since", "date", "known since"),
		("manager", "string", "user who is responsible for the party"),
	),
	# One row a document. A return or credit note has a negative amount; nothing else has.
	"purchases": _columns(
		("party", "string", "who bought", True),
		("day", "date", "when", True),
		("amount", "float64", "net value, base currency; negative for a return", True),
		("discount", "float64", "discount granted, base currency"),
		("margin", "float64", "gross margin, base currency"),
		("document", "string", "document of origin"),
		("company", "string", "which of our companies sold"),
		("due_day", "date", "when payment is due"),
		("paid_day", "date", "when it was paid in full; null while open"),
		("outstanding", "float64", "still to be paid, base currency"),
	),
	# One row a document that has been paid in full, where payments are known apart from the purchases.
	"payments": _columns(
		("party", "string", "who paid", True),
		("due_day", "date", "when payment was due", True),
		("paid_day", "date", "when the last of it was paid", True),
	),
	"items": _columns(
		("party", "string", "who bought", True),
		("day", "date", "when", True),
		("product", "string", "item bought", True),
		("discount", "float64", "discount granted on the line, base currency"),
		("amount", "float64", "net value of the line, base currency"),
	),
	"interactions": _columns(
		("party", "string", "with whom", True),
		("day", "date", "when", True),
		("direction", "string", "In (from the party) or Out (to the party)"),
		("channel", "string", "through what"),
		("department", "string", "who on our side"),
		("minutes", "float64", "time spent, minutes"),
	),
	"feedback": _columns(
		("party", "string", "who answered", True),
		("day", "date", "when", True),
		("kind", "string", "NPS, CSAT or CES", True),
		("score", "float64", "NPS 0 to 10, CSAT 1 to 5, CES 1 to 7", True),
	),
	"cases": _columns(
		("party", "string", "whose case", True),
		("opened", "date", "when it was opened", True),
		("closed", "date", "when it was closed; null while open"),
		("kind", "string", "Complaint counts as one; others are questions and requests"),
	),
	"contracts": _columns(
		("party", "string", "with whom", True),
		("start", "date", "first day"),
		("end", "date", "last day", True),
		("value", "float64", "value of the whole term, base currency"),
	),
	# Who is in which plan now; what is over is left out.
	"enrollments": _columns(
		("party", "string", "who", True),
		("plan", "string", "version of the plan, by name", True),
		("family", "string", "what all versions of the plan share", True),
		("arm", "string", "Treated or Holdout", True),
		("clock", "date", "day from which the plan's intervals count", True),
		("phase", "float64", "share of an interval, 0 to 1, by which the first one is put off", True),
		("spread", "int64", "1 where the phase counts"),
		("next_plan", "string", "version that takes over with the next touchpoint"),
		("moved", "date", "day as of which a run moved it to its version"),
	),
	# What was planned before: everything that a plan made, and what else is open.
	"touchpoints": _columns(
		("party", "string", "for whom", True),
		("key", "string", "family|step|occurrence|party; null where no plan made it", True),
		("open_key", "string", "family|step|party while it is Open or Waiting, else null", True),
		("family", "string", "family of the plan"),
		("status", "string", "Open, Waiting, Done, Skipped, Missed, Suppressed or Cancelled", True),
		("due", "date", "when", True),
		("occurrence", "date", "the day that the plan named"),
		("owner", "string", "user who is responsible"),
		("channel", "string", "through what"),
		("sends", "int64", "1 where it goes out by itself"),
		("rule", "string", "contact rule that holds it back"),
		("judged", "date", "day as of which a run made it or judged it again"),
	),
	# Dates of occasions that lie in the data: birthdays, ends of terms, any date field.
	"occasion_dates": _columns(
		("party", "string", "whose", True),
		("occasion", "string", "name of the occasion", True),
		("day", "date", "the date itself", True),
		("yearly", "int64", "1 where it comes back every year"),
	),
	# What parties said about being contacted; nothing is no answer.
	"consents": _columns(
		("party", "string", "who", True),
		("channel", "string", "through what; null is every channel"),
		("nature", "string", "of what nature; null is everything but notices"),
		("answer", "string", "Yes or No", True),
	),
	# What the last cycle left, and what people decided by hand.
	"state": _columns(
		("party", "string", "whose state", True),
		("tier", "string", "tier"),
		("tier_since", "date", "in this tier since"),
		("previous_tier", "string", "the tier before"),
		("previous_tier_since", "date", "in the tier before since"),
		("stage", "string", "lifecycle stage"),
		("stage_since", "date", "in this stage since"),
		("previous_stage", "string", "the stage before"),
		("previous_stage_since", "date", "in the stage before since"),
		("override_tier", "string", "tier set by hand"),
		("override_stage", "string", "stage set by hand"),
		("override_until", "date", "last day of the override; null means until it is lifted"),
	),
}


def require(relations: Mapping[str, ir.Table]) -> None:
	"""Raise DataError, naming relation and column, when a required column is missing."""
	problems = []
	if "purchases" not in relations:
		problems.append(Problem("purchases", "", "", "this relation is required"))
	for name, table in relations.items():
		for column in RELATIONS.get(name, ()):
			if column.required and column.name not in table.columns:
				problems.append(Problem(name, "", column.name, "this column is required and missing"))
	if problems:
		raise DataError(problems)


def completed(table: ir.Table, name: str) -> ir.Table:
	"""The relation's declared columns alone, those that it lacks as nulls."""
	columns = RELATIONS[name]
	given = {c.name: table[c.name] if c.name in table.columns else ibis.null(c.type) for c in columns}
	return table.select(**given)


def attributes(parties: ir.Table) -> list[str]:
	"""Columns of ``parties`` beyond the declared ones: fields that conditions may use as ``party.NAME``."""
	declared = {column.name for column in RELATIONS["parties"]}
	return [name for name in parties.columns if name not in declared]

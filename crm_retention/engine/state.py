"""What was true before: the state that tiers and stages decide from.

State is always that of before ``as_of``: a second run on the same day decides from the same yesterday.
"""

from __future__ import annotations

import datetime

import ibis
import ibis.expr.types as ir

from .dates import days_between, literal
from .relations import RELATIONS
from .tables import beside, without

STATE_TYPES = {column.name: column.type for column in RELATIONS["state"]}
STATE_COLUMNS = {
	**{
		f"{when}_{kind}": "string"
		for kind in ("tier", "stage")
		for when in ("was", "stored", "earlier", "override")
	},
	**{f"{when}_{kind}_since": "date" for kind in ("tier", "stage") for when in ("was", "earlier")},
	**{f"previous_{kind}": "string" for kind in ("tier", "stage")},
	**{f"days_in_{kind}": "int64" for kind in ("tier", "stage")},
	"lapsed_tier": "boolean",
}


def state_before(state: ir.Table, parties: ir.Table, as_of: datetime.date) -> ir.Table:
	"""nr, as ``parties`` has it, and the columns of ``STATE_COLUMNS``.

	``was_*`` is what was true before ``as_of`` and ``earlier_*`` what was true before that; ``stored_*`` is what
	the state says now, an earlier run of this day included. ``override_*`` are null once expired; ``lapsed_tier``
	is true where the party still stands where an expired override put it. For conditions there are
	``previous_tier`` and ``previous_stage`` (as of the day before) and ``days_in_tier`` and ``days_in_stage``, days.
	"""
	found = state.select(**_before(state, as_of))
	before = without(found.inner_join(parties.select("party", "nr"), "party"), "party")
	return before.mutate(
		previous_tier=before.was_tier,
		previous_stage=before.was_stage,
		days_in_tier=days_between(as_of, before.was_tier_since),
		days_in_stage=days_between(as_of, before.was_stage_since),
	)


def with_state(table: ir.Table, before: ir.Table | None) -> ir.Table:
	"""``table`` with the columns of ``STATE_COLUMNS``, all null without a state."""
	if before is None:
		return table.mutate(**{name: ibis.null(kind) for name, kind in STATE_COLUMNS.items()})
	return beside(table, before)


def _before(state: ir.Table, as_of: datetime.date) -> dict[str, ir.Value]:
	def column(name: str) -> ir.Value:
		if name not in state.columns:
			return ibis.null(STATE_TYPES[name])
		value = state[name].cast(STATE_TYPES[name])
		return value.nullif("") if STATE_TYPES[name] == "string" else value

	columns: dict[str, ir.Value] = {"party": state.party}
	until = column("override_until")
	lasts = until.isnull() | (until >= literal(as_of))
	for kind in ("tier", "stage"):
		columns[f"stored_{kind}"] = column(kind)
		columns[f"override_{kind}"] = ibis.ifelse(lasts, column(f"override_{kind}"), ibis.null("string"))
		today = (column(f"{kind}_since") >= literal(as_of)).fill_null(False)
		for suffix in ("", "_since"):
			now, earlier = column(f"{kind}{suffix}"), column(f"previous_{kind}{suffix}")
			columns[f"was_{kind}{suffix}"] = ibis.ifelse(today, earlier, now)
			columns[f"earlier_{kind}{suffix}"] = ibis.ifelse(today, ibis.null(str(earlier.type())), earlier)
	put = (columns["was_tier"] == column("override_tier")) & (columns["was_tier_since"] <= until)
	columns["lapsed_tier"] = (put & (until < literal(as_of))).fill_null(False)
	return columns


def since(table: ir.Table, kind: str, as_of: datetime.date) -> dict[str, ir.Value]:
	"""``KIND_since``, ``previous_KIND`` and ``previous_KIND_since``, from ``KIND`` and the state of before."""
	now, was, begun = table[kind], table[f"was_{kind}"], table[f"was_{kind}_since"]
	same = now.identical_to(was) & begun.notnull()
	fresh = ibis.ifelse(now.isnull(), ibis.null("date"), literal(as_of))
	return {
		f"{kind}_since": ibis.ifelse(same, begun, fresh),
		f"previous_{kind}": ibis.ifelse(same, table[f"earlier_{kind}"], was),
		f"previous_{kind}_since": ibis.ifelse(same, table[f"earlier_{kind}_since"], begun),
	}

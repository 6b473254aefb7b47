"""Signals: what is known about a party on the day of the cycle, one row a party.

A purchase is a row with an amount of zero or more, a return one below zero. A null signal means that nothing
is known; zero means that it is known to be zero. ``SIGNALS`` is the catalogue that forms, reports and
documentation read.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from . import relations as rel
from .conditions import all_of, holds
from .dates import days_between, literal
from .errors import Problem
from .tables import beside
from .values import CustomSignal, Windows


@dataclass(frozen=True)
class Signal:
	"""Catalogue entry: column name, label, type (date, int, float, money, share), unit and definition."""

	name: str
	label: str
	type: str
	unit: str
	definition: str
	source: str = "purchases"


# fmt: off
SIGNALS: tuple[Signal, ...] = (
	Signal("first_purchase", "First Purchase", "date", "date", "Day of the first purchase"),
	Signal("last_purchase", "Last Purchase", "date", "date", "Day of the last purchase"),
	Signal("recency_days", "Recency", "int", "days", "Days since the last purchase"),
	Signal("tenure_days", "Tenure", "int", "days", "Days since the first purchase"),
	Signal("frequency", "Frequency", "int", "purchase days", "Days with a purchase after the first such day"),
	Signal("purchases", "Purchases", "int", "documents", "Number of purchases, returns left out"),
	Signal("monetary_total", "Total Value", "money", "base currency", "All purchases less all returns"),
	Signal("monetary_average", "Average Value", "money", "base currency", "Total value over the days with a purchase"),
	Signal("monetary_12m", "Value This Period", "money", "base currency", "Purchases less returns in the period up to today"),
	Signal("monetary_prior_12m", "Value Last Period", "money", "base currency", "Purchases less returns in the period before that"),
	Signal("trend", "Trend", "share", "share", "Value this period over value last period, less one"),
	Signal("mean_interval_days", "Buying Rhythm", "float", "days", "Mean days from one purchase day to the next"),
	Signal("days_overdue", "Days Overdue", "float", "days", "Days since the last purchase beyond the buying rhythm"),
	Signal("overdue_ratio", "Overdue Ratio", "float", "ratio", "Days since the last purchase over the buying rhythm"),
	Signal("repeat_value", "Repeat Value", "money", "base currency", "Mean purchase value of the days after the first"),
	Signal("discount_share", "Discount Share", "share", "share", "Discount over value before discount, all purchases"),
	Signal("discount_documents_share", "Discounted Documents", "share", "share", "Share of purchases with a discount"),
	Signal("return_share", "Return Share", "share", "share", "Value returned over value bought"),
	Signal("margin_12m", "Margin This Period", "money", "base currency", "Gross margin in the period up to today"),
	Signal("days_late", "Days Late", "float", "days", "Mean days from due date to payment, early payment as zero"),
	Signal("overdue_share", "Overdue Share", "share", "share", "Overdue balance over purchases of the period"),
	Signal("product_breadth", "Product Breadth", "int", "items", "Different items bought in the period", "items"),
	Signal("last_interaction", "Last Interaction", "date", "date", "Day of the last interaction, either way", "interactions"),
	Signal("last_inbound", "Last Inbound", "date", "date", "Day the party last turned to us", "interactions"),
	Signal("last_outbound", "Last Outbound", "date", "date", "Day we last turned to the party", "interactions"),
	Signal("days_since_contact", "Days Since Contact", "int", "days", "Days since the last interaction", "interactions"),
	Signal("inbound_count", "Inbound Interactions", "int", "interactions", "Interactions from the party in the contact window", "interactions"),
	Signal("outbound_count", "Outbound Interactions", "int", "interactions", "Interactions to the party in the contact window", "interactions"),
	Signal("nps", "Latest NPS Answer", "float", "0 to 10", "Latest answer to the recommendation question", "feedback"),
	Signal("csat", "Latest CSAT Answer", "float", "1 to 5", "Latest answer to the satisfaction question", "feedback"),
	Signal("open_complaints", "Open Complaints", "int", "complaints", "Complaints open on the day", "cases"),
	Signal("recent_complaints", "Recent Complaints", "int", "complaints", "Complaints opened in the complaint window", "cases"),
	Signal("days_to_contract_end", "Days to Contract End", "int", "days", "Days to the next end of a running contract", "contracts"),
)
# fmt: on
SIGNAL_NAMES = tuple(signal.name for signal in SIGNALS)
MOST_JOINS = 30
COUNTS = ("purchases", "inbound_count", "outbound_count", "open_complaints", "recent_complaints")
IBIS_TYPES = {"date": "date", "int": "int64", "float": "float64", "money": "float64", "share": "float64"}


Keep = Callable[[str, ir.Table], ir.Table]


def as_is(name: str, table: ir.Table) -> ir.Table:  # noqa: ARG001
	"""The ``keep`` that keeps nothing."""
	return table


def number(value: ir.NumericValue) -> ir.FloatingColumn:
	"""A float to six decimals: the noise of summing in another order never reaches a rank or a table."""
	return value.cast("float64").round(6)


def ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingColumn:
	"""``part / whole`` as a float, null when ``whole`` is zero or less."""
	whole = whole.cast("float64")
	return number(part.cast("float64") / ibis.ifelse(whole > 0, whole, ibis.null("float64")))


def signals(
	relations: Mapping[str, ir.Table],
	as_of: datetime.date,
	windows: Windows,
	custom: tuple[CustomSignal, ...] = (),
	keep: Keep = as_is,
	problems: list[Problem] | None = None,
) -> ir.Table:
	"""One row a party: party, party_type, party_name, ``party__NAME`` attributes, its number ``nr``, every signal
	of ``SIGNALS`` and each custom signal by its name. Rows after ``as_of`` do not count.

	``keep(name, table)`` may hold an intermediate result, a row a party, where that saves a database work. Where
	``problems`` are collected, a custom signal that cannot be computed is left out and reported there.
	"""
	parts = [purchase_signals(relations["purchases"], as_of, windows, keep)]
	builders = {
		"payments": payment_signals,
		"items": item_signals,
		"interactions": interaction_signals,
		"feedback": feedback_signals,
		"cases": case_signals,
		"contracts": contract_signals,
	}
	for name, build in builders.items():
		if name in relations:
			parts.append(keep(f"{name}_signals", build(relations[name], as_of, windows)))
	found = custom_parts(custom, relations, as_of, keep, problems)
	parts += found.values()
	custom = tuple(signal for signal in custom if signal.name in found)
	base = keep("parties", numbered(party_base(relations, as_of)))
	return complete(base, side_by_side(base, parts, keep), custom)


def custom_parts(
	custom: Sequence[CustomSignal],
	relations: Mapping[str, ir.Table],
	as_of: datetime.date,
	keep: Keep,
	problems: list[Problem] | None,
) -> dict[str, ir.Table]:
	"""The table of each custom signal by its name."""
	found = {}
	for index, signal in enumerate(custom):
		try:
			table = custom_signal(signal, relations[signal.relation], as_of)
			found[signal.name] = keep(f"custom_{index}", table)
		except Exception as error:  # whatever a database says of one signal, the others are not to blame
			if problems is None:
				raise
			problems.append(Problem("signals", signal.name, "", f"cannot be computed: {error}"))
	return found


def side_by_side(base: ir.Table, parts: Sequence[ir.Table], keep: Keep) -> ir.Table:
	"""``base`` with the columns of all parts, a row a party each; of two columns of one name the first is taken.

	One flat join for as many parts as every database joins at once: nested, forty of them overflow a parser.
	"""
	wide = base
	for start in range(0, len(parts), MOST_JOINS):
		names = list(wide.columns)
		for index, part in enumerate(parts[start : start + MOST_JOINS]):
			wide = wide.left_join(part, "party", rname=f"{{name}}_{index}_right")
			names += [name for name in part.columns if name not in names]
		wide = wide.select(*names)
		if start + MOST_JOINS < len(parts):
			wide = keep(f"signals_{start}", wide)
	return wide


def party_base(relations: Mapping[str, ir.Table], as_of: datetime.date) -> ir.Table:
	"""The parties with their attributes; without a ``parties`` relation, whoever bought by ``as_of``."""
	if "parties" not in relations:
		names = known_by(relations["purchases"], as_of).select("party").distinct()
		return names.mutate(party_type=ibis.literal("Customer"), party_name=names.party)
	parties = relations["parties"].filter(lambda t: t.party.notnull())
	known = parties.columns
	columns = {
		"party": parties.party,
		"party_type": parties.party_type if "party_type" in known else ibis.literal("Customer"),
		"party_name": parties.party_name if "party_name" in known else parties.party,
	}
	columns |= {f"party__{name}": parties[name] for name in rel.attributes(parties)}
	return parties.select(**columns)


def known_by(purchases: ir.Table, as_of: datetime.date) -> ir.Table:
	"""Purchases up to the day; a row without a party or a day counts nowhere."""
	return purchases.filter((purchases.day <= literal(as_of)) & purchases.party.notnull())


def numbered(parties: ir.Table) -> ir.Table:
	"""``parties`` with ``nr``, by which the steps of one cycle join: databases join and index whole numbers best."""
	return parties.mutate(nr=ibis.row_number().over(ibis.window(order_by=parties.party)))


def complete(base: ir.Table, wide: ir.Table, custom: tuple[CustomSignal, ...]) -> ir.Table:
	"""Fixed columns in fixed order: what no relation gave is null, counts of given relations start at zero."""
	columns: dict[str, ir.Value] = {name: wide[name] for name in base.columns}
	for signal in SIGNALS:
		kind = IBIS_TYPES[signal.type]
		if signal.name not in wide.columns:
			columns[signal.name] = ibis.null(kind)
		elif signal.name in COUNTS:
			columns[signal.name] = wide[signal.name].fill_null(0).cast(kind)
		else:
			columns[signal.name] = wide[signal.name].cast(kind)
	columns |= {signal.name: wide[signal.name] for signal in custom}
	return wide.select(**columns)


def purchase_signals(
	purchases: ir.Table, as_of: datetime.date, windows: Windows, keep: Keep = as_is
) -> ir.Table:
	"""Recency, frequency, monetary value, rhythm, trend, discount, returns and payment, a row a buyer."""
	past = known_by(purchases, as_of)
	totals = keep(
		"purchase_totals", past.group_by("party").aggregate(**_purchase_totals(past, as_of, windows))
	)
	first = keep("first_values", _first_day_value(past, totals))
	joined = beside(totals, first, "party")
	return joined.select(**_purchase_columns(joined, as_of))


def _purchase_totals(past: ir.Table, as_of: datetime.date, windows: Windows) -> dict[str, ir.Value]:
	period = datetime.timedelta(days=windows.period)
	bought = past.amount >= 0
	this = past.day > literal(as_of - period)
	prior = (past.day > literal(as_of - 2 * period)) & (past.day <= literal(as_of - period))
	totals: dict[str, ir.Value] = {
		"first_purchase": past.day.min(where=bought),
		"last_purchase": past.day.max(where=bought),
		"purchase_days": past.day.nunique(where=bought),
		"purchases": past.count(where=bought),
		"net": past.amount.sum(),
		"bought": past.amount.sum(where=bought),
		"net_this": past.amount.sum(where=this),
		"net_prior": past.amount.sum(where=prior),
		"bought_this": past.amount.sum(where=this & bought),
	}
	known = past.columns
	if "discount" in known:
		totals["discount"] = past.discount.sum(where=bought)
		totals["discounted"] = past.count(where=bought & (past.discount > 0))
	if "margin" in known:
		totals["margin_12m"] = past.margin.sum(where=this)
	if "due_day" in known and "outstanding" in known:
		overdue = (past.due_day < literal(as_of)) & (past.outstanding > 0)
		totals["overdue"] = past.outstanding.sum(where=overdue)
	if "due_day" in known and "paid_day" in known:
		settled = bought & (past.paid_day <= literal(as_of)) & past.due_day.notnull()
		totals["days_late"] = late_days(past).mean(where=settled)
	return totals


def _first_day_value(past: ir.Table, totals: ir.Table) -> ir.Table:
	starts = totals.select("party", "first_purchase")
	first = past.inner_join(
		starts, [past.party == starts.party, past.day == starts.first_purchase, past.amount >= 0]
	)
	return first.group_by("party").aggregate(first_value=first.amount.sum())


def _purchase_columns(t: ir.Table, as_of: datetime.date) -> dict[str, ir.Value]:
	recency = days_between(as_of, t.last_purchase)
	repeats = t.purchase_days - 1
	some = ibis.ifelse(repeats > 0, repeats, ibis.null("int64"))
	interval = number(days_between(t.last_purchase, t.first_purchase).cast("float64") / some.cast("float64"))
	buyer = t.purchase_days > 0
	columns: dict[str, ir.Value] = {
		"party": t.party,
		"first_purchase": t.first_purchase,
		"last_purchase": t.last_purchase,
		"recency_days": recency,
		"tenure_days": days_between(as_of, t.first_purchase),
		"frequency": ibis.ifelse(buyer, repeats, ibis.null("int64")),
		"purchases": t.purchases,
		"monetary_total": number(t.net),
		"monetary_average": ratio(t.net, t.purchase_days),
		"monetary_12m": number(t.net_this.fill_null(0)),
		"monetary_prior_12m": number(t.net_prior.fill_null(0)),
		"trend": number(ratio(t.net_this.fill_null(0), t.net_prior) - 1.0),
		"mean_interval_days": interval,
		"days_overdue": number(recency.cast("float64") - interval),
		"overdue_ratio": ratio(recency, interval),
		"repeat_value": ratio(t.bought - t.first_value, some),
		"return_share": ratio(t.bought - t.net, t.bought),
	}
	if "discount" in t.columns:
		columns["discount_share"] = ratio(t.discount, t.bought + t.discount)
		columns["discount_documents_share"] = ratio(t.discounted, t.purchases)
	if "margin_12m" in t.columns:
		columns["margin_12m"] = number(t.margin_12m)
	if "overdue" in t.columns:
		columns["overdue_share"] = ratio(t.overdue.fill_null(0), t.bought_this)
	if "days_late" in t.columns:
		columns["days_late"] = number(t.days_late)
	return columns


def payment_signals(payments: ir.Table, as_of: datetime.date, windows: Windows) -> ir.Table:  # noqa: ARG001
	"""Mean days from due date to payment."""
	settled = payments.filter(payments.paid_day <= literal(as_of))
	return settled.group_by("party").aggregate(days_late=number(late_days(settled).mean()))


def late_days(table: ir.Table) -> ir.IntegerColumn:
	"""Days from due date to payment; early payment counts as zero."""
	late = days_between(table.paid_day, table.due_day)
	return ibis.ifelse(late > 0, late, 0)


def item_signals(items: ir.Table, as_of: datetime.date, windows: Windows) -> ir.Table:
	"""How many different items the party bought in the period."""
	recent = _between(items, items.day, as_of, windows.period)
	return recent.group_by("party").aggregate(product_breadth=recent["product"].nunique())


def interaction_signals(log: ir.Table, as_of: datetime.date, windows: Windows) -> ir.Table:
	"""Last interaction either way, and how many in the contact window."""
	past = log.filter(log.day <= literal(as_of))
	recent = past.day > literal(as_of - datetime.timedelta(days=windows.contact))
	inbound, outbound = (
		(past.direction == "In", past.direction == "Out") if "direction" in past.columns else (None, None)
	)
	totals: dict[str, ir.Value] = {"last_interaction": past.day.max()}
	if inbound is not None:
		totals |= {
			"last_inbound": past.day.max(where=inbound),
			"last_outbound": past.day.max(where=outbound),
			"inbound_count": past.count(where=inbound & recent),
			"outbound_count": past.count(where=outbound & recent),
		}
	grouped = past.group_by("party").aggregate(**totals)
	return grouped.mutate(days_since_contact=days_between(as_of, grouped.last_interaction))


def feedback_signals(feedback: ir.Table, as_of: datetime.date, windows: Windows) -> ir.Table:  # noqa: ARG001
	"""The latest answer of each kind; of two on one day the lower counts."""
	past = feedback.filter(feedback.day <= literal(as_of))
	order = ibis.window(group_by=[past.party, past.kind], order_by=[past.day.desc(), past.score.asc()])
	ranked = past.mutate(place=ibis.row_number().over(order))
	latest = ranked.filter(ranked.place == 0)
	return latest.group_by("party").aggregate(
		nps=number(latest.score.max(where=latest.kind == "NPS")),
		csat=number(latest.score.max(where=latest.kind == "CSAT")),
	)


def case_signals(cases: ir.Table, as_of: datetime.date, windows: Windows) -> ir.Table:
	"""Complaints open on the day and opened in the window; without a ``kind`` every case is a complaint,
	without ``closed`` it is not known which are open.
	"""
	past = cases.filter(cases.opened <= literal(as_of))
	if "kind" in past.columns:
		past = past.filter(past.kind == "Complaint")
	recent = past.opened > literal(as_of - datetime.timedelta(days=windows.complaint))
	totals = {"recent_complaints": past.count(where=recent)}
	if "closed" in past.columns:
		still = past.closed.isnull() | (past.closed > literal(as_of))
		totals["open_complaints"] = past.count(where=still)
	return past.group_by("party").aggregate(**totals)


def contract_signals(contracts: ir.Table, as_of: datetime.date, windows: Windows) -> ir.Table:  # noqa: ARG001
	"""Days to the next end of a contract that has begun and not ended."""
	running = contracts.filter(contracts.end >= literal(as_of))
	if "start" in running.columns:
		running = running.filter(running.start.isnull() | (running.start <= literal(as_of)))
	ends = running.group_by("party").aggregate(next_end=running.end.min())
	return ends.select("party", days_to_contract_end=days_between(ends.next_end, as_of))


def custom_signal(signal: CustomSignal, table: ir.Table, as_of: datetime.date) -> ir.Table:
	"""party and the signal under its own name, from any relation."""
	rows = table
	if signal.date_field:
		day = rows[signal.date_field].cast("date")
		rows = _between(rows, day, as_of, signal.window_days)
	if signal.conditions:
		rows = rows.filter(all_of([holds(item, rows[item.field]) for item in signal.conditions]))
	rows = rows.filter(rows[signal.party_field].notnull())
	if signal.aggregate == "latest":
		rows = _latest(signal, rows)
	value = _aggregate(signal, rows)
	return rows.group_by(party=rows[signal.party_field]).aggregate(**{signal.name: value})


def _latest(signal: CustomSignal, rows: ir.Table) -> ir.Table:
	"""The rows of each party's last day; of several values the highest is taken."""
	assert signal.date_field
	window = ibis.window(
		group_by=rows[signal.party_field], order_by=rows[signal.date_field].cast("date").desc()
	)
	ranked = rows.mutate(_place=ibis.rank().over(window))
	return ranked.filter(ranked["_place"] == 0)


def _aggregate(signal: CustomSignal, rows: ir.Table) -> ir.Value:
	if signal.aggregate == "count":
		return rows.count()
	assert signal.value_field
	value = rows[signal.value_field]
	if signal.aggregate in ("sum", "average"):
		return number(
			value.cast("float64").sum() if signal.aggregate == "sum" else value.cast("float64").mean()
		)
	return value.min() if signal.aggregate == "minimum" else value.max()


def _between(table: ir.Table, day: ir.DateValue, as_of: datetime.date, window: int | None) -> ir.Table:
	keep = day <= literal(as_of)
	if window:
		keep = keep & (day > literal(as_of - datetime.timedelta(days=window)))
	return table.filter(keep)

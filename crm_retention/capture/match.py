"""What was captured completes what was to be done: the call was made, so the touchpoint is done."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir
from frappe.utils import cint, now

from crm_retention.backends.site_relations import physical
from crm_retention.capture.candidates import LOG, without_superseded
from crm_retention.capture.write import affected
from crm_retention.engine.dates import days_between
from crm_retention.parties import PARTY_TYPES
from crm_retention.site.memory import SiteBackend, engine_of_request
from crm_retention.site.slices import ASKED, Slices

BOTH_WAYS = ("Call", "Visit", "Meeting")
TOUCHPOINTS_PER_BATCH = 500


@dataclass(frozen=True)
class Pair:
	"""A row of the log that fulfils a touchpoint."""

	row: str
	touchpoint: str


def complete_matching(
	since: str | datetime.datetime, commit: bool = False, backend: SiteBackend | None = None
) -> list[Pair]:
	"""Complete open touchpoints that rows logged since then fulfil; returns what was completed.

	A row fulfils a touchpoint of its party by the same channel, or of the kind that the touchpoint's type stands for,
	when it happened within ``match_days`` of the due date and went out to the party, or was a call, visit or meeting
	whoever began it. The earliest row completes the touchpoint that is due first, each row one touchpoint at most.
	A touchpoint that was made after the row was logged is another one: whoever made it knew of that contact.
	A promise is not fulfilled by just any contact: people say so themselves.
	"""
	settings = frappe.get_cached_doc("Retention Settings")
	if not cint(settings.complete_by_capture) or not is_anything_to_match(since):
		return []
	done = []
	for chunk in in_chunks(
		choose(get_pairs(since, cint(settings.match_days), backend)), TOUCHPOINTS_PER_BATCH
	):
		done += complete(chunk)
		if commit:
			frappe.db.commit()
	return done


def is_anything_to_match(since: str | datetime.datetime) -> bool:
	"""Whether there are rows and touchpoints at all: on a quiet day there is nothing to compare."""
	logged = frappe.db.exists(LOG, {"creation": (">=", since)})
	return bool(logged and frappe.db.exists("Touchpoint", {"status": "Open"}))


def get_pairs(since: str | datetime.datetime, days: int, backend: SiteBackend | None = None) -> list[Pair]:
	"""Every row and touchpoint that fit, the earliest row first, and for it what is due first."""
	with nullcontext(backend) if backend else engine_of_request() as backend:
		slices = Slices(backend)
		row = slices.keep("fulfilling", get_rows(since, slices))
		touchpoint = get_touchpoints(row, slices)
		joined = row.inner_join(
			touchpoint, [row.party_type == touchpoint.of_type, row.party == touchpoint.of_party]
		)
		gap = days_between(joined.occurred_on.cast("date"), joined.due_date)
		same = (joined.channel == joined.by_channel) | (joined.kind == joined.by_kind)
		known = joined.made <= joined.logged
		fits = joined.filter(same.fill_null(False) & known & (gap <= days) & (gap >= -days))
		ordered = fits.order_by(["occurred_on", "row", "due_date", "touchpoint"])
		return [Pair(*names) for names in backend.query(backend.compile(ordered.select("row", "touchpoint")))]


def get_rows(since: str | datetime.datetime, slices: Slices) -> ir.Table:
	"""Rows logged since then that are contact with the party and stand for no touchpoint yet."""
	fields = ["name", "party_type", "party", "occurred_on", "kind", "channel", "direction", "touchpoint"]
	log = physical(LOG, [*fields, "creation"])
	log = log.filter(log.creation >= ibis.literal(str(since)).cast("timestamp"))
	contact = log.kind.isin(frappe.get_all("Interaction Kind", {"is_contact": 1}, pluck="name") or [""])
	outward = (log.direction == "Out") | log.kind.isin(BOTH_WAYS)
	free = slices.read_whole("free", log.filter(contact & outward & log.touchpoint.isnull()))
	used = slices.read("used", "Touchpoint", [], free.name, "interaction")
	free = without_superseded(free.anti_join(used, free.name == used[ASKED]), slices)
	return free.select(
		"party_type", "party", "occurred_on", "kind", "channel", row=free.name, logged=free.creation
	)


def get_touchpoints(rows: ir.Table, slices: Slices) -> ir.Table:
	"""What is to be done for the parties of these rows, without promises and without messages that are leaving right now."""
	fields = ["party_type", "party", "touchpoint_type", "channel", "due_date", "creation", "is_promise"]
	tables = []
	for of in PARTY_TYPES:  # one after the other, by the index of the party
		parties = rows.filter(rows.party_type == of).party
		columns = ["name", *fields, "message_status"]
		tables.append(
			slices.read(f"due {of}", "Touchpoint", columns, parties, "party", party_type=of, status="Open")
		)
	table = tables[0].union(*tables[1:])
	table = table.filter(table.is_promise.fill_null(0) == 0)
	table = table.filter(table.message_status.isnull() | (table.message_status != "Sending"))
	kind = slices.read_whole("types", physical("Touchpoint Type", ["name", "interaction_kind"]))
	kinds = kind.select(is_type=kind.name, by_kind=kind.interaction_kind)
	joined = table.left_join(kinds, table.touchpoint_type == kinds.is_type)
	return joined.select(
		"due_date",
		"by_kind",
		touchpoint=joined.name,
		made=joined.creation,
		of_type=joined.party_type,
		of_party=joined[ASKED],
		by_channel=joined.channel,
	)


def choose(pairs: Iterable[Pair]) -> list[Pair]:
	"""The first pair for each row and each touchpoint."""
	rows: set[str] = set()
	touchpoints: set[str] = set()
	chosen = []
	for pair in pairs:
		if pair.row not in rows and pair.touchpoint not in touchpoints:
			chosen.append(pair)
			rows.add(pair.row)
			touchpoints.add(pair.touchpoint)
	return chosen


def complete(pairs: list[Pair]) -> list[Pair]:
	"""Write the completion of these touchpoints; one that somebody ended meanwhile stays as it is."""
	facts = get_facts([pair.row for pair in pairs])
	done = [pair for pair in pairs if set_done(pair.touchpoint, facts[pair.row])]
	close_todos([pair.touchpoint for pair in done])
	return done


def get_facts(rows: list[str]) -> dict[str, Any]:
	"""What the rows say about the completion, by name."""
	fields = ["name", "occurred_on", "user", "minutes", "outcome"]
	found = frappe.get_all(LOG, filters={"name": ("in", rows)}, fields=fields, limit=0)
	return {row.name: row for row in found}


def set_done(touchpoint: str, row: Any) -> bool:
	"""Done by this row, if it is still open."""
	table = frappe.qb.DocType("Touchpoint")
	query = frappe.qb.update(table).where((table.name == touchpoint) & (table.status == "Open"))
	values = {
		"status": "Done",
		"interaction": row.name,
		"completed_on": row.occurred_on,
		"completed_by": row.user,
		"minutes": cint(row.minutes),
		"outcome": row.outcome or "",
		"open_key": None,
		"_assign": None,
		"modified": now(),
		"modified_by": frappe.session.user,
	}
	for name, value in values.items():
		query = query.set(table[name], value)
	query.run()
	return affected() > 0


def close_todos(touchpoints: list[str]) -> None:
	"""Close what the touchpoints had put on people's lists."""
	if not touchpoints:
		return
	table = frappe.qb.DocType("ToDo")
	of = (table.reference_type == "Touchpoint") & table.reference_name.isin(touchpoints)
	query = frappe.qb.update(table).set(table.status, "Closed").set(table.modified, now())
	query.where(of & (table.status == "Open")).run()


def in_chunks(pairs: list[Pair], size: int) -> Iterator[list[Pair]]:
	"""Lists of at most ``size``."""
	return (pairs[start : start + size] for start in range(0, len(pairs), size))

"""All that happened with a party, across departments, newest first.

Five kinds of rows: interactions, changes of tier and stage, touchpoints that ended without an interaction, and plans
entered and left. Each is one query over an index that starts with the party, cut to a page; pages go on by the key of
the last row, so that the thousandth costs what the first does.
"""

from __future__ import annotations

import datetime
import heapq
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce
from frappe.utils import cint, get_datetime, get_system_timezone, getdate

from crm_retention.arguments import DayKind, Text, YesOrNo
from crm_retention.origins import folded, get_shown
from crm_retention.views.access import (
	Document,
	escape,
	get_full_names,
	get_readable,
	may_read_any,
	only_readable,
)

LOG, TOUCHPOINT, ENROLLMENT, CHANGE = "Interaction Log", "Touchpoint", "Plan Enrollment", "Tier Change"
SHOWN = (LOG, TOUCHPOINT, ENROLLMENT, CHANGE)
MOST_ROWS = 200
# where moments are equal, the later of these stands above
RANKS = {"left": 0, "entered": 1, CHANGE: 2, TOUCHPOINT: 3, LOG: 4}
LOG_FIELDS = (
	"name", "kind", "channel", "direction", "department", "user", "subject", "note", "outcome",
	"sentiment", "minutes", "source", "reference_doctype", "reference_name", "touchpoint", "supersedes", "contact",
	"attachment",
)  # fmt: skip
# what a row may have from its document; kind, department and day say that something happened
FROM_DOCUMENT = (
	"channel", "direction", "user", "subject", "note", "outcome", "sentiment", "minutes", "contact", "attachment",
)  # fmt: skip


class Page(TypedDict):
	"""``before`` of the next page; None on the last one."""

	rows: list[dict[str, Any]]
	before: str | None


@dataclass(frozen=True)
class Cursor:
	"""The key of the last row that was shown; rows after it are older."""

	moment: datetime.datetime
	rank: int
	name: str

	@classmethod
	def parse(cls, text: str) -> Cursor:
		"""Raises ValidationError for what is no key of a row."""
		parts = text.split("|", 2)
		if len(parts) == 3 and parts[1] in {str(rank) for rank in RANKS.values()}:
			with suppress(ValueError):
				return cls(
					datetime.datetime.fromisoformat(parts[0]).replace(tzinfo=None), int(parts[1]), parts[2]
				)
		frappe.throw(_("{0}: {1} is no place in the timeline.").format("before", escape(text)))

	def __str__(self) -> str:
		return f"{self.moment}|{self.rank}|{self.name}"


@dataclass(frozen=True)
class Wanted:
	"""What is asked for; ``start`` and ``end`` are days of the user's calendar, both included."""

	party_type: str
	party: str
	limit: int
	of: str | None = None
	kind: str | None = None
	channel: str | None = None
	department: str | None = None
	direction: str | None = None
	start: datetime.date | None = None
	end: datetime.date | None = None
	only_contacts: bool = False
	before: Cursor | None = None

	@property
	def only_log(self) -> bool:
		"""Whether a filter asks for what only interactions have."""
		return bool(self.kind or self.direction or self.only_contacts)


FILTERS = {
	"of": Text(),
	"kind": Text(),
	"channel": Text(),
	"department": Text(),
	"direction": Text(),
	"from_date": DayKind(),
	"to_date": DayKind(),
	"only_contacts": YesOrNo(),
}


def get_page(
	party_type: str, party: str, filters: dict[str, Any] | None, before: str | None, limit: int
) -> Page:
	"""Rows of a party, newest first. Who may read the party was asked already.

	Every row has ``of`` (DocType), ``name``, ``occurred_on`` (site time), ``only_day`` (no time is known: the day is
	the same in every time zone), ``event`` and what it is about. Raises ValidationError for filters that do not exist.
	"""
	wanted = get_wanted(party_type, party, filters or {}, before, limit)
	# a filter by what folded rows do not say would say it
	with nullcontext() if wanted.channel or wanted.direction else folded():
		lists = [read(wanted) for read, doctype in get_readers(wanted) if may_read_any(doctype)]
	merged = heapq.merge(*lists, key=lambda row: (row["moment"], row["rank"]), reverse=True)
	rows = [row for _number, row in zip(range(wanted.limit + 1), merged, strict=False)]
	more, rows = len(rows) > wanted.limit, rows[: wanted.limit]
	last = str(Cursor(rows[-1]["moment"], rows[-1]["rank"], rows[-1]["name"])) if more else None
	hide_unreadable(rows, (party_type, party))
	add_people(rows)
	return {"rows": [as_sent(row) for row in rows], "before": last}


def get_wanted(
	party_type: str, party: str, filters: dict[str, Any], before: str | None, limit: int
) -> Wanted:
	"""The request, checked."""
	unknown = sorted(set(filters) - set(FILTERS))
	if unknown:
		frappe.throw(_("The timeline has no filter {0}.").format(escape(", ".join(map(str, unknown)))))
	given = {
		name: kind.read(name, filters[name])
		for name, kind in FILTERS.items()
		if filters.get(name) not in (None, "")
	}
	if given.get("of", LOG) not in SHOWN:
		frappe.throw(_("of: the timeline has no {0}.").format(escape(given["of"])))
	first, last = given.pop("from_date", None), given.pop("to_date", None)
	return Wanted(
		party_type,
		party,
		limit=min(max(cint(limit), 1), MOST_ROWS),
		start=getdate(first) if first else None,
		end=getdate(last) if last else None,
		before=Cursor.parse(before) if before else None,
		**given,
	)


def get_readers(wanted: Wanted) -> list[tuple[Callable[[Wanted], list[dict[str, Any]]], str]]:
	"""The queries that the filters leave."""
	readers = [(read_log, LOG)]
	if not wanted.only_log:
		readers.append((read_touchpoints, TOUCHPOINT))
		if not (wanted.channel or wanted.department):
			readers += [(read_changes, CHANGE), (read_entered, ENROLLMENT), (read_left, ENROLLMENT)]
	return [(read, doctype) for read, doctype in readers if wanted.of in (None, doctype)]


def read_log(wanted: Wanted) -> list[dict[str, Any]]:
	"""Interactions that no other row corrects."""
	log, other = frappe.qb.DocType(LOG), frappe.qb.DocType(LOG).as_("later_row")
	query = (
		frappe.qb.from_(log)
		.left_join(other)
		.on(other.supersedes == log.name)
		.select(*(log[field] for field in LOG_FIELDS))
		.where(other.name.isnull())
	)
	for field in ("kind", "channel", "department", "direction"):
		if value := getattr(wanted, field):
			query = query.where(log[field] == value)
	if wanted.only_contacts:
		contacts = frappe.get_all("Interaction Kind", {"is_contact": 1}, pluck="name")
		query = query.where(log.kind.isin(contacts or [""]))
	return run(query, log, log.occurred_on, LOG, wanted, "logged")


def read_touchpoints(wanted: Wanted) -> list[dict[str, Any]]:
	"""Touchpoints that ended; those with an interaction are there as that."""
	t = frappe.qb.DocType(TOUCHPOINT)
	# what the nightly run ends is told on the day that it was due, or when it ended if that came first
	ended_alone = Case().when(t.due_date < t.modified, t.due_date).else_(t.modified)
	ended = Coalesce(t.completed_on, ended_alone)
	query = (
		frappe.qb.from_(t)
		.select(
			t.name, t.status, t.touchpoint_type, t.channel, t.department, t.due_date, t.reason,
			t.rule, t.outcome, t.note, t.is_promise, t.why, t.completed_by.as_("user"),
		)
		.where(t.status.notin(["Open", "Waiting"]))
		.where(Coalesce(t.interaction, "") == "")
	)  # fmt: skip
	for field in ("channel", "department"):
		if value := getattr(wanted, field):
			query = query.where(t[field] == value)
	rows = run(query, t, ended, TOUCHPOINT, wanted, "ended")
	for row in rows:
		row["only_day"] = row["moment"].date() == row["due_date"] and row["moment"].time() == datetime.time()
	return rows


def read_changes(wanted: Wanted) -> list[dict[str, Any]]:
	"""Changes of tier and stage."""
	c = frappe.qb.DocType(CHANGE)
	query = frappe.qb.from_(c).select(c.name, c.kind, c.from_value, c.to_value, c.reason, c.score, c.health)
	return run(query, c, c.on_date, CHANGE, wanted, "changed", only_day=True)


def read_entered(wanted: Wanted) -> list[dict[str, Any]]:
	"""Plans that the party came into."""
	return read_enrollments(wanted, "from_date", "entered", "why")


def read_left(wanted: Wanted) -> list[dict[str, Any]]:
	"""Plans that the party left."""
	return read_enrollments(wanted, "to_date", "left", "ended_why")


def read_enrollments(wanted: Wanted, day: str, event: str, why: str) -> list[dict[str, Any]]:
	"""Enrollments by their first or last day, with the plan's title."""
	e, plan = frappe.qb.DocType(ENROLLMENT), frappe.qb.DocType("Maintenance Plan")
	query = (
		frappe.qb.from_(e)
		.left_join(plan)
		.on(plan.name == e.plan)
		.select(e.name, e.plan, plan.title, e.version_number, e.arm, e[why].as_("why"))
		.where(e[day].isnotnull())
	)
	return run(query, e, e[day], ENROLLMENT, wanted, event, only_day=True)


def run(
	query: Any, table: Any, moment: Any, doctype: str, wanted: Wanted, event: str, only_day: bool = False
) -> list[dict[str, Any]]:
	"""One page of a query, a row more than asked for, with moment, rank and event."""
	rank = RANKS.get(event, RANKS.get(doctype, 0))
	query = query.where((table.party_type == wanted.party_type) & (table.party == wanted.party))
	query = in_period(query, moment, wanted, only_day)
	if wanted.before:
		query = query.where(is_before(moment, table.name, wanted.before, rank, only_day))
	descending = frappe.qb.desc
	query = query.orderby(moment, order=descending).orderby(table.name, order=descending)
	query = only_readable(query.select(moment.as_("moment")).limit(wanted.limit + 1), doctype)
	shared = {"of": doctype, "event": event, "rank": rank, "only_day": only_day}
	return [{**row, **shared, "moment": get_datetime(row.moment)} for row in query.run(as_dict=True)]


def in_period(query: Any, moment: Any, wanted: Wanted, only_day: bool) -> Any:
	"""From the first to the last day of the user's calendar."""
	if wanted.start:
		query = query.where(moment >= (wanted.start if only_day else get_site_time(wanted.start)))
	if wanted.end:
		day_after = wanted.end + datetime.timedelta(days=1)
		query = query.where(moment < (day_after if only_day else get_site_time(day_after)))
	return query


def get_site_time(day: datetime.date) -> datetime.datetime:
	"""When a day begins for the user, in the time of the site's database."""
	system = get_system_timezone()
	own = frappe.get_cached_value("User", frappe.session.user, "time_zone")
	begins = datetime.datetime.combine(day, datetime.time(), tzinfo=get_zone(own, system))
	return begins.astimezone(ZoneInfo(system)).replace(tzinfo=None)


def get_zone(own: str | None, system: str) -> ZoneInfo:
	"""The user's time zone; that of the site where there is none of the name, for users write what they like."""
	with suppress(KeyError, ValueError, OSError):
		return ZoneInfo(own or system)
	return ZoneInfo(system)


def is_before(moment: Any, name: Any, cursor: Cursor, rank: int, only_day: bool) -> Any:
	"""Whether a row of this rank comes after the cursor in the order of the timeline, newest first."""
	at: Any = cursor.moment
	if only_day:
		at = cursor.moment.date()
		if cursor.moment.time() != datetime.time():
			return moment <= at  # these rows stand at the beginning of their day
	if rank < cursor.rank:
		return moment <= at
	if rank > cursor.rank:
		return moment < at
	return (moment < at) | ((moment == at) & (name < cursor.name))


def hide_unreadable(rows: list[dict[str, Any]], party: Document) -> None:
	"""What a row says of a document that the user may not read, its name and its title, is not sent."""
	named = [get_document(row) for row in rows if row["of"] == LOG]
	contacts = [("Contact", row["contact"]) for row in rows if row.get("contact")]
	plans = [("Maintenance Plan", row["plan"]) for row in rows if row.get("plan")]
	readable = get_readable([*named, *contacts, *plans], party)
	shown = get_shown(row["name"] for row in rows if row["of"] == LOG)
	for row in rows:
		document = get_document(row)
		if row["of"] == LOG and document not in readable:
			row["reference_doctype"] = row["reference_name"] = None
			if row["name"] not in shown:
				row |= dict.fromkeys(FROM_DOCUMENT) | {"hidden": True}
		if row.get("contact") and ("Contact", row["contact"]) not in readable:
			row["contact"] = None
		if row.get("plan") and ("Maintenance Plan", row["plan"]) not in readable:
			row["plan"] = None


def get_document(row: dict[str, Any]) -> Document:
	"""The document that an interaction was captured from."""
	return (row.get("reference_doctype") or "", row.get("reference_name") or "")


def add_people(rows: list[dict[str, Any]]) -> None:
	"""Full names of whoever did it."""
	names = get_full_names(row.get("user") for row in rows)
	for row in rows:
		if row.get("user"):
			row["user_name"] = names.get(row["user"], row["user"])


def as_sent(row: dict[str, Any]) -> dict[str, Any]:
	"""The row for a client: without what only this module needs, and without what is empty."""
	sent = {key: value for key, value in row.items() if key not in ("moment", "rank", "source")}
	sent["occurred_on"] = str(row["moment"].date()) if row["only_day"] else str(row["moment"])
	sent["corrects"] = sent.pop("supersedes", None)
	kept = ("of", "event", "name", "occurred_on", "only_day")
	sent["due_date"] = str(sent["due_date"]) if sent.get("due_date") else None
	return {key: value for key, value in sent.items() if key in kept or value not in (None, "")}

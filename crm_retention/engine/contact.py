"""Contact rules: which contacts are held back, and by which rule. The same for people and for messages.

Candidates are rows of id, nr, party, day (number), touchpoint_type, channel, nature, sends and priority. A cap counts
what happened, what is planned, and the other candidates that go before: of any ``window`` days around a contact, on
both sides, no more than ``maximum`` hold one. The first rule in order that holds a contact back is the one that is named.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from .calendar import Columns, day_number, integers, next_allowed, number
from .conditions import all_hold, all_of, fault
from .dates import literal
from .errors import Problem
from .plans import NOTICE, Care, ContactRule
from .relations import completed
from .signals import Keep

if TYPE_CHECKING:
	from .cycle import Backend

AHEAD = 60  # days to which quiet days are known


@dataclass(frozen=True)
class Facts:
	"""What rules ask about: relations as the backend has them, profiles with nr, and the nr of each party by name."""

	given: Mapping[str, ir.Table]
	standing: ir.Table
	names: ir.Table
	as_of: datetime.date


def applies(table: ir.Table, rule: ContactRule) -> ir.BooleanValue:
	"""Whether a rule is about a candidate."""
	parts: list[ir.BooleanValue] = []
	if rule.channels:
		parts.append(table.channel.fill_null("").isin(rule.channels))
	if rule.types:
		parts.append(table.touchpoint_type.isin(rule.types))
	if rule.nature:
		parts.append(table.nature == rule.nature)
	elif not rule.types:
		parts.append(table.nature.fill_null("") != NOTICE)
	if rule.only_sent:
		parts.append(table.sends == 1)
	return all_of(parts)


def rule_problems(care: Care, schema: Mapping[str, object]) -> list[Problem]:
	"""Conditions of rules that this data cannot decide: such a rule holds nothing back."""
	problems = []
	for rule in care.rules:
		for index, condition in enumerate(rule.conditions, 1):
			if message := fault(condition, schema):
				place = f"{rule.name}, condition {index}"
				problems.append(Problem("contact rules", place, condition.field, message))
	return problems


def stops(candidates: ir.Table, care: Care, facts: Facts, keep: Keep) -> ir.Table:
	"""``id`` and ``rule_nr`` (place of the rule in ``care.rules``) of each candidate that is held back.

	Quiet hours are for the moment of sending, see ``quiet_until``; quiet days that postpone move a contact instead, see
	``moved``.
	"""
	hits = []
	capped = any(rule.kind == "cap" and rule.maximum for rule in care.rules)
	contacts = keep("care_contacts", contacts_of(care, facts)) if capped else None
	others = keep("care_others", as_others(candidates)) if capped else None
	for nr, rule in enumerate(care.rules):
		concerned = candidates.filter(applies(candidates, rule))
		found = held_by(rule, concerned, others, contacts, care, facts)
		if found is not None:
			hits.append(found.select("id", rule_nr=ibis.literal(nr, "int64")))
	if not hits:
		nothing = candidates.filter(ibis.literal(False))
		return keep("care_stops", nothing.select("id", rule_nr="id"))
	every = ibis.union(*hits) if len(hits) > 1 else hits[0]
	return keep("care_stops", every.group_by("id").aggregate(rule_nr=every.rule_nr.min()))


def held_by(
	rule: ContactRule,
	concerned: ir.Table,
	others: ir.Table | None,
	contacts: ir.Table | None,
	care: Care,
	facts: Facts,
) -> ir.Table | None:
	"""Those of ``concerned`` whom a rule holds back, or None where it cannot hold anybody back."""
	if rule.kind == "cap":
		if rule.maximum == 0:
			return concerned
		if contacts is None or others is None or rule.maximum is None:
			return None
		return over_cap(rule, concerned, others, contacts)
	if rule.kind == "consent":
		return without_consent(rule, concerned, facts)
	if rule.kind == "cool-down" and "cases" in facts.given:
		return cooling_down(rule, concerned, facts)
	if rule.kind == "condition":
		if any(fault(condition, facts.standing.schema()) for condition in rule.conditions):
			return None
		met = facts.standing.filter(all_hold(facts.standing, rule.conditions, care.trees)).select(c_nr="nr")
		return concerned.inner_join(met, concerned.nr == met.c_nr)
	if rule.kind == "quiet days" and rule.action == "drop" and rule.quiet:
		return concerned.filter(concerned.day.isin([number(day) for day in rule.quiet]))
	return None


def over_cap(rule: ContactRule, concerned: ir.Table, others: ir.Table, contacts: ir.Table) -> ir.Table:
	"""Those with ``maximum`` contacts within ``window`` days of theirs: had, planned, or of candidates before them."""
	counts = ibis.union(had_or_planned(rule, concerned, contacts), rivals(rule, concerned, others))
	total = counts.group_by("id").aggregate(contacts=counts.contacts.sum())
	return total.filter(total.contacts >= rule.maximum)


def had_or_planned(rule: ContactRule, concerned: ir.Table, contacts: ir.Table) -> ir.Table:
	"""``id`` and the number of ``contacts`` of its party that lie within the window around it."""
	pairs = concerned.inner_join(contacts, concerned.nr == contacts.h_nr)
	near = (pairs.h_day - pairs.day).abs() < rule.window
	near = near & (pairs.h_key.isnull() | (pairs.h_key != pairs.key))
	if not rule.count_inbound:
		near = near & (pairs.h_inbound == 0)
	if rule.channels:
		near = near & pairs.h_channel.fill_null("").isin(rule.channels)
	found = pairs.filter(near & same_channel(rule, pairs.channel, pairs.h_channel))
	return found.group_by("id").aggregate(contacts=found.count())


def as_others(candidates: ir.Table) -> ir.Table:
	"""The candidates once more, to be met by those of the same party; o_nr, o_day, o_id and what rules go by."""
	return candidates.select(
		"touchpoint_type",
		"channel",
		"nature",
		"sends",
		o_id="id",
		o_nr="nr",
		o_day="day",
		o_priority="priority",
	)


def rivals(rule: ContactRule, concerned: ir.Table, others: ir.Table) -> ir.Table:
	"""``id`` and the number of other candidates within its window that go before it: of higher priority, else earlier."""
	other = others.filter(applies(others, rule))
	other = other.select("o_id", "o_nr", "o_day", "o_priority", o_channel="channel")
	pairs = concerned.inner_join(other, concerned.nr == other.o_nr)
	before = (pairs.o_priority > pairs.priority) | (
		(pairs.o_priority == pairs.priority)
		& ((pairs.o_day < pairs.day) | ((pairs.o_day == pairs.day) & (pairs.o_id < pairs.id)))
	)
	near = (pairs.o_day - pairs.day).abs() < rule.window
	found = pairs.filter(before & near & same_channel(rule, pairs.channel, pairs.o_channel))
	return found.group_by("id").aggregate(contacts=found.count())


def contacts_of(care: Care, facts: Facts) -> ir.Table:
	"""Contacts that parties had in the longest window of a cap, and those that are planned.

	h_nr (party), h_day (number), h_channel, h_key (of a planned one) and h_inbound (1: the party made it).
	"""
	longest = max((rule.window for rule in care.rules if rule.kind == "cap"), default=0)
	names = facts.names.select(h_nr="nr", who="party")
	parts = []
	if "interactions" in facts.given:
		had = completed(facts.given["interactions"], "interactions")
		recent = had.filter(had.day > literal(facts.as_of - datetime.timedelta(days=longest)))
		inbound = (recent.direction.fill_null("Out") == "In").cast("int64")
		dated = recent.select(
			"party",
			h_day=day_number(recent.day),
			h_channel="channel",
			h_key=ibis.null("string"),
			h_inbound=inbound,
		)
		parts.append(dated.inner_join(names, dated.party == names.who))
	if "touchpoints" in facts.given:
		planned = completed(facts.given["touchpoints"], "touchpoints")
		waiting = planned.filter(planned.status == "Open")
		dated = waiting.select(
			"party",
			h_day=day_number(waiting.due),
			h_channel="channel",
			h_key="key",
			h_inbound=ibis.literal(0, "int64"),
		)
		parts.append(dated.inner_join(names, dated.party == names.who))
	columns = ("h_nr", "h_day", "h_channel", "h_key", "h_inbound")
	if not parts:
		nobody = names.filter(ibis.literal(False))
		empty = {"h_day": nobody.h_nr, "h_channel": nobody.who, "h_key": nobody.who, "h_inbound": nobody.h_nr}
		return nobody.select("h_nr", **empty)
	found = [part.select(*columns) for part in parts]
	return ibis.union(*found) if len(found) > 1 else found[0]


def same_channel(rule: ContactRule, one: ir.StringValue, other: ir.StringValue) -> ir.BooleanValue:
	"""Whether two contacts share a cap."""
	return one.fill_null("") == other.fill_null("") if rule.per_channel else ibis.literal(True)


def without_consent(rule: ContactRule, concerned: ir.Table, facts: Facts) -> ir.Table | None:
	"""Those who said no to such a contact; where a yes is needed, also those who did not say it."""
	if "consents" not in facts.given:
		return concerned if rule.opt_in else None
	said = completed(facts.given["consents"], "consents").rename(
		s_party="party", s_channel="channel", s_nature="nature"
	)
	pairs = concerned.inner_join(said, concerned.party == said.s_party)
	channel = pairs.s_channel.isnull() | (pairs.s_channel == "") | (pairs.s_channel == pairs.channel)
	unnamed = pairs.s_nature.isnull() | (pairs.s_nature == "")
	nature = (unnamed & (pairs.nature.fill_null("") != NOTICE)) | (pairs.s_nature == pairs.nature)
	about = pairs.filter(channel & nature)
	refused = about.filter(about.answer == "No").select("id")
	if not rule.opt_in:
		return refused.distinct()
	agreed = about.filter(about.answer == "Yes").select(y_id="id").distinct()
	asked = concerned.left_join(agreed, concerned.id == agreed.y_id)
	return asked.filter(asked.y_id.isnull()).select("id").union(refused, distinct=True)


def cooling_down(rule: ContactRule, concerned: ir.Table, facts: Facts) -> ir.Table:
	"""Those with an open case on that day, or one that was closed less than ``cool_down`` days before it."""
	cases = completed(facts.given["cases"], "cases")
	if rule.case_kind:
		cases = cases.filter(cases.kind == rule.case_kind)
	dated = cases.select(
		k_party="party", k_opened=day_number(cases.opened), k_closed=day_number(cases.closed)
	)
	dated = dated.filter(dated.k_closed.isnull() | (dated.k_closed >= number(facts.as_of) - rule.cool_down))
	pairs = concerned.inner_join(dated, concerned.party == dated.k_party)
	hot = pairs.k_closed.isnull() | (pairs.day < pairs.k_closed + rule.cool_down)
	return pairs.filter(hot).select("id").distinct()


def quiet_days_table(care: Care, steps: Columns, as_of: datetime.date) -> Columns:
	"""Where postponing rules move the contacts of each step: ``q_step``, ``q_n``, ``q_day`` and ``q_rule``.

	``steps`` are the columns of ``occurrences.steps_table``. The rule is the first in order that is quiet on that day.
	"""
	today = number(as_of)
	out: list[tuple[int, int, int, int]] = []
	for step_nr in steps["step_nr"]:
		rules = [(nr, rule) for nr, rule in enumerate(care.rules) if is_quiet_for(rule, steps, int(step_nr))]
		if not rules:
			continue
		days = frozenset().union(*(rule.quiet for _nr, rule in rules))
		for n, later in next_allowed(today, today + care.horizon + AHEAD, days).items():
			by = next(nr for nr, rule in rules if n in {number(day) for day in rule.quiet})
			out.append((int(step_nr), n, later, by))
	names = ("q_step", "q_n", "q_day", "q_rule")
	columns = zip(*out, strict=True) if out else ((),) * len(names)
	return {name: integers(column) for name, column in zip(names, columns, strict=True)}


def closed_days(care: Care, steps: Columns) -> tuple[frozenset[datetime.date], frozenset[datetime.date]]:
	"""Days that are quiet for every step that people do, and for every one that goes out by itself."""
	found = []
	for sends in (0, 1):
		of_kind = [
			frozenset().union(*(rule.quiet for rule in care.rules if is_quiet_for(rule, steps, int(nr))))
			for nr in steps["step_nr"]
			if steps["sends"][nr] == sends
		]
		found.append(frozenset.intersection(*of_kind) if of_kind else frozenset())
	return found[0], found[1]


def is_quiet_for(rule: ContactRule, steps: Columns, at: int) -> bool:
	"""Whether a rule of quiet days postpones the contacts of a step."""
	if rule.kind != "quiet days" or rule.action != "postpone" or not rule.quiet:
		return False
	return applies_to(
		rule,
		steps["touchpoint_type"][at],
		steps["channel"][at],
		steps["nature"][at],
		bool(steps["sends"][at]),
	)


def applies_to(
	rule: ContactRule, touchpoint_type: str, channel: str | None, nature: str, sends: bool
) -> bool:
	"""``applies`` for one contact."""
	if rule.channels and channel not in rule.channels:
		return False
	if rule.types and touchpoint_type not in rule.types:
		return False
	if rule.nature:
		if nature != rule.nature:
			return False
	elif not rule.types and nature == NOTICE:
		return False
	return sends or not rule.only_sent


def load_quiet_days(backend: Backend, care: Care, steps: Columns, as_of: datetime.date) -> ir.Table:
	"""``quiet_days_table`` as a work table."""
	return backend.load("care_quiet", quiet_days_table(care, steps, as_of))


def off_quiet_days(due: ir.Table, quiet: ir.Table) -> ir.Table:
	"""``due`` with ``ready`` moved off quiet days and ``moved_by``, the number of the rule that did, or null."""
	joined = due.left_join(quiet, (due.step_nr == quiet.q_step) & (due.ready == quiet.q_n))
	columns = {name: joined[name] for name in due.columns if name != "ready"}
	return joined.select(**columns, ready=joined.q_day.fill_null(joined.ready), moved_by="q_rule")


def on_quiet_days(placed: ir.Table, quiet: ir.Table) -> ir.Table:
	"""Those whose ``day`` is quiet: id, the next ``allowed`` day and the number of the rule, ``by``."""
	joined = placed.inner_join(quiet, (placed.step_nr == quiet.q_step) & (placed.day == quiet.q_n))
	return joined.select("id", allowed="q_day", by="q_rule")


def put_off(waiting: ir.Table, clashes: ir.Table) -> ir.Table:
	"""``waiting`` with those of ``clashes`` ready on the allowed day."""
	later = clashes.select(l_id="id", allowed="allowed", by="by")
	joined = waiting.left_join(later, waiting.id == later.l_id)
	columns = {name: joined[name] for name in waiting.columns if name not in ("ready", "moved_by")}
	ready = ibis.coalesce(joined.allowed, joined.ready)
	return joined.select(**columns, ready=ready, moved_by=ibis.coalesce(joined.by, joined.moved_by))


def quiet_until(rule: ContactRule, at: datetime.datetime) -> datetime.datetime | None:
	"""The end of a rule's quiet time in which a moment lies, or None. Both are the site's local time."""
	if rule.kind == "quiet days":
		day = at.date()
		if day not in rule.quiet:
			return None
		while day in rule.quiet:
			day += datetime.timedelta(days=1)
		return datetime.datetime.combine(day, datetime.time())
	if rule.kind != "quiet hours" or not rule.hours:
		return None
	begin, end = rule.hours
	now = at.time()
	if begin <= end:
		return datetime.datetime.combine(at.date(), end) if begin <= now < end else None
	if now >= begin:
		return datetime.datetime.combine(at.date() + datetime.timedelta(days=1), end)
	return datetime.datetime.combine(at.date(), end) if now < end else None

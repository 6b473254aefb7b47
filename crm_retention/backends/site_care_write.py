"""What a run of the plans found into the site's tables: set by set, in bounded batches, each of which is one transaction.

A batch holds everything of some parties: enrollments, touchpoints with their to-dos, and what was held back. So a kill
leaves every party either as it was or as it will be. What exists already is found by its key and not made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir

from ..engine.calendar import Columns, integers, texts
from ..engine.errors import Problem
from ..engine.occurrences import all_steps
from ..engine.plans import Care
from ..engine.touchpoints import CareResult
from ..site.memory import SiteBackend
from ..site.write import WorkTables
from .site_write import STAMPS, Stamp, between, count_losses, note_loss, paced, write_halving

PARTIES_PER_BATCH = 5_000
RUNNING = ("Active", "Paused")
COLON = "': '"
BRACKET, CLOSED = "' ('", "')'"


@dataclass(frozen=True)
class StepFacts:
	"""What the site's forms say about a step beyond what the engine needs.

	``row``: its row in the plan. ``what``: its touchpoint type, in the language of the site. ``why``: why it is there.
	"""

	row: str
	what: str
	why: str


class PlansChanged(Exception):
	"""A plan got a new version, was paused or ended since the run read it: the rest is to be planned anew."""


class CareWriter:
	"""Writes one ``CareResult``. ``facts`` has a row for each step of ``care``, in the order of their numbers.

	``turn`` counts how often the run has planned before.
	"""

	def __init__(
		self,
		backend: SiteBackend,
		care: Care,
		result: CareResult,
		facts: list[StepFacts],
		stamp: Stamp,
		turn: int = 0,
	) -> None:
		self.backend = backend
		self.tables = WorkTables(backend)
		self.care = care
		self.result = result
		self.facts = facts
		self.stamp = stamp
		self.turn = turn
		self.lost: list[str] = []

	def prepare(self) -> int:
		"""Number the parties that anything is to be written for; returns how many."""
		result = self.result
		self.load_names()
		everyone = [
			table.select("party") for table in (result.entered, result.left, result.touchpoints, result.over)
		]
		concerned = ibis.union(*everyone, distinct=True)
		order = ibis.window(order_by=concerned.party)
		people = self.keep("people", concerned.select("party", n=ibis.row_number().over(order)))
		self.keep("entered", placed(result.entered, people))
		self.keep("left", placed(result.left, people))
		self.keep("over", placed(result.over, people))
		made = placed(result.touchpoints, people)
		line = ibis.window(order_by=[made.n, made.id])
		self.keep("touchpoints", made.mutate(place=ibis.row_number().over(line)))
		return int(self.backend.fetch(people.aggregate(n=people.count()))["n"][0])

	def load_names(self) -> None:
		"""The names behind the engine's numbers of plans, steps and rules."""
		care, load = self.care, self.load
		plans = {
			"plan_nr": integers(range(len(care.plans))),
			"plan": texts(plan.name for plan in care.plans),
			"family": texts(plan.family for plan in care.plans),
			"version": integers(plan.version for plan in care.plans),
		}
		load("plans", plans, "plan_nr")
		steps = all_steps(care)
		rows = {
			"step_nr": integers(range(len(steps))),
			"plan_nr": integers(nr for nr, _plan, _step in steps),
			"step_row": texts(fact.row for fact in self.facts),
			"what": texts(fact.what for fact in self.facts),
			"why": texts(fact.why[:140] for fact in self.facts),
			"channel": texts(step.channel for *_, step in steps),
			"sends": integers(int(step.sends) for *_, step in steps),
		}
		load("steps", rows, "step_nr")
		rules = {
			"rule_nr": integers(range(len(care.rules))),
			"rule": texts(rule.name for rule in care.rules),
			"action": texts(rule.action.capitalize() for rule in care.rules),
		}
		load("rules", rules, "rule_nr")

	def load(self, name: str, columns: Columns, key: str) -> None:
		"""Columns as a work table."""
		self.tables.put(f"put_{name}", self.backend.load(f"put_{name}", columns), key)

	def keep(self, name: str, table: ir.Table) -> ir.Table:
		"""A result as a work table, in order of the numbers of its parties."""
		kept = self.backend.materialise(f"put_{name}", table)
		self.tables.put(f"put_{name}", kept, "n")
		return kept

	def batches(self, total: int, size: int = PARTIES_PER_BATCH) -> Iterator[int]:
		"""Write batch after batch; yields the number of parties written so far, after their commit."""
		for start, end in paced(total, size):
			for lost in write_halving(self.write, start, end, (PlansChanged,)):
				note_loss(self.lost, lost, self.name_of(lost.at))
			yield end

	@property
	def problems(self) -> list[Problem]:
		"""What could not be written, for the run."""
		return count_losses(self.lost)

	def name_of(self, n: int) -> str:
		"""The party of a number."""
		return str(frappe.db.sql(f"SELECT w.party FROM {self.work('people')} w WHERE w.n = {int(n)}")[0][0])

	def write(self, start: int, end: int) -> None:
		"""Everything of the parties ``start`` to ``end`` (excluded). Raises PlansChanged."""
		self.hold_plans()
		span = between(start, end)
		for statement in (
			self.close_todos(span),
			self.end_touchpoints(span),
			self.end_enrollments(span),
			self.insert_enrollments(span),
			self.insert_touchpoints(span),
			self.update_waiting(span),
			self.insert_todos(span),
			self.move_on(span),
			self.insert_stops(span, "rule_nr"),
			self.insert_stops(span, "moved_by"),
		):
			frappe.db.sql(statement, self.values())

	def hold_plans(self) -> None:
		"""Lock the plans until this batch is committed: whoever changes one waits, and moves what the batch wrote too."""
		known = {plan.name: (plan.paused, plan.since) for plan in self.care.plans if plan.current}
		table = frappe.qb.DocType("Maintenance Plan")
		query = frappe.qb.from_(table).select(table.name, table.docstatus, table.status, table.since)
		query = query.where(table.name.isin(list(known) or [""])).orderby(table.name)
		if frappe.db.db_type != "sqlite":  # a writer there has the database for itself
			query = query.for_update()
		found = {
			name: (status == "Paused", since)
			for name, docstatus, status, since in query.run()
			if docstatus == 1 and status in RUNNING
		}
		if found != known:
			raise PlansChanged

	def counts(self, end: int) -> dict[str, int]:
		"""The counts of a ``CareResult`` of the parties before ``end`` alone."""

		def many(work: str, where: str = "1 = 1") -> int:
			statement = f"SELECT COUNT(*) FROM {self.work(work)} w WHERE w.n < {int(end)} AND {where}"
			return int(frappe.db.sql(statement)[0][0])

		return {
			"entered": many("entered"),
			"left": many("left"),
			"due": many("touchpoints", "w.status = 'Open'"),
			"waiting": many("touchpoints", "w.status = 'Waiting'"),
			"suppressed": many("touchpoints", "w.status = 'Suppressed'")
			+ many("over", "w.status = 'Suppressed'"),
			"missed": many("over", "w.status = 'Missed'"),
			"cancelled": many("over", "w.status = 'Cancelled'"),
			"unplaced": 0,
		}

	def values(self) -> dict[str, Any]:
		return {
			"now": self.stamp.now,
			"user": self.stamp.user,
			"run": self.stamp.run,
			"as_of": self.stamp.as_of,
		}

	def close_todos(self, span: str) -> str:
		"""To-dos of touchpoints that are over."""
		touchpoint = f"JOIN {self.table('Touchpoint')} x ON x.occurrence_key = w.{self.q('key')}"
		match = "t.reference_type = 'Touchpoint' AND t.reference_name = x.name AND t.status = 'Open'"
		sets = {"status": "'Cancelled'", "modified": "%(now)s"}
		return self.update("ToDo", "over", sets, match, span, touchpoint)

	def end_touchpoints(self, span: str) -> str:
		"""Missed and cancelled ones; what somebody completed in the meantime stays completed."""
		reason = (
			"CASE w.why WHEN 'next occurrence' THEN %(next)s WHEN 'waited too long' THEN %(late)s "
			"WHEN 'party' THEN %(gone)s ELSE %(unfit)s END"
		)
		sets = {
			"status": "w.status", "reason": self.texts(reason), "open_key": "NULL", "_assign": "NULL",
			"modified": "%(now)s",
		}  # fmt: skip
		match = f"t.occurrence_key = w.{self.q('key')} AND t.status IN ('Open', 'Waiting')"
		return self.update("Touchpoint", "over", sets, match, span)

	def end_enrollments(self, span: str) -> str:
		"""Whoever left; the open key goes with the membership."""
		why = self.texts("CASE w.why WHEN 'party' THEN %(gone)s ELSE %(unfit)s END")
		sets = {"to_date": "%(as_of)s", "ended_why": why, "open_key": "NULL", "modified": "%(now)s"}
		key = self.concat("w.family", "'|'", "w.party")
		return self.update("Plan Enrollment", "left", sets, f"t.open_key = {key}", span)

	def insert_enrollments(self, span: str) -> str:
		"""Whoever entered, named after the run."""
		columns = {
			"name": self.concat("%(run)s", self.mark("E"), "w.n", "'-'", "w.plan_nr"),
			"party_type": "p.party_type",
			"party": "p.party",
			"party_name": "p.party_name",
			"plan": "g.plan",
			"plan_family": "g.family",
			"version_number": "g.version",
			"arm": "CASE WHEN w.treated = 1 THEN 'Treated' ELSE 'Holdout' END",
			"from_date": "%(as_of)s",
			"clock_start": "%(as_of)s",
			"phase": "w.phase",
			"spread": "w.spread",
			"run": "%(run)s",
			"open_key": self.concat("g.family", "'|'", "w.party"),
			"why": self.concat("COALESCE(p.tier, '')", "' / '", "COALESCE(p.stage, '')"),
		}
		source = (
			f"{self.work('entered')} w JOIN {self.work('plans')} g ON g.plan_nr = w.plan_nr "
			f"JOIN {self.table('Retention Profile')} p ON p.name = w.party"
		)
		return self.insert("Plan Enrollment", columns, source, span)

	def insert_touchpoints(self, span: str) -> str:
		"""New ones, named after the run."""
		assigned = self.concat("""'["'""", "w.person", """'"]'""")
		title = f"SUBSTR({self.concat('s.what', COLON, 'p.party_name')}, 1, 140)"
		columns = {
			"name": self.concat("%(run)s", self.mark("T"), "w.place"),
			"party_type": "p.party_type",
			"party": "p.party",
			"party_name": "p.party_name",
			"title": title,
			"touchpoint_type": "ps.touchpoint_type",
			"status": "w.status",
			"due_date": "w.due",
			"service_date": "w.service",
			"occurrence": "w.occurrence",
			"assigned_to": "w.person",
			"channel": "s.channel",
			"department": "COALESCE(ps.department, ty.department)",
			"why": "s.why",
			"instructions": "ps.instructions",
			"tier": "p.tier",
			"priority": "ty.priority",
			"minutes": "COALESCE(ps.minutes, 0)",
			"cost": "COALESCE(ps.cost, 0)",
			"email_template": "ps.email_template",
			"sms_text": "ps.sms_text",
			"send_by_itself": "s.sends",
			"message_status": "CASE WHEN s.sends = 1 AND w.status <> 'Suppressed' THEN 'Due' ELSE '' END",
			"plan": "g.plan",
			"plan_family": "g.family",
			"version_number": "g.version",
			"step_name": "ps.step_name",
			"step_key": "ps.step_key",
			"rule": "r.rule",
			"run": "%(run)s",
			"occurrence_key": f"w.{self.q('key')}",
			"open_key": "CASE WHEN w.status = 'Suppressed' THEN NULL ELSE w.open_key END",
			"is_promise": "0",
			"_assign": f"CASE WHEN w.status = 'Open' AND s.sends = 0 AND w.person IS NOT NULL THEN {assigned} END",
		}
		return self.insert("Touchpoint", columns, self.with_names("touchpoints"), f"{span} AND w.again = 0")

	def with_names(self, work: str) -> str:
		"""Rows of touchpoints with their step, plan, type, rule and profile."""
		return (
			f"{self.work(work)} w JOIN {self.work('steps')} s ON s.step_nr = w.step_nr "
			f"JOIN {self.work('plans')} g ON g.plan_nr = s.plan_nr "
			f"JOIN {self.table('Maintenance Plan Step')} ps ON ps.name = s.step_row "
			f"JOIN {self.table('Touchpoint Type')} ty ON ty.name = ps.touchpoint_type "
			f"JOIN {self.table('Retention Profile')} p ON p.name = w.party "
			f"LEFT JOIN {self.work('rules')} r ON r.rule_nr = w.rule_nr"
		)

	def update_waiting(self, span: str) -> str:
		"""What waited and was judged again: it may go, still waits, or is dropped."""
		rule = f"(SELECT r.rule FROM {self.work('rules')} r WHERE r.rule_nr = w.rule_nr)"
		message = "CASE WHEN t.send_by_itself = 1 THEN CASE WHEN w.status = 'Suppressed' THEN 'Stopped' ELSE 'Due' END ELSE '' END"
		assigned = self.concat("""'["'""", "w.person", """'"]'""")
		sets = {
			"open_key": "CASE WHEN w.status = 'Suppressed' THEN NULL ELSE w.open_key END",
			"rule": rule, "due_date": "w.due", "service_date": "w.service", "assigned_to": "w.person",
			"message_status": message,
			"_assign": f"CASE WHEN w.status = 'Open' AND t.send_by_itself = 0 AND w.person IS NOT NULL THEN {assigned} END",
			"modified": "%(now)s",
			"run": "%(run)s",  # by which a run as of the same day knows that it is judged
			"status": "w.status",
		}  # fmt: skip
		match = f"t.occurrence_key = w.{self.q('key')} AND t.status = 'Waiting'"
		return self.update("Touchpoint", "touchpoints", sets, match, f"{span} AND w.again = 1")

	def insert_todos(self, span: str) -> str:
		"""One for the responsible person of each that is to be done by a person, so that it shows on the desk's own lists.

		It says no party, as ``todos.get_description``.
		"""
		why = f"CASE WHEN COALESCE(t.why, '') = '' THEN '' ELSE {self.concat(BRACKET, 't.why', CLOSED)} END"
		columns = {
			"name": "t.name",
			"status": "'Open'",
			"priority": "'Medium'",
			"date": "t.due_date",
			"allocated_to": "t.assigned_to",
			"description": as_html(self.concat("s.what", why)),
			"reference_type": "'Touchpoint'",
			"reference_name": "t.name",
			"assigned_by": "%(user)s",
		}
		source = (
			f"{self.work('touchpoints')} w JOIN {self.table('Touchpoint')} t ON t.occurrence_key = w.{self.q('key')} "
			f"JOIN {self.work('steps')} s ON s.step_nr = w.step_nr "
			f"LEFT JOIN {self.table('ToDo')} d ON d.name = t.name "
			f"LEFT JOIN {self.table('ToDo')} o ON o.reference_type = 'Touchpoint' AND o.reference_name = t.name "
			"AND o.status = 'Open'"
		)
		missing = "d.name IS NULL AND o.name IS NULL"
		open_ones = f"t.status = 'Open' AND t.send_by_itself = 0 AND t.assigned_to IS NOT NULL AND {missing}"
		return self.insert("ToDo", columns, source, f"{span} AND {open_ones}")

	def move_on(self, span: str) -> str:
		"""Members who go over to the next version with the touchpoint that was just made."""
		plan = self.table("Maintenance Plan")
		sets = {
			"version_number": f"(SELECT m.version_number FROM {plan} m WHERE m.name = t.next_plan)",
			"plan": "t.next_plan", "next_plan": "NULL", "run": "%(run)s", "modified": "%(now)s",
		}  # fmt: skip
		steps, plans = self.work("steps"), self.work("plans")
		family = f"(SELECT g.family FROM {steps} s JOIN {plans} g ON g.plan_nr = s.plan_nr WHERE s.step_nr = w.step_nr)"
		key = self.concat(family, "'|'", "w.party")
		match = f"t.open_key = {key} AND t.next_plan IS NOT NULL"
		return self.update("Plan Enrollment", "touchpoints", sets, match, f"{span} AND w.moves = 1")

	def insert_stops(self, span: str, column: str) -> str:
		"""What rules held back or moved, once for each occurrence and rule."""
		key = self.concat(f"w.{self.q('key')}", "'|Creating|'", "r.rule")
		columns = {
			"name": self.concat("%(run)s", self.mark("S"), "w.place", f"'-{column[0]}'"),
			"party_type": "t.party_type",
			"party": "t.party",
			"party_name": "t.party_name",
			"on_date": "%(as_of)s",
			"rule": "r.rule",
			"action": "r.action",
			"touchpoint": "t.name",
			"touchpoint_type": "t.touchpoint_type",
			"channel": "t.channel",
			"stage": "'Creating'",
			"run": "%(run)s",
			self.q("key"): f"SUBSTR({key}, 1, 255)",
		}
		source = (
			f"{self.work('touchpoints')} w JOIN {self.work('rules')} r ON r.rule_nr = w.{column} "
			f"JOIN {self.table('Touchpoint')} t ON t.occurrence_key = w.{self.q('key')} "
			f"LEFT JOIN {self.table('Contact Stop')} k ON k.{self.q('key')} = SUBSTR({key}, 1, 255)"
		)
		return self.insert("Contact Stop", columns, source, f"{span} AND k.name IS NULL")

	def insert(self, doctype: str, columns: dict[str, str], source: str, where: str) -> str:
		"""``INSERT ... SELECT`` with the stamps of a document."""
		columns = columns | STAMPS
		names = ", ".join(name if name.startswith(("`", '"')) else self.q(name) for name in columns)
		return f"INSERT INTO {self.table(doctype)} ({names}) SELECT {', '.join(columns.values())} FROM {source} WHERE {where}"

	def update(
		self, doctype: str, work: str, sets: dict[str, str], match: str, where: str, more: str = ""
	) -> str:
		"""Update rows ``t`` of a DocType from rows ``w`` of a work table, with ``more`` joined to these."""
		table, source = self.table(doctype), f"{self.work(work)} w {more}"
		if frappe.db.db_type == "mariadb":
			changes = ", ".join(f"t.{self.q(name)} = {value}" for name, value in sets.items())
			return f"UPDATE {table} t JOIN ({source}) ON {match} SET {changes} WHERE {where}"
		changes = ", ".join(f"{self.q(name)} = {value}" for name, value in sets.items())
		return f"UPDATE {table} AS t SET {changes} FROM {source} WHERE {match} AND {where}"

	def texts(self, expression: str) -> str:
		"""An expression with the texts that people read, in the language of the run."""
		quote = frappe.db.escape
		reasons = {
			"next": reason_of("next occurrence"),
			"late": reason_of("waited too long"),
			"gone": reason_of("party"),
			"unfit": reason_of("target"),
		}
		for name, text in reasons.items():
			expression = expression.replace(f"%({name})s", quote(text).replace("%", "%%"))
		return expression

	def mark(self, letter: str) -> str:
		"""What tells the names of a run's rows from each other: their kind, and the turn in which they were planned."""
		return f"'-{self.turn or ''}{letter}'"

	def table(self, doctype: str) -> str:
		return self.q(f"tab{doctype}")

	def work(self, name: str) -> str:
		return self.tables.name(f"put_{name}")

	def q(self, name: str) -> str:
		return self.tables.quote(name)

	def concat(self, *parts: str) -> str:
		return (
			f"CONCAT({', '.join(parts)})"
			if frappe.db.db_type == "mariadb"
			else "(" + " || ".join(parts) + ")"
		)


def as_html(expression: str) -> str:
	"""The SQL that shows a text as it is in a field of HTML; as ``frappe.utils.escape_html`` does."""
	for character, entity in (
		("&", "&amp;"),
		('"', "&quot;"),
		("''", "&apos;"),
		(">", "&gt;"),
		("<", "&lt;"),
	):
		expression = f"REPLACE({expression}, '{character}', '{entity}')"
	return expression


def placed(table: ir.Table, people: ir.Table) -> ir.Table:
	"""``table`` with the number of its party."""
	places = people.select(key_party="party", n="n")
	joined = table.inner_join(places, table.party == places.key_party)
	return joined.select(*table.columns, "n")


def reason_of(why: str) -> str:
	"""The engine's reasons as people read them."""
	return {
		"next occurrence": frappe._("Its next occurrence came"),
		"waited too long": frappe._("Held back until its time had passed"),
		"party": frappe._("No longer a customer or open lead"),
		"target": frappe._("No longer in the plan's targets"),
	}[why]

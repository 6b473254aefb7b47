"""A small world in which plans run day by day: parties with profiles, plans, and people who do what is due.

What a run finds is applied as a site applies it, so that the next day starts from it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb

from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.engine.occurrences import all_steps
from crm_retention.engine.plans import Care
from crm_retention.engine.touchpoints import CareResult, plan_care, standing_of, wanted_columns

Day = datetime.date

PROFILE = {
	"party": "VARCHAR", "party_type": "VARCHAR", "tier": "VARCHAR", "tier_rank": "BIGINT", "tier_since": "DATE",
	"previous_tier": "VARCHAR", "stage": "VARCHAR", "stage_since": "DATE", "previous_stage": "VARCHAR",
	"first_purchase": "DATE", "last_purchase": "DATE", "mean_interval_days": "DOUBLE", "last_interaction": "DATE",
	"open_complaints": "BIGINT",
}  # fmt: skip
TABLES = {
	"profiles": PROFILE,
	"parties": {"party": "VARCHAR", "manager": "VARCHAR"},
	"members": {
		"party": "VARCHAR", "plan": "VARCHAR", "family": "VARCHAR", "arm": "VARCHAR", "clock": "DATE", "phase": "DOUBLE",
		"spread": "BIGINT", "next_plan": "VARCHAR", "moved": "DATE", "left_on": "DATE", "why": "VARCHAR",
	},
	"touchpoints": {
		"party": "VARCHAR", "key": "VARCHAR", "open_key": "VARCHAR", "family": "VARCHAR", "status": "VARCHAR",
		"due": "DATE", "occurrence": "DATE", "owner": "VARCHAR", "channel": "VARCHAR", "sends": "BIGINT",
		"rule": "VARCHAR", "step": "VARCHAR", "plan": "VARCHAR", "made_on": "DATE", "ended_on": "DATE", "moved_by": "VARCHAR",
		"service": "DATE", "judged": "DATE",
	},
	"interactions": {"party": "VARCHAR", "day": "DATE", "direction": "VARCHAR", "channel": "VARCHAR"},
	"cases": {"party": "VARCHAR", "opened": "DATE", "closed": "DATE", "kind": "VARCHAR"},
	"contracts": {"party": "VARCHAR", "end": "DATE"},
	"feedback": {"party": "VARCHAR", "day": "DATE", "kind": "VARCHAR", "score": "DOUBLE"},
	"consents": {"party": "VARCHAR", "channel": "VARCHAR", "nature": "VARCHAR", "answer": "VARCHAR"},
	"occasion_dates": {"party": "VARCHAR", "occasion": "VARCHAR", "day": "DATE", "yearly": "BIGINT"},
}  # fmt: skip

ROWS_AT_ONCE = 100


@dataclass
class World:
	"""``care`` may be replaced between days, as an admin would."""

	care: Care
	connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
	counts: dict[Day, dict[str, int]] = field(default_factory=dict)

	def __post_init__(self) -> None:
		for name, columns in TABLES.items():
			spec = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
			self.connection.execute(f"CREATE TABLE {name} ({spec})")
		self.connection.execute("CREATE VIEW enrollments AS SELECT * FROM members WHERE left_on IS NULL")
		self.connection.execute("CREATE UNIQUE INDEX one_occurrence ON touchpoints (key)")
		self.backend = DuckDBBackend(self.connection)

	def add(self, table: str, *rows: dict[str, Any]) -> None:
		"""Rows of plain values; columns that a row lacks are null."""
		columns = TABLES[table]
		marks = ", ".join("?" for _ in columns)
		for start in range(0, len(rows), ROWS_AT_ONCE):
			some = rows[start : start + ROWS_AT_ONCE]
			values = [row.get(column) for row in some for column in columns]
			self.connection.execute(
				f"INSERT INTO {table} VALUES {', '.join([f'({marks})'] * len(some))}", values
			)

	def party(self, name: str, manager: str | None = "ann", **profile: Any) -> None:
		"""A party with its profile; a regular, active customer unless told otherwise."""
		self.add_parties({"party": name, "manager": manager, **profile})

	def add_parties(self, *rows: dict[str, Any]) -> None:
		"""Parties with their manager and what their profile has that is unlike a regular, active customer's."""
		usual = {"party_type": "Customer", "tier": "Regular", "tier_rank": 2, "stage": "Active"}
		self.add("profiles", *(usual | row for row in rows))
		self.add("parties", *rows)

	def change(self, party: str, **profile: Any) -> None:
		"""Change fields of a profile."""
		sets = ", ".join(f"{name} = ?" for name in profile)
		self.connection.execute(f"UPDATE profiles SET {sets} WHERE party = ?", [*profile.values(), party])

	def find(self, as_of: Day) -> CareResult:
		"""What a run would find; nothing is applied."""
		self.connection.execute(
			"CREATE OR REPLACE VIEW numbered AS SELECT ROW_NUMBER() OVER (ORDER BY party) - 1 AS nr, * FROM profiles"
		)
		wanted = wanted_columns(self.care)
		table = standing_of(self.backend.table("numbered"), self.backend.table("parties"), wanted)
		standing = self.backend.materialise("standing", table)
		given = {
			name: self.backend.table(name)
			for name in (*TABLES, "enrollments")
			if name not in ("members", "profiles")
		}
		return plan_care(self.backend, self.care, given, standing, as_of)

	def run(self, as_of: Day) -> CareResult:
		"""A run of that night, applied."""
		result = self.find(as_of)
		self.counts[as_of] = result.counts
		self.apply(result, as_of)
		return result

	def apply(self, result: CareResult, as_of: Day, only: Callable[[str], bool] = bool) -> None:
		"""Write what a run found, for the parties that ``only`` is true for: a site writes some parties at a time."""
		steps, care, run = all_steps(self.care), self.care, self.connection.execute
		for row in self.rows(result.left):
			if only(row["party"]):
				run(
					"UPDATE members SET left_on = ?, why = ? WHERE party = ? AND family = ? AND left_on IS NULL",
					[as_of, row["why"], row["party"], row["family"]],
				)
		for row in self.rows(result.over):
			if only(row["party"]):
				run(
					"UPDATE touchpoints SET status = ?, open_key = NULL, ended_on = ? WHERE key = ?",
					[row["status"], as_of, row["key"]],
				)
		members = []
		for row in self.rows(result.entered):
			if only(row["party"]):
				plan = care.plans[row["plan_nr"]]
				arm = "Treated" if row["treated"] else "Holdout"
				new = {
					"party": row["party"],
					"plan": plan.name,
					"family": plan.family,
					"arm": arm,
					"clock": as_of,
				}
				members.append(new | {"phase": row["phase"], "spread": row["spread"]})
		self.add("members", *members)
		fresh = []
		for row in self.rows(result.touchpoints):
			if not only(row["party"]):
				continue
			_nr, plan, step = steps[row["step_nr"]]
			rule = None if row["rule_nr"] is None else care.rules[int(row["rule_nr"])].name
			mover = None if row["moved_by"] is None else care.rules[int(row["moved_by"])].name
			open_key = None if row["status"] == "Suppressed" else row["open_key"]
			if row["again"]:
				run(
					"UPDATE touchpoints SET status = ?, open_key = ?, due = ?, owner = ?, rule = ?, judged = ? WHERE key = ?",
					[row["status"], open_key, row["due"], row["person"], rule, as_of, row["key"]],
				)
				continue
			facts = {name: row[name] for name in ("party", "key", "status", "due", "occurrence", "service")}
			of_step = {"family": plan.family, "plan": plan.name, "step": step.key, "channel": step.channel}
			done = {
				"owner": row["person"],
				"sends": int(step.sends),
				"rule": rule,
				"made_on": as_of,
				"judged": as_of,
			}
			fresh.append({**facts, **of_step, **done, "moved_by": mover, "open_key": open_key})
			if row["moves"]:
				run(
					"UPDATE members SET plan = next_plan, next_plan = NULL, moved = ? WHERE party = ? AND family = ? AND next_plan IS NOT NULL",
					[as_of, row["party"], plan.family],
				)
		self.add("touchpoints", *fresh)

	def do(self, day: Day, which: str = "TRUE", status: str = "Done") -> None:
		"""What is due by a day is done (or ``status``) then, and each act is an interaction."""
		due = f"status = 'Open' AND due <= DATE '{day}' AND ({which})"
		if status == "Done":
			self.connection.execute(
				f"INSERT INTO interactions SELECT party, DATE '{day}', 'Out', channel FROM touchpoints WHERE {due}"
			)
		self.connection.execute(
			f"UPDATE touchpoints SET status = '{status}', open_key = NULL, ended_on = DATE '{day}' WHERE {due}"
		)

	def rows(self, table: Any) -> list[dict[str, Any]]:
		"""A result as plain rows."""
		return [
			dict(zip(table.columns, row, strict=True))
			for row in self.backend.query(self.backend.compile(table))
		]

	def ask(self, sql: str) -> list[tuple[Any, ...]]:
		"""Rows of a query."""
		return self.connection.execute(sql).fetchall()

	def touchpoints(self, where: str = "TRUE") -> list[dict[str, Any]]:
		"""Touchpoints as rows, by due day and party."""
		found = self.connection.execute(f"SELECT * FROM touchpoints WHERE {where} ORDER BY due, key")
		return [dict(zip(TABLES["touchpoints"], row, strict=True)) for row in found.fetchall()]


def days(first: Day, last: Day) -> Iterable[Day]:
	"""Every day from first to last."""
	return (first + datetime.timedelta(days=n) for n in range((last - first).days + 1))


def weekends(first: Day, last: Day) -> frozenset[Day]:
	"""Saturdays and Sundays."""
	return frozenset(day for day in days(first, last) if day.weekday() >= 5)

"""Results of a cycle into the site's tables: set by set, in bounded batches, each of which is one transaction.

A batch holds some parties' profiles, their tier changes and the fields on their Customer together. So a kill
between two batches leaves every party either as it was or as it will be, and the next run does the rest.
All SQL that writes stands in this file.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir

from ..engine.cycle import CycleResult
from ..engine.errors import Problem
from ..parties import PARTY_TYPES
from ..setup.columns import restore_key
from ..site.memory import SiteBackend
from ..site.write import WorkTables
from .site_relations import STORED

PARTIES_PER_BATCH = 10_000
PROFILE = "tabRetention Profile"
CHANGE = "tabTier Change"
MOST = 999_999_999_999.0  # the largest that a DECIMAL(21, 9) holds, less a unit
LONGEST = 140  # characters of a Data field
FIRST_BATCH, LEAST_BATCH = 200, 50  # parties a transaction
A_MOMENT = 0.2  # seconds that a transaction may take
MOST_LOST = 100  # parties that cannot be written before the run is what is wrong
GONE = (1290, 1836, 2006, 2013, 2014, 2055)  # no connection, or nothing may be written at all
WORK, CHANGES, LEAVING = "write", "changes", "leaving"
OVERRIDES = ("override_tier", "override_stage", "override_until")
# Set for every party: what they say alone is no reason to write a row.
NOT_COMPARED = ("name", "party")


@dataclass(frozen=True)
class Stamp:
	"""What goes on every row that a run writes."""

	run: str
	as_of: datetime.date
	rule_version: str
	now: str
	user: str


@dataclass
class Written:
	"""Parties by what happened to their profile; ``left`` are those that no longer count as parties."""

	created: int = 0
	updated: int = 0
	unchanged: int = 0
	left: int = 0


class ProfileWriter:
	"""Writes one ``CycleResult``. ``prepare`` fills work tables only; ``batches`` writes and commits."""

	def __init__(self, backend: SiteBackend, result: CycleResult, stamp: Stamp) -> None:
		self.backend = backend
		self.tables = WorkTables(backend)
		self.result = result
		self.stamp = stamp
		self.columns = profile_columns(result.profiles)
		self.lost: list[str] = []

	def prepare(self) -> Written:
		"""Find the rows that differ from what was stored and number them; returns the counts to come."""
		rows = self.stamped()
		stored = self.backend.relations()[STORED]
		old = stored.rename({f"old_{name}": name for name in ("name", *self.columns, *OVERRIDES)})
		joined = rows.left_join(old, rows.name == old.old_name)
		fresh = joined.old_name.isnull()
		differing = joined.filter(fresh | differs(joined, self.columns))
		order = ibis.window(order_by=differing.name)
		numbered = differing.select(
			*[differing[name] for name in rows.columns],
			*[differing[f"old_{name}"] for name in OVERRIDES],
			n=ibis.row_number().over(order),
			fresh=differing.old_name.isnull().cast("int64"),
		)
		work = self.backend.materialise(WORK, numbered)
		self.tables.put(WORK, work, "n")
		self.tables.put(CHANGES, self.numbered_changes(work), "n")
		leaving = self.backend.materialise(LEAVING, self.leaving(stored))
		self.tables.put(LEAVING, leaving, "n")
		sizes = self.backend.fetch(work.aggregate(n=work.count(), fresh=work.fresh.sum().fill_null(0)))
		written, created = int(sizes["n"][0]), int(sizes["fresh"][0])
		left = int(self.backend.fetch(leaving.aggregate(n=leaving.count()))["n"][0])
		return Written(created, written - created, self.result.counts["parties"] - written, left)

	def leaving(self, stored: ir.Table) -> ir.Table:
		"""Profiles of those who no longer count as parties, numbered."""
		here = self.result.profiles.select(key="party")
		counted = stored.filter(stored.tier_reason.fill_null("") != "left")
		gone = counted.anti_join(here, counted.name == here.key)
		return gone.select("name", "party", n=ibis.row_number().over(ibis.window(order_by=gone.name)))

	def stamped(self) -> ir.Table:
		"""The profiles with the columns of the DocType: the engine's key is the name, ``party`` the document."""
		profiles = self.result.profiles
		meta = frappe.get_meta("Retention Profile")
		columns = {
			name: stored_value(profiles[name], meta.get_field(name))
			for name in self.columns
			if name in profiles.columns
		}
		columns |= {"name": profiles.party, "party": profiles.party__docname}
		columns |= {"as_of": ibis.literal(self.stamp.as_of, type="date")}
		columns |= {"rule_version": ibis.literal(self.stamp.rule_version)}
		return profiles.select(**columns)

	def numbered_changes(self, work: ir.Table) -> ir.Table:
		"""The changes with the number of their party's row, so that both land in one batch."""
		changes = self.result.changes
		placed = work.select(key=work.name, docname=work.party, n=work.n)
		joined = changes.inner_join(placed, changes.party == placed.key)
		order = ibis.window(order_by=[joined.n, joined.kind])
		return joined.select(
			party=joined.docname,
			**{name: joined[name] for name in changes.columns if name != "party"},
			n=joined.n,
			place=ibis.row_number().over(order),
		)

	def batches(self, written: Written, size: int = PARTIES_PER_BATCH) -> Iterator[int]:
		"""Write batch after batch; yields the number of parties written so far, after their commit."""
		total = written.created + written.updated
		if frappe.db.db_type == "sqlite":
			restore_key("Retention Profile")
		for start, end in paced(total, size):
			for lost in write_halving(self.write, start, end):
				note_loss(self.lost, lost, self.name_of(lost.at))
			yield end
		for start, end in paced(written.left, size):
			in_transaction(lambda start=start, end=end: self.release(between(start, end)))

	@property
	def problems(self) -> list[Problem]:
		"""What could not be written, for the run."""
		return count_losses(self.lost)

	def name_of(self, n: int) -> str:
		"""The party of a row to be written."""
		return str(frappe.db.sql(f"SELECT w.name FROM {self.tables.name(WORK)} w WHERE w.n = {int(n)}")[0][0])

	def write(self, start: int, end: int) -> None:
		"""Rows ``start`` to ``end`` (excluded): profiles, changes, customers; none of whom somebody changed meanwhile."""
		where = between(start, end)
		if changed := self.get_changed(where):
			where += f" AND w.n NOT IN ({', '.join(map(str, changed))})"
		frappe.db.sql(self.upsert_profiles(where), self.values())
		frappe.db.sql(self.insert_changes(where), self.values())
		frappe.db.sql(self.update_customers(where))

	def get_changed(self, where: str) -> list[int]:
		"""Numbers of rows whose profile people decided otherwise about, or took away, since it was read.

		All profiles of the batch stay locked until its commit: who comes later finds what it wrote.
		"""
		profile, work = self.quote(PROFILE), self.tables.name(WORK)
		same = " AND ".join(f"{self.same(f'p.{name}', f'w.old_{name}')}" for name in OVERRIDES)
		found = f"SELECT w.n, w.fresh, p.name IS NOT NULL, {same} FROM {work} w LEFT JOIN {profile} p ON p.name = w.name"
		locking = "" if frappe.db.db_type == "sqlite" else " FOR UPDATE"
		rows = frappe.db.sql(f"{found} WHERE {where}{locking}")
		return [n for n, fresh, there, same in rows if (there and not same) or (not there and not fresh)] + [
			row[0] for party_type in PARTY_TYPES for row in frappe.db.sql(self.select_gone(party_type, where))
		]

	def select_gone(self, party_type: str, where: str) -> str:
		"""New ones whose party is no longer there, or is called otherwise."""
		party = self.quote(f"tab{party_type}")
		return (
			f"SELECT w.n FROM {self.tables.name(WORK)} w LEFT JOIN {party} c ON c.name = w.party "
			f"WHERE {where} AND w.fresh = 1 AND w.party_type = '{party_type}' AND c.name IS NULL"
		)

	def same(self, one: str, other: str) -> str:
		"""Whether two values are equal or both null."""
		operator = {"mariadb": "<=>", "sqlite": "IS"}.get(frappe.db.db_type, "IS NOT DISTINCT FROM")
		return f"({one} {operator} {other})"

	def values(self) -> dict[str, Any]:
		return {"now": self.stamp.now, "user": self.stamp.user, "run": self.stamp.run} | {
			"as_of": self.stamp.as_of,
			"rule_version": self.stamp.rule_version,
		}

	def upsert_profiles(self, where: str) -> str:
		"""Insert or update by name; whoever created the row stays, overrides are not touched."""
		columns, stamps = ["name", *self.columns], STAMPS | {"run": "%(run)s"}
		names = ", ".join(self.quote(name) for name in [*columns, *stamps])
		chosen = ", ".join(f"w.{self.quote(name)}" for name in columns)
		select = (
			f"SELECT {chosen}, {', '.join(stamps.values())} FROM {self.tables.name(WORK)} w WHERE {where}"
		)
		kept = [name for name in columns if name != "name"] + ["run", "modified", "modified_by"]
		if frappe.db.db_type == "mariadb":
			updates = ", ".join(f"{self.quote(name)} = VALUES({self.quote(name)})" for name in kept)
			tail = f"ON DUPLICATE KEY UPDATE {updates}"
		else:
			updates = ", ".join(f"{self.quote(name)} = excluded.{self.quote(name)}" for name in kept)
			tail = f"ON CONFLICT (name) DO UPDATE SET {updates}"
		return f"INSERT INTO {self.quote(PROFILE)} ({names}) {select} {tail}"

	def insert_changes(self, where: str) -> str:
		"""One row a change, named after the run."""
		columns = ("party_type", "party", "kind", "from_value", "to_value", "reason", "score", "health")
		names = ", ".join(
			self.quote(name) for name in [*columns, *STAMPS, "name", "on_date", "run", "rule_version"]
		)
		chosen = ", ".join(f"w.{self.quote(name)}" for name in columns)
		name = self.concat("%(run)s", "'-'", "w.place")
		return (
			f"INSERT INTO {self.quote(CHANGE)} ({names}) SELECT {chosen}, {', '.join(STAMPS.values())}, "
			f"{name}, %(as_of)s, %(run)s, %(rule_version)s FROM {self.tables.name(CHANGES)} w WHERE {where}"
		)

	def update_customers(self, where: str) -> str:
		"""Tier and stage on Customer, for its list and form; its own ``modified`` stays as it is."""
		customer, work = self.quote("tabCustomer"), self.tables.name(WORK)
		where = f"{where} AND w.party_type = 'Customer'"
		if frappe.db.db_type == "mariadb":
			differs = "NOT (c.retention_tier <=> w.tier AND c.retention_stage <=> w.stage)"
			updates = "c.retention_tier = w.tier, c.retention_stage = w.stage"
			return f"UPDATE {customer} c JOIN {work} w ON w.party = c.name SET {updates} WHERE {where} AND {differs}"
		updates = "retention_tier = w.tier, retention_stage = w.stage"
		return f"UPDATE {customer} SET {updates} FROM {work} w WHERE w.party = {customer}.name AND {where}"

	def release(self, where: str) -> None:
		"""Parties that no longer count (disabled, converted) keep their profile and overrides but have no tier."""
		for kind in ("Tier", "Stage"):
			frappe.db.sql(self.insert_leaving(kind, where), self.values())
		keys = [
			row[0] for row in frappe.db.sql(f"SELECT w.name FROM {self.tables.name(LEAVING)} w WHERE {where}")
		]
		for start in range(0, len(keys), 1000):
			self.clear(tuple(keys[start : start + 1000]))

	def clear(self, keys: tuple[str, ...]) -> None:
		"""Take tier and stage from these profiles and their customers."""
		profile, customer = frappe.qb.DocType("Retention Profile"), frappe.qb.DocType("Customer")
		query = frappe.qb.update(profile).where(profile.name.isin(keys))
		for name in ("tier", "tier_rank", "stage"):
			query = query.set(profile[name], None)
		for name in ("tier_reason", "stage_reason"):
			query = query.set(profile[name], "left")
		for name in ("tier_since", "stage_since"):
			query = query.set(profile[name], self.stamp.as_of)
		query.set(profile.modified, self.stamp.now).run()
		query = frappe.qb.update(customer).where(customer.name.isin(keys))
		query.set(customer.retention_tier, None).set(customer.retention_stage, None).run()

	def insert_leaving(self, kind: str, where: str) -> str:
		"""Changes of those who left: to nothing, with the reason ``left``."""
		field = kind.lower()
		names = [
			"party_type",
			"party",
			"kind",
			"from_value",
			"reason",
			*STAMPS,
			"name",
			"on_date",
			"run",
			"rule_version",
		]
		name = self.concat("%(run)s", f"'-{kind}-'", "p.name")
		return (
			f"INSERT INTO {self.quote(CHANGE)} ({', '.join(self.quote(item) for item in names)}) "
			f"SELECT p.party_type, p.party, '{kind}', p.{field}, 'left', {', '.join(STAMPS.values())}, {name}, "
			f"%(as_of)s, %(run)s, %(rule_version)s FROM {self.tables.name(LEAVING)} w "
			f"JOIN {self.quote(PROFILE)} p ON p.name = w.name WHERE {where} AND p.{field} IS NOT NULL "
			"AND COALESCE(p.tier_reason, '') <> 'left'"
		)

	def quote(self, name: str) -> str:
		return self.tables.quote(name)

	def concat(self, *parts: str) -> str:
		return f"CONCAT({', '.join(parts)})" if frappe.db.db_type == "mariadb" else " || ".join(parts)


STAMPS = {
	"owner": "%(user)s",
	"modified_by": "%(user)s",
	"creation": "%(now)s",
	"modified": "%(now)s",
	"docstatus": "0",
	"idx": "0",
}


def profile_columns(profiles: ir.Table) -> list[str]:
	"""What a run writes of each party: the columns that both the result and the DocType have, and what it is as of."""
	stored = frappe.db.get_table_columns("Retention Profile")
	given = {*profiles.columns, "as_of", "rule_version"} - {"name", "run"}
	return [name for name in stored if name in given]


def stored_value(value: ir.Value, df: Any) -> ir.Value:
	"""A result as its column can hold it: one number or text beyond that must not end the run of everybody."""
	if value.type().is_floating():
		return ibis.cases((value > MOST, MOST), (value < -MOST, -MOST), else_=value)
	if df and df.fieldtype == "Data" and df.get("is_custom_field") and value.type().is_string():
		return value.substr(0, LONGEST)
	return value


def differs(joined: ir.Table, columns: list[str]) -> ir.BooleanValue:
	"""Whether any column that counts is not what is stored; numbers to the six decimals of the engine."""
	parts: ir.BooleanValue = ibis.literal(False)
	for name in columns:
		if name in NOT_COMPARED:
			continue
		new, old = joined[name], joined[f"old_{name}"]
		if new.type().is_floating():
			old = old.cast("float64").round(6)
		parts = parts | ~new.identical_to(old)
	return parts


def between(start: int, end: int) -> str:
	"""The condition on rows of a work table with these numbers, ``end`` excluded."""
	return f"w.n >= {int(start)} AND w.n < {int(end)}"


def paced(total: int, most: int) -> Iterator[tuple[int, int]]:
	"""The parties of each transaction, from and to (excluded): so many that it is over in a moment, ``most`` at the most.

	Whoever works on one of them meanwhile waits for no more than that, on whatever machine.
	"""
	start, size, least = 0, min(most, FIRST_BATCH), min(most, LEAST_BATCH)
	while start < total:
		end, begun = min(start + size, total), time.perf_counter()
		yield start, end
		start, took = end, time.perf_counter() - begun
		if took > A_MOMENT:
			size = max(size // 2, least)
		elif took < A_MOMENT / 3:
			size = min(size * 2, most)


@dataclass(frozen=True)
class Lost:
	"""A party that the database would not take, by its number, and what it said."""

	at: int
	error: Exception


def note_loss(losses: list[str], lost: Lost, party: str) -> None:
	"""Note a party and what the database said of it. Raises that where it takes hardly anybody."""
	if len(losses) >= MOST_LOST:
		raise lost.error
	losses.append(f"{party}: {lost.error.args[-1] if lost.error.args else lost.error}")


def count_losses(losses: list[str]) -> list[Problem]:
	"""Lost parties as a problem of a run. They are counted and not named: whoever reads of a run may not see them all."""
	if not losses:
		return []
	message = frappe._("{0} customers or leads could not be written; the Error Log says which, and why")
	return [Problem("parties", "", "", message.format(len(losses)))]


def write_halving(
	write: Callable[[int, int], None], start: int, end: int, passing: tuple[type[Exception], ...] = ()
) -> Iterator[Lost]:
	"""Write the parties ``start`` to ``end`` (excluded) in a transaction; where the database refuses one of them, in halves.

	Yields those that it refuses by themselves: they stay as they were. Errors of the types ``passing`` are raised.
	"""
	try:
		in_transaction(lambda: write(start, end))
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError, *passing):
		raise
	except Exception as error:
		if error.args and error.args[0] in GONE:
			raise
		frappe.db.rollback()
		if end - start == 1:
			yield Lost(start, error)
			return
		middle = (start + end) // 2
		yield from write_halving(write, start, middle, passing)
		yield from write_halving(write, middle, end, passing)


def in_transaction(work: Callable[[], None], tries: int = 4) -> None:
	"""Do it and commit; on a deadlock or lock timeout with somebody's edit, roll back and try again."""
	for left in reversed(range(tries)):
		try:
			work()
			frappe.db.commit()
			return
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			if not left:
				raise

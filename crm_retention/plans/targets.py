"""Whom a plan is for, counted on the stored profiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir
from frappe import _

from crm_retention.backends.site_relations import physical
from crm_retention.configuration import get_trees
from crm_retention.engine.conditions import all_hold, column_name, fault
from crm_retention.engine.config import Condition, ConfigError
from crm_retention.filters import PARTY_PREFIX
from crm_retention.plans.configuration import read_conditions
from crm_retention.seen_parties import only_seen
from crm_retention.site.memory import SiteBackend, engine_of_request
from crm_retention.site.read import own_connection, read

STANDING = "standing"
NAMES = ("name", "party_type", "party", "tier", "stage", "tier_reason", "mean_interval_days")


@dataclass(frozen=True)
class Group:
	"""Parties of one account manager ("" is nobody): how many, and purchases that their rhythms promise in a day."""

	owner: str
	parties: int
	purchases_a_day: float


def count_targets(plan: Any) -> list[Group]:
	"""The parties that the targets of a plan fit today, by account manager.

	Raises ValidationError for conditions that cannot be decided.
	"""
	with engine_of_request() as backend:
		read_standing(backend, [plan])
		return count_fitting(backend, plan)


def read_standing(backend: SiteBackend, plans: Iterable[Any]) -> None:
	"""The profiles of present parties, with whatever these plans ask of them, for ``count_fitting``."""
	conditions = tuple(condition for plan in plans for condition in get_parsed_conditions(plan))
	read(backend, own_connection(), {STANDING: standing(conditions)})


def count_fitting(backend: SiteBackend, plan: Any, seen: ir.Table | None = None) -> list[Group]:
	"""As ``count_targets``, of the parties in ``seen`` (see ``seen_parties``) alone if given."""
	conditions = get_parsed_conditions(plan)
	table = backend.relations()[STANDING]
	for condition in conditions:
		if message := fault(condition, table.schema()):
			frappe.throw(_("{0}: {1}").format(condition.field, _(message)))
	chosen = only_seen(table.filter(fits(table, plan, conditions)), seen)
	gap = chosen.mean_interval_days
	rate = ibis.ifelse(gap > 0, 1.0 / gap, 0.0).fill_null(0.0)
	chosen = chosen.select(owner=chosen.manager.fill_null(""), rate=rate)
	grouped = chosen.group_by("owner").aggregate(parties=chosen.count(), purchases=chosen.rate.sum())
	rows = backend.query(backend.compile(grouped))
	return sorted((Group(str(o), int(n), float(p or 0)) for o, n, p in rows), key=lambda group: group.owner)


def get_parsed_conditions(plan: Any) -> tuple[Condition, ...]:
	"""The plan's conditions as the engine has them. Raises ValidationError where it cannot read them."""
	try:
		return read_conditions(plan)
	except (ConfigError, ValueError) as error:
		frappe.throw(_("Conditions: {0}").format(error))


def standing(conditions: tuple[Condition, ...]) -> ir.Table:
	"""The profiles of present parties with tier, stage, manager and what the conditions ask for."""
	fields = {condition.field for condition in conditions}
	signals = sorted(name for name in fields if not name.startswith(PARTY_PREFIX) and name not in NAMES)
	party_fields = sorted(name.removeprefix(PARTY_PREFIX) for name in fields if name.startswith(PARTY_PREFIX))
	profile = physical("Retention Profile", [*NAMES, *signals])
	present = profile.filter(profile.tier_reason.isnull() | (profile.tier_reason != "left"))
	customer = physical("Customer", ["name", "account_manager", *party_fields])
	columns = {f"c__{name}": customer[name] for name in customer.columns}
	customer = customer.select(**columns)
	of_customer = (present.party_type == "Customer") & (present.party == customer.c__name)
	lead = physical("Lead", ["name", "lead_owner"])
	lead = lead.select(l__name="name", l__owner="lead_owner")
	joined = present.left_join(customer, of_customer)
	of_lead = (joined.party_type == "Lead") & (joined.party == lead.l__name)
	joined = joined.left_join(lead, of_lead)
	about = {
		column_name(f"{PARTY_PREFIX}{name}"): joined[f"c__{name}"]
		for name in party_fields
		if f"c__{name}" in joined.columns
	}
	return joined.select(
		**{name: joined[name] for name in present.columns},
		manager=ibis.coalesce(joined.c__account_manager, joined.l__owner),
		**about,
	)


def fits(table: ir.Table, plan: Any, conditions: tuple[Condition, ...]) -> ir.BooleanValue:
	"""Whether the plan is for a party. No tiers or stages are all, those who have none included."""
	trees = get_trees([{"conditions": [[c.field, c.op, c.value] for c in conditions]}])
	fitting = all_hold(table, conditions, trees)
	for field, rows in (("tier", plan.tiers), ("stage", plan.stages)):
		names = [row.get(field) for row in rows]
		if names:
			fitting = fitting & table[field].fill_null("").isin(names)
	return fitting

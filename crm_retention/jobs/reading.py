"""What a run reads of its site: all relations of the cycle and of the plans, of one moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ibis.expr.types as ir

from crm_retention.backends.site_care import care_relations, date_tables
from crm_retention.backends.site_relations import STORED, Sources, site_relations, state_of, stored_profiles
from crm_retention.engine.errors import Problem
from crm_retention.jobs.left_out import is_fatal
from crm_retention.site.memory import SiteBackend
from crm_retention.site.read import append, make, read, snapshot
from crm_retention.site.spelling import respell
from crm_retention.usable import say

OCCASION_DATES = "occasion_dates"


def read_all(backend: SiteBackend, connection: Any, sources: Sources, plans: bool) -> list[Problem]:
	"""Everything that scoring, writing and, with ``plans``, planning ask for; returns what of the configuration cannot be read."""
	relations = {STORED: stored_profiles(), **site_relations(sources)}
	own = {source.name: relations.pop(source.name) for source in sources.signals if source.name in relations}
	relations |= care_relations() if plans else {}
	dates = date_tables() if plans else {}
	problems: list[Problem] = []
	# the index that the installation makes on sales invoices begins with the customer
	grouped = ("purchases",) if sources.purchase_doctype == "Sales Invoice" else ()
	read(backend, connection, relations, grouped)
	for name, table in own.items():
		problems += tried(
			"signals", name, lambda name=name, table=table: read(backend, connection, {name: table})
		)
	problems += read_dates(backend, connection, dates)
	respell(backend, connection, {source.name: source.party_field for source in sources.signals})
	backend.add_view("state", state_of(backend.relations()[STORED]))
	return problems


def read_plans_again(backend: SiteBackend) -> list[Problem]:
	"""What planning reads, as it is now that the run has written some of it."""
	with snapshot() as connection:
		read(backend, connection, care_relations())
		problems = read_dates(backend, connection, date_tables())
		respell(backend, connection, {})
	return problems


def read_dates(backend: SiteBackend, connection: Any, dates: Mapping[str, ir.Table]) -> list[Problem]:
	"""The dates of all occasions into one relation; an occasion whose documents cannot be read has none."""
	problems: list[Problem] = []
	for number, (occasion, table) in enumerate(dates.items()):
		if not number:
			make(backend, OCCASION_DATES, table)
		problems += tried(
			"occasions", occasion, lambda table=table: append(backend, connection, OCCASION_DATES, table)
		)
	return problems


def tried(table: str, row: str, work: Callable[[], None]) -> list[Problem]:
	"""Do it; what it raises is a problem of that row, unless the run as a whole cannot go on."""
	try:
		work()
	except Exception as error:
		if is_fatal(error):
			raise
		return [Problem(table, row, "", say(error))]
	return []

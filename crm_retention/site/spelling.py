"""Parties whose name is stored otherwise than they are called: for a database that compares texts without case, accents or
trailing blanks they are the same, for DuckDB they are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import frappe

from crm_retention.backends.site_relations import STORED
from crm_retention.parties import LEAD_PREFIX
from crm_retention.site.memory import SiteBackend

NAMES_PER_QUERY = 1_000
SPELLED = "spelled"
PARTY_COLUMNS = {STORED: "name"}  # of other relations it is called party
VIEWS = ("parties", "state")  # as the parties are called, and what shows another relation
# What ends in the name of the party.
KEYS = {"touchpoints": ("key", "open_key")}


def respell(backend: SiteBackend, connection: Any, columns: Mapping[str, str]) -> None:
	"""Put the party's own name into every relation that was read. ``columns`` names the party's column of custom relations."""
	places = get_places(backend, columns)
	asked = get_unknown(backend, places)
	if not asked:
		return
	names = dict(get_own_names(connection, asked))
	if not names:
		return
	backend.execute(f"CREATE OR REPLACE TABLE {SPELLED} (spelled VARCHAR, called VARCHAR)")
	backend.connection.executemany(f"INSERT INTO {SPELLED} VALUES (?, ?)", list(names.items()))
	for relation, column in places.items():
		update(backend, relation, column)


def get_places(backend: SiteBackend, columns: Mapping[str, str]) -> dict[str, str]:
	"""The column of the party in each relation but that of the parties themselves."""
	places = {}
	for name, table in backend.relations().items():
		column = columns.get(name) or PARTY_COLUMNS.get(name, "party")
		if name not in VIEWS and column in table.columns and table[column].type().is_string():
			places[name] = column
	return places


def get_unknown(backend: SiteBackend, places: Mapping[str, str]) -> list[str]:
	"""Names that are no party's, by their exact characters."""
	quote = backend.quote
	used = " UNION ".join(
		f"SELECT {quote(column)} AS party FROM {quote(name)}" for name, column in places.items()
	)
	unknown = (
		f"SELECT party FROM ({used}) WHERE party IS NOT NULL AND party NOT IN (SELECT party FROM parties)"
	)
	return [row[0] for row in backend.query(unknown)]


def get_own_names(connection: Any, asked: Sequence[str]) -> Iterator[tuple[str, str]]:
	"""(as it is spelled, as the party is called) of those that the database takes for the same and Python does not."""
	for doctype, prefix in (("Customer", ""), ("Lead", LEAD_PREFIX)):
		mine = [name[len(prefix) :] for name in asked if name.startswith(LEAD_PREFIX) == bool(prefix)]
		for start in range(0, len(mine), NAMES_PER_QUERY):
			names = mine[start : start + NAMES_PER_QUERY]
			found = set(get_names(connection, doctype, names))
			if found - set(names):  # somebody is called otherwise: whom of the rest does it concern?
				for spelled in set(names) - found:
					for called in get_names(connection, doctype, [spelled]):
						yield prefix + spelled, prefix + called


def get_names(connection: Any, doctype: str, names: Sequence[str]) -> list[str]:
	"""The names of documents that the database takes for one of ``names``."""
	quote = '"' if frappe.db.db_type == "postgres" else "`"
	listed = ", ".join(frappe.db.escape(name, percent=False) for name in names)
	cursor = connection.cursor()
	try:
		cursor.execute(f"SELECT name FROM {quote}tab{doctype}{quote} WHERE name IN ({listed})")
		return [row[0] for row in cursor.fetchall()]
	finally:
		cursor.close()


def update(backend: SiteBackend, relation: str, column: str) -> None:
	"""Put the parties' own names into a relation, and into what ends in them."""
	quote = backend.quote
	keys = [
		f"{key} = CASE WHEN ends_with({key}, s.spelled) THEN left({key}, length({key}) - length(s.spelled)) || s.called "
		f"ELSE {key} END"
		for key in KEYS.get(relation, ())
	]
	sets = ", ".join([f"{quote(column)} = s.called", *keys])
	backend.execute(
		f"UPDATE {quote(relation)} SET {sets} FROM {SPELLED} s WHERE {quote(relation)}.{quote(column)} = s.spelled"
	)

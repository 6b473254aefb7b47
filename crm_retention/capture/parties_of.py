"""Whom a document concerns, for documents that name their party in more ways than one field.

Each handler takes the documents of a batch and gives a relation (document, party_type, party) without duplicates.
A contact stands for every customer and lead that it is linked to, and a touchpoint for its party.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from crm_retention.backends.site_relations import physical
from crm_retention.parties import PARTY_TYPES

Parties = Callable[[ir.Table], ir.Table]


@dataclass(frozen=True)
class Handler:
	"""``fields`` are what ``parties`` and ``counts`` need of the documents; ``late``: without a date, it is the last change."""

	parties: Parties
	fields: tuple[str, ...]
	counts: Callable[[ir.Table], ir.Table] | None = None
	late: bool = False


def resolve(named: ir.Table) -> ir.Table:
	"""The parties behind (document, kind, name): the party itself, those of a contact, that of a touchpoint."""
	direct = named.filter(named.kind.isin(PARTY_TYPES)).select(
		"document", party_type=ibis._.kind, party=ibis._.named
	)
	link = physical("Dynamic Link", ["parent", "parenttype", "link_doctype", "link_name"])
	link = link.filter((link.parenttype == "Contact") & link.link_doctype.isin(PARTY_TYPES))
	contacts = named.filter(named.kind == "Contact")
	of_contacts = contacts.inner_join(link, contacts.named == link.parent).select(
		"document", party_type=ibis._.link_doctype, party=ibis._.link_name
	)
	touchpoint = physical("Touchpoint", ["name", "party_type", "party"])
	touched = named.filter(named.kind == "Touchpoint")
	of_touchpoints = touched.inner_join(touchpoint, touched.named == touchpoint.name).select(
		"document", party_type=touchpoint.party_type, party=touchpoint.party
	)
	return direct.union(of_contacts, of_touchpoints, distinct=True)


def of_children(docs: ir.Table, doctype: str, kind: str, named: str, parenttype: str) -> ir.Table:
	"""(document, kind, named) from the rows of a child table."""
	child = physical(doctype, ["parent", "parenttype", kind, named])
	rows = docs.inner_join(child, docs.name == child.parent)
	return rows.filter(rows.parenttype == parenttype).select(
		document=docs.name, kind=child[kind], named=child[named]
	)


def of_fields(docs: ir.Table, kind: str, named: str) -> ir.Table:
	"""(document, kind, named) from a dynamic link."""
	return docs.select(document=docs.name, kind=docs[kind], named=docs[named])


def of_link(docs: ir.Table, kind: str, named: str) -> ir.Table:
	"""(document, kind, named) from a link to ``kind``."""
	return docs.select(document=docs.name, kind=ibis.literal(kind), named=docs[named])


def communication_parties(docs: ir.Table) -> ir.Table:
	"""A mail or call note is about its reference and linked to whom it went to or came from."""
	linked = of_children(docs, "Communication Link", "link_doctype", "link_name", "Communication")
	return resolve(linked.union(of_fields(docs, "reference_doctype", "reference_name")))


def real_communications(docs: ir.Table) -> ir.Table:
	"""Mails and notes of people, without what an Event or a Touchpoint made: those are logged as themselves."""
	said = docs.communication_type == "Communication"
	of_event = docs.reference_doctype.notnull() & (docs.reference_doctype == "Event")
	return not_made_by_touchpoint(docs.filter(said & docs.communication_date.notnull() & ~of_event))


def not_made_by_touchpoint(docs: ir.Table, field: str = "communication") -> ir.Table:
	"""Without documents that a touchpoint names in ``field``: completing it writes the row."""
	touchpoint = physical("Touchpoint", [field])
	made = touchpoint.filter(touchpoint[field].notnull()).select(made=touchpoint[field])
	return docs.filter(~docs.name.isin(made.made))


def event_parties(docs: ir.Table) -> ir.Table:
	"""An event concerns its participants, what it is linked to and what it refers to."""
	found = of_children(docs, "Event Participants", "reference_doctype", "reference_docname", "Event")
	if {"reference_doctype", "reference_docname"}.issubset(docs.columns):
		found = found.union(of_fields(docs, "reference_doctype", "reference_docname"))
	return resolve(found.union(of_children(docs, "Dynamic Link", "link_doctype", "link_name", "Event")))


def real_events(docs: ir.Table) -> ir.Table:
	"""Events that took place, without those of a touchpoint."""
	return not_made_by_touchpoint(docs.filter(docs.status.isnull() | (docs.status != "Cancelled")), "event")


def call_parties(docs: ir.Table) -> ir.Table:
	"""A call belongs to what it is linked to, mostly contacts."""
	found = of_children(docs, "Dynamic Link", "link_doctype", "link_name", "Call Log")
	if "customer" in docs.columns:
		found = found.union(of_link(docs, "Customer", "customer"))
	return resolve(found)


def issue_parties(docs: ir.Table) -> ir.Table:
	"""An issue is its customer's; without one its lead's; without both its contact's."""
	named = docs.select(
		document=docs.name,
		kind=ibis.cases(
			(is_set(docs.customer), "Customer"), (is_set(docs.lead), "Lead"), else_=ibis.literal("Contact")
		),
		named=ibis.cases(
			(is_set(docs.customer), docs.customer), (is_set(docs.lead), docs.lead), else_=docs.contact
		),
	)
	return resolve(named)


def is_set(column: ir.StringValue) -> ir.BooleanValue:
	"""Neither null nor empty."""
	return column.fill_null("") != ""


ISSUE_FIELDS = ("customer", "lead", "contact")
HANDLERS = {
	"communication": Handler(
		communication_parties,
		("reference_doctype", "reference_name", "communication_type", "communication_date"),
		real_communications,
	),
	"event": Handler(event_parties, ("reference_doctype", "reference_docname", "status"), real_events),
	"call_log": Handler(call_parties, ("customer",)),
	"issue": Handler(issue_parties, ISSUE_FIELDS),
	"issue_resolved": Handler(issue_parties, ISSUE_FIELDS, late=True),
}

"""Whom a document concerns, for documents that name their party in more ways than one field.

Each handler takes the documents of a batch and gives a relation (document, party_type, party) without duplicates.
A contact stands for every customer and lead that it is linked to, and a touchpoint for its party.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from crm_retention.parties import PARTY_TYPES
from crm_retention.site.slices import ASKED, Slices

Parties = Callable[[ir.Table, Slices], ir.Table]


@dataclass(frozen=True)
class Handler:
	"""``fields`` are what ``parties`` and ``counts`` need of the documents; ``late``: without a date, it is the last change."""

	parties: Parties
	fields: tuple[str, ...]
	counts: Callable[[ir.Table, Slices], ir.Table] | None = None
	late: bool = False


def resolve(named: ir.Table, slices: Slices) -> ir.Table:
	"""The parties behind (document, kind, name): the party itself, those of a contact, that of a touchpoint."""
	named = slices.keep("named", named)
	direct = named.filter(named.kind.isin(PARTY_TYPES)).select(
		"document", party_type=named.kind, party=named.named
	)
	contacts = named.filter(named.kind == "Contact")
	columns = ["link_doctype", "link_name"]
	link = slices.read("links", "Dynamic Link", columns, contacts.named, "parent", parenttype="Contact")
	link = link.filter(link.link_doctype.isin(PARTY_TYPES))
	of_contacts = contacts.inner_join(link, contacts.named == link[ASKED]).select(
		"document", party_type=link.link_doctype, party=link.link_name
	)
	touched = named.filter(named.kind == "Touchpoint")
	touchpoint = slices.read("touched", "Touchpoint", ["party_type", "party"], touched.named)
	of_touchpoints = touched.inner_join(touchpoint, touched.named == touchpoint[ASKED]).select(
		"document", party_type=touchpoint.party_type, party=touchpoint.party
	)
	return direct.union(of_contacts, of_touchpoints, distinct=True)


def of_children(
	docs: ir.Table, slices: Slices, doctype: str, kind: str, named: str, parenttype: str
) -> ir.Table:
	"""(document, kind, named) from the rows of a child table."""
	child = slices.read(doctype, doctype, [kind, named], docs.name, "parent", parenttype=parenttype)
	rows = docs.inner_join(child, docs.name == child[ASKED])
	return rows.select(document=docs.name, kind=child[kind], named=child[named])


def of_fields(docs: ir.Table, kind: str, named: str) -> ir.Table:
	"""(document, kind, named) from a dynamic link."""
	return docs.select(document=docs.name, kind=docs[kind], named=docs[named])


def of_link(docs: ir.Table, kind: str, named: str) -> ir.Table:
	"""(document, kind, named) from a link to ``kind``."""
	return docs.select(document=docs.name, kind=ibis.literal(kind), named=docs[named])


def communication_parties(docs: ir.Table, slices: Slices) -> ir.Table:
	"""A mail or call note is about its reference and linked to whom it went to or came from."""
	linked = of_children(docs, slices, "Communication Link", "link_doctype", "link_name", "Communication")
	return resolve(linked.union(of_fields(docs, "reference_doctype", "reference_name")), slices)


def real_communications(docs: ir.Table, slices: Slices) -> ir.Table:
	"""Mails and notes of people, without what an Event or a Touchpoint made: those are logged as themselves."""
	said = docs.communication_type == "Communication"
	of_event = docs.reference_doctype.notnull() & (docs.reference_doctype == "Event")
	return not_made_by_touchpoint(docs.filter(said & docs.communication_date.notnull() & ~of_event), slices)


def not_made_by_touchpoint(docs: ir.Table, slices: Slices, field: str = "communication") -> ir.Table:
	"""Without documents that a touchpoint names in ``field``: completing it writes the row."""
	made = slices.read("made", "Touchpoint", [field], docs.name, field)
	return docs.anti_join(made, docs.name == made[ASKED])


def event_parties(docs: ir.Table, slices: Slices) -> ir.Table:
	"""An event concerns its participants, what it is linked to and what it refers to."""
	found = of_children(docs, slices, "Event Participants", "reference_doctype", "reference_docname", "Event")
	if {"reference_doctype", "reference_docname"}.issubset(docs.columns):
		found = found.union(of_fields(docs, "reference_doctype", "reference_docname"))
	linked = of_children(docs, slices, "Dynamic Link", "link_doctype", "link_name", "Event")
	return resolve(found.union(linked), slices)


def real_events(docs: ir.Table, slices: Slices) -> ir.Table:
	"""Events that took place, without those of a touchpoint."""
	held = docs.filter(docs.status.isnull() | (docs.status != "Cancelled"))
	return not_made_by_touchpoint(held, slices, "event")


def call_parties(docs: ir.Table, slices: Slices) -> ir.Table:
	"""A call belongs to what it is linked to, mostly contacts."""
	found = of_children(docs, slices, "Dynamic Link", "link_doctype", "link_name", "Call Log")
	if "customer" in docs.columns:
		found = found.union(of_link(docs, "Customer", "customer"))
	return resolve(found, slices)


def issue_parties(docs: ir.Table, slices: Slices) -> ir.Table:
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
	return resolve(named, slices)


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

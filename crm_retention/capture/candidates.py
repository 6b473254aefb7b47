"""What a source's documents say, as rows of the Interaction Log: from slices of the site's tables, nothing is written here.

Every source gives the same columns (``COLUMNS``), whatever its document type.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir
from frappe import _
from frappe.utils import cint

from crm_retention import filters
from crm_retention.backends.site_relations import physical
from crm_retention.capture.parties_of import HANDLERS, Handler
from crm_retention.engine.conditions import all_of, holds
from crm_retention.engine.config import parse
from crm_retention.engine.values import Condition
from crm_retention.parties import PARTY_TYPES
from crm_retention.readable import READINGS
from crm_retention.site.slices import ASKED, Slices

COLUMNS = (
	"party_type",
	"party",
	"party_name",
	"occurred_on",
	"kind",
	"channel",
	"direction",
	"department",
	"user",
	"subject",
	"note",
	"minutes",
	"contact",
	"source",
	"reference_doctype",
	"reference_name",
	"reference_key",
)
CANCELLED = "Cancelled"
INWARD = ("In", "Incoming", "Received", "Inbound")
OUTWARD = ("Out", "Outgoing", "Sent", "Outbound")
SUBJECT_LENGTH = 140
LOG = "Interaction Log"
ALWAYS = ("name", "docstatus", "creation", "modified", "owner")
FIELDS = READINGS["Interaction Source"].fields


@dataclass(frozen=True)
class Source:
	"""An Interaction Source as it is read: ``row`` holds its fields, ``conditions`` its filters for the engine."""

	row: Any
	conditions: tuple[Condition, ...]
	kind_channel: str | None

	@property
	def name(self) -> str:
		return str(self.row.name)

	@property
	def doctype(self) -> str:
		return str(self.row.document_type)

	@property
	def handler(self) -> Handler | None:
		return HANDLERS.get(self.row.handler or "")


def get_source(row: Any) -> Source:
	"""A source from the fields of an Interaction Source. Raises ConfigError for filters that cannot be used."""
	given = filters.read(row.filters_json)
	if fault := filters.get_size_fault(given):
		raise ValueError(fault)
	rows = filters.resolve_trees(given, row.document_type)
	plain = list(filters.to_conditions(rows))
	tiers = parse({"tiers": [{"name": row.name, "rank": 1, "conditions": plain}]}).tiers if plain else ()
	conditions = tiers[0].conditions if tiers else ()
	channel = frappe.db.get_value("Interaction Kind", row.interaction_kind, "channel")
	return Source(row, tuple(conditions), channel)


def get_columns(source: Source) -> list[str]:
	"""What a source and its handler need of a document. Raises ValueError naming the fields of the form that are gone."""
	named = [source.row.get(name) for name in FIELDS if source.row.get(name)]
	missing = set(named) - set(physical(source.doctype, named).columns)
	if missing:
		raise ValueError(f"{source.doctype}: {', '.join(sorted(missing))}")
	conditions = [condition.field for condition in source.conditions]
	return [*ALWAYS, *named, *conditions, *(source.handler.fields if source.handler else ())]


def get_missing(source: Source, slices: Slices, docs: ir.Table, keep_from: datetime.date | None) -> ir.Table:
	"""Rows (``COLUMNS``) for those of the documents, which are interactions, that are not in the log yet, of parties that exist."""
	found = slices.keep("parties", get_parties(source, docs, slices))
	facts = docs.select(**get_facts(source, docs))
	joined = with_names(found, slices).inner_join(facts, ibis._.document == facts.doc)
	key = get_key(source, joined)
	rows = joined.select(
		*[name for name in COLUMNS if name in joined.columns],
		source=ibis.literal(source.name),
		reference_doctype=ibis.literal(source.doctype),
		reference_name=joined.document,
		reference_key=key,
	)
	if keep_from:
		rows = rows.filter(rows.occurred_on.cast("date") >= ibis.literal(keep_from, type="date"))
	rows = with_department(slices.keep("said", rows), source, slices).select(*COLUMNS)
	return without_logged(slices.keep("candidates", rows), slices)


def get_counting(source: Source, docs: ir.Table, slices: Slices) -> ir.Table:
	"""The documents that are interactions: not cancelled, submitted where asked, and as the conditions say."""
	submittable = frappe.get_meta(source.doctype).is_submittable
	docs = docs.filter(
		docs.docstatus == 1 if submittable and cint(source.row.only_submitted) else docs.docstatus < 2
	)
	if source.conditions:
		docs = docs.filter(all_of([holds(item, docs[item.field]) for item in source.conditions]))
	if source.handler and source.handler.counts:
		docs = source.handler.counts(docs, slices)
	return docs


def get_parties(source: Source, docs: ir.Table, slices: Slices) -> ir.Table:
	"""(document, party_type, party) of the documents."""
	if source.handler:
		return source.handler.parties(docs, slices)
	party = docs[source.row.party_field]
	if source.row.party_type == "From Field":
		kinds = docs.filter(docs[source.row.party_type_field].isin(PARTY_TYPES))
		return kinds.select(
			document=kinds.name,
			party_type=kinds[source.row.party_type_field],
			party=kinds[source.row.party_field],
		)
	named = docs.filter(party.notnull())
	return named.select(
		document=named.name,
		party_type=ibis.literal(source.row.party_type or "Customer"),
		party=named[source.row.party_field],
	)


def with_names(found: ir.Table, slices: Slices) -> ir.Table:
	"""Parties as they are called, with the name that people know them by, without those that do not exist any more."""
	known = get_known(found, slices, "Customer", "customer_name").union(
		get_known(found, slices, "Lead", "lead_name")
	)
	joined = found.inner_join(known, [found.party_type == known.of, found.party == known.key])
	return joined.select("document", "party_type", party="called", party_name="party_name").distinct()


def get_known(found: ir.Table, slices: Slices, doctype: str, title: str) -> ir.Table:
	"""(of, key, called, party_name) of the parties of a type; the key is as the documents spell it."""
	mine = found.filter(found.party_type == doctype)
	party = slices.read(f"known {doctype}", doctype, [title], mine.party)
	return party.select(
		of=ibis.literal(doctype), key=party[ASKED], called=party.name, party_name=party[title]
	)


def get_facts(source: Source, docs: ir.Table) -> dict[str, ir.Value]:
	"""What a document says besides its party; ``doc`` is its name."""
	row = source.row
	user = docs[row.user_field] if row.user_field else docs.owner
	subject = get_subject(source, docs)
	return {
		"doc": docs.name,
		"occurred_on": get_moment(source, docs),
		"kind": ibis.literal(row.interaction_kind),
		"channel": get_channel(source, docs),
		"direction": get_direction(source, docs),
		"user": ibis.ifelse(user.fill_null("") == "", docs.owner, user),
		"subject": subject.substr(0, SUBJECT_LENGTH),
		"note": docs[row.note_field].cast("string") if row.note_field else ibis.null("string"),
		"minutes": get_minutes(source, docs),
		"contact": docs[row.contact_field] if row.contact_field else ibis.null("string"),
	}


def get_subject(source: Source, docs: ir.Table) -> ir.StringValue:
	"""The field that the form names; without one which document it is, and no text of it."""
	label = "" if cint(source.row.is_standard) else f"{_(source.doctype)} "
	document = ibis.literal(label) + docs.name if label else docs.name
	if not source.row.subject_field:
		return document
	return docs[source.row.subject_field].cast("string").fill_null(document)


def get_moment(source: Source, docs: ir.Table) -> ir.Value:
	"""When it happened. A mere date is the moment at which the document was made, if that was on the day."""
	late = source.handler is not None and source.handler.late
	otherwise = docs.modified if late else docs.creation
	if not source.row.date_field:
		return otherwise
	value = docs[source.row.date_field]
	if value.type().is_date():
		midnight = value.cast("timestamp")
		value = ibis.ifelse(value == otherwise.cast("date"), otherwise, midnight)
	return value.fill_null(otherwise)


def get_channel(source: Source, docs: ir.Table) -> ir.Value:
	"""The channel that the document names if it is one of ours, else that of the source, else that of the kind."""
	given = source.row.channel or source.kind_channel
	otherwise = ibis.literal(given) if given else ibis.null("string")
	if not source.row.channel_field:
		return otherwise
	names = frappe.get_all("Contact Channel", pluck="name")
	value = docs[source.row.channel_field]
	return ibis.ifelse(value.isin(names), value, otherwise) if names else otherwise


def get_direction(source: Source, docs: ir.Table) -> ir.Value:
	"""In or Out as the document says in any usual word, else as the source says."""
	otherwise = ibis.literal(source.row.direction or "")
	if not source.row.direction_field:
		return otherwise
	value = docs[source.row.direction_field]
	return ibis.cases((value.isin(INWARD), "In"), (value.isin(OUTWARD), "Out"), else_=otherwise)


def get_minutes(source: Source, docs: ir.Table) -> ir.Value:
	"""Minutes as a whole number; a duration of the document is in seconds."""
	given = ibis.literal(cint(source.row.minutes), type="int64")
	if not source.row.minutes_field:
		return given
	df = frappe.get_meta(source.doctype).get_field(source.row.minutes_field)
	value = docs[source.row.minutes_field].cast("float64")
	if df and df.fieldtype == "Duration":
		value = value / 60
	rounded = value.round().cast("int64")
	return ibis.ifelse(value.notnull() & (value > 0), rounded, given)


def with_department(rows: ir.Table, source: Source, slices: Slices) -> ir.Table:
	"""The source's department, or that of the user as an employee."""
	if source.row.department:
		return rows.mutate(department=ibis.literal(source.row.department))
	employee = slices.read("employees", "Employee", ["department"], rows.user, "user_id")
	employee = employee.filter(employee.department.notnull())
	of_user = employee.group_by(works_as=employee[ASKED]).aggregate(department=employee.department.max())
	return rows.left_join(of_user, rows.user == of_user.works_as).drop("works_as")


def get_key(source: Source, joined: ir.Table) -> ir.StringValue:
	"""Unique for a document and, where one document may concern several parties, for the party."""
	key = ibis.literal(f"{source.name}|{source.doctype}|") + joined.document
	if not source.handler:
		return key
	lead = joined.party_type == "Lead"
	return key + ibis.ifelse(lead, ibis.literal("|Lead: ") + joined.party, ibis.literal("|") + joined.party)


def without_logged(rows: ir.Table, slices: Slices) -> ir.Table:
	"""Without those whose key is in the log."""
	logged = slices.read("logged", LOG, [], rows.reference_key, "reference_key")
	return rows.anti_join(logged, rows.reference_key == logged[ASKED])


def get_cancellations(source: Source, slices: Slices, docs: ir.Table) -> ir.Table:
	"""Rows (``COLUMNS`` and supersedes) that take back what cancelled ones of the documents had logged."""
	cancelled = docs.filter(docs.docstatus == 2)
	log = slices.read(
		"said", LOG, ["name", *COLUMNS], cancelled.name, "reference_name", reference_doctype=source.doctype
	)
	mine = log.source.isnull() | (log.source == source.name)  # a correction names the document and no source
	log = without_superseded(log.filter(mine & (log.kind != CANCELLED)), slices)
	docs = cancelled.select(document=cancelled.name, cancelled_on=cancelled.modified)
	joined = log.inner_join(docs, log[ASKED] == docs.document)
	changed: dict[str, ir.Value] = {
		"kind": ibis.literal(CANCELLED),
		"occurred_on": joined.cancelled_on,
		"direction": ibis.literal("Internal"),
		"minutes": ibis.literal(0, type="int64"),
		"source": ibis.literal(source.name),
		"reference_key": joined.reference_key + "|cancelled",
		"supersedes": joined.name,
	}
	return joined.select(*[name for name in COLUMNS if name not in changed], **changed)


def without_superseded(log: ir.Table, slices: Slices) -> ir.Table:
	"""Rows of the log that no later row corrects."""
	later = slices.read("later", LOG, [], log.name, "supersedes")
	return log.anti_join(later, log.name == later[ASKED])


def get_unread(source: Source, slices: Slices, keep_from: datetime.date | None) -> ir.Table:
	"""The names of documents whose row may be missing, all at once and in order: (name, n from 0 on).

	Where a document concerns one party it has one row, so it is read only when that row is missing or to be taken back. Others
	are read every time, for they may concern somebody new. What the log would have cleared is not read.
	"""
	moments = ["creation", "modified", source.row.date_field or "creation"] if keep_from else []
	docs = slices.read_whole("all documents", physical(source.doctype, ["name", "docstatus", *moments]))
	if keep_from:
		recent = get_moment(source, docs).cast("date") >= ibis.literal(keep_from, type="date")
		docs = docs.filter(recent | (docs.docstatus == 2))
	if not source.handler:
		log = physical(LOG, ["reference_doctype", "reference_name", "reference_key", "source"])
		log = log.filter(log.reference_doctype.isin([source.doctype]) & log.source.isin([source.name]))
		log = log.filter(log.reference_key.notnull())  # or it was of a document that was merged into this one
		rows = slices.read_whole("all rows", log.select("reference_name"))
		lacking = docs.anti_join(rows, docs.name == rows.reference_name)
		docs = lacking.filter(lacking.docstatus != 2).union(docs.filter(docs.docstatus == 2))
	unread = docs.select("name", n=ibis.row_number().over(ibis.window(order_by=docs.name)))
	return slices.keep("unread", unread)

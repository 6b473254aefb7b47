"""What a source's documents say, as rows of the Interaction Log: expressions only, nothing is read or written here.

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


def get_documents(source: Source, batch: ir.Table) -> ir.Table:
	"""The documents of a batch (``name``) with the columns that the source and its handler need."""
	wanted = [*ALWAYS, *(source.row.get(name) for name in FIELDS if source.row.get(name))]
	wanted += [condition.field for condition in source.conditions]
	wanted += list(source.handler.fields) if source.handler else []
	table = physical(source.doctype, list(dict.fromkeys(wanted)))
	missing = {source.row.get(name) for name in FIELDS if source.row.get(name)} - set(table.columns)
	if missing:
		raise ValueError(f"{source.doctype}: {', '.join(sorted(missing))}")
	return table.inner_join(batch, table.name == batch.name).select(*[table[name] for name in table.columns])


def get_candidates(source: Source, batch: ir.Table, keep_from: datetime.date | None) -> ir.Table:
	"""Rows (``COLUMNS``) for the documents of a batch that are not in the log yet, of parties that exist."""
	docs = get_counting(source, get_documents(source, batch))
	found = get_parties(source, docs)
	facts = docs.select(**get_facts(source, docs))
	joined = with_names(found).inner_join(facts, ibis._.document == facts.doc)
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
	return not_logged(with_department(rows, source)).select(*COLUMNS)


def get_counting(source: Source, docs: ir.Table) -> ir.Table:
	"""The documents that are interactions: not cancelled, submitted where asked, and as the conditions say."""
	submittable = frappe.get_meta(source.doctype).is_submittable
	docs = docs.filter(
		docs.docstatus == 1 if submittable and cint(source.row.only_submitted) else docs.docstatus < 2
	)
	if source.handler and source.handler.counts:
		docs = source.handler.counts(docs)
	if source.conditions:
		docs = docs.filter(all_of([holds(item, docs[item.field]) for item in source.conditions]))
	return docs


def get_parties(source: Source, docs: ir.Table) -> ir.Table:
	"""(document, party_type, party) of the documents."""
	if source.handler:
		return source.handler.parties(docs)
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


def with_names(found: ir.Table) -> ir.Table:
	"""Parties with the name that people know them by, without those that do not exist any more."""
	customer = physical("Customer", ["name", "customer_name"])
	lead = physical("Lead", ["name", "lead_name"])
	known = customer.select(
		of=ibis.literal("Customer"), key=customer.name, party_name=customer.customer_name
	).union(lead.select(of=ibis.literal("Lead"), key=lead.name, party_name=lead.lead_name))
	joined = found.inner_join(known, [found.party_type == known.of, found.party == known.key])
	return joined.select("document", "party_type", "party", "party_name")


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


def with_department(rows: ir.Table, source: Source) -> ir.Table:
	"""The source's department, or that of the user as an employee."""
	if source.row.department:
		return rows.mutate(department=ibis.literal(source.row.department))
	employee = physical("Employee", ["user_id", "department"])
	employee = employee.filter(employee.user_id.notnull() & employee.department.notnull())
	of_user = employee.group_by(works_as=employee.user_id).aggregate(department=employee.department.max())
	return rows.left_join(of_user, rows.user == of_user.works_as).drop("works_as")


def get_key(source: Source, joined: ir.Table) -> ir.StringValue:
	"""Unique for a document and, where one document may concern several parties, for the party."""
	key = ibis.literal(f"{source.name}|{source.doctype}|") + joined.document
	if not source.handler:
		return key
	lead = joined.party_type == "Lead"
	return key + ibis.ifelse(lead, ibis.literal("|Lead: ") + joined.party, ibis.literal("|") + joined.party)


def not_logged(rows: ir.Table) -> ir.Table:
	"""Without those whose key is in the log."""
	log = physical(LOG, ["reference_key"])
	logged = log.select(known=log.reference_key)
	joined = rows.left_join(logged, rows.reference_key == logged.known)
	return joined.filter(joined.known.isnull())


def get_cancellations(source: Source, cancelled: ir.Table) -> ir.Table:
	"""Rows (``COLUMNS`` and supersedes) that take back what cancelled documents (name, modified) had logged."""
	docs = cancelled.select(document=cancelled.name, cancelled_on=cancelled.modified)
	log = physical(LOG, ["name", *COLUMNS])
	mine = log.source.isnull() | (log.source == source.name)  # a correction names the document and no source
	log = log.filter((log.reference_doctype == source.doctype) & mine)
	log = log.filter(log.kind != CANCELLED)
	joined = without_superseded(log).inner_join(docs, ibis._.reference_name == docs.document)
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


def without_superseded(log: ir.Table) -> ir.Table:
	"""Rows of the log that no later row corrects."""
	other = physical(LOG, ["supersedes"])
	corrected = other.filter(other.supersedes.notnull()).select(corrected=other.supersedes)
	return log.filter(~log.name.isin(corrected.corrected))

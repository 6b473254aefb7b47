"""The engine's input relations over the tables of an ERPNext site, as expressions, which ``site.read`` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe
import ibis
import ibis.expr.types as ir

from ..engine.dates import FIRST_DAY, literal
from ..engine.errors import Problem
from ..engine.relations import RELATIONS
from ..parties import LEAD_PREFIX

STANDARD_TYPES = {"name": "string", "owner": "string", "modified_by": "string", "parent": "string"}
STANDARD_TYPES |= {"parenttype": "string"}
STANDARD_TYPES |= {"docstatus": "int64", "idx": "int64", "creation": "timestamp", "modified": "timestamp"}
NOT_READ = ("override_by", "override_on", "override_reason", "run")  # of profiles
STORED = "stored profiles"  # a name that no signal of an admin's can have
MONEY = "decimal(18, 6)"  # of a document: exact in any order, and quick to add up


@dataclass(frozen=True)
class PurchaseSource:
	"""How a DocType says purchases: the columns of its date and net value in company currency."""

	doctype: str
	date: str
	has_returns: bool


PURCHASE_SOURCES = {
	source.doctype: source
	for source in (
		PurchaseSource("Sales Invoice", "posting_date", has_returns=True),
		PurchaseSource("POS Invoice", "posting_date", has_returns=True),
		PurchaseSource("Sales Order", "transaction_date", has_returns=False),
	)
}


@dataclass(frozen=True)
class SignalTable:
	"""A table behind a signal of the admin's: see ``configuration.SignalSource``, which has these attributes."""

	name: str
	doctype: str
	party_field: str
	party_type: str | None
	party_type_field: str | None
	columns: tuple[str, ...]


@dataclass(frozen=True)
class Sources:
	"""What of the site is read.

	``factors`` maps each company that counts to the factor from its currency into the base currency;
	``party_fields`` names the fields of each party type that conditions use; ``left_out`` are customers that are no
	parties, see ``namesakes_of_leads``; ``problems`` say which companies do not count and why.
	"""

	purchase_doctype: str
	factors: Mapping[str, float]
	all_companies: bool = True
	include_leads: bool = False
	read_items: bool = False
	read_payment_dates: bool = False
	party_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
	signals: Sequence[Any] = ()
	left_out: Sequence[str] = ()
	problems: Sequence[Problem] = ()


def site_relations(sources: Sources) -> dict[str, ir.Table]:
	"""Every relation that this site can give."""
	relations = {
		"parties": parties(sources),
		"purchases": purchases(sources),
		"interactions": interactions(),
		"cases": cases(),
		"contracts": contracts(),
	}
	if sources.read_items:
		relations["items"] = items(sources)
	if sources.read_payment_dates and sources.purchase_doctype == "Sales Invoice":
		relations["payments"] = payments(sources)
	for source in sources.signals:
		table = signal_table(source)
		if table is not None:
			relations[source.name] = table
	return relations


def physical(doctype: str, columns: Sequence[str]) -> ir.Table:
	"""The database table of a DocType with those of the columns that it has.

	The column of a custom field stays in the database when the field is removed: it does not count.
	"""
	meta = frappe.get_meta(doctype)
	present = set(frappe.db.get_table_columns(doctype))
	schema = {
		name: column_type(meta, name)
		for name in columns
		if name in present and (name in STANDARD_TYPES or meta.has_field(name))
	}
	return ibis.table(schema, name=f"tab{doctype}")


def column_type(meta: Any, name: str) -> str:
	"""The Ibis type of a field as Frappe stores it."""
	if name in STANDARD_TYPES:
		return STANDARD_TYPES[name]
	df = meta.get_field(name)
	kind = df.fieldtype if df else "Data"
	if kind in ("Int", "Check"):
		return "int64"
	if kind in ("Float", "Currency", "Percent", "Rating", "Duration"):
		return "float64" if frappe.db.db_type == "sqlite" else "decimal(21, 9)"
	return {"Date": "date", "Datetime": "timestamp"}.get(kind, "string")


def parties(sources: Sources) -> ir.Table:
	"""Customers that are not disabled and, if wanted, leads that are not yet converted."""
	fields = list(sources.party_fields.get("Customer", ()))
	wanted = ["name", "customer_name", "disabled", "creation", "account_manager", *fields]
	customer = physical("Customer", wanted)
	active = customer.filter(customer.disabled.fill_null(0) == 0)  # SQLite's columns may hold nothing
	if sources.left_out:
		active = active.filter(active.name.notin(list(sources.left_out)))
	columns = {
		"party": active.name,
		"party_type": ibis.literal("Customer"),
		"party_name": active.customer_name,
	}
	manager = active.account_manager if "account_manager" in active.columns else ibis.null("string")
	columns |= {"since": active.creation.cast("date"), "manager": manager, "docname": active.name}
	table = active.select(**columns, **{name: active[name] for name in fields if name in active.columns})
	return table.union(_leads(table)) if sources.include_leads else table


def _leads(like: ir.Table) -> ir.Table:
	extra = like.columns[6:]
	lead = physical("Lead", ["name", "lead_name", "status", "creation", "lead_owner", *extra])
	open_leads = lead.filter(lead.status.isnull() | (lead.status != "Converted"))
	columns = {"party": ibis.literal(LEAD_PREFIX) + open_leads.name, "party_type": ibis.literal("Lead")}
	columns |= {
		"party_name": open_leads.lead_name.fill_null(open_leads.name),
		"since": open_leads.creation.cast("date"),
	}
	columns |= {"manager": open_leads.lead_owner, "docname": open_leads.name}
	for name in extra:
		same = name in open_leads.columns and open_leads[name].type() == like[name].type()
		columns[name] = open_leads[name] if same else ibis.null(like[name].type())
	return open_leads.select(**columns)


def namesakes_of_leads() -> list[str]:
	"""Customers whose name is the key of a lead. One key is one party, and whoever is called so was named after the lead.

	The database compares, as it does where rows of a party are brought together.
	"""
	is_mariadb = frappe.db.db_type == "mariadb"
	key = f"CONCAT('{LEAD_PREFIX}', l.name)" if is_mariadb else f"'{LEAD_PREFIX}' || l.name"
	# by the primary key, where hardly anybody is called so
	alike = (
		f"c.name >= '{LEAD_PREFIX}' AND c.name < 'Lead:!'" if is_mariadb else f"c.name LIKE '{LEAD_PREFIX}%'"
	)
	found = frappe.db.sql(
		f"SELECT c.name FROM `tabCustomer` c JOIN `tabLead` l ON {key} = c.name WHERE {alike}"
	)
	return [row[0] for row in found]


def purchases(sources: Sources) -> ir.Table:
	"""Submitted documents of the purchase source, returns negative, in base currency."""
	source = PURCHASE_SOURCES[sources.purchase_doctype]
	wanted = ["customer", source.date, "docstatus", "company", "is_opening", "base_net_total"]
	wanted += ["base_discount_amount", "due_date", "outstanding_amount"]
	table = submitted(physical(source.doctype, wanted), sources)
	table = table.filter(table[source.date] >= literal(FIRST_DAY))  # 0000-00-00 is no day of a purchase
	factor = company_factor(table, sources)
	columns = {
		"party": table.customer,
		"day": table[source.date],
		"amount": times(table.base_net_total, factor),
	}
	columns["discount"] = times(table.base_discount_amount, factor)
	if "outstanding_amount" in table.columns:
		columns["due_day"] = table.due_date
		columns["outstanding"] = times(table.outstanding_amount, factor)
	return table.select(**columns)


def submitted(table: ir.Table, sources: Sources) -> ir.Table:
	"""Submitted documents of the companies that count; opening entries are balances, not purchases."""
	keep = table.docstatus == 1
	if not sources.all_companies:
		keep = keep & table.company.isin(sorted(sources.factors))
	if "is_opening" in table.columns:
		keep = keep & (table.is_opening.isnull() | (table.is_opening != "Yes"))
	return table.filter(keep)


def company_factor(table: ir.Table, sources: Sources) -> ir.Value | None:
	"""From company currency into base currency, or None where all are the same."""
	if all(factor == 1.0 for factor in sources.factors.values()):
		return None
	branches = [(table.company == name, float(factor)) for name, factor in sorted(sources.factors.items())]
	return ibis.cases(*branches, else_=ibis.null("float64"))


def times(value: ir.NumericValue, factor: ir.Value | None) -> ir.NumericValue:
	"""The value in base currency."""
	if factor is not None:
		return value.cast("float64") * factor
	return value.cast(MONEY) if value.type().is_decimal() else value


def payments(sources: Sources) -> ir.Table:
	"""Invoices with nothing outstanding: due date and the day of the last payment against them."""
	wanted = [
		"name",
		"customer",
		"docstatus",
		"company",
		"is_opening",
		"due_date",
		"outstanding_amount",
		"is_return",
	]
	invoice = submitted(physical("Sales Invoice", wanted), sources)
	settled = invoice.filter(
		(invoice.outstanding_amount <= 0) & (invoice.is_return.fill_null(0) == 0) & invoice.due_date.notnull()
	)
	ledger = physical(
		"Payment Ledger Entry",
		["against_voucher_type", "against_voucher_no", "posting_date", "amount", "delinked"],
	)
	paid = ledger.filter(
		(ledger.against_voucher_type == "Sales Invoice")
		& (ledger.delinked.fill_null(0) == 0)
		& (ledger.amount < 0)
	)
	last = paid.group_by(document=paid.against_voucher_no).aggregate(paid_day=paid.posting_date.max())
	joined = last.inner_join(settled, last.document == settled.name)
	return joined.select(party=joined.customer, due_day=joined.due_date, paid_day=joined.paid_day)


def items(sources: Sources) -> ir.Table:
	"""Lines of the same documents."""
	source = PURCHASE_SOURCES[sources.purchase_doctype]
	header = physical(source.doctype, ["name", "customer", source.date, "docstatus", "company", "is_opening"])
	header = submitted(header, sources)
	line = physical(f"{source.doctype} Item", ["parent", "item_code", "base_net_amount"])
	bought = line.filter(line.item_code.notnull() & (line.base_net_amount >= 0))
	joined = bought.inner_join(header, bought.parent == header.name)
	return joined.select(party=joined.customer, day=joined[source.date], product=joined.item_code)


def interactions(only: Sequence[str] | None = None) -> ir.Table:
	"""Rows of the Interaction Log whose kind counts as contact, each as its last correction has it; of parties in ``only`` if given.

	What went on among ourselves is no contact; a row that names no direction is taken for ours to the party.
	"""
	fields = ["name", "party_type", "party", "occurred_on", "kind", "channel", "direction", "department"]
	log = physical("Interaction Log", [*fields, "minutes", "party_deleted"])
	log = log if only is None else log.filter(is_one_of(log.party_type, log.party, only))
	kind = physical("Interaction Kind", ["name", "is_contact"])
	contact = kind.filter(kind.is_contact == 1).select(is_kind=kind.name)
	corrected = physical("Interaction Log", ["supersedes"])
	corrected = corrected.filter(corrected.supersedes.notnull()).select(corrected=corrected.supersedes)
	rows = log.inner_join(contact, log.kind == contact.is_kind)
	rows = rows.filter(
		rows.party_deleted.fill_null(0) == 0
	)  # whoever is called the same now is somebody else
	rows = rows.filter(~rows.name.isin(corrected.corrected))
	rows = rows.filter(rows.direction.isnull() | (rows.direction != "Internal"))
	return rows.select(
		party=party_key(rows.party_type, rows.party),
		day=rows.occurred_on.cast("date"),
		direction=ibis.ifelse(rows.direction == "In", "In", "Out"),
		channel=rows.channel,
		department=rows.department,
		minutes=rows.minutes.cast("float64"),
	)


def party_key(party_type: ir.StringValue, party: ir.StringValue) -> ir.StringValue:
	"""The key of a party: a customer's name as it is, a lead's with its prefix."""
	return ibis.ifelse(party_type == "Lead", ibis.literal(LEAD_PREFIX) + party, party)


def is_one_of(party_type: ir.StringValue, party: ir.StringValue, keys: Sequence[str]) -> ir.BooleanValue:
	"""Whether a row is of a party with one of these keys, asked so that an index on the party is of use."""
	leads = [key.removeprefix(LEAD_PREFIX) for key in keys if key.startswith(LEAD_PREFIX)]
	customers = [key for key in keys if not key.startswith(LEAD_PREFIX)]
	return ((party_type != "Lead") & party.isin(customers)) | ((party_type == "Lead") & party.isin(leads))


def only_of(table: ir.Table, keys: Sequence[str], column: str = "party") -> ir.Table:
	"""The rows of a relation that are of these parties."""
	return table.filter(table[column].isin(keys))


def cases() -> ir.Table:
	"""Issues, of which those of type Complaint are complaints, and warranty claims, all of which are."""
	issue = physical(
		"Issue",
		[
			"customer",
			"opening_date",
			"resolution_date",
			"sla_resolution_date",
			"status",
			"issue_type",
			"modified",
		],
	)
	closed = issue.status.isin(["Resolved", "Closed"])
	ended = issue[next(name for name in ("sla_resolution_date", "resolution_date") if name in issue.columns)]
	issues = issue.filter(issue.customer.notnull() & issue.opening_date.notnull()).select(
		party=issue.customer,
		opened=issue.opening_date,
		closed=ibis.ifelse(closed, ended.fill_null(issue.modified).cast("date"), ibis.null("date")),
		kind=ibis.ifelse(issue.issue_type == "Complaint", "Complaint", "Request"),
	)
	claim = physical("Warranty Claim", ["customer", "complaint_date", "resolution_date", "docstatus"])
	claim = claim.filter((claim.docstatus < 2) & claim.customer.notnull() & claim.complaint_date.notnull())
	claims = claim.select(
		party=claim.customer,
		opened=claim.complaint_date.cast("date"),
		closed=claim.resolution_date.cast("date"),
		kind=ibis.literal("Complaint"),
	)
	return issues.union(claims)


def contracts() -> ir.Table:
	"""Submitted contracts with customers that have an end."""
	contract = physical("Contract", ["party_type", "party_name", "start_date", "end_date", "docstatus"])
	running = contract.filter(
		(contract.docstatus == 1) & (contract.party_type == "Customer") & contract.end_date.notnull()
	)
	return running.select(party=running.party_name, start=running.start_date, end=running.end_date)


def stored_profiles(columns: Sequence[str] | None = None) -> ir.Table:
	"""What the profiles say now, by the names of their columns; all that a run writes or decides from where none are named."""
	if columns is None:
		fields = frappe.get_meta("Retention Profile").get_valid_columns()
		columns = [name for name in fields if name not in (*STANDARD_TYPES, *NOT_READ)]
	return physical("Retention Profile", ["name", *columns])


def state_of(profiles: ir.Table) -> ir.Table:
	"""The relation ``state`` from stored profiles."""
	columns = [column.name for column in RELATIONS["state"] if column.name != "party"]
	return profiles.select(party="name", **{name: name for name in columns if name in profiles.columns})


def signal_table(source: SignalTable) -> ir.Table | None:
	"""The table of an admin's signal with the party's key in its party field; None when the DocType is gone."""
	if not frappe.db.exists("DocType", source.doctype) or not frappe.db.table_exists(source.doctype):
		return None
	table = physical(source.doctype, source.columns)
	if source.party_field not in table.columns:
		return table
	party = table[source.party_field]
	if source.party_type_field and source.party_type_field in table.columns:
		kinds = table.filter(table[source.party_type_field].isin(["Customer", "Lead"]))
		return kinds.mutate(
			**{source.party_field: party_key(kinds[source.party_type_field], kinds[source.party_field])}
		)
	if source.party_type == "Lead":
		return table.mutate(**{source.party_field: ibis.literal(LEAD_PREFIX) + party})
	return table

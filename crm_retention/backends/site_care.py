"""What planning reads of an ERPNext site: enrollments, touchpoints, dates of occasions, and consent."""

from __future__ import annotations

from typing import Any

import frappe
import ibis
import ibis.expr.types as ir

from ..closed_doctypes import why_closed
from .site_relations import party_key, physical

PARTY_TYPES = ("Customer", "Lead")


def care_relations() -> dict[str, ir.Table]:
	"""The relations of plans, on top of those of the cycle, but for the dates of occasions."""
	return {"enrollments": enrollments(), "touchpoints": touchpoints(), "consents": consents()}


def date_tables() -> dict[str, ir.Table]:
	"""The dates of each occasion: party, occasion, day and yearly; one whose DocType or field is gone has none."""
	found = {occasion.name: dates_of(occasion) for occasion in get_date_occasions()}
	return {name: table for name, table in found.items() if table is not None}


def enrollments() -> ir.Table:
	"""Enrollments that are not over."""
	names = [
		"party_type",
		"party",
		"plan",
		"plan_family",
		"arm",
		"clock_start",
		"phase",
		"spread",
		"next_plan",
		"from_date",
	]
	table = with_run_day(physical("Plan Enrollment", [*names, "run", "open_key"]))
	still = table.filter(table.open_key.notnull())
	return still.select(
		party=party_key(still.party_type, still.party),
		plan=still.plan,
		family=still.plan_family,
		arm=still.arm,
		clock=still.clock_start,
		phase=still.phase.cast("float64"),
		spread=still.spread,
		next_plan=still.next_plan,
		# its run made it, or moved it to its version later
		moved=ibis.ifelse(still.run_day > still.from_date, still.run_day, ibis.null("date")),
	)


def touchpoints() -> ir.Table:
	"""Everything that a plan made, and whatever else is open."""
	names = [
		"name", "party_type", "party", "occurrence_key", "open_key", "plan_family", "status", "due_date", "occurrence",
		"assigned_to", "channel", "send_by_itself", "rule", "run",
	]  # fmt: skip
	table = with_run_day(physical("Touchpoint", names))
	return table.select(
		party=party_key(table.party_type, table.party),
		key=table.occurrence_key,
		open_key=table.open_key,
		family=table.plan_family,
		status=table.status,
		due=table.due_date,
		occurrence=table.occurrence,
		owner=table.assigned_to,
		channel=table.channel,
		sends=table.send_by_itself,
		rule=table.rule,
		judged=table.run_day,
	)


def with_run_day(table: ir.Table) -> ir.Table:
	"""``table`` with ``run_day``, the day as of which its run was; null where the run's log is cleared."""
	log = physical("Retention Run", ["name", "as_of"])
	log = log.select(r_name="name", run_day="as_of")
	joined = table.left_join(log, table.run == log.r_name)
	return joined.select(*table.columns, "run_day")


def consents() -> ir.Table:
	"""Contact Preferences, and whoever unsubscribed from email anywhere on the site."""
	table = physical("Contact Preference", ["party_type", "party", "channel", "nature", "answer"])
	said = table.select(
		party=party_key(table.party_type, table.party),
		channel=table.channel,
		nature=table.nature,
		answer=table.answer,
	)
	channel = frappe.db.get_value("Contact Channel", {"sends": "Email"}, "name")
	parts = [said, *(no_to(channel, people) for people in unsubscribed())] if channel else [said]
	return ibis.union(*parts) if len(parts) > 1 else said


def no_to(channel: str, people: ir.Table) -> ir.Table:
	"""A no of everybody in ``people`` (party) to a channel."""
	return people.select(
		party="party",
		channel=ibis.literal(channel),
		nature=ibis.null("string"),
		answer=ibis.literal("No"),
	)


def unsubscribed() -> list[ir.Table]:
	"""``party`` of whoever unsubscribed: through the link of a letter, as a lead, or as a party's own contact."""
	letter = physical("Email Unsubscribe", ["reference_doctype", "reference_name"])
	letter = letter.filter(letter.reference_doctype.isin(PARTY_TYPES))
	lead = physical("Lead", ["name", "unsubscribed"])
	lead = lead.filter(lead.unsubscribed == 1)
	contact = physical("Contact", ["name", "unsubscribed"])
	contact = contact.filter(contact.unsubscribed == 1)
	customer = physical("Customer", ["name", "customer_primary_contact"])
	own = customer.inner_join(contact, customer.customer_primary_contact == contact.name)
	return [
		letter.select(party=party_key(letter.reference_doctype, letter.reference_name)),
		lead.select(party=party_key(ibis.literal("Lead"), lead.name)),
		own.select(party=customer.name),
	]


def get_date_occasions() -> list[Any]:
	"""Enabled occasions whose dates lie in a field of documents that may be read."""
	rows = frappe.get_all(
		"Care Occasion",
		filters={"enabled": 1, "kind": "Date Field"},
		fields=["name", "document_type", "party_field", "date_field", "every_year"],
		order_by="name",
		limit=0,
	)
	return [row for row in rows if not why_closed(row.document_type)]


def dates_of(occasion: Any) -> ir.Table | None:
	"""The dates of one occasion: of the party itself, of documents that link to it, or of its contacts."""
	doctype, field = occasion.document_type, occasion.date_field
	if not doctype or not frappe.db.exists("DocType", doctype) or not frappe.db.table_exists(doctype):
		return None
	meta = frappe.get_meta(doctype)
	party = meta.get_field(occasion.party_field) if occasion.party_field else None
	wanted = ["name", "docstatus", field, *([occasion.party_field] if party else [])]
	if party and party.fieldtype == "Dynamic Link":
		wanted.append(party.options)
	table = physical(doctype, wanted)
	if field not in table.columns or not table[field].type().is_temporal():
		return None
	table = table.filter(table[field].notnull() & (table.docstatus.fill_null(0) < 2))
	owner = get_party(table, doctype, party)
	if owner is None:
		return None
	return owner.select(
		party="its_party",
		occasion=ibis.literal(occasion.name),
		day=owner[field].cast("date"),
		yearly=ibis.literal(int(occasion.every_year or 0), "int64"),
	)


def get_party(table: ir.Table, doctype: str, party: Any) -> ir.Table | None:
	"""``table`` with ``its_party``; None where nothing leads from these documents to a party."""
	if doctype in PARTY_TYPES and not party:
		return table.mutate(its_party=party_key(ibis.literal(doctype), table.name))
	if party and party.fieldtype == "Dynamic Link" and party.options in table.columns:
		known = table.filter(table[party.options].isin(PARTY_TYPES))
		return known.mutate(its_party=party_key(known[party.options], known[party.fieldname]))
	if party and party.fieldtype == "Link" and party.options in PARTY_TYPES:
		return table.mutate(its_party=party_key(ibis.literal(party.options), table[party.fieldname]))
	if party or not has_links(doctype):
		return None
	link = physical("Dynamic Link", ["parent", "parenttype", "link_doctype", "link_name"])
	link = link.filter((link.parenttype == doctype) & link.link_doctype.isin(PARTY_TYPES))
	links = link.select(l_parent="parent", its_party=party_key(link.link_doctype, link.link_name)).distinct()
	return table.inner_join(links, table.name == links.l_parent)


def has_links(doctype: str) -> bool:
	"""Whether documents of a type name their parties in a table of links, as contacts and addresses do."""
	return any(df.options == "Dynamic Link" for df in frappe.get_meta(doctype).get_table_fields())

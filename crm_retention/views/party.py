"""A party at a glance: contact, plans, promises, what is to be done, what is held back, occasions, cases, rhythm."""

from __future__ import annotations

import datetime
from typing import Any, TypedDict

import frappe
from frappe.utils import cint, date_diff, flt, getdate

from crm_retention.care import rules
from crm_retention.origins import folded
from crm_retention.parties import get_party_name, profile_name
from crm_retention.views import occasions
from crm_retention.views.access import get_full_names, is_readable, may_read_any, only_readable

STOP_DAYS = 30
MOST_TOUCHPOINTS = 100
MOST_CASES = 20
CLOSED = ("Closed", "Resolved", "Cancelled")
TOUCHPOINT_FIELDS = (
	"name", "title", "touchpoint_type", "status", "due_date", "service_date", "starts_at", "assigned_to", "channel",
	"why", "instructions", "is_promise", "minutes", "rule", "plan", "step_name", "occurrence",
)  # fmt: skip
RHYTHM_FIELDS = ("as_of", "purchases", "first_purchase", "last_purchase", "mean_interval_days")


class View(TypedDict):
	"""Parts that the user's roles do not read are empty."""

	party_type: str
	party: str
	party_name: str
	as_of: str
	last_contact: dict[str, Any] | None
	next_contact: dict[str, Any] | None
	touchpoints: list[dict[str, Any]]
	plans: list[dict[str, Any]]
	stops: list[dict[str, Any]]
	occasions: list[dict[str, Any]]
	cases: list[dict[str, Any]]
	rhythm: dict[str, Any] | None
	preferences: list[dict[str, Any]]


def get_view(party_type: str, party: str, as_of: datetime.date) -> View:
	"""Everything but the timeline, as of a day. Who may read the party was asked already.

	``touchpoints`` are those to do and those that wait for a contact rule; promises have ``is_promise``.
	"""
	touchpoints = get_touchpoints(party_type, party)
	plans = get_plans(party_type, party)
	treated = [row["plan"] for row in plans if row["arm"] == "Treated"]
	return {
		"party_type": party_type,
		"party": party,
		"party_name": get_party_name(party_type, party),
		"as_of": str(as_of),
		"last_contact": get_last_contact(party_type, party),
		"next_contact": next((row for row in touchpoints if row["status"] == "Open"), None),
		"touchpoints": touchpoints,
		"plans": plans,
		"stops": get_stops(party_type, party, as_of),
		"occasions": occasions.get_ahead(party_type, party, treated, as_of),
		"cases": get_cases(party_type, party),
		"rhythm": get_rhythm(party_type, party, as_of),
		"preferences": get_preferences(party_type, party),
	}


def of_party(doctype: str, party_type: str, party: str, *fields: str) -> tuple[Any, Any]:
	"""A query over the party's rows that the user may read, and its table."""
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table).select(*(table[field] for field in fields))
	query = query.where((table.party_type == party_type) & (table.party == party))
	return only_readable(query, doctype), table


def get_last_contact(party_type: str, party: str) -> dict[str, Any] | None:
	"""The latest interaction of a kind that counts as contact."""
	if not may_read_any("Interaction Log"):
		return None
	fields = ("name", "occurred_on", "kind", "channel", "direction", "outcome", "user")
	# that there was contact, and not what was said, is for everybody who may contact the party
	with folded():
		query, log = of_party("Interaction Log", party_type, party, *fields)
	later = frappe.qb.DocType("Interaction Log").as_("later_row")
	kinds = frappe.get_all("Interaction Kind", {"is_contact": 1}, pluck="name")
	query = query.left_join(later).on(later.supersedes == log.name).where(later.name.isnull())
	query = query.where(log.kind.isin(kinds or [""])).orderby(log.occurred_on, order=frappe.qb.desc)
	rows = query.orderby(log.name, order=frappe.qb.desc).limit(1).run(as_dict=True)
	return with_text(with_names(rows, "user"))[0] if rows else None


def get_touchpoints(party_type: str, party: str) -> list[dict[str, Any]]:
	"""Open and waiting ones by day; ``may_act`` says whether the user may complete, skip or move it."""
	if not may_read_any("Touchpoint"):
		return []
	query, t = of_party("Touchpoint", party_type, party, *TOUCHPOINT_FIELDS)
	query = query.where(t.status.isin(rules.OPEN)).orderby(t.due_date).orderby(t.name).limit(MOST_TOUCHPOINTS)
	rows = with_names(query.run(as_dict=True), "assigned_to")
	may_write = frappe.has_permission("Touchpoint", "write")
	for row in rows:
		row["may_act"] = bool(may_write and rules.may_act(row, frappe.session.user))
	return with_text(rows)


def get_plans(party_type: str, party: str) -> list[dict[str, Any]]:
	"""Plans that the party is in, with version and arm."""
	if not may_read_any("Plan Enrollment"):
		return []
	fields = ("name", "plan", "version_number", "arm", "from_date", "clock_start", "next_plan", "why")
	query, e = of_party("Plan Enrollment", party_type, party, *fields)
	plan = frappe.qb.DocType("Maintenance Plan")
	query = query.left_join(plan).on(plan.name == e.plan).select(plan.title, plan.status)
	query = query.where(e.open_key.isnotnull()).orderby(plan.priority, order=frappe.qb.desc).orderby(e.plan)
	return with_text(query.run(as_dict=True))


def get_stops(party_type: str, party: str, as_of: datetime.date) -> list[dict[str, Any]]:
	"""What contact rules stopped in the last days, the latest first, with the rule's reason."""
	if not may_read_any("Contact Stop"):
		return []
	fields = ("name", "on_date", "rule", "action", "touchpoint", "touchpoint_type", "channel", "stage")
	query, stop = of_party("Contact Stop", party_type, party, *fields)
	rule = frappe.qb.DocType("Contact Rule")
	query = query.left_join(rule).on(rule.name == stop.rule).select(rule.because)
	query = query.where(stop.on_date >= as_of - datetime.timedelta(days=STOP_DAYS))
	rows = query.orderby(stop.on_date, order=frappe.qb.desc).orderby(stop.name).limit(MOST_TOUCHPOINTS)
	return with_text(rows.run(as_dict=True))


def get_preferences(party_type: str, party: str) -> list[dict[str, Any]]:
	"""What the party said about being contacted, and whether it unsubscribed from email anywhere on the site."""
	if not may_read_any("Contact Preference"):
		return []
	fields = ("name", "channel", "nature", "answer", "since", "source")
	query, table = of_party("Contact Preference", party_type, party, *fields)
	rows = with_text(query.orderby(table.channel).orderby(table.nature).run(as_dict=True))
	if is_unsubscribed(party_type, party):
		channel = frappe.db.get_value("Contact Channel", {"sends": "Email"})
		rows.append({"channel": channel or "Email", "answer": "No", "unsubscribed": True})
	return rows


def is_unsubscribed(party_type: str, party: str) -> bool:
	"""Through the link of a letter, as a lead, or as the customer's own contact; see ``site_care.unsubscribed``."""
	letter = {"reference_doctype": party_type, "reference_name": party}
	if frappe.db.exists("Email Unsubscribe", letter):
		return True
	if party_type == "Lead":
		return bool(frappe.db.get_value("Lead", party, "unsubscribed"))
	contact = frappe.db.get_value("Customer", party, "customer_primary_contact")
	return bool(contact and frappe.db.get_value("Contact", contact, "unsubscribed"))


def get_cases(party_type: str, party: str) -> list[dict[str, Any]]:
	"""Issues and warranty claims that the user may read: doctype, name, title, kind, status, opened, is_open; open ones first."""
	found = []
	for doctype, field, fields in get_case_sources(party_type):
		if not frappe.db.exists("DocType", doctype) or not may_read_any(doctype):
			continue
		rows = frappe.get_list(
			doctype,
			filters={field: party, "docstatus": ("<", 2)},
			fields=["name", "status", *fields],
			order_by="creation desc",
			limit=MOST_CASES,
		)
		found += [{"doctype": doctype, **row, "is_open": row.status not in CLOSED} for row in rows]
	found.sort(key=lambda row: str(row["opened"] or ""), reverse=True)
	for row in found:
		row["title"] = frappe.utils.strip_html(row["title"] or "")[:140]
	return with_text(sorted(found, key=lambda row: not row["is_open"])[:MOST_CASES])


def get_case_sources(party_type: str) -> list[tuple[str, str, list[str]]]:
	"""DocType, field of the party and fields of the cases that a kind of party may have."""
	field = "customer" if party_type == "Customer" else "lead"
	issue = ("Issue", field, ["subject as title", "issue_type as kind", "opening_date as opened", "priority"])
	claim = ("Warranty Claim", "customer", ["complaint as title", "complaint_date as opened"])
	return [issue, claim] if party_type == "Customer" else [issue]


def get_rhythm(party_type: str, party: str, as_of: datetime.date) -> dict[str, Any] | None:
	"""How often the party buys and how long ago it did, in days; None before its first purchase.

	``expected_on`` is the day of the last purchase plus the mean interval, ``ratio`` the time since then as a share of
	that interval. Both are None for a party that bought on one day only.
	"""
	row = get_profile(party_type, party, RHYTHM_FIELDS)
	if not row or not row.last_purchase:
		return None
	since = max(date_diff(as_of, row.last_purchase), 0)
	interval = flt(row.mean_interval_days)
	expected = getdate(row.last_purchase) + datetime.timedelta(days=round(interval)) if interval > 0 else None
	return {
		"as_of": str(row.as_of or ""),
		"purchases": cint(row.purchases),
		"first_purchase": str(row.first_purchase or ""),
		"last_purchase": str(row.last_purchase),
		"days_since": since,
		"mean_interval_days": round(interval, 1) if interval > 0 else None,
		"expected_on": str(expected) if expected else None,
		"days_overdue": max(date_diff(as_of, expected), 0) if expected else None,
		"ratio": round(since / interval, 2) if interval > 0 else None,
	}


def get_profile(party_type: str, party: str, fields: tuple[str, ...]) -> Any | None:
	"""Fields of the party's profile; None where there is none, or none that the user may read."""
	name = profile_name(party_type, party)
	if not is_readable("Retention Profile", name):
		return None
	return frappe.db.get_value("Retention Profile", name, fields, as_dict=True)


def with_names(rows: list[Any], field: str) -> list[Any]:
	"""Rows with ``FIELD_name``, what people call the user."""
	names = get_full_names(row[field] for row in rows)
	return [row | {f"{field}_name": names.get(row[field], row[field] or "")} for row in rows]


def with_text(rows: list[Any]) -> list[dict[str, Any]]:
	"""Days and moments as text, as Frappe stores them; without what is empty."""
	return [{key: as_text(value) for key, value in row.items() if value not in (None, "")} for row in rows]


def as_text(value: Any) -> Any:
	"""A date or datetime as text, anything else as it is."""
	return str(value) if isinstance(value, datetime.date) else value

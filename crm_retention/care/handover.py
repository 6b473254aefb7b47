"""Hand-over: what one person looked after goes to another, in one action, with a brief for each party.

Each party moves in a transaction of its own, and what has moved is no longer found: a hand-over that was cut short is
finished by starting it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

import frappe
from frappe import _
from frappe.utils import cstr, nowdate

from crm_retention import filters
from crm_retention.care import rules, text_checks, todos
from crm_retention.care.people import may_care
from crm_retention.care.reminders import insert_notices

Party = tuple[str, str]
AT_ONCE = 20
TIMEOUT = 2 * 60 * 60
LAST_INTERACTIONS = 5
CLOSED_ISSUES = ("Closed", "Resolved")
LETTER_TYPE = "Hand-Over Letter"


class HandOver(TypedDict):
	"""What a hand-over did; ``failed`` names the parties that stayed and why."""

	parties: int
	touchpoints: int
	failed: list[dict[str, str]]
	queued: bool


def hand_over(
	from_user: str,
	to_user: str,
	parties: list[Party] | None = None,
	keep: list[str] | None = None,
	tell_customer: bool = False,
	email_template: str | None = None,
) -> HandOver:
	"""Move account manager or lead owner, open touchpoints and promises; many parties in a background job.

	``parties`` are (party_type, party), all of ``from_user``'s by default; ``keep`` names touchpoints that stay. Due
	dates and service levels stay as they are. With ``tell_customer`` each party gets a letter from ``email_template``,
	as a message that the contact rules judge. Raises ValidationError for users that cannot hand over or take over.
	"""
	validate(from_user, to_user, tell_customer, email_template)
	found = get_parties(from_user, parties)
	given: dict[str, Any] = {"from_user": from_user, "to_user": to_user, "keep": keep or []}
	given |= {"email_template": email_template if tell_customer else None}
	if len(found) <= AT_ONCE:
		return move_all(found, **given) | {"queued": False}
	frappe.enqueue(
		"crm_retention.care.handover.run_hand_over",
		queue="long",
		timeout=TIMEOUT,
		job_id=f"retention_hand_over::{from_user}::{to_user}",
		deduplicate=True,
		enqueue_after_commit=True,
		parties=found if parties else None,
		by=frappe.session.user,
		**given,
	)
	return {"parties": len(found), "touchpoints": 0, "failed": [], "queued": True}


def run_hand_over(by: str, from_user: str, parties: list[Party] | None = None, **given: Any) -> None:
	"""Body of the job: commits after each party; the outcome goes to whoever started it."""
	result = move_all(get_parties(from_user, parties), from_user=from_user, commit=True, **given)
	text = _("Hand-over: {0} customers and {1} touchpoints moved, {2} refused.")
	subject = text.format(result["parties"], result["touchpoints"], len(result["failed"]))
	refused = "<br>".join(
		frappe.utils.escape_html(f"{row['party']}: {row['error']}") for row in result["failed"]
	)
	notice = {"for_user": by, "document_name": given["to_user"], "subject": subject, "email_content": refused}
	insert_notices([notice | {"document_type": "User"}])
	frappe.db.commit()


def validate(from_user: str, to_user: str, tell_customer: bool, email_template: str | None) -> None:
	"""Two different users, the second one enabled; a letter needs its template."""
	if from_user == to_user:
		frappe.throw(_("{0}: choose somebody else.").format(_("To")))
	if not frappe.db.get_value("User", to_user, "enabled"):
		frappe.throw(_("{0}: {1} is disabled or unknown.").format(_("To"), to_user))
	if tell_customer and not (email_template and frappe.db.exists("Email Template", email_template)):
		frappe.throw(_("{0}: needed to tell the customers.").format(_("Email Template")))
	if tell_customer and email_template:
		filters.throw_faults(_("Email Template"), text_checks.get_letter_faults(email_template))


def get_parties(user: str, parties: Iterable[Party] | None = None) -> list[Party]:
	"""The parties that a user looks after or has open touchpoints of; of ``parties`` only, where given."""
	found: set[Party] = set()
	for party_type, field in rules.OWNER_FIELDS.items():
		found |= {(party_type, name) for name in frappe.get_all(party_type, {field: user}, pluck="name")}
	open_ones = {"assigned_to": user, "status": ("in", rules.OPEN)}
	rows = frappe.get_all("Touchpoint", open_ones, ["party_type", "party"], distinct=True)
	found |= {(row.party_type, row.party) for row in rows}
	return sorted(found if parties is None else found & {(kind, name) for kind, name in parties})


def move_all(
	parties: list[Party],
	from_user: str,
	to_user: str,
	keep: list[str],
	email_template: str | None = None,
	commit: bool = False,
) -> HandOver:
	"""Move one party after the other; what one refuses, the others do."""
	result: HandOver = {"parties": 0, "touchpoints": 0, "failed": [], "queued": False}
	for party_type, party in parties:
		frappe.db.savepoint("hand_over_party")
		try:
			moved = move_party(party_type, party, from_user, to_user, keep)
			if email_template:
				create_letter(party_type, party, to_user, email_template)
		except (frappe.ValidationError, frappe.PermissionError) as error:
			frappe.db.rollback(save_point="hand_over_party")
			result["failed"].append({"party_type": party_type, "party": party, "error": cstr(error)})
			continue
		result["parties"] += 1
		result["touchpoints"] += moved
		if commit:
			frappe.db.commit()
	tell_new_person(from_user, to_user, result)
	return result


def move_party(party_type: str, party: str, from_user: str, to_user: str, keep: list[str]) -> int:
	"""Owner, open touchpoints, their ToDos and events, and the brief as a comment; returns how many touchpoints."""
	if not may_care(to_user, party_type, party):
		message = _("{0} may not read {1} {2}.")
		frappe.throw(message.format(to_user, _(party_type), party), frappe.PermissionError)
	filters = {"party_type": party_type, "party": party, "assigned_to": from_user}
	filters |= {"status": ("in", rules.OPEN), "name": ("not in", keep or [""])}
	names = frappe.get_all("Touchpoint", filters, pluck="name", order_by="name")
	comment = render_brief(party_type, party, from_user, to_user)
	owner_field = rules.OWNER_FIELDS[party_type]
	if frappe.db.get_value(party_type, party, owner_field) == from_user:
		frappe.db.set_value(party_type, party, owner_field, to_user)
	if names:
		frappe.db.set_value("Touchpoint", {"name": ("in", names)}, "assigned_to", to_user)
		todos.hand_over(names, to_user)
		events = frappe.get_all("Touchpoint", {"name": ("in", names), "event": ("is", "set")}, pluck="event")
		if events:
			frappe.db.set_value("Event", {"name": ("in", events)}, "owner", to_user)
	frappe.get_doc(party_type, party).add_comment("Info", comment)
	return len(names)


def create_letter(party_type: str, party: str, to_user: str, email_template: str) -> None:
	"""A message of today, once for each party and new person; sending it is for the contact rules to judge."""
	request_id = f"hand_over|{party_type}|{party}|{to_user}|{nowdate()}"[:140]
	if frappe.db.exists("Touchpoint", {"request_id": request_id}):
		return
	channel = frappe.db.get_value("Contact Channel", {"sends": "Email", "enabled": 1})
	if not channel:
		frappe.throw(_("No Contact Channel sends email."))
	letter = frappe.new_doc("Touchpoint")
	letter.update(
		{
			"party_type": party_type,
			"party": party,
			"touchpoint_type": get_letter_type(channel),
			"channel": channel,
			"due_date": nowdate(),
			"assigned_to": to_user,
			"email_template": email_template,
			"send_by_itself": 1,
			"message_status": "Due",
			"why": _("Hand-over"),
			"request_id": request_id,
		}
	)
	letter.flags.by_app = True
	letter.insert(ignore_permissions=True)


def get_letter_type(channel: str) -> str:
	"""The touchpoint type of letters, made when first needed."""
	if not frappe.db.exists("Touchpoint Type", LETTER_TYPE):
		kind = {
			"doctype": "Touchpoint Type",
			"type_name": LETTER_TYPE,
			"nature": "Message",
			"channel": channel,
		}
		frappe.get_doc(kind).insert(ignore_permissions=True)
	return LETTER_TYPE


def tell_new_person(from_user: str, to_user: str, result: HandOver) -> None:
	"""One notice for the whole hand-over."""
	if not result["parties"]:
		return
	language = frappe.get_cached_value("User", to_user, "language") or frappe.local.lang
	text = _("{0} handed over to you: {1} customers, {2} touchpoints", lang=language)
	subject = text.format(frappe.utils.get_fullname(from_user), result["parties"], result["touchpoints"])
	insert_notices(
		[{"for_user": to_user, "document_name": from_user, "subject": subject, "document_type": "User"}]
	)


def get_brief(party_type: str, party: str) -> dict[str, Any]:
	"""What a new person must know: tier, stage, last interactions, open issues, promises, what is due."""
	of_party = {"party_type": party_type, "party": party}
	profile = frappe.db.get_value("Retention Profile", of_party, ["tier", "stage", "score"], as_dict=True)
	log_fields = ["occurred_on", "kind", "subject", "outcome", "note", "user"]
	open_fields = ["title", "due_date", "is_promise", "why", "instructions"]
	open_ones = frappe.get_all(
		"Touchpoint", of_party | {"status": ("in", rules.OPEN)}, open_fields, order_by="due_date"
	)
	issues = {"customer" if party_type == "Customer" else "lead": party, "status": ("not in", CLOSED_ISSUES)}
	return {
		"party_type": party_type,
		"party": party,
		"party_name": frappe.db.get_value(party_type, party, rules.NAME_FIELDS[party_type]) or party,
		"profile": profile or frappe._dict(),
		"interactions": frappe.get_all(
			"Interaction Log", of_party, log_fields, order_by="occurred_on desc", limit=LAST_INTERACTIONS
		),
		"issues": frappe.get_all("Issue", issues, ["name", "subject", "status", "opening_date"]),
		"promises": [row for row in open_ones if row.is_promise],
		"due": [row for row in open_ones if not row.is_promise],
	}


def render_brief(
	party_type: str, party: str, from_user: str | None = None, to_user: str | None = None
) -> str:
	"""The brief as HTML, for a comment or to print."""
	people = {"from_name": from_user and frappe.utils.get_fullname(from_user)}
	people |= {"to_name": to_user and frappe.utils.get_fullname(to_user)}
	return frappe.render_template("templates/handover_brief.html", get_brief(party_type, party) | people)

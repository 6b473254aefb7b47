"""Hand-over: what one person looked after goes to another, in one action, as far as whoever asks may change it.

Each party moves in a transaction of its own, and what has moved is no longer found: a hand-over that was cut short is
finished by starting it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, TypedDict

import frappe
from frappe import _
from frappe.utils import cstr, nowdate

from crm_retention import filters
from crm_retention.care import rules, text_checks, todos
from crm_retention.care.acting import acting_as
from crm_retention.care.people import may_care
from crm_retention.care.reminders import insert_notices
from crm_retention.views.access import by_doctype, get_document, get_listed, may_change

Party = tuple[str, str]
AT_ONCE = 20
TIMEOUT = 2 * 60 * 60
LETTER_TYPE = "Hand-Over Letter"


class HandOver(TypedDict):
	"""What a hand-over did; ``failed`` names the parties that stayed and why.

	``left_out`` counts parties, and touchpoints of the others, that whoever asked may not change; it names none.
	"""

	parties: int
	touchpoints: int
	failed: list[dict[str, str]]
	left_out: int
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
	as a message that the contact rules judge. What the session's user may not change stays, and is counted. Raises
	ValidationError for users that cannot hand over or take over.
	"""
	validate(from_user, to_user, tell_customer, email_template)
	mine, left_out = get_changeable(get_parties(from_user, parties))
	given: dict[str, Any] = {"from_user": from_user, "to_user": to_user, "keep": keep or []}
	given |= {"email_template": email_template if tell_customer else None}
	if len(mine) <= AT_ONCE:
		result = move_all(mine, **given)
		return result | {"left_out": result["left_out"] + get_missing(parties, mine, left_out)}
	frappe.enqueue(
		"crm_retention.care.handover.run_hand_over",
		queue="long",
		timeout=TIMEOUT,
		job_id=get_job_id(from_user, to_user, mine),
		deduplicate=True,
		enqueue_after_commit=True,
		parties=mine if parties else None,
		by=frappe.session.user,
		**given,
	)
	left_out = get_missing(parties, mine, left_out)
	return {"parties": len(mine), "touchpoints": 0, "failed": [], "left_out": left_out, "queued": True}


def get_missing(parties: list[Party] | None, mine: list[Party], left_out: int) -> int:
	"""How many stay. Of chosen ones, whether they are somebody else's, not there or not to be changed is not told."""
	return left_out if parties is None else len(set(parties) - set(mine))


def get_job_id(from_user: str, to_user: str, parties: list[Party]) -> str:
	"""The same for the same hand-over by the same user: another selection is another job."""
	chosen = hashlib.sha256(repr((frappe.session.user, parties)).encode()).hexdigest()[:16]
	return f"retention_hand_over::{from_user}::{to_user}::{chosen}"


def run_hand_over(by: str, from_user: str, parties: list[Party] | None = None, **given: Any) -> None:
	"""Body of the job, with the rights that ``by`` has when it runs: commits after each party; the outcome goes to ``by``."""
	validate_asker(by)
	with acting_as(by):
		mine, left_out = get_changeable(get_parties(from_user, parties))
		result = move_all(mine, from_user=from_user, commit=True, **given)
	text = _("Hand-over: {0} customers and {1} touchpoints moved, {2} refused.")
	subject = text.format(result["parties"], result["touchpoints"], len(result["failed"]))
	if left_out := left_out + result["left_out"]:
		subject += " " + _("{0} left out: you may not change them.").format(left_out)
	refused = "<br>".join(
		frappe.utils.escape_html(f"{row['party']}: {row['error']}") for row in result["failed"]
	)
	notice = {"for_user": by, "document_name": given["to_user"], "subject": subject, "email_content": refused}
	insert_notices([notice | {"document_type": "User"}])
	frappe.db.commit()


def validate_asker(user: str) -> None:
	"""Raises PermissionError unless who asked for a hand-over is an enabled manager still."""
	if not frappe.db.get_value("User", user, "enabled") or not rules.is_manager(user):
		frappe.throw(_("Only Retention Managers hand over."), frappe.PermissionError)


def validate(from_user: str, to_user: str, tell_customer: bool, email_template: str | None) -> None:
	"""Two different users, the second one enabled; a letter needs its template."""
	if from_user == to_user:
		frappe.throw(_("{0}: choose somebody else.").format(_("To")))
	name = frappe.utils.escape_html(to_user)
	if not frappe.db.get_value("User", to_user, "enabled"):
		frappe.throw(_("{0}: {1} is disabled or unknown.").format(_("To"), name))
	if not frappe.has_permission("Touchpoint", "write", user=to_user):
		frappe.throw(_("{0}: {1} may not care for customers.").format(_("To"), name))
	if tell_customer and not email_template:
		frappe.throw(_("{0}: needed to tell the customers.").format(_("Email Template")))
	if tell_customer:
		get_document("Email Template", email_template)
		filters.throw_faults(_("Email Template"), text_checks.get_letter_faults(email_template))


def get_changeable(parties: list[Party]) -> tuple[list[Party], int]:
	"""Those that the session's user may read and change, and how many others there are."""
	listed = {
		(party_type, name)
		for party_type, names in by_doctype(parties).items()
		if party_type in rules.OWNER_FIELDS
		for name in get_listed(party_type, names)
	}
	mine = [party for party in parties if party in listed and may_change(*party)]
	return mine, len(parties) - len(mine)


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
	result: HandOver = {"parties": 0, "touchpoints": 0, "failed": [], "left_out": 0, "queued": False}
	for party_type, party in parties:
		frappe.db.savepoint("hand_over_party")
		try:
			moved, left_out = move_party(party_type, party, from_user, to_user, keep)
			if email_template:
				create_letter(party_type, party, to_user, email_template)
		except (frappe.ValidationError, frappe.PermissionError) as error:
			frappe.db.rollback(save_point="hand_over_party")
			result["failed"].append({"party_type": party_type, "party": party, "error": cstr(error)})
			continue
		result["parties"] += 1
		result["touchpoints"] += moved
		result["left_out"] += left_out
		if commit:
			frappe.db.commit()
	tell_new_person(from_user, to_user, result)
	return result


def move_party(party_type: str, party: str, from_user: str, to_user: str, keep: list[str]) -> tuple[int, int]:
	"""Owner, open touchpoints, their ToDos and events; returns how many touchpoints moved, and how many may not."""
	if not may_care(to_user, party_type, party):
		message = _("{0} may not read {1} {2}.")
		frappe.throw(message.format(to_user, _(party_type), party), frappe.PermissionError)
	filters = {"party_type": party_type, "party": party, "assigned_to": from_user}
	filters |= {"status": ("in", rules.OPEN), "name": ("not in", keep or [""])}
	open_ones = frappe.get_all("Touchpoint", filters, pluck="name", order_by="name", limit=0)
	names = [name for name in open_ones if may_change("Touchpoint", name)]
	owner_field = rules.OWNER_FIELDS[party_type]
	if frappe.db.get_value(party_type, party, owner_field) == from_user:
		frappe.db.set_value(party_type, party, owner_field, to_user)
	if names:
		move_touchpoints(names, to_user)
	frappe.get_doc(party_type, party).add_comment("Info", get_comment(from_user, to_user, len(names)))
	return len(names), len(open_ones) - len(names)


def move_touchpoints(names: list[str], to_user: str) -> None:
	"""Touchpoints with their ToDos and the events in the calendar."""
	frappe.db.set_value("Touchpoint", {"name": ("in", names)}, "assigned_to", to_user)
	todos.hand_over(names, to_user)
	events = frappe.get_all("Touchpoint", {"name": ("in", names), "event": ("is", "set")}, pluck="event")
	if events:
		frappe.db.set_value("Event", {"name": ("in", events)}, "owner", to_user)


def get_comment(from_user: str, to_user: str, touchpoints: int) -> str:
	"""What everybody who reads the party may know of it: the brief itself is for those who read what it tells."""
	people = [frappe.utils.escape_html(frappe.utils.get_fullname(user)) for user in (from_user, to_user)]
	return _("Handed over from {0} to {1}, with {2} touchpoints.").format(*people, touchpoints)


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
	name = frappe.utils.escape_html(frappe.utils.get_fullname(from_user))
	subject = text.format(name, result["parties"], result["touchpoints"])
	insert_notices(
		[{"for_user": to_user, "document_name": from_user, "subject": subject, "document_type": "User"}]
	)

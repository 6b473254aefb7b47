"""Messages that leave without a person: each exactly once, however often workers die.

An email is a row of the Email Queue, written in the same transaction as the touchpoint's end: both or neither. An
SMS leaves through somebody else's gateway: the claim is committed first, and what a killed worker left in Sending is
never tried again by itself, because nobody knows whether it left.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import frappe
import requests
from frappe import _
from frappe.core.doctype.sms_settings.sms_settings import send_sms
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.email.email_body import get_message_id
from frappe.utils import add_to_date, cstr, now_datetime, validate_email_address

from crm_retention.backends.site import Busy, only_one
from crm_retention.care import texts
from crm_retention.care.acting import acting_as
from crm_retention.care.my_day import get_contacts
from crm_retention.care.people import may_tell
from crm_retention.care.rules import OWNER_FIELDS
from crm_retention.care.text_checks import Part, get_parts, get_reason
from crm_retention.care.text_values import get_values

if TYPE_CHECKING:
	from frappe.model.document import Document

LOCK = "retention_messages"
CHUNK = 100
STUCK_AFTER_MINUTES = 15
TIMEOUT = 60 * 60


class UndeliverableError(Exception):
	"""The message cannot leave; the text says why and names the party."""


class UnsubscribedError(Exception):
	"""The recipient does not want it."""


class NotConfiguredError(Exception):
	"""The site cannot send through this channel at all yet: messages wait."""


@dataclass(frozen=True)
class Due:
	"""A message whose day has come."""

	name: str
	party_type: str
	party: str
	sends: str


def enqueue_due() -> None:
	"""Called every few minutes: puts sending on the queue if anything is due or was left half-way."""
	settings = frappe.get_cached_doc("Retention Settings")
	if not settings.send_messages or not has_work(now_datetime()):
		return
	frappe.enqueue(
		"crm_retention.care.messages.run_sending",
		queue="long",
		timeout=TIMEOUT,
		job_id=LOCK,
		deduplicate=True,
	)


def has_work(at: datetime.datetime) -> bool:
	"""Whether any message is due or stands in Sending."""
	stuck = {"message_status": "Sending", "status": "Open"}
	return bool(get_due(at, 1) or frappe.db.exists("Touchpoint", stuck))


def run_sending() -> None:
	"""Body of the job. A second one at the same time leaves."""
	try:
		with only_one(LOCK):
			at = now_datetime()
			close_stuck(at)
			send_due(at)
	except Busy:
		return


def close_stuck(at: datetime.datetime) -> None:
	"""A worker died between the gateway and its record: a person decides."""
	before = add_to_date(at, minutes=-STUCK_AFTER_MINUTES)
	filters = {"message_status": "Sending", "modified": ("<", before)}
	error = _(
		"It is unknown whether the message left: the worker ended while sending. Ask before sending again."
	)
	frappe.db.set_value("Touchpoint", filters, {"message_status": "Failed", "message_error": error})
	frappe.db.commit()


def send_due(at: datetime.datetime) -> Counter[str]:
	"""Send what is due at a moment, the more important first; commits after each. Returns counts by outcome.

	The contact rules are asked again for a party's second message after its first one left.
	"""
	from crm_retention.care import governor

	outcomes: Counter[str] = Counter()
	for chunk in in_rounds(get_due(at)):
		stops = governor.check([due.name for due in chunk], at)
		frappe.db.commit()  # what the rules recorded
		for due in chunk:
			stop = stops.get(due.name)
			outcomes[hold_back(due, stop) if stop else send(due)] += 1
	return outcomes


def get_due(at: datetime.datetime, limit: int | None = None) -> list[Due]:
	"""Messages whose day has come, by priority, then day."""
	t, channel = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("Contact Channel")
	query = (
		frappe.qb.from_(t)
		.left_join(channel)
		.on(channel.name == t.channel)
		.select(t.name, t.party_type, t.party, channel.sends)
		.where((t.send_by_itself == 1) & (t.status == "Open") & (t.message_status == "Due"))
		.where(t.due_date <= at.date())
		.where(t.send_after.isnull() | (t.send_after <= at))
		.orderby(t.priority, order=frappe.qb.desc)
		.orderby(t.due_date)
		.orderby(t.name)
	)
	rows = query.limit(limit).run() if limit else query.run()
	return [Due(*row[:3], sends=row[3] or "") for row in rows]


def in_rounds(due: list[Due]) -> Iterator[list[Due]]:
	"""Chunks in which no party comes twice, in the order given."""
	rounds: dict[int, list[Due]] = {}
	seen: Counter[tuple[str, str]] = Counter()
	for one in due:
		party = (one.party_type, one.party)
		rounds.setdefault(seen[party], []).append(one)
		seen[party] += 1
	for number in sorted(rounds):
		rest = iter(rounds[number])
		while chunk := list(islice(rest, CHUNK)):
			yield chunk


def hold_back(due: Due, stop: Any) -> str:
	"""What a contact rule says: dropped for good, or tried again later."""
	doc = frappe.get_doc("Touchpoint", due.name, for_update=True)
	if doc.status != "Open" or doc.message_status != "Due":
		frappe.db.rollback()
		return "gone"
	dropped = stop.action == "Drop"
	if dropped:
		doc.status, doc.message_status, doc.rule = "Suppressed", "Stopped", stop.rule
		save(doc)
	else:
		until = stop.until or add_to_date(now_datetime(), days=1)
		text = _("Held back by the contact rule {0}.").format(stop.rule)
		doc.db_set({"rule": stop.rule, "send_after": until, "message_error": text})
	frappe.db.commit()
	return "dropped" if dropped else "postponed"


def send(due: Due) -> str:
	"""Send one message in the name of whoever answers for it; what goes wrong is rolled back, then stands there."""
	deliver = {"Email": send_by_email, "SMS": send_by_sms}.get(due.sends)
	try:
		if deliver is None:
			raise UndeliverableError(_("The channel cannot send messages by itself."))
		with acting_as(get_sender(frappe.get_doc("Touchpoint", due.name))):
			sent = deliver(due.name)
		frappe.db.commit()
		return "sent" if sent else "gone"
	except UnsubscribedError as error:
		return set_outcome(due, "Stopped", cstr(error))
	except NotConfiguredError as error:
		return set_outcome(due, "Due", cstr(error))
	except UndeliverableError as error:
		return set_outcome(due, "Failed", cstr(error))
	except Exception as error:
		frappe.db.rollback()
		frappe.log_error(title=f"Message of touchpoint {due.name}", reference_doctype="Touchpoint")
		text = _("{0}: the message could not be sent ({1}). The Error Log has the details.")
		return set_outcome(due, "Failed", text.format(due.party, type(error).__name__))


def get_sender(doc: Document) -> str:
	"""In whose name a message is filled in and sent: the responsible person, else the party's, else the site's.

	Never the scheduler's Administrator, who may read everything. Raises NotConfiguredError where there is nobody, and
	UndeliverableError for somebody who is disabled or may not read the party.
	"""
	user = doc.assigned_to or frappe.db.get_value(doc.party_type, doc.party, OWNER_FIELDS[doc.party_type])
	user = user or frappe.db.get_single_value("Retention Settings", "fallback_owner")
	if not user:
		raise NotConfiguredError(
			_("Messages wait: nobody is responsible for {0}, and the settings name no one.").format(doc.party)
		)
	if not may_tell(user, doc.party_type, doc.party):
		message = _("{0} is disabled or may not read {1} {2}.")
		raise UndeliverableError(message.format(user, _(doc.party_type), doc.party))
	return user


def set_outcome(due: Due, status: str, error: str) -> str:
	"""Record why it did not leave; the touchpoint stays open for a person, unless nobody wants the message."""
	frappe.db.rollback()
	doc = frappe.get_doc("Touchpoint", due.name, for_update=True)
	if doc.status == "Open" and doc.message_status in ("Due", "Sending"):
		if status == "Stopped":
			doc.status, doc.message_status, doc.message_error = "Suppressed", status, error
			save(doc)
		else:
			doc.db_set({"message_status": status, "message_error": error[:500]})
	frappe.db.commit()
	return {"Due": "waiting", "Stopped": "dropped"}.get(status, "failed")


def claim(name: str) -> bool:
	"""Take a message that is Due, as one statement: of two senders one gets it."""
	t = frappe.qb.DocType("Touchpoint")
	query = frappe.qb.update(t).set(t.message_status, "Sending").set(t.modified, now_datetime())
	query.where((t.name == name) & (t.status == "Open") & (t.message_status == "Due")).run()
	return frappe.db._cursor.rowcount > 0


def send_by_email(name: str) -> bool:
	"""Queue the mail and end the touchpoint, all in the caller's transaction."""
	if not EmailAccount.find_outgoing(match_by_doctype="Customer"):
		raise NotConfiguredError(_("Messages wait: the site has no outgoing Email Account."))
	if not claim(name):
		return False
	doc = frappe.get_doc("Touchpoint", name)
	recipient = get_email(doc)
	subject, content = render_email(doc)
	communication = create_communication(doc, recipient, subject, content)
	queued = frappe.sendmail(
		recipients=[recipient],
		subject=subject,
		content=content,
		reference_doctype=doc.party_type,
		reference_name=doc.party,
		unsubscribe_message=_("Unsubscribe"),
		message_id=communication.message_id,
		communication=communication.name,
		delayed=True,
	)
	if not queued:
		raise UnsubscribedError(_("{0} has unsubscribed from {1}.").format(recipient, doc.party))
	finish(doc, communication.name)
	return True


def create_communication(doc: Document, recipient: str, subject: str, content: str) -> Document:
	"""The mail in the party's timeline; an answer to it comes back to the same place."""
	account = EmailAccount.find_outgoing(match_by_doctype=doc.party_type)
	communication = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Sent",
			"subject": subject,
			"content": content,
			"sender": account.email_id,
			"recipients": recipient,
			"reference_doctype": doc.party_type,
			"reference_name": doc.party,
			"email_template": doc.email_template,
			"message_id": get_message_id().strip("<> "),
		}
	)
	communication.flags.skip_add_signature = True
	return communication.insert(ignore_permissions=True)


def render_email(doc: Document) -> tuple[str, str]:
	"""Subject and body from the Email Template, with what the user of the session may read."""
	if not doc.email_template:
		raise UndeliverableError(_("{0}: the touchpoint has no Email Template.").format(doc.party))
	parts = get_parts(frappe.get_doc("Email Template", doc.email_template))
	subject, content = fill_in(doc, *parts)
	return subject, content


def fill_in(doc: Document, *parts: Part) -> list[str]:
	"""Texts with the touchpoint's values. Raises UndeliverableError that names what is wrong, and in which."""
	try:
		values = get_values(doc, frappe.session.user)
	except texts.TextError as error:
		raise UndeliverableError(get_reason(doc.party, [cstr(error)])) from None
	results = []
	for label, text, kind in parts:
		try:
			results.append(texts.render(text, values, kind))
		except texts.TextError as error:
			fault = _("{0}: {1}").format(label, cstr(error))
			raise UndeliverableError(get_reason(doc.party, [fault])) from None
	return results


def get_email(doc: Document) -> str:
	"""The mail address of the party's primary contact. Raises UndeliverableError, UnsubscribedError."""
	contact = get_primary_contact(doc)
	if contact.unsubscribed:
		raise UnsubscribedError(_("{0} has unsubscribed.").format(contact.email_id or contact.name))
	address = contact.email_id or get_reach(doc, "email")
	if not address:
		raise UndeliverableError(_("{0} {1} has no email address.").format(_(doc.party_type), doc.party))
	if not validate_email_address(address):
		raise UndeliverableError(_("{0}: {1} is no email address.").format(doc.party, address))
	return address


def get_primary_contact(doc: Document) -> frappe._dict:
	"""name, email_id, mobile_no and unsubscribed of a customer's primary contact; empty where there is none."""
	if doc.party_type != "Customer":
		return frappe._dict()
	name = frappe.db.get_value("Customer", doc.party, "customer_primary_contact")
	fields = ["name", "email_id", "mobile_no", "unsubscribed"]
	return (frappe.db.get_value("Contact", name, fields, as_dict=True) if name else None) or frappe._dict()


def get_reach(doc: Document, kind: str) -> str | None:
	"""``email`` or ``phone`` of a party: its own, else of its contacts."""
	field = {"email": "email_id", "phone": "mobile_no"}[kind]
	own = frappe.db.get_value(doc.party_type, doc.party, field)
	row = frappe._dict(party_type=doc.party_type, party=doc.party)
	return own or get_contacts([row]).get((doc.party_type, doc.party), {}).get(kind)


def send_by_sms(name: str) -> bool:
	"""Claim and commit, call the gateway once, record. Raises UndeliverableError with what is known."""
	if not frappe.db.get_single_value("SMS Settings", "sms_gateway_url"):
		raise NotConfiguredError(_("Messages wait: SMS Settings name no gateway."))
	doc = frappe.get_doc("Touchpoint", name)
	number = get_primary_contact(doc).mobile_no or get_reach(doc, "phone")
	if not number:
		raise UndeliverableError(_("{0} {1} has no mobile number.").format(_(doc.party_type), doc.party))
	label = _(doc.meta.get_label("sms_text"))
	text = fill_in(doc, (label, doc.sms_text, texts.SMS))[0]
	if not text:
		raise UndeliverableError(_("{0}: the touchpoint has no SMS text.").format(doc.party))
	if not claim(name):
		return False
	frappe.db.commit()
	call_gateway(doc.party, number, text)
	finish(frappe.get_doc("Touchpoint", name, for_update=True), None, text)
	return True


def call_gateway(party: str, number: str, text: str) -> None:
	"""One call. Raises UndeliverableError: refused by the gateway, or unknown whether it left.

	What the call knows (its address may hold the account's password) stands in no error: those say it in other words.
	"""
	problem = ""
	try:
		send_sms([number], text, success_msg=False)
	except requests.HTTPError as error:
		status = getattr(error.response, "status_code", "")
		problem = _("{0}: the SMS gateway refused: {1}").format(party, status)
	except Exception as error:
		message = _("{0}: it is unknown whether the SMS left ({1}). Ask before sending again.")
		problem = message.format(party, type(error).__name__)
	if problem:
		raise UndeliverableError(problem)


def finish(doc: Document, communication: str | None, note: str | None = None) -> None:
	"""The message has left: the touchpoint is done, with its row in the interaction log."""
	doc.status, doc.message_status, doc.message_error = "Done", "Sent", None
	doc.communication, doc.minutes = communication, 0
	doc.note = doc.note or note
	save(doc)


def save(doc: Document) -> None:
	"""Save as the app, in the name of the responsible person."""
	doc.flags.by_app = True
	doc.flags.acting_user = doc.assigned_to
	doc.save(ignore_permissions=True)

"""What holds for a touchpoint however it is changed: by an action, in the form, on a board or over REST."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.utils import add_days, add_to_date, cint, cstr, get_datetime, getdate, now_datetime, nowdate

from crm_retention.arguments import OWN_REQUESTS
from crm_retention.care.completion import validate_facts
from crm_retention.care.people import may_care
from crm_retention.documents import is_posted, throw_field
from crm_retention.permissions import is_manager

if TYPE_CHECKING:
	from frappe.model.document import Document

OPEN = ("Open", "Waiting")
ENDED = ("Done", "Skipped", "Missed", "Suppressed", "Cancelled")
# what a person may set; the rest is the nightly run's and the contact rules'
BY_PEOPLE = ("Done", "Skipped", "Cancelled")
SERVICE_DAYS = 3
NEXT_STEP_DAYS = 7
DEFAULT_MINUTES = 30
# what a message says that nobody has begun to send
NOT_SENT = (None, "", "Due", "Stopped")
# read-only in forms, and yet a client's to give
GIVEN = {"request_id"}
OWNER_FIELDS = {"Customer": "account_manager", "Lead": "lead_owner"}
NAME_FIELDS = {"Customer": "customer_name", "Lead": "lead_name"}


class TouchpointEndedError(frappe.ValidationError):
	"""The touchpoint is no longer to be done. HTTP 409."""

	http_status_code = 409


def may_act(touchpoint: Any, user: str) -> bool:
	"""Whether ``user`` may act on a touchpoint: the responsible person, or a manager; anybody if it is nobody's."""
	return touchpoint.get("assigned_to") in (None, "", user) or is_manager(user)


def validate_may_act(touchpoint: Any, ignore_permissions: bool = False) -> None:
	"""Raises PermissionError for a touchpoint that is somebody else's."""
	if ignore_permissions or may_act(touchpoint, frappe.session.user):
		return
	message = _("This touchpoint is {0}'s: only they or a Retention Manager may change it.")
	frappe.throw(message.format(frappe.utils.get_fullname(touchpoint.assigned_to)), frappe.PermissionError)


def validate_may_delete(doc: Document) -> None:
	"""Only what was entered by mistake may be deleted: by hand, still open, and nobody acted on it.

	What has ended is history, and its key keeps a plan from making it again. Raises ValidationError.
	"""
	if doc.flags.by_app:
		return
	if doc.status in ENDED:
		message = _("{0} has ended as {1}: it is history and cannot be deleted.")
		frappe.throw(message.format(doc.name, _(doc.status, context="Touchpoint")))
	if doc.occurrence_key or doc.plan:
		frappe.throw(_("A plan made this touchpoint and would make it again: cancel it instead."))
	acts = ("times_rescheduled", "interaction", "communication", "note", "outcome")
	if any(doc.get(field) for field in acts) or doc.message_status not in NOT_SENT:
		frappe.throw(_("Somebody acted on this touchpoint: cancel it instead."))


def keep_to_the_app(doc: Document) -> None:
	"""What only the app says of a touchpoint is not taken from a person who enters one."""
	scripted = frappe.session.user == "Administrator" and not is_posted()
	if doc.flags.by_app or doc.flags.ignore_permissions or scripted:
		return
	for field in get_computed_fields():
		doc.set(field, None)


def restore_computed(doc: Document, before: Any) -> None:
	"""A form or client sends every field: what is read-only stays as it was."""
	if doc.flags.by_app:
		return
	for field in get_computed_fields():
		doc.set(field, before.get(field))


def validate_request(doc: Document, before: Any = None) -> None:
	"""Raises ValidationError for the request_id of what the app makes itself: it would not make it any more."""
	if doc.flags.by_app or (before and doc.request_id == before.request_id):
		return
	if cstr(doc.request_id).startswith(OWN_REQUESTS):
		throw_field(doc, "request_id", _("{0} is taken.").format(doc.request_id))


def get_computed_fields() -> list[str]:
	"""Fields that only the app writes."""
	fields = frappe.get_meta("Touchpoint").get("fields", {"read_only": 1})
	return [df.fieldname for df in fields if df.fieldname not in GIVEN]


def set_defaults(doc: Document) -> None:
	"""What the type says, where nothing was given; who cares for the party; the service level."""
	kind = frappe.get_cached_doc("Touchpoint Type", doc.touchpoint_type) if doc.touchpoint_type else None
	for field in ("channel", "department", "minutes", "cost", "priority") if kind else ():
		if not doc.get(field):
			doc.set(field, kind.get(field))
	if not doc.due_date:
		doc.due_date = getdate(doc.starts_at) if doc.starts_at else nowdate()
	set_service_date(doc)
	if doc.starts_at and not cint(doc.duration):
		doc.duration = cint(doc.minutes) or DEFAULT_MINUTES
	if not doc.assigned_to:
		doc.assigned_to = get_default_person(doc.party_type, doc.party)


def set_service_date(doc: Document) -> None:
	"""The service level counts from the due day; a person who sets another day for it says why."""
	usual = add_days(doc.due_date, SERVICE_DAYS)
	if not doc.service_date:
		doc.service_date = usual
	elif not doc.flags.by_app and getdate(doc.service_date) != getdate(usual):
		validate_service_date(doc, bool(cstr(doc.reason).strip()))


def validate_service_date(doc: Document, has_reason: bool) -> None:
	"""Raises MandatoryError without a reason, ValidationError for a day before the touchpoint is due."""
	if not has_reason:
		throw_field(doc, "reason", _("say why its service level is another day."), frappe.MandatoryError)
	if getdate(doc.service_date) < getdate(doc.due_date):
		throw_field(doc, "service_date", _("this is before the touchpoint is due."))


def get_default_person(party_type: str, party: str) -> str | None:
	"""Who cares for a party: its account manager, else whoever enters the touchpoint."""
	field = OWNER_FIELDS.get(party_type)
	responsible = frappe.db.get_value(party_type, party, field) if field and party else None
	if responsible and may_care(responsible, party_type, party):
		return responsible
	user = frappe.session.user
	return None if user in ("Administrator", "Guest") else user


def set_facts(doc: Document) -> None:
	"""Name of the party, title and tier, as lists show them."""
	if doc.party_type not in NAME_FIELDS:
		frappe.throw(
			_("{0}: {1} is no party; choose Customer or Lead.").format(_("Party Type"), doc.party_type)
		)
	name = frappe.db.get_value(doc.party_type, doc.party, NAME_FIELDS[doc.party_type])
	doc.party_name = name or doc.party
	doc.title = cstr(f"{_(doc.touchpoint_type, context='Touchpoint Type')}: {doc.party_name}")[:140]
	if not doc.tier:
		profile = {"party_type": doc.party_type, "party": doc.party}
		doc.tier = frappe.db.get_value("Retention Profile", profile, "tier")


def validate_new(doc: Document) -> None:
	"""A new touchpoint is to be done, by somebody who may see the party."""
	if doc.status not in OPEN and not doc.flags.by_app:
		message = _("{0}: a new touchpoint is Open. Log an interaction to record what is done already.")
		frappe.throw(message.format(_("Status")))
	validate_person(doc)


def validate_person(doc: Document) -> None:
	"""Raises ValidationError for a responsible person who cannot see the party."""
	if doc.assigned_to and not may_care(doc.assigned_to, doc.party_type, doc.party):
		message = _("{0}: {1} is disabled or may not read {2} {3}.")
		label = _(doc.meta.get_label("assigned_to"))
		frappe.throw(message.format(label, doc.assigned_to, _(doc.party_type), doc.party))


def validate_unchanged(doc: Document, before: Any) -> None:
	"""What has ended is history; to send the same again is no mistake. Raises TouchpointEndedError."""
	ignored = {"request_id", "next_step", "next_date", "title", "party_name", "tier"}
	for field in doc.meta.get_valid_columns():
		df = doc.meta.get_field(field)
		if df and field not in ignored and not same(df, doc.get(field), before.get(field)):
			throw_ended(before)
	for field in ignored:
		doc.set(field, before.get(field))


def same(df: Any, one: Any, other: Any) -> bool:
	"""Whether two values of a field are stored alike."""
	if df.fieldtype in ("Int", "Check"):
		return cint(one) == cint(other)
	if df.fieldtype in ("Float", "Currency"):
		return frappe.utils.flt(one) == frappe.utils.flt(other)
	if df.fieldtype == "Datetime" and one and other:
		return get_datetime(one) == get_datetime(other)
	return cstr(one).strip() == cstr(other).strip()


def throw_ended(touchpoint: Any) -> None:
	"""Says how it ended, when and by whom."""
	message = _("{0} has ended as {1}: it cannot be changed or opened again.")
	text = message.format(touchpoint.title or touchpoint.name, _(touchpoint.status, context="Touchpoint"))
	if touchpoint.completed_by:
		who, when = frappe.utils.get_fullname(touchpoint.completed_by), touchpoint.completed_on
		text += " " + _("By {0}, {1}.").format(who, frappe.format(when, "Datetime"))
	frappe.throw(text, TouchpointEndedError, title=_("Touchpoint Has Ended"))


def validate_open(doc: Document, before: Any) -> None:
	"""A touchpoint that stays to be done: a new day needs a reason, a new person must see the party."""
	if cstr(doc.assigned_to) != cstr(before.assigned_to):
		validate_person(doc)
	keep_times_together(doc, before)
	if getdate(doc.due_date) != getdate(before.due_date):
		reschedule(doc, before)
	elif cstr(doc.service_date) != cstr(before.service_date):
		change_service_date(doc, before)


def keep_times_together(doc: Document, before: Any) -> None:
	"""The day of a meeting is the due day, whichever of the two is moved."""
	if not doc.starts_at:
		return
	if not cint(doc.duration):
		doc.duration = cint(doc.minutes) or DEFAULT_MINUTES
	starts = get_datetime(doc.starts_at)
	if not before.starts_at or starts != get_datetime(before.starts_at):
		doc.due_date = starts.date()
	elif getdate(doc.due_date) != starts.date():
		doc.starts_at = datetime.datetime.combine(getdate(doc.due_date), starts.time())


def reschedule(doc: Document, before: Any) -> None:
	"""Another day, from today on and with a reason; the service level moves along."""
	if getdate(doc.due_date) < getdate(nowdate()):
		throw_field(doc, "due_date", _("{0} is past.").format(frappe.format(doc.due_date, "Date")))
	if not has_new_reason(doc, before):
		throw_field(doc, "reason", _("say why it is moved to another day."), frappe.MandatoryError)
	was = getdate(before.due_date) or getdate(doc.due_date)  # a stored day may be none that can be read
	moved = (getdate(doc.due_date) - was).days
	usual = add_days(was, SERVICE_DAYS)
	doc.service_date = add_days(before.service_date or usual, moved)
	doc.times_rescheduled = cint(before.times_rescheduled) + 1


def change_service_date(doc: Document, before: Any) -> None:
	"""Moved by hand, with a reason; an empty one is as it was."""
	if not doc.service_date:
		doc.service_date = before.service_date
	elif not doc.flags.by_app and getdate(doc.service_date) != getdate(before.service_date):
		validate_service_date(doc, has_new_reason(doc, before))


def has_new_reason(doc: Document, before: Any) -> bool:
	"""Whether a reason came with this change; one left from an earlier change is none."""
	return bool(cstr(doc.reason).strip()) and (doc.reason != before.reason or bool(doc.flags.reason_given))


def end(doc: Document, before: Any) -> None:
	"""The touchpoint ends with this save; raises ValidationError for what is missing, naming the field."""
	if doc.status not in BY_PEOPLE and not doc.flags.by_app:
		message = _("{0}: {1} is not set by hand; choose Done, Skipped or Cancelled.")
		frappe.throw(message.format(_("Status"), _(doc.status, context="Touchpoint")))
	doc.due_date, doc.starts_at, doc.service_date = before.due_date, before.starts_at, before.service_date
	if doc.status == "Done":
		validate_done(doc)
	elif doc.status in BY_PEOPLE and not has_new_reason(doc, before):
		throw_field(doc, "reason", _("say why it is not done."), frappe.MandatoryError)
	doc.open_key = None
	doc.completed_on = now_datetime()
	doc.completed_by = doc.flags.acting_user or frappe.session.user
	if doc.message_status == "Due":
		doc.message_status = "Stopped"


def validate_done(doc: Document) -> None:
	"""Done needs an outcome, and what the kind of interaction insists on."""
	if not doc.outcome and not doc.flags.by_app:
		throw_field(doc, "outcome", _("say what came of it."), frappe.MandatoryError)
	if doc.next_step and not doc.next_date:
		doc.next_date = add_to_date(nowdate(), days=NEXT_STEP_DAYS)
	if doc.next_date and not doc.next_step:
		throw_field(doc, "next_step", _("say what is to be done on that day."), frappe.MandatoryError)
	if doc.next_date and getdate(doc.next_date) < getdate(nowdate()):
		throw_field(doc, "next_date", _("{0} is past.").format(frappe.format(doc.next_date, "Date")))
	if not doc.flags.by_app:
		validate_facts(doc)

"""Log what happened with a customer or lead, and correct what was logged wrongly; for the desk, phones and other clients."""

from typing import Annotated, Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, getdate, now_datetime

from crm_retention.api.endpoint import BusyError, endpoint
from crm_retention.arguments import Day, Minutes, Moment, Name, Number, Prose, RequestId, Values, Word
from crm_retention.capture.match import complete_matching
from crm_retention.fields import read_fields
from crm_retention.fingerprint import get_fingerprint
from crm_retention.views.access import check_party, get_document

PROMISE_TYPE = "Promise"
CORRECTABLE = (
	"kind",
	"occurred_on",
	"channel",
	"direction",
	"department",
	"subject",
	"note",
	"outcome",
	"sentiment",
	"minutes",
	"cost",
	"contact",
	"attachment",
)
KEPT = (
	"party_type",
	"party",
	"user",
	"touchpoint",
	"reference_doctype",
	"reference_name",
	"latitude",
	"longitude",
)


@endpoint("POST")
def log_interaction(
	party_type: Name,
	party: Name,
	kind: Name,
	note: Prose | None = None,
	outcome: Word | None = None,
	minutes: Minutes | None = None,
	channel: Word | None = None,
	direction: Word | None = None,
	occurred_on: Moment | None = None,
	latitude: Annotated[float, Number(-90, 90)] | None = None,
	longitude: Annotated[float, Number(-180, 180)] | None = None,
	attachment: Prose | None = None,
	promise: Prose | None = None,
	promise_date: Day | None = None,
	request_id: RequestId | None = None,
) -> dict[str, Any]:
	"""Log an interaction by hand. Returns {name, promise, completed}.

	``minutes`` are the channel's usual ones and ``occurred_on`` is now unless given. ``promise`` makes an open
	touchpoint, due on ``promise_date``, and its name is returned; ``completed`` names the touchpoints that the
	interaction fulfilled. The same call with the same ``request_id`` returns what the first one did, another call is
	refused. Raises PermissionError, MandatoryError for a required fact, ValidationError otherwise.
	"""
	fingerprint = get_fingerprint("log_interaction", **locals())
	party = check_may_log(party_type, party)
	if done := get_done(request_id, fingerprint):
		return done
	validate_promise(promise, promise_date)
	values = {
		"party_type": party_type,
		"party": party,
		"kind": kind,
		"note": note,
		"outcome": outcome,
		"channel": channel or frappe.db.get_value("Interaction Kind", kind, "channel"),
		"direction": direction or "Out",
		"occurred_on": occurred_on or now_datetime(),
		"latitude": latitude,
		"longitude": longitude,
		"attachment": attachment,
		"request_id": request_id,
		"request_fingerprint": fingerprint,
	}
	values["minutes"] = get_usual_minutes(values["channel"]) if minutes is None else minutes
	try:
		row = frappe.get_doc({"doctype": "Interaction Log", **values}).insert()
	except frappe.UniqueValidationError:
		return get_done_meanwhile(request_id, fingerprint)
	made = create_promise(row, promise, promise_date) if promise else None
	completed = [pair.touchpoint for pair in complete_matching(row.creation) if pair.row == row.name]
	return {"name": row.name, "promise": made, "completed": completed}


@endpoint("POST")
def correct(name: Name, values: Values, request_id: RequestId | None = None) -> dict[str, str]:
	"""Log a row that takes the place of another one. Returns {name}.

	``values`` are the fields that were wrong, of ``CORRECTABLE``; the rest is taken over. The row itself stays, and
	counts no more. The kind Cancelled takes it back. Whoever logged it may correct it, and managers. A repeated
	``request_id`` is as in ``log_interaction``. Raises ValidationError when it has been corrected already,
	PermissionError.
	"""
	fingerprint = get_fingerprint("correct", **locals())
	row = get_document("Interaction Log", name)
	check_may_log(row.party_type, row.party)
	if done := get_done(request_id, fingerprint):
		return {"name": done["name"]}
	row.check_may_correct()
	right = read_fields("Interaction Log", values, CORRECTABLE)
	if right.get("contact") and right["contact"] != row.contact:
		right["contact"] = get_document("Contact", right["contact"]).name
	new = {
		"doctype": "Interaction Log",
		**{field: row.get(field) for field in (*CORRECTABLE, *KEPT)},
		**right,
		"supersedes": row.name,
		"request_id": request_id,
		"request_fingerprint": fingerprint,
	}
	try:
		return {"name": frappe.get_doc(new).insert(ignore_permissions=True).name}
	except frappe.UniqueValidationError:
		return {"name": get_done_meanwhile(request_id, fingerprint)["name"]}


def check_may_log(party_type: str, party: str) -> str:
	"""The party's name as stored. Raises PermissionError unless the user may read it and log interactions."""
	frappe.has_permission("Interaction Log", "create", throw=True)
	return check_party(party_type, party)


def get_done(request_id: str | None, fingerprint: str) -> dict[str, Any] | None:
	"""What the same request did before. Raises ValidationError where its identity was used for another one."""
	if not request_id:
		return None
	fields = ["name", "request_fingerprint"]
	row = frappe.db.get_value("Interaction Log", {"request_id": request_id}, fields, as_dict=True)
	if not row:
		return None
	if row.request_fingerprint != fingerprint:
		message = _("{0}: {1} was used for something else.")
		frappe.throw(message.format(_("Request"), frappe.utils.escape_html(request_id)))
	promise = frappe.db.get_value("Touchpoint", {"request_id": get_promise_id(row.name)})
	completed = frappe.get_all("Touchpoint", filters={"interaction": row.name}, pluck="name")
	return {"name": row.name, "promise": promise, "completed": completed}


def get_done_meanwhile(request_id: str | None, fingerprint: str) -> dict[str, Any]:
	"""What the same request did at the same time in another process, of which this transaction knows nothing yet."""
	frappe.db.rollback()
	frappe.clear_messages()
	done = get_done(request_id, fingerprint)
	if not done:
		frappe.throw(_("This request is at work already. Please try again."), BusyError)
	return done


def get_usual_minutes(channel: str | None) -> int:
	"""What a contact through this channel takes."""
	return cint(frappe.db.get_value("Contact Channel", channel, "minutes")) if channel else 0


def validate_promise(promise: str | None, promise_date: str | None) -> None:
	"""A promise has a day, and it is not over."""
	if not promise:
		return
	if not promise_date:
		frappe.throw(_("A promise needs a date."), frappe.MandatoryError)
	if getdate(promise_date) < getdate():
		frappe.throw(_("{0} is over: a promise is for later.").format(frappe.format(promise_date, "Date")))


def create_promise(row: Any, promise: str, promise_date: str | None) -> str:
	"""What was promised as a touchpoint of the party, found again by its request_id; returns its name."""
	touchpoint = frappe.new_doc("Touchpoint")
	touchpoint.update(
		{
			"party_type": row.party_type,
			"party": row.party,
			"touchpoint_type": get_promise_type(),
			"channel": row.channel,
			"department": row.department,
			"due_date": promise_date,
			"is_promise": 1,
			"why": cstr(promise)[:140],
			"instructions": promise,
			"request_id": get_promise_id(row.name),
		}
	)
	touchpoint.flags.by_app = True
	return touchpoint.insert(ignore_permissions=True).name


def get_promise_type() -> str:
	"""The type of promises; another one where the admin has removed it. Raises ValidationError without any."""
	types = frappe.get_all("Touchpoint Type", filters={"enabled": 1}, pluck="name", order_by="priority desc")
	if not types:
		frappe.throw(_("A promise needs a Touchpoint Type."))
	return PROMISE_TYPE if PROMISE_TYPE in types else types[0]


def get_promise_id(row: str) -> str:
	"""The request_id of the promise that a row left."""
	return f"promise|{row}"

"""Log what happened with a customer or lead, and correct what was logged wrongly; for the desk, phones and other clients."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, getdate, now_datetime

from crm_retention.api.profile import check_party
from crm_retention.capture.match import complete_matching

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


@frappe.whitelist(methods=["POST"])
def log_interaction(
	party_type: str,
	party: str,
	kind: str,
	note: str | None = None,
	outcome: str | None = None,
	minutes: int | None = None,
	channel: str | None = None,
	direction: str | None = None,
	occurred_on: str | None = None,
	latitude: float | None = None,
	longitude: float | None = None,
	attachment: str | None = None,
	promise: str | None = None,
	promise_date: str | None = None,
	request_id: str | None = None,
) -> dict[str, Any]:
	"""Log an interaction by hand. Returns {name, promise, completed}.

	``minutes`` are the channel's usual ones and ``occurred_on`` is now unless given. ``promise`` makes an open
	touchpoint, due on ``promise_date``, and its name is returned; ``completed`` names the touchpoints that the
	interaction fulfilled. A call that is repeated with the same ``request_id`` returns what the first one did.
	Raises PermissionError, MandatoryError for a required fact, ValidationError otherwise.
	"""
	check_may_log(party_type, party)
	done = get_done(request_id, party_type, party)
	if done:
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
		"request_id": request_id or None,
	}
	values["minutes"] = get_usual_minutes(values["channel"]) if minutes in (None, "") else cint(minutes)
	try:
		row = frappe.get_doc({"doctype": "Interaction Log", **values}).insert()
	except frappe.UniqueValidationError:
		return get_done_meanwhile(request_id, party_type, party)
	made = create_promise(row, promise, promise_date) if promise else None
	completed = [pair.touchpoint for pair in complete_matching(row.creation) if pair.row == row.name]
	return {"name": row.name, "promise": made, "completed": completed}


@frappe.whitelist(methods=["POST"])
def correct(name: str, values: dict[str, Any] | str, request_id: str | None = None) -> dict[str, str]:
	"""Log a row that takes the place of another one. Returns {name}.

	``values`` are the fields that were wrong, of ``CORRECTABLE``; the rest is taken over. The row itself stays, and
	counts no more. The kind Cancelled takes it back. Whoever logged it may correct it, and managers.
	Raises ValidationError when it has been corrected already, PermissionError.
	"""
	values = frappe.parse_json(values)
	wrong = sorted(set(values) - set(CORRECTABLE))
	if wrong:
		frappe.throw(_("{0} cannot be corrected.").format(", ".join(wrong)))
	row = frappe.get_doc("Interaction Log", name)
	row.check_permission("read")
	check_may_log(row.party_type, row.party)
	done = get_done(request_id, row.party_type, row.party)
	if done:
		return {"name": done["name"]}
	row.check_may_correct()
	taken = {field: row.get(field) for field in (*CORRECTABLE, *KEPT)}
	new = {
		"doctype": "Interaction Log",
		**taken,
		**values,
		"supersedes": name,
		"request_id": request_id or None,
	}
	return {"name": frappe.get_doc(new).insert(ignore_permissions=True).name}


def check_may_log(party_type: str, party: str) -> None:
	"""Raises PermissionError unless the user may read the party and log interactions."""
	check_party(party_type, party)
	frappe.has_permission("Interaction Log", "create", throw=True)


def get_done(request_id: str | None, party_type: str, party: str) -> dict[str, Any] | None:
	"""What the same request did before. Raises ValidationError for the request of somebody else or another party."""
	if not request_id:
		return None
	fields = ["name", "party_type", "party", "owner"]
	row = frappe.db.get_value("Interaction Log", {"request_id": request_id}, fields, as_dict=True)
	if not row:
		return None
	if (row.party_type, row.party, row.owner) != (party_type, party, frappe.session.user):
		frappe.throw(_("{0}: {1} was used for something else.").format(_("Request"), request_id))
	promise = frappe.db.get_value("Touchpoint", {"request_id": get_promise_id(row.name)})
	completed = frappe.get_all("Touchpoint", filters={"interaction": row.name}, pluck="name")
	return {"name": row.name, "promise": promise, "completed": completed}


def get_done_meanwhile(request_id: str | None, party_type: str, party: str) -> dict[str, Any]:
	"""What the same request did at the same time in another process, of which this transaction knows nothing yet."""
	frappe.db.rollback()
	done = get_done(request_id, party_type, party)
	if not done:
		frappe.throw(_("This request is at work already. Please try again."), frappe.ValidationError)
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

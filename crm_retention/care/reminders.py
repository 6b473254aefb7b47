"""Escalation: a touchpoint past its service level is shown, once, to the person's superior."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.utils import now, now_datetime

from crm_retention.care.people import may_care

CHUNK = 500


def escalate(as_of: datetime.date) -> int:
	"""Escalate what is past its service level on ``as_of`` and never was; returns how many. Commits by chunk.

	To the superior of the responsible person (Employee, reports to), else to every Retention Manager; never to
	somebody who may not read the party.
	"""
	done = 0
	managers = get_managers()
	while rows := get_late(as_of):
		notices = [notice for row in rows for notice in get_notices(row, managers)]
		insert_notices(notices)
		names = [row.name for row in rows]
		values = {"escalated_on": now_datetime()}
		frappe.db.set_value("Touchpoint", {"name": ("in", names)}, values, update_modified=False)
		frappe.db.commit()
		done += len(rows)
	return done


def get_late(as_of: datetime.date) -> list[frappe._dict]:
	"""Touchpoints past their service level with the superior's user, in one query and at most ``CHUNK``."""
	t = frappe.qb.DocType("Touchpoint")
	person, superior = (
		frappe.qb.DocType("Employee").as_("person"),
		frappe.qb.DocType("Employee").as_("superior"),
	)
	query = (
		frappe.qb.from_(t)
		.left_join(person)
		.on((person.user_id == t.assigned_to) & (person.status == "Active"))
		.left_join(superior)
		.on((superior.name == person.reports_to) & (superior.status == "Active"))
		.select(t.name, t.title, t.party_type, t.party, t.due_date, t.assigned_to)
		.select(superior.user_id.as_("superior"))
		.where((t.status == "Open") & (t.service_date < as_of) & t.escalated_on.isnull())
		.orderby(t.name)
		.limit(CHUNK)
	)
	unique = {row.name: row for row in query.run(as_dict=True)}  # a user may be two employees
	return list(unique.values())


def get_managers() -> list[str]:
	"""Enabled users with the role Retention Manager, without Administrator."""
	role, user = frappe.qb.DocType("Has Role"), frappe.qb.DocType("User")
	query = (
		frappe.qb.from_(role)
		.join(user)
		.on(user.name == role.parent)
		.select(user.name)
		.where((role.parenttype == "User") & (role.role == "Retention Manager"))
		.where((user.enabled == 1) & (user.name != "Administrator"))
		.orderby(user.name)
	)
	return [row[0] for row in query.run()]


def get_notices(row: Any, managers: Iterable[str]) -> list[dict[str, Any]]:
	"""Who is told of a late touchpoint, and what."""
	people = [row.superior] if row.superior and row.superior != row.assigned_to else []
	people = [user for user in people if may_care(user, row.party_type, row.party)]
	if not people:
		people = [user for user in managers if may_care(user, row.party_type, row.party)]
	return [
		{"for_user": user, "document_name": row.name, "subject": get_subject(row, user)} for user in people
	]


def get_subject(row: Any, user: str) -> str:
	"""In the reader's language."""
	language = frappe.get_cached_value("User", user, "language") or frappe.local.lang
	who = frappe.utils.get_fullname(row.assigned_to) if row.assigned_to else _("nobody", lang=language)
	text = _("Past its service level: {0}, due {1}, responsible {2}", lang=language)
	title, who = frappe.utils.escape_html(row.title), frappe.utils.escape_html(who)
	return text.format(title, frappe.format(row.due_date, "Date"), who)


def insert_notices(notices: list[dict[str, Any]]) -> None:
	"""Notification Log rows, in one statement."""
	if not notices:
		return
	stamp = now()
	fixed = {
		"type": "Alert",
		"document_type": "Touchpoint",
		"from_user": frappe.session.user,
		"read": 0,
		"creation": stamp,
		"modified": stamp,
		"owner": frappe.session.user,
		"modified_by": frappe.session.user,
	}
	rows = [{"name": frappe.generate_hash(length=10), **fixed, **notice} for notice in notices]
	frappe.db.bulk_insert("Notification Log", list(rows[0]), [list(row.values()) for row in rows])

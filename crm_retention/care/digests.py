"""Digests: each user's day in the morning, each manager's week on Monday, the team's figures in its chat.

That a digest went out is written in the same transaction as its mail, so nobody gets it twice and nobody none.
"""

from __future__ import annotations

import datetime
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from frappe.utils import add_days, flt, get_datetime, get_url, get_url_to_form, get_url_to_list
from pypika import Case

from crm_retention.backends.site import Busy, only_one
from crm_retention.care import meetings, reminders, robots
from crm_retention.care.acting import speaking_to
from crm_retention.care.my_day import get_my_day
from crm_retention.compat import get_desk_path
from crm_retention.jobs.runs import today
from crm_retention.permissions import only_where, touchpoint_query

LOCK = "retention_digests"
DAILY, WEEKLY, CHAT = "retention_daily_digest", "retention_weekly_digest", "retention_chat_digest"
MOST_ROWS = 30


def enqueue_daily() -> None:
	"""Called once a day: escalations and the digests of users and chats."""
	enqueue("run_daily")


def enqueue_weekly() -> None:
	"""Called once a week: the digests of managers."""
	if frappe.get_cached_doc("Retention Settings").weekly_digest:
		enqueue("run_weekly")


def enqueue(job: str) -> None:
	frappe.enqueue(
		f"crm_retention.care.digests.{job}", queue="long", job_id=f"retention_{job}", deduplicate=True
	)


def run_daily() -> None:
	"""Body of the daily job; done again it changes nothing."""
	settings = frappe.get_doc("Retention Settings")
	try:
		with only_one(LOCK):
			meetings.close_left_open()
			frappe.db.commit()
			reminders.escalate(today())
			if settings.daily_digest:
				send_daily(today())
			post_to_chats(today())
	except Busy:
		return


def run_weekly() -> None:
	"""Body of the weekly job; done again it changes nothing."""
	try:
		with only_one(LOCK):
			send_weekly(today())
	except Busy:
		return


def send_daily(as_of: datetime.date) -> int:
	"""A mail to everybody who has something to do or to look after; returns how many. Commits after each."""
	return sum(send_once(user, DAILY, as_of, get_daily) for user in get_people(as_of))


def send_weekly(as_of: datetime.date) -> int:
	"""A mail to every Retention Manager about the seven days before ``as_of``; returns how many."""
	return sum(send_once(user, WEEKLY, as_of, get_weekly) for user in reminders.get_managers())


def send_once(user: str, key: str, as_of: datetime.date, get_digest: Any) -> bool:
	"""Queue a user's mail and mark the day, in one transaction. False if there was nothing, or it went already."""
	if get_mark(user, key) == str(as_of):
		return False
	try:
		with speaking_to(user):
			digest = get_digest(user, as_of)
			if not digest:
				return False
			html = frappe.render_template("templates/emails/retention_digest.html", digest)
		queue_mail(user, digest["title"], html)
		set_mark(user, key, as_of)
		frappe.db.commit()
	except Exception:  # one user's failure is not another's
		frappe.db.rollback()
		frappe.log_error(title=f"Digest of {user}")
		return False
	return True


def queue_mail(user: str, subject: str, html: str) -> None:
	"""Into the Email Queue, to the user's own address."""
	address = frappe.db.get_value("User", user, "email")
	frappe.sendmail(recipients=[address], subject=subject, content=html, delayed=True, with_container=True)


def get_mark(user: str, key: str) -> str | None:
	"""The day of the last digest."""
	return frappe.db.get_value("DefaultValue", {"parent": user, "defkey": key}, "defvalue")


def set_mark(user: str, key: str, as_of: datetime.date) -> None:
	frappe.defaults.set_user_default(key, str(as_of), user)


def get_people(as_of: datetime.date) -> list[str]:
	"""Enabled users with open touchpoints in the week, promises, or escalations of the day."""
	t, user = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("User")
	soon = (t.due_date <= add_days(as_of, 6)) | (t.is_promise == 1)
	query = (
		frappe.qb.from_(t)
		.join(user)
		.on(user.name == t.assigned_to)
		.select(user.name)
		.distinct()
		.where((t.status == "Open") & soon & (user.enabled == 1) & (user.name != "Administrator"))
	)
	told = frappe.get_all(
		"Notification Log",
		filters={"document_type": "Touchpoint", "type": "Alert", "creation": (">=", get_datetime(as_of))},
		pluck="for_user",
		distinct=True,
	)
	return sorted({row[0] for row in query.run()} | set(told))


def get_daily(user: str, as_of: datetime.date) -> dict[str, Any] | None:
	"""What the mail shows: {title, intro, sections: [{title, rows: [{text, note, url}], more}], url}."""
	day = get_my_day(user, as_of)
	cards = day["cards"]
	parts = [
		(_("Overdue"), [card for card in cards if card["when"] == "overdue"]),
		(_("Today"), [card for card in cards if card["when"] == "today"]),
		(_("This Week"), [card for card in cards if card["when"] == "week"]),
		(_("Promises"), [card for card in cards if card["is_promise"] and card["when"] == "later"]),
	]
	sections = [as_section(title, [as_row(card) for card in rows]) for title, rows in parts if rows]
	if escalated := get_escalated(user, as_of):
		sections.insert(0, as_section(_("Escalated to You"), escalated))
	if not sections:
		return None
	remind(cards, as_of)
	counts = day["counts"]
	intro = _("{0} overdue, {1} due today, {2} hours.")
	hours = flt(day["minutes_today"] / 60, 1)
	return {
		"title": _("Your day: {0} to do").format(counts["overdue"] + counts["today"]),
		"intro": intro.format(counts["overdue"], counts["today"], hours),
		"sections": sections,
		"url": get_url(get_desk_path("my-day")),
		"link": _("Open My Day"),
	}


def as_section(title: str, rows: list[dict[str, str]]) -> dict[str, Any]:
	more = len(rows) - MOST_ROWS
	return {
		"title": title,
		"rows": rows[:MOST_ROWS],
		"more": _("and {0} more").format(more) if more > 0 else "",
	}


def as_row(card: Any) -> dict[str, str]:
	"""A touchpoint in one line."""
	due = frappe.format(card["due_date"], "Date")
	late = _("{0} days late").format(card["late_days"]) if card["late_days"] else due
	note = " · ".join(
		part
		for part in (
			late,
			card["tier"] and _(card["tier"], context="Customer Tier"),
			card["why"],
			card["phone"],
		)
		if part
	)
	return {"text": card["title"], "note": note, "url": get_url_to_form("Touchpoint", card["name"])}


def get_escalated(user: str, as_of: datetime.date) -> list[dict[str, str]]:
	"""What was escalated to a user on the day and is still open."""
	filters = {"for_user": user, "document_type": "Touchpoint", "type": "Alert"}
	names = frappe.get_all(
		"Notification Log", filters | {"creation": (">=", get_datetime(as_of))}, pluck="document_name"
	)
	fields = ["name", "title", "due_date", "assigned_to"]
	rows = frappe.get_list(
		"Touchpoint", {"name": ("in", names), "status": "Open"}, fields, order_by="due_date"
	)
	return [
		{
			"text": row.title,
			"note": f"{frappe.format(row.due_date, 'Date')} · {frappe.utils.get_fullname(row.assigned_to)}",
			"url": get_url_to_form("Touchpoint", row.name),
		}
		for row in rows
	]


def remind(cards: list[Any], as_of: datetime.date) -> None:
	"""Mark what the mail reminded of."""
	names = [card["name"] for card in cards if card["when"] in ("overdue", "today")]
	if names:
		values = {"name": ("in", names)}
		frappe.db.set_value("Touchpoint", values, "reminded_on", as_of, update_modified=False)


def get_weekly(_user: str, as_of: datetime.date) -> dict[str, Any] | None:
	"""A manager's week by person: done, missed, suppressed, overdue and hours, as far as they may see it."""
	rows = get_team(as_of)
	if not rows:
		return None
	start, end = add_days(as_of, -7), add_days(as_of, -1)
	return {
		"title": _("The week of customer care"),
		"intro": _("From {0} to {1}.").format(frappe.format(start, "Date"), frappe.format(end, "Date")),
		"table": {
			"head": [
				_("Person"),
				_("Done", context="Touchpoint"),
				_("Missed", context="Touchpoint"),
				_("Suppressed"),
				_("Overdue"),
				_("Hours"),
			],
			"rows": [[row["person"], *(row[key] for key in FIGURES)] for row in [*rows, get_total(rows)]],
		},
		"sections": [],
		"url": get_url_to_list("Touchpoint"),
		"link": _("Open Touchpoints"),
	}


FIGURES = ("done", "missed", "suppressed", "overdue", "hours")


def get_team(as_of: datetime.date) -> list[dict[str, Any]]:
	"""Figures of the seven days before ``as_of`` by person, in one query; who may not read a party misses it."""
	t = frappe.qb.DocType("Touchpoint")
	since, until = get_datetime(add_days(as_of, -7)), get_datetime(as_of)
	in_week = (t.completed_on >= since) & (t.completed_on < until)
	moved = (t.modified >= since) & (t.modified < until)
	late = (t.status == "Open") & (t.due_date < as_of)
	# the nightly run ends touchpoints without a person: those count by when it did
	ended = {
		status: (t.status == status) & (in_week | (t.completed_on.isnull() & moved))
		for status in ("Missed", "Suppressed")
	}

	def total(condition: Any, value: Any = 1) -> Any:
		return Sum(Case().when(condition, value).else_(0))

	done = (t.status == "Done") & in_week
	query = (
		frappe.qb.from_(t)
		.select(t.assigned_to, total(done).as_("done"), total(ended["Missed"]).as_("missed"))
		.select(total(ended["Suppressed"]).as_("suppressed"), total(late).as_("overdue"))
		.select((total(done, t.minutes) / 60).as_("hours"))
		.where(in_week | moved | late)
		.groupby(t.assigned_to)
	)
	rows = only_where(query, touchpoint_query()).run(as_dict=True)
	found = [as_figures(row) for row in rows]
	return sorted((row for row in found if any(row[key] for key in FIGURES)), key=lambda row: row["person"])


def as_figures(row: Any) -> dict[str, Any]:
	"""Plain numbers, and a name for nobody."""
	person = frappe.utils.get_fullname(row.assigned_to) if row.assigned_to else _("Nobody")
	return {"person": person, **{key: int(row[key] or 0) for key in FIGURES[:-1]}, "hours": flt(row.hours, 1)}


def get_total(rows: list[dict[str, Any]]) -> dict[str, Any]:
	return {"person": _("Total"), **{key: flt(sum(row[key] for row in rows), 1) for key in FIGURES}}


def post_to_chats(as_of: datetime.date) -> int:
	"""The team's figures of the day to every group robot, at most once a day; returns how many took it.

	No customer is named: a chat is outside of the site's permissions. The day is marked before the call, because a
	chat that took a message and did not answer would get it twice.
	"""
	done = 0
	found = robots.get_robots()
	text = get_chat_text(as_of) if found else ""
	for robot in found:
		key = f"{CHAT}:{robot.name}"[:140]
		if not text or frappe.db.get_default(key) == str(as_of):
			continue
		frappe.db.set_default(key, str(as_of))
		frappe.db.commit()
		problem = ""
		try:
			robots.post(robot, _("Customer care today"), text)
			done += 1
		except robots.RobotError as error:
			problem = str(error)
		if problem:  # logged with its words alone: a traceback is stored with everything that it passed
			frappe.log_error(title=problem[:140], message=problem)
			frappe.db.commit()
	return done


def get_chat_text(as_of: datetime.date) -> str:
	"""Open touchpoints by person, as lines of Markdown; empty if nobody has any."""
	t = frappe.qb.DocType("Touchpoint")
	query = (
		frappe.qb.from_(t)
		.select(
			t.assigned_to, Count("*").as_("due"), Sum(Case().when(t.due_date < as_of, 1).else_(0)).as_("late")
		)
		.where((t.status == "Open") & (t.due_date <= as_of))
		.groupby(t.assigned_to)
	)
	lines = []
	for row in sorted(query.run(as_dict=True), key=lambda row: (-row.late, row.assigned_to or "")):
		who = frappe.utils.get_fullname(row.assigned_to) if row.assigned_to else _("Nobody")
		lines.append("- " + _("{0}: {1} to do, {2} overdue").format(who, int(row.due), int(row.late)))
	return "\n".join(lines)

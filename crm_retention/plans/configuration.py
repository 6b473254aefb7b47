"""What the desk's forms say about plans, occasions, contact rules and people, read once into the engine's ``Care``."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, flt, get_time, getdate

from crm_retention.bounds import OF_FIELD
from crm_retention.configuration import get_conditions, get_trees
from crm_retention.engine.conditions import unreadable
from crm_retention.engine.config import Condition, ConfigError, parse
from crm_retention.engine.contact import AHEAD
from crm_retention.engine.errors import Problem
from crm_retention.engine.plans import Care, ContactRule, Occasion, Person, Plan, Step
from crm_retention.plans import occasions
from crm_retention.plans.quiet import get_weekdays, is_in_spans, parse_month_days
from crm_retention.plans.steps import describe_timing, translate
from crm_retention.plans.unseen import get_unseen
from crm_retention.usable import Usable

TIMING = {"Every": "every", "Buying Rhythm": "rhythm", "Occasion": "occasion", "Event": "event"}
OWNER = {
	"Account Manager": "manager",
	"Role, Round Robin": "round robin",
	"Role, Least Loaded": "least loaded",
	"User": "user",
}
DAYS = {"Days": 1, "Weeks": 7}
MONTHS = {"Months": 1, "Quarters": 3}
SATURDAY = 5
LONGEST_NUMBER = 9  # digits of a limit
PAST, FUTURE = 60, 400  # days around a run for which the days of an occasion are worked out


def get_care(as_of: datetime.date) -> Care:
	"""Plans, rules, occasions, people and calendars of this site as of a day, as far as they can be used."""
	return read_care(as_of)[0]


def read_care(as_of: datetime.date) -> tuple[Care, list[Problem]]:
	"""What can be used of plans, rules and occasions as of a day, and what cannot, naming table, row and field."""
	usable = Usable()
	settings = frappe.get_cached_doc("Retention Settings")
	horizon = get_horizon(usable, settings)
	plans = read_plans(usable)
	last = as_of + datetime.timedelta(days=horizon + AHEAD)
	rules = read_rules(as_of, last, usable)
	people = get_people(settings, plans, usable)
	care = Care(
		plans=plans,
		rules=rules,
		occasions=tuple(read_occasions(usable, as_of)),
		people=tuple(people),
		calendars=get_calendars(settings, people, as_of, last),
		horizon=horizon,
		fallback=settings.fallback_owner or None,
		begun=get_begun(as_of),
		trees=get_trees(get_plain_conditions([*plans, *rules])),
	)
	return care, usable.problems


def get_horizon(usable: Usable, settings: Any) -> int:
	"""Days ahead that are planned; what the settings say beyond bounds is brought within them."""
	days, (least, most) = cint(settings.planning_days), OF_FIELD["Retention Settings"]["planning_days"]
	if least <= days <= most:
		return days
	message = _("{0} is not from {1} to {2}").format(days, least, most)
	usable.problems.append(Problem("Retention Settings", "", "planning_days", message))
	return int(min(max(days, least), most))


def read_plans(usable: Usable) -> tuple[Plan, ...]:
	"""Plans that can be used, each without the steps that cannot. Members of one that cannot stay as they are."""
	documents = get_plan_docs()
	paused = {doc.plan_family for doc in documents if doc.status == "Paused"}
	plans = []
	for doc in documents:
		if usable.is_sound("plans", doc, rows=False):
			plan = usable.read("plans", doc.name, lambda doc=doc: get_plan(doc, paused, usable))
			plans += [plan] if plan else []
	return tuple(plans)


def read_rules(
	first: datetime.date, last: datetime.date, usable: Usable | None = None
) -> tuple[ContactRule, ...]:
	"""Contact rules that can be used, in their order; one that cannot holds nothing back."""
	usable = usable or Usable()
	rules = (
		usable.read("contact rules", doc.name, lambda doc=doc: get_rule(doc, first, last))
		for doc in get_rule_docs()
		if usable.is_sound("contact rules", doc)
	)
	return tuple(rule for rule in rules if rule)


def get_plan_docs() -> list[Any]:
	"""Submitted plans that run or are paused, and versions that still have members."""
	plan, enrollment = frappe.qb.DocType("Maintenance Plan"), frappe.qb.DocType("Plan Enrollment")
	members = frappe.qb.from_(enrollment).select(enrollment.plan).where(enrollment.open_key.isnotnull())
	running = plan.status.isin(["Active", "Paused"])
	old = (plan.status == "Superseded") & plan.name.isin(members)
	query = frappe.qb.from_(plan).select(plan.name).where((plan.docstatus == 1) & (running | old))
	return [frappe.get_doc("Maintenance Plan", name) for (name,) in query.orderby(plan.name).run()]


def get_plan(doc: Any, paused: Collection[str] = (), usable: Usable | None = None) -> Plan:
	"""A Maintenance Plan; all versions of the families in ``paused`` stand still.

	Where ``usable`` collects what is wrong, steps that cannot be used are left out.
	"""
	return Plan(
		name=doc.name,
		family=doc.plan_family,
		version=cint(doc.version_number),
		steps=tuple(read_steps(usable, doc) if usable else (get_step(row) for row in doc.steps)),
		priority=cint(doc.priority),
		tiers=tuple(row.tier for row in doc.tiers),
		stages=tuple(row.stage for row in doc.stages),
		conditions=usable_conditions(doc) if usable else read_conditions(doc),
		holdout=flt(doc.holdout_share) / 100,
		starts=getdate(doc.starts_on) if doc.starts_on else None,
		ends=getdate(doc.ends_on) if doc.ends_on else None,
		since=getdate(doc.since) if doc.since else None,
		paused=doc.plan_family in paused,
		current=doc.status != "Superseded",
	)


def read_steps(usable: Usable, doc: Any) -> Iterator[Step]:
	"""The steps of a plan that can be used."""
	for row in doc.steps:
		if usable.is_sound_row("plans", doc.name, row):
			place = _("{0}, row {1}").format(doc.name, row.idx)
			step = usable.read("plans", place, lambda row=row: get_step(row))
			if step:
				yield step


def usable_conditions(doc: Any) -> tuple[Condition, ...]:
	"""``read_conditions``, or the one that nobody can decide: a plan with it stands still and says why."""
	try:
		return read_conditions(doc)
	except ConfigError as error:
		return (unreadable("; ".join(problem.message for problem in error.problems)),)


def read_conditions(doc: Any) -> tuple[Condition, ...]:
	"""Both groups of conditions of a document as the engine has them, lists split and "is set" one word.

	Raises ConfigError for what the engine cannot read.
	"""
	return parse({"tiers": [{"name": "x", "rank": 1, "conditions": get_conditions(doc)}]}).tiers[0].conditions


def get_step(row: Any) -> Step:
	"""A row of a plan's steps; what it leaves open comes from its touchpoint type."""
	kind = get_type(row.touchpoint_type)
	channel = row.channel or kind.channel or None
	every = cint(row.every) if row.timing == "Every" else 0
	return Step(
		key=row.step_key,
		name=row.step_name,
		timing=TIMING[row.timing],
		touchpoint_type=row.touchpoint_type,
		nature=kind.nature or "Care",
		channel=channel,
		days=every * DAYS.get(row.unit, 0),
		months=every * MONTHS.get(row.unit, 0),
		rhythm=flt(row.rhythm) or 1.0,
		occasion=row.occasion or None,
		event=row.event.lower() if row.timing == "Event" else None,
		event_value=row.event_value or None,
		offset=cint(row.offset_days),
		owner_rule=OWNER[row.owner_rule],
		people=get_step_people(row),
		priority=cint(kind.priority),
		sends=bool(cint(row.send_by_itself)) and bool(channel and sends_by_itself(channel)),
		service_days=cint(row.service_level_days),
	)


def get_type(name: str) -> Any:
	"""A Touchpoint Type, from the cache."""
	return frappe.get_cached_doc("Touchpoint Type", name)


def sends_by_itself(channel: str) -> bool:
	"""Whether messages of a channel leave without a person."""
	return bool(frappe.get_cached_value("Contact Channel", channel, "sends"))


def get_step_people(row: Any) -> tuple[str, ...]:
	"""Enabled users of the step's role, or its one user."""
	if row.owner_rule == "User":
		return (row.user,) if row.user else ()
	return get_users_of(row.role) if row.role and row.owner_rule.startswith("Role") else ()


def get_users_of(role: str) -> tuple[str, ...]:
	"""Enabled people with a role; Administrator and Guest are nobody."""
	has, user = frappe.qb.DocType("Has Role"), frappe.qb.DocType("User")
	query = (
		frappe.qb.from_(has)
		.join(user)
		.on(has.parent == user.name)
		.select(user.name)
		.where((has.parenttype == "User") & (has.role == role) & (user.enabled == 1))
		.where(user.name.notin(["Administrator", "Guest"]))
		.orderby(user.name)
	)
	return tuple(dict.fromkeys(name for (name,) in query.run()))


def get_rule_docs() -> list[Any]:
	"""Enabled Contact Rules in their order."""
	names = frappe.get_all("Contact Rule", {"enabled": 1}, pluck="name", order_by="sequence, name", limit=0)
	return [frappe.get_cached_doc("Contact Rule", name) for name in names]


def get_rule(doc: Any, first: datetime.date, last: datetime.date) -> ContactRule:
	"""A Contact Rule; its quiet days are those from ``first`` to ``last``."""
	conditions = read_conditions(doc) if doc.kind == "Condition" else ()
	if doc.kind == "Condition" and not conditions:
		frappe.throw(_("without any condition, this rule would hold back everything"))
	maximum = get_number(doc.max_contacts)
	hours = (get_time(doc.from_time), get_time(doc.to_time)) if doc.kind == "Quiet Hours" else None
	return ContactRule(
		name=doc.name,
		kind=doc.kind.lower(),
		action=doc.action.lower(),
		channels=tuple(row.channel for row in doc.channels),
		types=tuple(row.touchpoint_type for row in doc.natures),
		nature=doc.nature or None,
		only_sent=bool(cint(doc.only_messages)),
		maximum=maximum,
		window=cint(doc.window_days) or 1,
		per_channel=bool(cint(doc.per_channel)),
		count_inbound=bool(cint(doc.count_inbound)),
		quiet=get_quiet_days(doc, first, last) if doc.kind == "Quiet Days" else frozenset(),
		hours=hours,
		opt_in=bool(cint(doc.opt_in)),
		case_kind=None if doc.case_kind == "Any" else "Complaint",
		cool_down=cint(doc.cool_down_days),
		conditions=conditions,
	)


def get_quiet_days(doc: Any, first: datetime.date, last: datetime.date) -> frozenset[datetime.date]:
	"""Every day from first to last on which a rule is quiet."""
	weekdays, spans = get_weekdays(doc.weekdays), parse_month_days(doc.month_days)
	days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
	quiet = {day for day in days if day.weekday() in weekdays or is_in_spans(day, spans)}
	return frozenset(quiet | (get_holidays(doc.holiday_list, first, last) if doc.holiday_list else set()))


def get_holidays(holiday_list: str, first: datetime.date, last: datetime.date) -> set[datetime.date]:
	"""The days off of a Holiday List."""
	filters = {"parent": holiday_list, "holiday_date": ("between", (first, last))}
	return {getdate(day) for day in frappe.get_all("Holiday", filters=filters, pluck="holiday_date", limit=0)}


def read_occasions(usable: Usable, as_of: datetime.date) -> Iterator[Occasion]:
	"""Enabled occasions that can be used."""
	for name in frappe.get_all(
		"Care Occasion", filters={"enabled": 1}, pluck="name", order_by="name", limit=0
	):
		occasion = usable.read("occasions", name, lambda name=name: get_occasion(name, as_of))
		if occasion:
			yield occasion


def get_occasion(name: str, as_of: datetime.date) -> Occasion:
	"""An occasion with its days around ``as_of``; that of a date field has them in the data.

	Raises ValueError for a day that no year has.
	"""
	doc = frappe.get_doc("Care Occasion", name)
	if doc.kind == "Date Field":
		check_date_field(doc)
	years = range(as_of.year - 1, as_of.year + 3)
	window = [day for day in get_days(doc, years) if -PAST <= (day - as_of).days <= FUTURE]
	return Occasion(doc.name, tuple(window), doc.leap_day != "1 March")


def check_date_field(doc: Any) -> None:
	"""Raises ValidationError where an occasion's date field is gone, or is no date any more."""
	known = frappe.db.exists("DocType", doc.document_type)
	df = frappe.get_meta(doc.document_type).get_field(doc.date_field) if known else None
	if not df or df.fieldtype not in ("Date", "Datetime"):
		frappe.throw(_("{0} has no date field {1}").format(_(doc.document_type), doc.date_field or ""))


def get_days(doc: Any, years: Iterable[int]) -> list[datetime.date]:
	"""The days of an occasion that is the same for everybody."""
	if doc.kind == "Fixed Date":
		return occasions.fixed_days(cint(doc.month), cint(doc.day), years, doc.leap_day or "28 February")
	if doc.kind == "Lunar Date":
		return occasions.lunar_days(cint(doc.month), cint(doc.day), years)
	if doc.kind == "Public Holiday":
		code = (frappe.get_cached_value("Country", doc.country, "code") or "").upper()
		return occasions.public_holidays(code, doc.holiday, years)
	return []


def get_people(settings: Any, plans: Iterable[Plan], usable: Usable) -> list[Person]:
	"""Everybody whom a touchpoint may fall to, with capacity and holiday list; enabled users only."""
	wanted = {user for plan in plans for step in plan.steps for user in step.people}
	wanted |= (
		set(get_managers())
		| set(get_holders())
		| ({settings.fallback_owner} if settings.fallback_owner else set())
	)
	filters = {"name": ("in", sorted(wanted)), "enabled": 1}
	enabled = (
		frappe.get_all("User", filters=filters, pluck="name", order_by="name", limit=0) if wanted else []
	)
	place = "Retention Settings"
	general = usable.read(place, "", lambda: get_number(settings.touchpoints_per_day))
	own = {
		row.user: usable.read(place, row.user, lambda row=row: get_number(row.touchpoints_per_day))
		for row in settings.capacities
		if row.touchpoints_per_day
	}
	calendars = get_calendar_names(enabled)
	return [
		Person(user, own.get(user, general), calendars.get(user, ""), get_unseen(user)) for user in enabled
	]


def get_managers() -> list[str]:
	"""Users who are responsible for any customer or lead."""
	customers = frappe.get_all(
		"Customer", {"account_manager": ("is", "set")}, pluck="account_manager", distinct=True
	)
	leads = frappe.get_all("Lead", {"lead_owner": ("is", "set")}, pluck="lead_owner", distinct=True)
	return [*customers, *leads]


def get_holders() -> list[str]:
	"""Users to whom a touchpoint was given that a contact rule postponed."""
	waiting = {"status": "Waiting", "assigned_to": ("is", "set")}
	return frappe.get_all("Touchpoint", waiting, pluck="assigned_to", distinct=True)


def get_limit(text: str | None) -> int | None:
	"""``get_number``, and none for what is stored there that is no number."""
	return Usable().read("Retention Settings", "", lambda: get_number(text))


def get_number(text: str | None) -> int | None:
	"""A limit as people write it: empty is none. Raises ValidationError for what is no whole number of 0 or more."""
	written = str(text or "").strip()
	if written and not (written.isascii() and written.isdigit() and len(written) <= LONGEST_NUMBER):
		frappe.throw(_("{0} is not a whole number").format(written[:LONGEST_NUMBER]))
	return int(written) if written else None


def get_calendar_names(users: list[str]) -> dict[str, str]:
	"""The Holiday List of each user who has one: of the employee, else of the employee's company."""
	if not users:
		return {}
	rows = frappe.get_all(
		"Employee",
		filters={"user_id": ("in", users), "status": "Active"},
		fields=["user_id", "holiday_list", "company"],
		limit=0,
	)
	names = {row.user_id: row.holiday_list or get_company_list(row.company) for row in rows}
	return {user: name for user, name in names.items() if name}


def get_company_list(company: str | None) -> str:
	"""The default Holiday List of a company."""
	if not company:
		return ""
	return frappe.get_cached_value("Company", company, "default_holiday_list") or ""


def get_calendars(
	settings: Any, people: Iterable[Person], first: datetime.date, last: datetime.date
) -> dict[str, frozenset[datetime.date]]:
	"""Days off by the name of the Holiday List; "" is the settings' list, else that of the default company.

	Where nobody made a list, Saturdays and Sundays are off.
	"""
	default = settings.holiday_list or get_company_list(frappe.defaults.get_global_default("company"))
	names = {person.calendar for person in people if person.calendar}
	found = {name: frozenset(get_holidays(name, first, last)) for name in names}
	days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
	weekends = frozenset(day for day in days if day.weekday() >= SATURDAY)
	found[""] = frozenset(get_holidays(default, first, last)) if default else weekends
	return found


def get_begun(as_of: datetime.date) -> frozenset[str]:
	"""Families that took members in before ``as_of``."""
	filters = {"from_date": ("<", as_of)}
	return frozenset(
		frappe.get_all("Plan Enrollment", filters=filters, pluck="plan_family", distinct=True, limit=0)
	)


def get_plain_conditions(rows: Iterable[Plan | ContactRule]) -> list[dict[str, Any]]:
	"""The conditions of plans and rules, for the trees that they ask for."""
	return [{"conditions": [[item.field, item.op, item.value] for item in row.conditions]} for row in rows]


def get_what(row: Any) -> str:
	"""What a step's touchpoint is, for its reader."""
	return translate(row.touchpoint_type, "Touchpoint Type")


def get_why(doc: Any, row: Any) -> str:
	"""Why a step's touchpoint is there, for its reader: the plan and when the step comes."""
	return f"{translate(doc.title, 'Maintenance Plan')}: {describe_timing(row)}"

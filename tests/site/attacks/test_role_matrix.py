"""Who reaches what: every kind of person against every method, document, list, count, report, card, chart and page.

``role_matrix.txt`` says what is promised. A cell has N for the customer within reach, F for the one beyond (a limited
colleague's promise is never to see an F), ``1/2`` for a number of a report, card or chart that counts one of two,
``+`` for an answer that is about no customer, ``-`` for an answer without anything, and ``x`` for a refusal. When a
right changes on purpose, the file does: the test prints what it found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frappe
import pytest
from frappe.client import get, get_count
from frappe.utils import add_days, nowdate

from tests.site.attacks.scene import (
	FAR,
	LIMITED,
	NEAR,
	OUTSIDERS,
	PEOPLE,
	SECRET,
	WITH_PARTY,
	acting_as,
	get_address,
	make_parties,
	make_people,
)
from tests.site.attacks.surface import (
	get_cards,
	get_charts,
	get_doctypes,
	get_methods,
	get_pages,
	get_reports,
)

PROMISED = Path(__file__).with_name("role_matrix.txt")
# the column in which a report counts
COUNTED = {
	"Contacts Held Back": "stops",
	"Interaction Gaps": "interactions",
	"Touchpoint Load": "touchpoints",
}
# how both customers fare while a card counts them
HEALTH = {"Healthy Customers": 80, "Unhealthy Customers": 20}
OF_PLANS_AT_WORK = ("make_new_version", "pause", "resume")
REFUSED = (frappe.PermissionError, frappe.DoesNotExistError, frappe.ValidationError)
RIGHTS = {"read": "r", "write": "w", "create": "c", "delete": "d", "submit": "s", "cancel": "k", "share": "h"}
TEXTS = {NEAR: (NEAR, "Nearby"), FAR: (FAR, SECRET)}
# the short paths of methods under which their calls stand below
API = "crm_retention.api."
OF_DOCTYPE = "crm_retention.crm_retention.doctype."


@pytest.fixture(scope="module")
def names():
	found = make_parties()
	make_people()
	found["Retention Run"] = {party: make_run() for party in (NEAR, FAR)}
	found["calls"] = {party: get_calls(found, party) for party in (NEAR, FAR)}
	return found


def make_run() -> str:
	run = frappe.new_doc("Retention Run")
	run.update({"kind": "Preview", "status": "Completed", "as_of": nowdate()})
	return run.insert(ignore_permissions=True).name


def get_calls(names: Any, party: str) -> dict[str, dict[str, Any]]:
	"""Arguments with which each method is called about a customer; all of them would be done if they were allowed."""
	of_party = {"party_type": "Customer", "party": party}
	touchpoint, log = names["Touchpoint"][party], names["Interaction Log"][party]
	plan = frappe.get_all("Maintenance Plan", {"title": "Attacked"}, pluck="name")[0]
	draft = {"doctype": "Maintenance Plan", **frappe.get_doc("Maintenance Plan", plan).as_dict(no_nulls=True)}
	later, each = add_days(nowdate(), 1), json.dumps([touchpoint])
	run = names["Retention Run"][party]
	return {
		API + "choices.search_document_types": {"txt": "Issue"},
		API + "choices.search_records": {"doctype": "Touchpoint"},
		API + "cycle.run_now": {},
		API + "cycle.preview": {},
		API + "cycle.progress": {"run": run},
		API + "handover.hand_over": {
			"from_user": "Administrator",
			"to_user": get_address("Retention User"),
			"parties": json.dumps([["Customer", party]]),
		},
		API + "handover.brief": of_party,
		API + "interactions.log_interaction": {**of_party, "kind": "Note", "note": "x"},
		API + "interactions.correct": {"name": log, "values": json.dumps({"note": "y"})},
		API + "my_day.my_day": {},
		API + "my_day.people": {},
		API + "plans.make_new_version": {"plan": plan},
		API + "plans.get_difference": {"plan": plan},
		API + "plans.pause": {"plan": plan},
		API + "plans.resume": {"plan": plan},
		API + "plans.get_forecast": {"doc": frappe.as_json(draft)},
		API + "plans.describe_steps": {"steps": frappe.as_json(draft["steps"])},
		API + "profile.explain": of_party,
		API + "timeline.get_view": of_party,
		API + "timeline.get_timeline": of_party,
		API + "touchpoints.complete": {"name": touchpoint, "outcome": "Reached", "note": "x"},
		API + "touchpoints.skip": {"name": touchpoint, "reason": "x"},
		API + "touchpoints.cancel": {"name": touchpoint, "reason": "x"},
		API + "touchpoints.reschedule": {"name": touchpoint, "due_date": later, "reason": "x"},
		API + "touchpoints.reassign": {"names": each, "user": "Administrator"},
		API + "touchpoints.complete_each": {"names": each, "outcome": "Reached"},
		API + "touchpoints.skip_each": {"names": each, "reason": "x"},
		API + "touchpoints.cancel_each": {"names": each, "reason": "x"},
		API + "touchpoints.reschedule_each": {"names": each, "due_date": later, "reason": "x"},
		API + "touchpoints.move": {"args": json.dumps({"name": touchpoint, "due_date": later})},
		API + "touchpoints.retry_message": {"name": touchpoint},
		API + "touchpoints.get_events": {"start": nowdate(), "end": later},
		OF_DOCTYPE + "customer_scorecard.customer_scorecard.get_criterion_options": {},
		OF_DOCTYPE + "retention_settings.retention_settings.get_signal_catalogue": {},
		OF_DOCTYPE + "care_occasion.care_occasion.get_holiday_names": {"country": "Germany"},
		OF_DOCTYPE + "retention_run.retention_run.get_preview": {"run": run},
		OF_DOCTYPE + "retention_run.retention_run.get_last_run_card": {},
	}


def test_every_method_has_its_row(names):
	assert sorted(names["calls"][NEAR]) == sorted(get_methods())


def test_every_kind_of_record_of_a_customer_is_in_the_scene():
	of_party = frappe.get_all(
		"DocField", {"fieldname": "party", "parent": ("in", get_doctypes())}, pluck="parent"
	)
	assert sorted(of_party) == sorted(WITH_PARTY)


def test_who_reaches_what_is_as_promised(names):
	found = as_text({row: [tell(person, ask) for person in PEOPLE] for row, ask in get_rows(names).items()})
	promised = PROMISED.read_text() if PROMISED.exists() else ""
	if found != promised:
		print(found)
	assert found.splitlines() == promised.splitlines()


def test_nobody_limited_and_no_outsider_is_promised_what_lies_beyond():
	"""The file itself keeps the promises, whoever edits it."""
	head, *rows = (line.rsplit("|", 1)[1].split() for line in PROMISED.read_text().splitlines())
	people = [person.replace(" ", "_") for person in PEOPLE]
	assert head == people
	for row in rows:
		cells = dict(zip(people, row, strict=True))
		assert not any("F" in cells[person.replace(" ", "_")] for person in (*LIMITED, *OUTSIDERS)), row
		assert not any("N" in cells[person.replace(" ", "_")] for person in OUTSIDERS), row
		assert_counts(cells, row)


def assert_counts(cells: dict[str, str], row: str) -> None:
	"""A number shows a hole only where the customer beyond is counted for somebody: those limited get less than all."""
	numbers = {person: cell.split("/") for person, cell in cells.items() if "/" in cell}
	for person in LIMITED:
		if numbers:
			counted, total = map(int, numbers[person.replace(" ", "_")])
			assert 0 < counted < total, row


def tell(person: str, ask: Callable[[], Any]) -> str:
	"""What somebody is answered, as a cell; what the request wrote is undone."""
	frappe.db.savepoint("cell")
	frappe.local.message_log = []
	try:
		with acting_as(person):
			answer = ask()
	except REFUSED:
		return "x"
	finally:
		frappe.db.rollback(save_point="cell")
		frappe.local.message_log = []
		frappe.local.response = frappe._dict(docs=[])
	return answer if isinstance(answer, Cell) else as_cell(answer)


class Cell(str):
	"""A cell that says by itself what was reached."""


def as_cell(answer: Any) -> str:
	"""N and F for the customers that an answer speaks of."""
	if answer in (None, [], {}, "", 0):
		return "-"
	text = answer if isinstance(answer, str) else frappe.as_json(answer)
	spoken_of = "".join(letter for letter, party in (("N", NEAR), ("F", FAR)) if speaks_of(text, party))
	return spoken_of or "+"


def speaks_of(text: str, party: str) -> bool:
	return any(word in text for word in TEXTS[party])


def get_rows(names: Any) -> dict[str, Callable[[], Any]]:
	"""Every question by the name of its row."""
	rows: dict[str, Callable[[], Any]] = {}
	for path in get_methods():
		rows[path.removeprefix("crm_retention.")] = lambda path=path: call_about_both(names, path)
	for doctype in get_doctypes():
		if frappe.get_meta(doctype).issingle:
			rows[f"rights {doctype}"] = lambda doctype=doctype: get_rights(doctype, doctype)
			continue
		rows[f"list {doctype}"] = lambda doctype=doctype: get_listed(doctype)
		rows[f"count {doctype}"] = lambda doctype=doctype: count(doctype)
		if doctype in WITH_PARTY:
			rows[f"open {doctype}"] = lambda doctype=doctype: open_both(names, doctype)
			rows[f"rights {doctype}"] = lambda doctype=doctype: get_rights_on_both(names, doctype)
		else:
			rows[f"rights {doctype}"] = lambda doctype=doctype: get_rights(doctype)
	for report in get_reports():
		rows[f"report {report}"] = lambda report=report: as_share(lambda: run_report(report))
	for card in get_cards():
		rows[f"card {card}"] = lambda card=card: show_card(card)
	for chart in get_charts():
		rows[f"chart {chart}"] = lambda chart=chart: as_share(lambda: show_chart(chart))
	for page in get_pages():
		rows[f"page {page}"] = lambda page=page: show_page(page)
	return rows


def call(method: str, **arguments: Any) -> Any:
	"""A whitelisted method as a request calls it; a website user is let in where guests are."""
	frappe.local.form_dict = frappe._dict(arguments, cmd=method)
	frappe.local.response = frappe._dict(docs=[])
	return frappe.call(method, **arguments)


def call_about_both(names: Any, path: str) -> Cell:
	"""Whom a method is done for: both customers are asked about in turn."""
	told = {party: ask_about(names, path, party) for party in (NEAR, FAR)}
	if set(told.values()) == {"x"}:
		return Cell("x")
	about = {letter for cell in told.values() for letter in cell if letter in "NF!"}
	return Cell("".join(sorted(about, key="NF!".index)) or ("+" if "+" in told.values() else "-"))


def prepare(names: Any, path: str, party: str) -> None:
	"""What a method can be done for only: a message that failed, a plan that is at work or paused."""
	if path == API + "touchpoints.retry_message":
		frappe.db.set_value("Touchpoint", names["Touchpoint"][party], "message_status", "Failed")
	if path.removeprefix(API + "plans.") in OF_PLANS_AT_WORK:
		status = "Paused" if path.endswith("resume") else "Active"
		at_work = {"docstatus": 1, "status": status, "paused_on": nowdate()}
		frappe.db.set_value("Maintenance Plan", {"title": "Attacked"}, at_work)
		frappe.clear_document_cache("Maintenance Plan", names["calls"][party][path]["plan"])


def ask_about(names: Any, path: str, party: str) -> str:
	frappe.db.savepoint("party")
	try:
		prepare(names, path, party)
		answer = call(path, **names["calls"][party][path])
	except REFUSED as error:
		return refused_with(error)
	finally:
		frappe.db.rollback(save_point="party")
	if did_nothing(answer):
		return refused_with(answer)
	cell = as_cell(answer)
	# what speaks of no customer by name was done for the one that was asked about
	named = {"args", "name", "names", "parties", "party"} & set(names["calls"][party][path])
	return ("N" if party == NEAR else "F") if named and cell in ("+", "-") and answer != {} else cell


def did_nothing(answer: Any) -> bool:
	"""Whether a method for many parties or touchpoints did it for none: they are refused, or left out."""
	done = isinstance(answer, dict) and ({"failed", "left_out"} & set(answer))
	return bool(done) and not (answer.get("done") or answer.get("parties"))


def refused_with(reason: Any) -> str:
	"""A refusal; one that speaks of the customer beyond to whoever may not read it is no promise that can be made."""
	told = frappe.as_json([str(reason), frappe.local.message_log])
	return "F!" if SECRET in told and not frappe.has_permission("Customer", "read", FAR) else "x"


def get_listed(doctype: str) -> Any:
	fields = [
		"name",
		*(
			["party", "party_name"]
			if has(doctype, "party_name")
			else ["party"]
			if has(doctype, "party")
			else []
		),
	]
	of_list = json.dumps([f"`tab{doctype}`.`{field}`" for field in fields])
	return call("frappe.desk.reportview.get", doctype=doctype, fields=of_list, filters="[]", page_length=500)


def has(doctype: str, field: str) -> bool:
	return bool(frappe.get_meta(doctype).has_field(field))


def count(doctype: str) -> Cell:
	if doctype not in WITH_PARTY:
		return Cell("+" if get_count(doctype) else "-")
	seen = {
		letter for letter, party in (("N", NEAR), ("F", FAR)) if get_count(doctype, filters={"party": party})
	}
	return Cell("".join(sorted(seen, key="NF".index)) or "-")


def open_both(names: Any, doctype: str) -> Cell:
	"""Which of the two records opens."""
	return Cell(
		"".join(
			letter for letter, party in (("N", NEAR), ("F", FAR)) if opens(doctype, names[doctype][party])
		)
		or "x"
	)


def opens(doctype: str, name: str) -> bool:
	try:
		return bool(get(doctype, name))
	except REFUSED:
		return False


def get_rights_on_both(names: Any, doctype: str) -> Cell:
	near, far = (get_rights(doctype, names[doctype][party]) for party in (NEAR, FAR))
	cells = [f"{letter}:{rights}" for letter, rights in (("N", near), ("F", far)) if rights != "x"]
	return Cell(",".join(cells) or "x")


def get_rights(doctype: str, name: str | None = None) -> Cell:
	"""The letters of what may be done with documents, or with one document."""
	meta = frappe.get_meta(doctype)
	asked = [kind for kind in RIGHTS if meta.is_submittable or kind not in ("submit", "cancel")]
	doc = frappe.get_doc(doctype, name) if name else None
	return Cell(
		"".join(RIGHTS[kind] for kind in asked if frappe.has_permission(doctype, kind, doc=doc)) or "x"
	)


def as_share(number: Callable[[], int]) -> Cell:
	"""How much of what there is somebody's number counts."""
	counted, user = number(), frappe.session.user
	frappe.set_user("Administrator")
	total = number()
	frappe.set_user(user)
	return Cell(f"{counted}/{total}")


def run_report(report: str) -> int:
	shown = call("frappe.desk.query_report.run", report_name=report, filters=json.dumps(get_filters(report)))
	return sum(row[COUNTED[report]] for row in shown["result"] if isinstance(row, dict))


def get_filters(report: str) -> dict[str, Any]:
	"""A period around today, which the four weeks from its first day reach too."""
	return {"from_date": add_days(nowdate(), -14), "to_date": add_days(nowdate(), 30)}


def show_card(card: str) -> Cell:
	doc = frappe.get_doc("Number Card", card).as_dict()
	if doc.type == "Custom":
		return Cell("+" if call(doc.method) is not None else "-")
	if card in HEALTH:
		frappe.db.set_value("Retention Profile", {"name": ("in", (NEAR, FAR))}, "health", HEALTH[card])
	of_card = {"doc": frappe.as_json(doc), "filters": doc.filters_json or "[]"}
	return as_share(
		lambda: int(call("frappe.desk.doctype.number_card.number_card.get_result", **of_card) or 0)
	)


def show_chart(chart: str) -> int:
	shown = call("frappe.desk.doctype.dashboard_chart.dashboard_chart.get", chart_name=chart, refresh=1)
	return int(sum(value for dataset in (shown or {}).get("datasets", []) for value in dataset["values"]))


def show_page(page: str) -> Any:
	call("frappe.desk.desk_page.getpage", name=page)
	return Cell("+")


def as_text(cells: dict[str, list[str]]) -> str:
	"""A line for each row, columns under each other."""
	head = {"": [person.replace(" ", "_") for person in PEOPLE]}
	rows = head | cells
	first = max(map(len, rows))
	widths = [max(len(row[number]) for row in rows.values()) for number in range(len(PEOPLE))]
	lines = (
		f"{name:{first}} | " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
		for name, row in rows.items()
	)
	return "".join(f"{line.rstrip()}\n" for line in lines)

"""Where texts are checked: when a touchpoint, a plan's step or a letter is saved, and once for all that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.utils import cint

from crm_retention import filters
from crm_retention.batches import read_in_batches
from crm_retention.care import texts
from crm_retention.care.rules import OPEN
from crm_retention.care.text_values import get_known
from crm_retention.engine.errors import Problem
from crm_retention.parties import PARTY_TYPES

if TYPE_CHECKING:
	from frappe.model.document import Document

Fault = tuple[str, str]
Part = tuple[str, str | None, str]  # what a text is called, the text, its kind
IN_USE = ("Draft", "Active", "Paused")


def get_row_faults(
	row: Any, party_types: Iterable[str] = PARTY_TYPES, but: tuple[str, ...] = ()
) -> Iterator[Fault]:
	"""(field, what is wrong) of the texts of a touchpoint or a plan's step, without the fields ``but``."""
	known = get_known(party_types)
	if row.sms_text and "sms_text" not in but:
		for fault in texts.get_faults(row.sms_text, known, texts.SMS):
			yield "sms_text", fault
	if row.email_template and "email_template" not in but:
		for fault in get_letter_faults(row.email_template, known):
			yield "email_template", fault


def get_letter_faults(name: str, known: texts.Known | None = None) -> Iterator[str]:
	"""What is wrong with a stored Email Template as a letter to customers."""
	if frappe.db.exists("Email Template", name):
		yield from get_faults_of_letter(frappe.get_cached_doc("Email Template", name), known or get_known())


def get_faults_of_letter(letter: Any, known: texts.Known) -> Iterator[str]:
	"""What is wrong with an Email Template, naming its fields."""
	for label, text, kind in get_parts(letter):
		for fault in texts.get_faults(text, known, kind):
			yield _("{0}: {1}").format(label, fault)


def get_parts(letter: Any) -> list[Part]:
	"""Subject and body of an Email Template."""
	body = "response_html" if cint(letter.use_html) else "response"
	return [
		(_(letter.meta.get_label(field)), letter.get(field), kind)
		for field, kind in (("subject", texts.SUBJECT), (body, texts.LETTER))
	]


def validate_touchpoint(doc: Document) -> None:
	"""What is written into a touchpoint must be a text; what was there before does not stop its work.

	Raises ValidationError naming field and variable.
	"""
	before = doc.get_doc_before_save()
	same = [name for name in ("sms_text", "email_template") if before and before.get(name) == doc.get(name)]
	faults = get_row_faults(doc, [doc.party_type], tuple(same))
	lines = [_("{0}: {1}").format(_(doc.meta.get_label(field)), fault) for field, fault in faults]
	filters.throw_faults(_(doc.doctype), lines)


def validate_letter(doc: Document, _method: str | None = None) -> None:
	"""An Email Template that plans or touchpoints send must stay a letter that they can send."""
	if doc.is_new() or not is_sent(doc.name):
		return
	lines = list(get_faults_of_letter(doc, get_known()))
	if lines:
		lines.append(_("Maintenance plans or touchpoints send this letter to customers."))
	filters.throw_faults(_("{0} {1}").format(_(doc.doctype), doc.name), lines)


def is_sent(letter: str) -> bool:
	"""Whether a plan in use or an open touchpoint sends an Email Template."""
	waiting = {"email_template": letter, "send_by_itself": 1, "status": ("in", OPEN)}
	if frappe.db.exists("Touchpoint", waiting):
		return True
	steps = {"email_template": letter, "parenttype": "Maintenance Plan"}
	plans = frappe.get_all("Maintenance Plan Step", steps, pluck="parent", distinct=True)
	return bool(
		plans and frappe.db.exists("Maintenance Plan", {"name": ("in", plans), "status": ("in", IN_USE)})
	)


def get_plan_problems(plans: Iterable[str]) -> list[Problem]:
	"""Texts that stored plans would send and that cannot be sent, for the run log."""
	return [
		Problem("plans", name, f"steps, {step.idx}, {field}", fault)
		for name in plans
		for step in frappe.get_doc("Maintenance Plan", name).steps
		if cint(step.send_by_itself)
		for field, fault in get_row_faults(step)
	]


def hold_back_stored() -> list[str]:
	"""Messages that wait with a text that cannot be sent become Failed, and say why; returns their names."""
	held: list[str] = []
	for row in get_waiting():
		unused = "email_template" if row.sends == "SMS" else "sms_text"
		faults = [fault for _field, fault in get_row_faults(row, [row.party_type], (unused,))]
		if faults:
			values = {"message_status": "Failed", "message_error": get_reason(row.party, faults)}
			frappe.db.set_value("Touchpoint", row.name, values, update_modified=False)
			held.append(row.name)
	return held


def get_waiting() -> Iterator[Any]:
	"""Touchpoints whose message is due some day, with what their channel sends."""
	t, channel = frappe.qb.DocType("Touchpoint"), frappe.qb.DocType("Contact Channel")
	query = (
		frappe.qb.from_(t)
		.left_join(channel)
		.on(channel.name == t.channel)
		.select(t.name, t.party_type, t.party, t.sms_text, t.email_template, channel.sends)
		.where((t.message_status == "Due") & t.status.isin(OPEN))
	)
	return read_in_batches(query, t.name)


def get_reason(party: str, faults: Iterable[str]) -> str:
	"""Why a message is held back, as it stands on its touchpoint."""
	return _("{0}: the text cannot be filled in: {1}").format(party, "; ".join(faults))[:500]


def comment_on_plans() -> list[str]:
	"""Plans in use with texts that cannot be sent say so in a comment; returns the lines that are new, for a log."""
	lines: list[str] = []
	for name in frappe.get_all("Maintenance Plan", {"status": ("in", IN_USE)}, pluck="name", limit=0):
		plan = frappe.get_doc("Maintenance Plan", name)
		faults = [
			_("{0}, row {1}, {2}: {3}").format(
				_(plan.meta.get_label("steps")), step.idx, _(step.meta.get_label(field)), fault
			)
			for step in plan.steps
			for field, fault in get_row_faults(step)
		]
		if faults and add_comment_once(plan, faults):
			lines += [f"{name}: {fault}" for fault in faults]
	return lines


def add_comment_once(plan: Document, faults: list[str]) -> bool:
	"""A comment with these lines; False if it is there already."""
	head = _("These texts cannot be sent as they are; their messages are held back:")
	text = "<br>".join(frappe.utils.escape_html(line) for line in [head, *faults])
	of_plan = {"reference_doctype": plan.doctype, "reference_name": plan.name, "comment_type": "Info"}
	if text in frappe.get_all("Comment", of_plan, pluck="content", limit=0):
		return False
	plan.add_comment("Info", text)
	return True

"""Configuration is no ladder: whoever makes something of documents or fields must be able to read them.

A source, signal or occasion copies what documents say to where many read it, and a condition tells whether a field
has a value. So what is new or changed in them, and what is switched on, is judged by the rights of whoever saves it;
what is stored and stays as it is runs on, and everything else about it may be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _
from frappe.utils import cstr, flt

from crm_retention import compat, filters
from crm_retention.closed_doctypes import why_closed
from crm_retention.filters import PARTY_PREFIX
from crm_retention.parties import PARTY_TYPES
from crm_retention.views.access import may_read_any

PARTY_CONDITIONS = "party_conditions_json"
CONDITIONS = ((PARTY_CONDITIONS, "Customer"), ("signal_conditions_json", "Retention Profile"))
# whose fields of the same names rules over customers ask for as well
ALSO_PARTIES = tuple(party_type for party_type in PARTY_TYPES if party_type != "Customer")


@dataclass(frozen=True)
class Reading:
	"""How a form says what it reads: ``doctype`` names the field with the document type, ``fields`` those that name its fields.

	``filters`` holds conditions over it; ``ways`` are further fields that decide which documents count, and as what.
	"""

	doctype: str
	fields: tuple[str, ...]
	ways: tuple[str, ...] = ()
	filters: str | None = None

	def watched(self) -> tuple[str, ...]:
		return (self.doctype, *self.fields, *self.ways)


READINGS = {
	"Interaction Source": Reading(
		"document_type",
		(
			"party_field",
			"party_type_field",
			"date_field",
			"minutes_field",
			"subject_field",
			"note_field",
			"user_field",
			"direction_field",
			"channel_field",
			"contact_field",
		),
		("handler", "party_type", "only_submitted"),
		"filters_json",
	),
	"Retention Signal": Reading(
		"source_doctype",
		("party_field", "date_field", "value_field"),
		("aggregate", "window_days", "only_submitted"),
		"filters_json",
	),
	"Care Occasion": Reading("document_type", ("party_field", "date_field"), ("kind",)),
}


def may_read_all(doctype: str) -> bool:
	"""Whether no document of a DocType is hidden from the user: by ownership, user permissions, or rules of an app."""
	if frappe.session.user == "Administrator":
		return True
	return may_read_any(doctype) and compat.get_permission_criterion(doctype) is None


def may_read_field(doctype: str, field: str, user: str | None = None) -> bool:
	"""Whether the user, who may read documents of this type, is shown this field of them. Passwords are shown to nobody.

	A field that is not there hides nothing: other checks refuse it.
	"""
	user = user or frappe.session.user
	meta = frappe.get_meta(doctype)
	df = meta.get_field(field)
	if not df:
		return not field.startswith("_")  # what the desk keeps beside the fields: comments, tags, assignments
	if df.fieldtype == "Password":
		return False
	if user == "Administrator":
		return True
	if df.permlevel not in meta.get_permlevel_access("read", user=user):
		return False
	# Frappe 16 shows masked fields to whoever has this right and to nobody else
	return not df.get("mask") or df.permlevel in meta.get_permlevel_access("mask", user=user)


def hides_field(doctype: str, field: str, user: str | None = None) -> bool:
	"""Whether documents of this type, where the user reads any, say less than this field does.

	Whoever has no role that reads the type may be shown single documents of it, with the fields that every reader sees.
	"""
	df = frappe.get_meta(doctype).get_field(field)
	is_plain = df and df.fieldtype != "Password" and not df.permlevel and not df.get("mask")
	if is_plain and not may_read_any(doctype, user):
		return False
	return not may_read_field(doctype, field, user)


def validate_reading(doc: Any, shipped: Iterable[dict[str, Any]] = ()) -> None:
	"""Refuse a source, signal or occasion that reads, newly or otherwise than before, what the user may not.

	``shipped`` are the app's own definitions: what reads exactly as one of them is the app's to answer for. Raises
	ValidationError for DocTypes that are closed to everybody, PermissionError for what the user may not read.
	"""
	reading = READINGS[doc.doctype]
	doctype = doc.get(reading.doctype)
	if not doctype or not is_read_anew(doc, reading):
		return
	label = _(doc.meta.get_label(reading.doctype))
	if reason := why_closed(doctype):
		message = _("{0} cannot be used here: {1}").format(_(doctype), reason)
		filters.throw_faults(get_title(doc), [_("{0}: {1}").format(label, message)])
	if not any(reads_the_same(doc, row, reading) for row in shipped):
		refuse(doc, get_reading_faults(doc, reading, doctype, label))


def is_read_anew(doc: Any, reading: Reading) -> bool:
	"""Whether anything is read that was not, or was read otherwise, or not while it was switched off."""
	before = doc.get_doc_before_save()
	return not before or is_switched_on(doc, before) or not reads_the_same(doc, before, reading)


def reads_the_same(doc: Any, other: Any, reading: Reading) -> bool:
	"""Whether two forms, or a form and plain values, read the same of the same documents."""
	if any(is_other(doc.get(name), get_value(other, name, doc)) for name in reading.watched()):
		return False
	return not reading.filters or is_same_list(doc.get(reading.filters), other.get(reading.filters))


def get_value(other: Any, name: str, doc: Any) -> Any:
	"""A value of the other one; where plain values leave a field out, its default."""
	if isinstance(other, dict) and name not in other:
		return doc.meta.get_field(name).default
	return other.get(name)


def is_switched_on(doc: Any, before: Any) -> bool:
	"""Whether a rule comes into force by this save."""
	return any(
		doc.get(flag) and not before.get(flag)
		for flag in ("enabled", "is_active")
		if doc.meta.has_field(flag)
	) or (before.docstatus == 0 and doc.docstatus == 1)


def is_other(value: Any, stored: Any) -> bool:
	"""Whether two values of a form differ; nothing is nothing, however it is written."""
	nothing = (None, "", 0, "0")
	return cstr("" if value in nothing else value) != cstr("" if stored in nothing else stored)


def is_same_list(text: str | None, stored: str | None) -> bool:
	"""Whether two JSON fields hold the same conditions, however they are written."""
	try:
		return filters.read(text) == filters.read(stored)
	except ValueError:
		return False


def get_reading_faults(doc: Any, reading: Reading, doctype: str, label: str) -> Iterator[str]:
	if not may_read_any(doctype):
		yield _("{0}: {1}").format(label, _("you may not read {0}").format(_(doctype)))
		return
	if not may_read_all(doctype):
		message = _("some documents of the type {0} are hidden from you, and all of them would be read")
		yield _("{0}: {1}").format(label, message.format(_(doctype)))
	for name in reading.fields:
		if doc.get(name) and not is_shown(doctype, doc.get(name)):
			yield _("{0}: {1}").format(_(doc.meta.get_label(name)), get_hidden(doctype, doc.get(name)))
	if reading.filters:
		yield from get_row_faults(doc, reading.filters, doctype)


def is_shown(doctype: str, field: str) -> bool:
	"""Whether the user may read a field, and for a dynamic link what says of which type it is."""
	df = frappe.get_meta(doctype).get_field(field)
	also = df.options if df and df.fieldtype == "Dynamic Link" else None
	return may_read_field(doctype, field) and (not also or may_read_field(doctype, also))


def get_hidden(doctype: str, field: str) -> str:
	meta = frappe.get_meta(doctype)
	label = _(meta.get_label(field)) if meta.has_field(field) else field
	return _("you may not read the field {0} of {1}").format(label, _(doctype))


def get_row_faults(doc: Any, field: str, doctype: str) -> Iterator[str]:
	"""Rows of a list of conditions over fields that the user may not read."""
	for index, name in enumerate(get_fields(doc.get(field)), 1):
		for hiding in get_hiding(doctype, name, as_party=field == PARTY_CONDITIONS):
			meta = frappe.get_meta(hiding)
			label = _(meta.get_label(name)) if meta.has_field(name) else name
			row = _("condition {0} ({1}): {2}").format(index, label, get_hidden(hiding, name))
			yield _("{0}, {1}").format(_(doc.meta.get_label(field)), row)
			break


def get_hiding(doctype: str, field: str, as_party: bool) -> Iterator[str]:
	"""The DocTypes of which a rule would tell this field and the user may not read it.

	A rule over customers (``as_party``) is one over leads too, where they have a field of that name.
	"""
	if not may_read_field(doctype, field):
		yield doctype
	for other in ALSO_PARTIES if as_party else ():
		if frappe.get_meta(other).has_field(field) and hides_field(other, field):
			yield other


def get_fields(text: str | None) -> list[str]:
	"""The fields that a list of conditions asks for; of what is no such list, none: it is refused elsewhere."""
	try:
		return [cstr(row[1]) for row in filters.read(text)]
	except ValueError:
		return []


def validate_conditions(doc: Any, before: Any = None) -> None:
	"""Refuse conditions of a tier, stage, plan or contact rule over fields that the user may not read.

	``before`` is the rule as it is stored, where it is not the document's own memory. Raises PermissionError.
	"""
	before = before or doc.get_doc_before_save()
	on = not before or is_switched_on(doc, before) or is_other(doc.get("kind"), before.get("kind"))
	refuse(doc, get_condition_faults(doc, [] if on else [before]))


def get_condition_faults(doc: Any, stored: list[Any]) -> Iterator[str]:
	for field, doctype in CONDITIONS:
		if not get_fields(doc.get(field)) or any(
			is_same_list(doc.get(field), before.get(field)) for before in stored
		):
			continue
		if not may_read_any(doctype):
			message = _("you may not read {0}").format(_(doctype))
			yield _("{0}: {1}").format(_(doc.meta.get_label(field)), message)
		else:
			yield from get_row_faults(doc, field, doctype)


def validate_criteria(card: Any) -> None:
	"""Refuse a scorecard that weighs, newly or otherwise than before, fields that the user may not read.

	All criteria are judged: whatever is taken away or added changes how much of the others shows in the score.
	"""
	before = card.get_doc_before_save()
	same = (
		before and get_weighing(card) == get_weighing(before) and not is_other(card.purpose, before.purpose)
	)
	if same and not is_switched_on(card, before):
		return
	refuse(card, get_criterion_faults(card))


def get_weighing(card: Any) -> list[tuple[Any, ...]]:
	"""What decides the score, comparable."""
	rows = [(row.signal, flt(row.weight), row.method, row.direction, row.missing) for row in card.criteria]
	return rows + [
		(band.signal, band.from_value or "", band.to_value or "", flt(band.score)) for band in card.bands
	]


def get_criterion_faults(card: Any) -> Iterator[str]:
	label = _(frappe.get_meta("Customer Scorecard Criterion").get_label("signal"))
	for row in card.criteria:
		doctype, field = get_place(row.signal)
		hiding = next(get_hiding(doctype, field, doctype == "Customer"), None)
		if hiding or not may_read_any(doctype):
			place = _("{0}, row {1}, {2}").format(_(card.meta.get_label("criteria")), row.idx, label)
			yield _("{0}: {1}").format(place, get_hidden(hiding or doctype, field))


def get_place(name: str, party_type: str = "Customer") -> tuple[str, str]:
	"""DocType and field behind a name that rules use."""
	if name.startswith(PARTY_PREFIX):
		return party_type, name.removeprefix(PARTY_PREFIX)
	return "Retention Profile", name


def only_shown(options: Iterable[dict[str, str]]) -> list[dict[str, str]]:
	"""Choices of a scorecard (see ``catalogue``) without fields that the user may not read."""
	readable = {doctype: may_read_any(doctype) for doctype in ("Customer", "Retention Profile")}
	places = [(option, *get_place(option["value"])) for option in options]
	return [
		row
		for row, doctype, field in places
		if readable[doctype] and not any(get_hiding(doctype, field, doctype == "Customer"))
	]


def hide_values(explained: dict[str, Any], party_type: str) -> None:
	"""Take out of an explained profile the values of fields that its reader may not read; ``hidden`` says where."""
	hides = get_hider(party_type)
	next_tier = explained.get("next_tier") or {}
	rules = [*explained["tiers"], *explained["stages"], next_tier]
	for item in (item for rule in rules for item in rule.get("conditions", ())):
		if hides(item["field"]):
			item.update(actual=None, hidden=True)
	for item in (item for card in explained["scorecards"] for item in card["criteria"]):
		if hides(item["signal"]):
			item.update(value=None, hidden=True)
	if next_tier:
		next_tier["needed"] = [item for item in next_tier["needed"] if not hides(item["signal"])]
	explained["signals"] = [item for item in explained["signals"] if not hides(item["name"])]


def get_hider(party_type: str) -> Callable[[str], bool]:
	"""Whether a field by this name in rules is one that the user may not read; names that are no field hide nothing."""

	def hides(name: str) -> bool:
		doctype, field = get_place(name, party_type)
		return frappe.get_meta(doctype).has_field(field) and not may_read_field(doctype, field)

	return hides


def refuse(doc: Any, faults: Iterable[str]) -> None:
	"""Raises PermissionError with one line a fault."""
	lines = [frappe.utils.escape_html(line) for line in faults]
	if lines:
		frappe.throw("<br>".join(lines), frappe.PermissionError, title=get_title(doc))


def get_title(doc: Any) -> str:
	return _("{0} {1}").format(_(doc.doctype), doc.name or "")

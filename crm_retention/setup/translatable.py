"""Texts to translate that stand in data and not in ``_()``: extractors for `bench generate-pot-file`.

``babel_extractors.csv`` names them. Names of tiers, stages, signals and fields have a DocType as context, which forms
ask for first: a tier and a stage that share a name in English need not do so in other languages, and the weight of a
criterion is no weight in kilograms. Without context the word stays what the platform has for it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

Message = tuple[None, str, str | tuple[str, str], list[str]]


def extract_doctype(fileobj: Any, *args: Any, **options: Any) -> Iterator[Any]:
	"""What Frappe extracts from a DocType, and labels and choices with the DocType as context, as Frappe 16 does."""
	from frappe.gettext.extractors.doctype import extract

	yield from extract(fileobj, *args, **options)
	fileobj.seek(0)
	doctype = json.load(fileobj)
	for field in doctype.get("fields", ()):
		choices = field.get("options", "").split("\n") if field["fieldtype"] == "Select" else []
		for text in filter(None, (field.get("label"), *choices)):
			yield message(text, f"Field {field['fieldname']}", context=doctype["name"])


def extract_number_card(fileobj: Any, *_args: Any, **_options: Any) -> Iterator[Message]:
	"""The label of a Number Card."""
	yield message(json.load(fileobj)["label"], "Label of a number card")


def extract_dashboard_chart(fileobj: Any, *_args: Any, **_options: Any) -> Iterator[Message]:
	"""The name of a Dashboard Chart, which is its title."""
	yield message(json.load(fileobj)["chart_name"], "Name of a chart")


def extract_custom_fields(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""Labels of the fields on other apps' DocTypes."""
	from crm_retention.setup.custom_fields import CUSTOM_FIELDS

	for doctype, fields in CUSTOM_FIELDS.items():
		for field in fields:
			if label := field.get("label"):
				yield message(label, f"Label of a field in {doctype}", context=doctype)


def extract_defaults(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""Names and descriptions of the tiers, stages and scorecards of a new site."""
	from crm_retention.setup.defaults import ABOUT, DEFAULTS

	for card in DEFAULTS["scorecards"]:
		yield message(card["name"], "Scorecard of a new site")
	for key, doctype in (("tiers", "Customer Tier"), ("stages", "Lifecycle Stage")):
		for row in DEFAULTS[key]:
			yield from seed(doctype, row["name"])
			for field, text in ABOUT[key].get(row["name"], {}).items():
				if field not in ("frequency", "colour"):
					yield message(text, f"{doctype} {row['name']}", context=doctype)


def extract_page(fileobj: Any, *_args: Any, **_options: Any) -> Iterator[Message]:
	"""The title of a Page, by which people search it."""
	yield message(json.load(fileobj)["title"], "Title of a page")


def extract_sidebar(fileobj: Any, *_args: Any, **_options: Any) -> Iterator[Message]:
	"""The labels of a sidebar of Frappe 16."""
	for item in json.load(fileobj)["items"]:
		yield message(item["label"], "Label in the sidebar")


def extract_interaction_defaults(fileobj: Any, *_args: Any, **_options: Any) -> Iterator[Message]:
	"""Names of the channels, kinds and sources of interactions of a new site."""
	from crm_retention.setup.interaction_defaults import CHANNELS, KINDS

	for row in CHANNELS:
		yield from seed("Contact Channel", row["channel_name"])
	for row in KINDS:
		yield from seed("Interaction Kind", row["kind_name"])
	# read, not called: which sources there are depends on the site
	for call in (node for node in ast.walk(ast.parse(fileobj.read())) if isinstance(node, ast.Call)):
		maker = call.func.id if isinstance(call.func, ast.Name) else ""
		if maker in ("source", "document", "letter") and isinstance(call.args[0], ast.Constant):
			yield from seed("Interaction Source", call.args[0].value)


def extract_care_defaults(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""Names of the touchpoint types, occasions, rules, plans and steps of a new site, and why a rule holds back.

	Letters and instructions are content: whoever runs the site writes them.
	"""
	from crm_retention.setup import care_defaults as defaults

	for row in defaults.TYPES:
		yield from seed("Touchpoint Type", row["type_name"])
	for row in defaults.OCCASIONS:
		yield from seed("Care Occasion", row["occasion_name"])
	for row in defaults.RULES:
		yield from seed("Contact Rule", row["rule_name"])
		yield message(row["because"], f"Contact Rule {row['rule_name']}")
	for plan in (*defaults.PLANS, defaults.make_greetings([])):
		yield from seed("Maintenance Plan", plan["title"])
		for step in plan["steps"]:
			yield from seed("Maintenance Plan Step", step["step_name"])


def extract_approval(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""The workflow of plans with its states and actions, which the platform shows without context."""
	from crm_retention.setup.approval import ACTION, NAME, STATE

	for name in (NAME, STATE, ACTION):
		yield message(name, "Workflow of plans")


def extract_boards(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""The board of touchpoints."""
	from crm_retention.setup.boards import BOARD

	yield message(BOARD, "Kanban board of a new site")


def extract_signals(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""Labels, units, definitions and sources of the standard signals."""
	from crm_retention.engine.signals import SIGNALS

	for signal in SIGNALS:
		comment = f"Signal {signal.name}"
		yield message(signal.label, comment, context="Retention Profile")
		yield message(signal.definition, comment)
		yield message(signal.unit, comment, context="Retention Signal")
		yield message(signal.source.title(), comment, context="Retention Signal")


def extract_steps(*_args: Any, **_options: Any) -> Iterator[Message]:
	"""Steps of a run, as its progress names them."""
	from crm_retention.engine.cycle import STEPS

	for step in (*STEPS, "writing", "comparing", "done", "failed"):
		yield message(step, "Step of a run", context="Retention Run")


def seed(doctype: str, name: str) -> Iterator[Message]:
	"""The name of a record of a new site, with its DocType as context.

	Link fields ask without context. A name of several words means nothing else on the desk, so it is there for them,
	too; a single word stays what the platform has for it.
	"""
	comment = f"{doctype} of a new site"
	yield message(name, comment, context=doctype)
	if " " in name:
		yield message(name, comment)


def message(text: str, comment: str, context: str | None = None) -> Message:
	"""One text as Babel wants it from an extractor."""
	return (None, "pgettext", (context, text), [comment]) if context else (None, "_", text, [comment])

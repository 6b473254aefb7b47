"""Texts to translate that stand in data and not in ``_()``: extractors for `bench generate-pot-file`.

``babel_extractors.csv`` names them. Names of tiers, stages, signals and fields have a DocType as context, which forms
ask for first: a tier and a stage that share a name in English need not do so in other languages, and the weight of a
criterion is no weight in kilograms. Without context the word stays what the platform has for it.
"""

from __future__ import annotations

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
			yield message(row["name"], f"{doctype} of a new site", context=doctype)
			for field, text in ABOUT[key].get(row["name"], {}).items():
				if field not in ("frequency", "colour"):
					yield message(text, f"{doctype} {row['name']}", context=doctype)


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


def message(text: str, comment: str, context: str | None = None) -> Message:
	"""One text as Babel wants it from an extractor."""
	return (None, "pgettext", (context, text), [comment]) if context else (None, "_", text, [comment])

"""`crm-retention explain`: why one customer of a finished run has his score, tier and stage."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from ..backends.duckdb import DuckDBBackend
from ..engine.explain import explain
from ..engine.scorecard import value_reaching
from ..report import words
from . import results
from .configuration import stored_config
from .errors import InputError
from .output import finish
from .sql import literal


def explain_party(out: Path, party: str) -> dict[str, Any]:
	"""What ``engine.explain`` says about a party of the results in ``out``, with party_name and as_of.

	``party`` is the key or, if only one has it, the name. Raises InputError when there are no results or no such
	party.
	"""
	if out.is_dir():
		finish(out)
	for name in (results.PROFILES, results.CONFIG, results.SUMMARY):
		if not (out / name).is_file():
			raise InputError(
				f"{out}: has no {name}; run `crm-retention run` or `crm-retention demo` with --out first"
			)
	config = stored_config(out / results.CONFIG)
	as_of = datetime.date.fromisoformat(
		json.loads((out / results.SUMMARY).read_text(encoding="utf-8"))["as_of"]
	)
	connection = duckdb.connect()
	connection.execute(
		f"CREATE VIEW profiles AS SELECT * FROM read_parquet({literal(out / results.PROFILES)})"
	)
	row = _profile(connection, party)
	backend = DuckDBBackend(connection)
	profiles = backend.table("profiles")

	def reach(signal: str, points: float, direction: str) -> float | None:
		found = backend.fetch(value_reaching(profiles, signal, points, direction))["value"]
		value = float(found[0]) if len(found) and found[0] is not None else None
		return None if value is None or value != value else value

	explained = explain(row, config, as_of, reach)
	return {"party": row["party"], "party_name": row["party_name"], "as_of": as_of, **explained}


def _profile(connection: duckdb.DuckDBPyConnection, party: str) -> dict[str, Any]:
	"""The profile with that key, or with that name if it is the only one."""
	for column in ("party", "party_name"):
		cursor = connection.execute(f"SELECT * FROM profiles WHERE {column} = ? LIMIT 2", [party])
		names = [item[0] for item in cursor.description or ()]
		found = cursor.fetchall()
		if len(found) == 1:
			return dict(zip(names, found[0], strict=True))
		if found:
			raise InputError(
				f"more than one customer has the name {party!r}; give the key, column party of profiles.csv"
			)
	near = connection.execute(
		"SELECT party FROM profiles ORDER BY jaro_winkler_similarity(lower(party), lower(?)) DESC, party LIMIT 5",
		[party],
	).fetchall()
	hint = f"; the nearest are {', '.join(str(row[0]) for row in near)}" if near else ""
	raise InputError(f"there is no customer {party!r}{hint}")


def as_text(found: Mapping[str, Any]) -> str:
	"""The explanation for a person, at most 100 columns wide or so."""
	return "\n".join(_lines(found))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
	name = found["party_name"] or found["party"]
	yield f"{name}" + (f" ({found['party']})" if name != found["party"] else "")
	yield f"as of {found['as_of']}, rules {found['rule_version']}"
	for kind in ("tier", "stage"):
		state = found[kind]
		since = f" since {state['since']}" if state["since"] else ""
		yield f"  {kind.capitalize():<6} {state['current'] or 'none'}{since} ({state['reason']})"
	yield ""
	yield "What is known"
	for signal in found["signals"]:
		unit = "" if signal["unit"] in ("share", "date") else signal["unit"]
		yield f"  {signal['label']:<28} {_value(signal['value'], signal['unit']):>14}  {unit}".rstrip()
	for card in found["scorecards"]:
		yield from _scorecard(card)
	yield ""
	yield "Tiers, the highest that holds"
	for tier in reversed(found["tiers"]):
		yield from _rule(
			tier,
			f"score of {tier['min_score']:g} or more" if tier["min_score"] is not None else "",
			tier["score_ok"],
		)
	yield ""
	yield "Stages, the first that holds"
	for stage in found["stages"]:
		yield from _rule(stage, "", True)
	yield from _next_tier(found["next_tier"])


def _scorecard(card: Mapping[str, Any]) -> Iterator[str]:
	yield ""
	score = "no score" if card["score"] is None else f"{card['score']:.1f} of 100"
	yield f"{card['name']}: {score}"
	for item in card["criteria"]:
		if item["points"] is None:
			yield f"  {item['label']:<28} {'not known':>14}  left out, the others share its weight"
			continue
		value = _value(item["value"], "") if item["value"] is not None else f"not known ({item['missing']})"
		yield (
			f"  {item['label']:<28} {value:>14}  {item['points']:5.1f} points x {100 * item['share']:.0f}% weight"
			f" = {item['contribution']:.1f}"
		)


def _rule(rule: Mapping[str, Any], score: str, score_ok: bool) -> Iterator[str]:
	yield f"  {'✓' if rule['ok'] else '✗'} {rule['name']}"
	if score:
		yield f"      {'✓' if score_ok else '✗'} {score}"
	for item in rule["conditions"]:
		actual = "not known" if item["actual"] is None else _value(item["actual"], "")
		text = words.condition(item["field"], item["op"], item["value"])
		yield f"      {'✓' if item['ok'] else '✗'} {text} (is {actual})"


def _next_tier(following: Mapping[str, Any] | None) -> Iterator[str]:
	yield ""
	if following is None:
		yield "This is the highest tier."
		return
	yield f"What would lift to {following['name']}"
	if following["score_gap"]:
		yield f"  {following['score_gap']:g} points of score are missing; each of these alone would do:"
	for item in following["needed"]:
		now = "not known" if item["from"] is None else _value(item["from"], "")
		yield f"  {item['label']:<28} from {now} to {_value(item['to'], '')}"
	if following["score_gap"] and not following["needed"]:
		yield "  no single signal can do it alone"
	for item in following["conditions"]:
		yield f"  {words.condition(item['field'], item['op'], item['value'])} must hold"


def _value(value: Any, unit: str) -> str:
	"""A value as people write it; shares as percentages."""
	if isinstance(value, bool) or value is None:
		return {True: "yes", False: "no", None: "not known"}[value]
	if unit == "share":
		return words.percent(float(value))
	if isinstance(value, float):
		if value.is_integer():
			return f"{value:,.0f}"
		return f"{value:,.2f}" if abs(value) >= 0.01 else f"{value:.4f}"
	return f"{value:,}" if isinstance(value, int) else str(value)

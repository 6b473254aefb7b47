"""The report's page: sections of text and charts, put together."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

import duckdb

from ..engine.config import Config
from ..engine.lifetime import LifetimeModel
from . import buying, groups, guide, queries, words
from .parts import colours_of, pair, section

CALLS = 12


def build_report(
	connection: duckdb.DuckDBPyConnection,
	config: Config,
	as_of: datetime.date,
	summary: Mapping[str, Any],
	model: LifetimeModel,
	title: str = "",
) -> str:
	"""The report as one HTML text.

	``connection`` has the tables ``profiles``, ``changes`` and ``purchases``; ``summary`` is what summary.json says.
	"""
	head = queries.headline(connection, config.windows.period)
	heading = title or "Who to keep, and who to call first"
	footer = f"CRM Retention {summary['version']} · rules {config.version} · as of {as_of}"
	body = "".join(
		(
			_header(heading, head, as_of),
			_sections(connection, config, as_of, head) if head["parties"] else "",
			guide.left_out(connection, config, summary),
			guide.how_to_read(config, model),
			f"<footer>{escape(footer)}</footer>",
		)
	)
	style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
	return (
		'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
		'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
		f"<title>{escape(heading)} · {as_of}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
	)


def _sections(
	connection: duckdb.DuckDBPyConnection, config: Config, as_of: datetime.date, head: Mapping[str, Any]
) -> str:
	return "".join(
		(
			_headline(head, config),
			_calls(connection, config),
			groups.distributions(connection, config),
			pair(buying.by_month(connection, as_of), buying.curve(connection)),
			buying.recency_map(connection),
			buying.cohorts(connection, as_of),
		)
	)


def _header(heading: str, head: Mapping[str, Any], as_of: datetime.date) -> str:
	who = words.things(head["parties"], "customer")
	if head["buyers"] != head["parties"]:
		who += f", {words.count(head['buyers'])} of whom have bought"
	return (
		f'<header><p class="eyebrow">Customer retention · {words.date(as_of)}</p><h1>{escape(heading)}</h1>'
		f'<p class="sub">{who}. Amounts in base currency.</p></header>'
	)


def _headline(head: Mapping[str, Any], config: Config) -> str:
	buyers, period = head["buyers"] or 0, words.span(config.windows.period)
	value, prior = head["value"] or 0.0, head["value_prior"] or 0.0
	trend = (
		f"{'+' if value >= prior else '−'}{words.percent(abs(value / prior - 1))} on the {period} before"
		if prior > 0
		else ""
	)
	cells = [
		(
			words.count(head["active"]),
			f"active in the last {period}",
			f"{_share(head['active'], buyers)} of all who ever bought",
		),
		(
			_share(head["repeaters"], buyers),
			"repeat purchase rate",
			f"{words.count(head['repeaters'])} bought on more than one day",
		),
		(words.money(value), f"value of the last {period}", trend),
	]
	if head["valued"]:
		horizon = words.span(config.lifetime.horizon_days)
		cells.append(
			(
				words.money(head["expected"]),
				f"expected in the next {horizon}",
				"lifetime value of all customers",
			)
		)
	cells.append(
		(
			words.money(head["at_risk"] or 0.0),
			"value at risk",
			f"{words.things(head['slipping'], 'customer')} slipping",
		)
	)
	cards = "".join(
		f'<div class="stat"><b>{number}</b><span>{label}</span><small>{note}</small></div>'
		for number, label, note in cells
	)
	return f'<div class="stats">{cards}</div>'


def _share(part: int | None, whole: int) -> str:
	return words.percent((part or 0) / whole, 0) if whole else "–"


def _calls(connection: duckdb.DuckDBPyConnection, config: Config) -> str:
	found = queries.first_calls(connection, CALLS)
	if not found:
		nobody = "No customer is slipping: nobody is silent for longer than their own rhythm and still likely to come back."
		return section("Who to call first", nobody, "")
	colours = colours_of("tiers", [tier.name for tier in reversed(config.tiers_by_rank())])
	items = "".join(_call(place, row, config, colours) for place, row in enumerate(found, 1))
	lead = (
		"They bought more than once, are overdue by their own rhythm, and are not lost yet. The most value at risk comes "
		"first; the bar is the probability alive."
	)
	return section("Who to call first", lead, f'<ol class="calls">{items}</ol>')


def _call(place: int, row: Mapping[str, Any], config: Config, colours: Mapping[str, str]) -> str:
	why = words.capital("; ".join(words.reasons(row, config.windows.period)))
	name = str(row["party_name"] or row["party"])
	key = f'<span class="tag">{escape(str(row["party"]))}</span>' if name != row["party"] else ""
	tier = f'<span class="tag dotted" style="--c:{colours.get(row["tier"], "#8FA3AD")}">{escape(str(row["tier"] or "no tier"))}</span>'
	stage = f'<span class="tag">{escape(str(row["stage"]))}</span>' if row["stage"] else ""
	alive = row["probability_alive"]
	width = f'<i style="width:{100 * alive:.0f}%"></i>' if alive is not None else ""
	meter = f'<i class="meter" title="probability alive {alive:.2f}">{width}</i>' if alive is not None else ""
	return (
		f'<li><span class="place">{place}</span><div class="who"><b>{escape(name)}</b>{key}{tier}{stage}</div>'
		f'<p class="why">{escape(why)}.</p>'
		f'<div class="risk"><b>{words.money(row["at_risk"])}</b><small>at risk</small>{meter}</div></li>'
	)

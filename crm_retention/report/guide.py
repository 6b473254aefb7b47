"""What the report could not use, and how its numbers are to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import duckdb

from ..engine.conditions import column_name
from ..engine.config import Condition, Config, LifetimeSettings, Tier
from ..engine.explain import LABELS
from ..engine.lifetime import LifetimeModel
from . import queries, words
from .parts import section


def left_out(connection: duckdb.DuckDBPyConnection, config: Config, summary: Mapping[str, Any]) -> str:
	"""Rows, rules and signals that had no part in the numbers; nothing when all had."""
	listed = [*notes(summary), *(f"Rule not used: {problem}" for problem in summary["problems"])]
	unknown = _signals_without_data(connection, config)
	if unknown:
		names = ", ".join(unknown)
		listed.append(f"Not known of any customer, so the other criteria carry its weight: {names}")
	if not listed:
		return ""
	items = "".join(f"<li>{escape(note)}.</li>" for note in listed)
	return section(
		"What was left out", "Worth a look before you rely on a number above.", f"<ul>{items}</ul>", "quiet"
	)


def notes(summary: Mapping[str, Any]) -> list[str]:
	"""Rows and models that had no part in the results, a sentence each."""
	found = []
	for file in summary["files"]:
		if file["skipped_rows"]:
			examples = "; ".join(file["skipped_examples"][:3])
			found.append(
				f"{words.things(file['skipped_rows'], 'bad row')} of {file['relation']} left out: {examples}"
			)
	counts = summary["counts"]
	if counts["purchases_after"]:
		found.append(
			f"{words.things(counts['purchases_after'], 'purchase')} dated after {summary['as_of']} left out"
		)
	if counts["buyers_left_out"]:
		found.append(
			f"{words.things(counts['buyers_left_out'], 'buyer')} left out, not in the file of parties"
		)
	found += [f"No lifetime model: {reason}" for reason in summary["lifetime_model_missing"]]
	return found


def _signals_without_data(connection: duckdb.DuckDBPyConnection, config: Config) -> list[str]:
	used = {item.signal: column_name(item.signal) for card in config.scorecards for item in card.criteria}
	present = set(queries.columns(connection))
	empty = queries.empty_signals(connection, [name for name in used.values() if name in present])
	return [LABELS.get(signal, (signal, ""))[0] for signal, name in used.items() if name in empty]


def how_to_read(config: Config, model: LifetimeModel) -> str:
	"""Definitions, the fitted model, and the rules that were used."""
	terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in _terms(config))
	rules = f"<h3>Tiers</h3><ul>{_tier_rules(config)}</ul><h3>Stages, the first that fits</h3><ul>{_stage_rules(config)}</ul>"
	content = (
		f"<details><summary>What the numbers mean</summary><dl>{terms}</dl></details>"
		f"<details><summary>The rules that were used</summary>{rules}</details>{_model(model)}"
	)
	return section(
		"How to read this",
		"Every number comes from the files given and the rules below; nothing is estimated by hand.",
		content,
		"quiet",
	)


def _terms(config: Config) -> list[tuple[str, str]]:
	period = words.span(config.windows.period)
	lifetime: LifetimeSettings = config.lifetime
	return [
		("Active", f"Bought within the last {period}."),
		("Repeat purchase rate", "Customers who bought on more than one day, over all who ever bought."),
		("Value", "Purchases less returns."),
		(
			"Probability alive",
			"How likely it is that the customer still buys at all, by the lifetime model: silence counts for more, the more "
			"often the customer used to buy.",
		),
		(
			"Lifetime value",
			f"Expected purchases of the next {words.span(lifetime.horizon_days)} times the expected value of one, discounted at "
			f"{words.percent(lifetime.discount_rate)} a year.",
		),
		(
			"Value at risk",
			"Lifetime value the customer would have if certainly still buying, times the probability of not buying any more. "
			f"Counted for customers silent for longer than their own rhythm with a probability alive from {queries.ALIVE_FROM} "
			f"to {queries.ALIVE_UPTO}. Without a lifetime model: the last period's value of those overdue by half of their "
			"rhythm or more.",
		),
		("Buying rhythm", "Mean number of days from one day with a purchase to the next."),
		(
			"Score and health",
			"Two scorecards of 0 to 100 points: worth to us, and state of the relationship.",
		),
	]


def _tier_rules(config: Config) -> str:
	return "".join(
		f"<li><b>{escape(tier.name)}</b>: {escape(_tier_rule(tier))}</li>"
		for tier in reversed(config.tiers_by_rank())
	)


def _tier_rule(tier: Tier) -> str:
	parts = [f"score of {tier.min_score:g} or more"] if tier.min_score is not None else []
	parts += _conditions(tier.conditions)
	if tier.margin:
		parts.append(f"kept down to {(tier.min_score or 0) - tier.margin:g}")
	if tier.min_stay_days:
		parts.append(f"kept for {tier.min_stay_days} days at least")
	return ", ".join(parts) or "everybody else"


def _stage_rules(config: Config) -> str:
	return "".join(
		f"<li><b>{escape(stage.name)}</b>: {escape(' and '.join(_conditions(stage.conditions)) or 'everybody else')}</li>"
		for stage in config.stages_in_order()
	)


def _conditions(conditions: Sequence[Condition]) -> list[str]:
	return [
		words.condition(LABELS.get(item.field, (item.field, ""))[0], item.op, item.value)
		for item in conditions
	]


def _model(model: LifetimeModel) -> str:
	if model.bgnbd is None:
		return ""
	b, g = model.bgnbd, model.gamma_gamma
	values = (
		f"r {b.r:.4g}, alpha {b.alpha:.4g}, a {b.a:.4g}, b {b.b:.4g}, log-likelihood {b.log_likelihood:,.1f}"
	)
	text = f"BG/NBD on {words.count(b.n)} buyers, in weeks: {values}."
	if g:
		text += f" Gamma-Gamma on {words.count(g.n)} repeat buyers: p {g.p:.4g}, q {g.q:.4g}, v {g.v:.4g}."
	return f"<details><summary>The lifetime model</summary><p>{text}</p></details>"

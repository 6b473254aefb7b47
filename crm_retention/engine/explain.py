"""Why a profile says what it says: inputs, contributions, rules with pass or fail, and what would change it.

Works on one stored profile row and the configuration that made it; nothing is computed a second way.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .conditions import column_name, holds_value
from .signals import SIGNALS
from .values import Band, Condition, Config, Criterion, Scorecard, Tier

LABELS = {signal.name: (signal.label, signal.unit) for signal in SIGNALS} | {
	"probability_alive": ("Probability Alive", "share"),
	"expected_purchases_30d": ("Expected Purchases 30 Days", "purchase days"),
	"expected_purchases_90d": ("Expected Purchases 90 Days", "purchase days"),
	"expected_purchases_365d": ("Expected Purchases 365 Days", "purchase days"),
	"expected_value": ("Expected Value", "base currency"),
	"lifetime_value": ("Lifetime Value", "base currency"),
	"score": ("Score", "points"),
	"health": ("Health", "points"),
}

# (signal, points, direction): the nearest value that earns a party so many percentile points; see value_reaching.
Reach = Callable[[str, float, str], "float | None"]


def explain(row: Mapping[str, Any], config: Config, as_of: datetime.date, reach: Reach) -> dict[str, Any]:
	"""Everything behind one profile.

	``row`` is a profile (columns as ``run_cycle`` gives) made as of ``as_of``; ``reach`` looks a value up among all parties, as
	``scorecard.value_reaching`` does. Returns plain data: signals, scorecards with each criterion's points and
	contribution, tiers and stages with their conditions, the next tier and, for each signal, the smallest change
	that alone would reach it.
	"""
	row = {**row, **state_before(row, as_of)}
	tiers = [_tier(tier, row, config) for tier in config.tiers_by_rank()]
	return {
		"party": row.get("party"),
		"party_type": row.get("party_type"),
		"rule_version": config.version,
		"signals": [_signal(name, row) for name in LABELS if row.get(name) is not None],
		"scorecards": [_scorecard(card, row) for card in config.scorecards],
		"tier": {
			key: row.get(f"tier{suffix}")
			for key, suffix in (("current", ""), ("since", "_since"), ("reason", "_reason"))
		}
		| {"candidate": row.get("candidate_tier")},
		"stage": {
			key: row.get(f"stage{suffix}")
			for key, suffix in (("current", ""), ("since", "_since"), ("reason", "_reason"))
		},
		"tiers": tiers,
		"stages": [
			{"name": stage.name, "order": stage.order, **_conditions(stage.conditions, row, config)}
			for stage in config.stages_in_order()
		],
		"next_tier": next_tier(row, config, reach),
	}


def state_before(row: Mapping[str, Any], as_of: datetime.date) -> dict[str, Any]:
	"""previous_tier, previous_stage, days_in_tier and days_in_stage as the rules saw them on the day."""
	before: dict[str, Any] = {}
	for kind in ("tier", "stage"):
		since = row.get(f"{kind}_since")
		changed = since is not None and since >= as_of
		name, begun = (
			(row.get(f"previous_{kind}"), row.get(f"previous_{kind}_since"))
			if changed
			else (row.get(kind), since)
		)
		before[f"previous_{kind}"] = name
		before[f"days_in_{kind}"] = (as_of - begun).days if begun is not None else None
	return before


def _signal(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
	label, unit = LABELS[name]
	return {"name": name, "label": label, "unit": unit, "value": row[name]}


def _scorecard(card: Scorecard, row: Mapping[str, Any]) -> dict[str, Any]:
	column = score_column(card)
	points = parts(row, card)
	shared = sum(item.weight for item in card.criteria if points.get(item.signal) is not None)
	criteria = []
	for item in card.criteria:
		earned = points.get(item.signal)
		share = item.weight / shared if shared and earned is not None else 0.0
		criteria.append(
			{
				"signal": item.signal,
				"label": LABELS.get(item.signal, (item.signal, ""))[0],
				"value": row.get(column_name(item.signal)),
				"weight": item.weight,
				"share": round(share, 4),
				"points": earned,
				"contribution": round(share * earned, 2) if earned is not None else None,
				"missing": item.missing if row.get(column_name(item.signal)) is None else None,
			}
		)
	return {"name": card.name, "purpose": card.purpose, "score": row.get(column), "criteria": criteria}


def score_column(card: Scorecard) -> str:
	"""``score`` for purpose value, ``health`` for health."""
	return "score" if card.purpose == "value" else "health"


def parts(row: Mapping[str, Any], card: Scorecard) -> dict[str, float | None]:
	"""Points of each criterion, 0 to 100, as stored on the profile."""
	stored = json.loads(row.get(f"{score_column(card)}_parts") or "{}")
	return {name: None if value is None else value / 100 for name, value in stored.items()}


def _conditions(conditions: Sequence[Condition], row: Mapping[str, Any], config: Config) -> dict[str, Any]:
	tested = []
	for item in conditions:
		name = column_name(item.field)
		actual = row.get(name)
		ok = name in row and holds_value(item, actual, config.trees)
		tested.append({"field": item.field, "op": item.op, "value": item.value, "actual": actual, "ok": ok})
	return {"conditions": tested, "ok": all(item["ok"] for item in tested)}


def _tier(tier: Tier, row: Mapping[str, Any], config: Config) -> dict[str, Any]:
	score = row.get("score")
	reaches = tier.min_score is None or (score is not None and score >= tier.min_score)
	tested = _conditions(tier.conditions, row, config)
	return {
		"name": tier.name,
		"rank": tier.rank,
		"min_score": tier.min_score,
		"score_ok": reaches,
		"conditions": tested["conditions"],
		"ok": reaches and tested["ok"],
	}


def next_tier(row: Mapping[str, Any], config: Config, reach: Reach) -> dict[str, Any] | None:
	"""The tier one rank above the party's: score still missing, conditions that fail, and for each criterion
	the value of its signal that alone would close the gap (left out where even the best value would not).
	None at the top.
	"""
	current = row.get("tier")
	ranks = config.tiers_by_rank()
	reached = next((tier.rank for tier in ranks if tier.name == current), None)
	above = next((tier for tier in ranks if reached is None or tier.rank > reached), None)
	if above is None:
		return None
	tested = _conditions(above.conditions, row, config)["conditions"]
	gap = max(0.0, (above.min_score or 0.0) - (row.get("score") or 0.0))
	card = config.scorecard("value")
	return {
		"name": above.name,
		"score_gap": round(gap, 2),
		"conditions": [item for item in tested if not item["ok"]],
		"needed": _needed(row, card, gap, reach) if card and gap else [],
	}


def _needed(row: Mapping[str, Any], card: Scorecard, gap: float, reach: Reach) -> list[dict[str, Any]]:
	points = parts(row, card)
	shared = sum(item.weight for item in card.criteria if points.get(item.signal) is not None)
	found = []
	for item in card.criteria:
		earned, now = points.get(item.signal), row.get(column_name(item.signal))
		if earned is None or now is None or item.weight <= 0:
			continue
		missing = gap * shared / item.weight
		to = _value_for(item, earned + missing, SCORE_ERROR * shared / item.weight, now, reach)
		if to is not None:
			label, unit = LABELS.get(item.signal, (item.signal, ""))
			entry = {"signal": item.signal, "label": label, "unit": unit, "from": now, "to": to}
			found.append({**entry, "gain": round(missing, 2)})
	return sorted(found, key=lambda entry: entry["gain"])


# Half a unit of the last digit of scores (four decimals) and of points as they are stored (two).
SCORE_ERROR = 0.00005
POINTS_ERROR = 0.005


def _value_for(item: Criterion, target: float, error: float, now: Any, reach: Reach) -> float | None:
	"""The nearest value of the signal that earns at least ``target`` points; None where there is none."""
	if target > 100 + error:
		return None
	if item.method == "percentile":
		return reach(item.signal, target + POINTS_ERROR, item.direction)
	enough = [band for band in item.bands if band.score >= target - error]
	edges = [edge for band in enough if (edge := _edge(band, now)) is not None]
	return min(edges, key=lambda edge: abs(edge - now), default=None)


def _edge(band: Band, now: Any) -> float | None:
	"""The value in a band that is nearest to one outside: a band's end is not in it, so a little below that."""
	if band.start is not None and now < band.start:
		return band.start
	if band.end is None or now < band.end:
		return None
	step = 1.0 if isinstance(now, int) else 0.01
	below = band.end - step
	return below if band.start is None or below >= band.start else band.end - 0.000001

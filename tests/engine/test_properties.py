"""What holds for any data and any rules."""

import datetime
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_retention.engine.config import parse
from tests.support.cycles import AS_OF, bought, run, state_of

# Each example is a company with many parties: a cycle costs much the same for one party as for a hundred.
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])

parties = st.sampled_from([f"P{number}" for number in range(25)])
amounts = st.one_of(st.integers(-300, 3000).map(lambda cents: cents / 100), st.just(0.0))
purchases = st.lists(
	st.builds(
		lambda party, ago, amount, discount: bought(party, ago, amount, discount=discount),
		parties,
		st.integers(-5, 1200),
		amounts,
		st.sampled_from([0.0, 0.5, 1.25]),
	),
	min_size=1,
	max_size=120,
)
SIGNALS = ["monetary_12m", "frequency", "recency_days", "monetary_average", "trend", "discount_share"]


@st.composite
def scorecards(draw, least=1):
	"""A value scorecard of some signals with whole weights, and the same with every weight scaled."""
	chosen = draw(st.lists(st.sampled_from(SIGNALS), min_size=least, max_size=4, unique=True))
	return [
		{
			"signal": signal,
			"weight": draw(st.integers(1, 50)),
			"direction": draw(st.sampled_from(["higher", "lower"])),
			"missing": draw(st.sampled_from(["skip", "worst", "neutral"])),
		}
		for signal in chosen
	]


TIERS = [
	{"name": "Low", "rank": 1},
	{"name": "Middle", "rank": 2, "min_score": 40, "margin": 5, "min_stay_days": 10},
	{"name": "High", "rank": 3, "min_score": 65, "margin": 5, "min_stay_days": 20},
]
STAGES = [
	{
		"name": "Won Back",
		"order": 1,
		"conditions": [["previous_stage", "in", ["Gone", "Won Back"]], ["recency_days", "<", 40]],
	},
	{"name": "Gone", "order": 2, "conditions": [["recency_days", ">", 200]]},
	{"name": "Here", "order": 3},
]


def rules(criteria):
	card = {"name": "Value", "purpose": "value", "criteria": criteria}
	return {"scorecards": [card], "tiers": TIERS, "stages": STAGES}


@FEW
@given(purchases, scorecards(), st.randoms())
def test_the_order_of_rows_changes_nothing(rows, criteria, dice):
	mixed = list(rows)
	dice.shuffle(mixed)
	first, second = run({"purchases": rows}, rules(criteria)), run({"purchases": mixed}, rules(criteria))
	assert second.profiles == first.profiles
	assert sorted(second.changes, key=str) == sorted(first.changes, key=str)
	assert second.result.counts == first.result.counts


@FEW
@given(purchases, scorecards(), st.sampled_from([0.001, 0.1, 7, 1e6]))
def test_the_scale_of_weights_is_irrelevant(rows, criteria, scale):
	scaled = [{**item, "weight": item["weight"] * scale} for item in criteria]
	first, second = run({"purchases": rows}, rules(criteria)), run({"purchases": rows}, rules(scaled))
	for party, row in first.profiles.items():
		other = second.profiles[party]
		assert (row["score"] is None) == (other["score"] is None)
		assert row["score_parts"] == other["score_parts"]
		if row["score"] is not None:
			assert abs(row["score"] - other["score"]) <= 0.0001


@FEW
@given(purchases, scorecards())
def test_scores_lie_within_0_and_100_and_tiers_rise_with_them(rows, criteria):
	outcome = run({"purchases": rows}, rules(criteria))
	profiles = list(outcome.profiles.values())
	for row in profiles:
		assert row["score"] is None or 0 <= row["score"] <= 100
		for points in outcome.points(row["party"]).values():
			assert points is None or 0 <= points <= 100
	ranked = sorted((row for row in profiles if row["score"] is not None), key=lambda row: row["score"])
	assert [row["tier_rank"] for row in ranked] == sorted(row["tier_rank"] for row in ranked)


@FEW
@given(purchases, parties, st.integers(0, 1200), st.integers(0, 500).map(float))
def test_one_more_purchase_never_lowers_frequency_purchases_total_or_tenure(rows, party, ago, amount):
	before, after = (
		run({"purchases": rows}),
		run({"purchases": [*rows, bought(party, ago, amount, discount=0.0)]}),
	)
	for name in ("frequency", "purchases", "monetary_total", "tenure_days"):
		for who, row in before.profiles.items():
			now = after.profiles[who][name]
			if who != party:
				assert now == row[name]
			elif row[name] is not None:
				assert now >= row[name] - 1e-6
	last = before.profiles.get(party, {}).get("recency_days")
	assert after.profiles[party]["recency_days"] == min(ago, ago if last is None else last)


@FEW
@given(purchases)
def test_totals_of_parties_add_up_to_the_purchases(rows):
	outcome = run({"purchases": rows})
	counted = [row for row in rows if row["day"] <= AS_OF]
	assert outcome.result.counts["purchases_after"] == len(rows) - len(counted)
	assert abs(sum(outcome.column("monetary_total").values()) - sum(row["amount"] for row in counted)) < 1e-4
	assert sum(outcome.column("purchases").values()) == sum(row["amount"] >= 0 for row in counted)


@FEW
@given(purchases, scorecards())
def test_a_second_run_changes_nothing(rows, criteria):
	first = run({"purchases": rows}, rules(criteria))
	again = run({"purchases": rows, "state": state_of(first)}, rules(criteria))
	assert again.profiles == first.profiles
	assert again.changes == []


LEVELS = [float(level) for level in range(0, 101, 5)]
STARTS = [(tier, days) for tier in ("Low", "Middle", "High", None) for days in (0, 1, 9, 10, 19, 20, 30)]


def test_a_constant_score_never_flaps():
	"""Night after night on the same scores, whatever tier it began with: a party moves at most once, up at once or
	down when its stay is over, and then never again.
	"""
	edges = [None, *LEVELS[1:], None]
	bands = [{"start": edges[i], "end": edges[i + 1], "score": level} for i, level in enumerate(LEVELS)]
	criteria = [{"signal": "party.level", "weight": 1, "method": "bands", "bands": bands}]
	config = {**rules(criteria), "stages": []}
	who, state = [], []
	for tier, days in STARTS:
		for level in LEVELS:
			party = f"{tier} for {days} days, {level}"
			who.append({"party": party, "level": level})
			state.append({"party": party, "tier": tier, "tier_since": AS_OF - datetime.timedelta(days=days)})
	seen = {row["party"]: [row["tier"]] for row in state}
	for night in (1, 2, 9, 10, 20, 21):
		day = AS_OF + datetime.timedelta(days=night)
		outcome = run({"parties": who, "purchases": [bought("-", 1)], "state": state}, config, as_of=day)
		for party, row in outcome.profiles.items():
			seen[party].append(row["tier"])
		state = state_of(outcome)
	moves = {
		party: [pair for pair in itertools.pairwise(tiers) if pair[0] != pair[1]]
		for party, tiers in seen.items()
	}
	assert [party for party, pairs in moves.items() if len(pairs) > 1] == []
	assert any(moves.values())


@FEW
@given(purchases, scorecards())
def test_a_cycle_for_a_day_does_not_depend_on_what_came_after_it(rows, criteria):
	day = AS_OF - datetime.timedelta(days=300)
	known = [row for row in rows if row["day"] <= day]
	everything = run({"purchases": rows}, rules(criteria), as_of=day)
	only = run({"purchases": known}, rules(criteria), as_of=day)
	assert everything.profiles == only.profiles
	assert everything.result.counts["purchases_after"] == len(rows) - len(known)


@given(scorecards(least=2), st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_version_of_rules_depends_on_rules_alone(criteria, dice):
	config = rules(criteria)
	keys = list(config)
	dice.shuffle(keys)
	assert parse({key: config[key] for key in keys}).version == parse(config).version
	other = [{**criteria[0], "weight": criteria[0]["weight"] + 1}, *criteria[1:]]
	assert parse(rules(other)).version != parse(config).version

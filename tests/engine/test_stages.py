"""Lifecycle stages: the first that holds, what comes before it, and winning a customer back."""

import datetime

from crm_retention.setup.defaults import DEFAULTS
from tests.support.cycles import AS_OF, bought, days_ago, run, state_of

STAGES = {"stages": DEFAULTS["stages"]}


def stage_of(purchases, state=None, config=STAGES, **more):
	data = {"parties": [{"party": "A"}], "purchases": purchases, **more}
	if state is not None:
		data["state"] = [{"party": "A", **state}]
	row = run(data, config).profiles["A"]
	return row["stage"], row["stage_reason"]


def monthly(count, last):
	return [bought("A", last + 30 * n) for n in range(count)]


def test_stages_of_a_new_site():
	cases = {
		"nothing": ([], "Potential"),
		"once": ([0], "Converted"),
		"once, 364 days ago": ([364], "Converted"),
		"once, 365 days ago": ([365], "Dormant"),
		"once, 729 days ago": ([729], "Dormant"),
		"once, 730 days ago": ([730], "Lost"),
		"twice": ([10, 40], "Active"),
		"61 days against a rhythm of 30": ([61, 91, 121], "At Risk"),
		"twice the rhythm is not beyond it": ([60, 90, 120], "Active"),
		"one interval is no rhythm yet": ([100, 130], "Active"),
	}
	purchases = [bought(party, ago) for party, (days, _) in cases.items() for ago in days]
	outcome = run({"parties": [{"party": party} for party in cases], "purchases": purchases}, STAGES)
	assert outcome.column("stage") == {party: stage for party, (_, stage) in cases.items()}
	assert set(outcome.column("stage_reason").values()) == {"initial"}


def test_loyal_needs_health():
	loyal = {**STAGES, "scorecards": [card for card in DEFAULTS["scorecards"] if card["purpose"] == "health"]}
	assert stage_of(monthly(8, 10), config=loyal)[0] == "Loyal"
	assert stage_of(monthly(8, 10), config=STAGES)[0] == "Active"


def test_the_first_stage_in_order_wins_whatever_the_order_of_rows():
	stages = [
		{"name": "Second", "order": 2},
		{"name": "First", "order": 1, "conditions": [["purchases", ">=", 2]]},
	]
	assert stage_of([bought("A", 1)], config={"stages": stages}) == ("Second", "initial")
	assert stage_of([bought("A", 1), bought("A", 2)], config={"stages": stages}) == ("First", "initial")


def test_a_party_for_which_no_stage_holds_has_none():
	stages = [{"name": "Big", "order": 1, "conditions": [["purchases", ">=", 2]]}]
	assert stage_of([bought("A", 1)], config={"stages": stages}) == (None, "none")


def test_stages_may_ask_for_the_tier_of_the_same_day():
	config = {
		"tiers": [
			{"name": "Low", "rank": 1},
			{"name": "High", "rank": 2, "conditions": [["purchases", ">", 1]]},
		],
		"stages": [
			{"name": "Cared for", "order": 1, "conditions": [["tier", "=", "High"]]},
			{"name": "Other", "order": 2},
		],
	}
	assert stage_of([bought("A", 1), bought("A", 9)], config=config)[0] == "Cared for"
	assert stage_of([bought("A", 1)], config=config)[0] == "Other"


def test_an_override_of_the_stage():
	state = {
		"stage": "Active",
		"stage_since": days_ago(9),
		"override_stage": "Loyal",
		"override_until": AS_OF,
	}
	assert stage_of([bought("A", 1)], state) == ("Loyal", "override")
	assert stage_of([bought("A", 1)], {**state, "override_until": days_ago(1)}) == ("Converted", "changed")


def test_a_stage_whose_field_is_gone_keeps_its_own():
	stages = [
		{"name": "Odd", "order": 1, "conditions": [["party.colour", "=", "red"]]},
		{"name": "Rest", "order": 2},
	]
	was = {"stage": "Odd", "stage_since": days_ago(9)}
	assert stage_of([bought("A", 1)], was, {"stages": stages}) == ("Odd", "unchanged")
	assert stage_of([bought("A", 1)], {**was, "stage": "Rest"}, {"stages": stages}) == ("Rest", "unchanged")


def test_a_stage_cannot_ask_for_the_stage_itself():
	stages = [
		{"name": "Loop", "order": 1, "conditions": [["stage", "=", "Loop"]]},
		{"name": "Rest", "order": 2, "conditions": [["tier", "is not set"]]},
	]
	outcome = run({"purchases": [bought("A", 1)]}, {"stages": stages})
	assert outcome.profiles["A"]["stage"] == "Rest"
	assert [str(problem) for problem in outcome.result.problems] == [
		"stages, Loop, condition 1, stage: there is no such field"
	]


def test_a_dormant_customer_who_buys_is_won_back_for_sixty_days():
	"""Night after night: dormant, then a purchase, won back, and after two months an ordinary customer again."""
	purchases = [
		{"party": "A", "day": days_ago(500), "amount": 10.0},
		{"party": "A", "day": days_ago(90), "amount": 10.0},
	]
	state, seen = [], {}
	for ago in (100, 91, 90, 89, 60, 31, 30, 29, 0):
		outcome = run({"purchases": purchases, "state": state}, STAGES, as_of=days_ago(ago))
		seen[ago] = outcome.profiles["A"]["stage"]
		state = state_of(outcome)
	assert seen == {
		100: "Dormant",
		91: "Dormant",
		90: "Won Back",
		89: "Won Back",
		60: "Won Back",
		31: "Won Back",
		30: "Won Back",
		29: "Active",
		0: "Active",
	}


def test_winning_back_twice_on_one_day_gives_the_same():
	purchases = [bought("A", 500), bought("A", 0)]
	was = [{"party": "A", "stage": "Dormant", "stage_since": days_ago(135)}]
	first = run({"purchases": purchases, "state": was}, STAGES)
	again = run({"purchases": purchases, "state": state_of(first)}, STAGES)
	assert first.profiles["A"]["stage"] == "Won Back"
	assert again.profiles == first.profiles
	assert again.changes == []


def test_days_in_stage_are_those_of_the_day_before():
	stages = [
		{"name": "Settled", "order": 1, "conditions": [["days_in_stage", ">=", 10]]},
		{"name": "New", "order": 2},
	]
	config = {"stages": stages}
	assert stage_of([bought("A", 1)], {"stage": "New", "stage_since": days_ago(10)}, config) == (
		"Settled",
		"changed",
	)
	assert stage_of([bought("A", 1)], {"stage": "New", "stage_since": days_ago(9)}, config) == (
		"New",
		"unchanged",
	)


def test_a_cycle_for_an_earlier_day_leaves_out_what_came_later():
	purchases = [bought("A", 500), bought("A", 0)]
	earlier = AS_OF - datetime.timedelta(days=1)
	outcome = run({"purchases": purchases}, STAGES, as_of=earlier)
	assert outcome.profiles["A"]["stage"] == "Dormant"
	assert outcome.result.counts["purchases_after"] == 1

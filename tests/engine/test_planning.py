"""Plans day by day: who enters and leaves, what falls due when, once, for whom, and what holds it back."""

import datetime
from dataclasses import replace

import pytest

from crm_retention.engine.plans import Care, ContactRule, Occasion, Person, Plan, Step, draw
from crm_retention.engine.values import Condition
from tests.support.planning import World, weekends

Day = datetime.date
START = Day(2025, 3, 3)  # a Monday


def step(key="a", timing="every", **more):
	return Step(
		key, f"Step {key}", timing, more.pop("touchpoint_type", "Call"), **({"channel": "Phone"} | more)
	)


def plan(*steps, family="Care", **more):
	return Plan(f"{family} v1", family, steps=steps, **more)


def care(*plans, people=("ann", "bob"), a_day=None, **more):
	people = tuple(Person(user, a_day) for user in people)
	return Care(plans=plans, people=people, **({"begun": frozenset(p.family for p in plans)} | more))


def world(*plans, parties=1, **more):
	made = World(care(*plans, **more))
	for number in range(parties):
		made.party(f"P{number:03d}")
	return made


def occurrences(made, where="TRUE"):
	return [row["occurrence"] for row in made.touchpoints(where)]


def ran(made, *nights):
	"""Runs on these nights, after each of which everything due is done."""
	for day in nights:
		made.run(day)
		made.do(day)
	return made


def march(*numbers):
	return [Day(2025, 3, number) for number in numbers]


# -- when


def test_a_fixed_interval_comes_on_its_days_and_once():
	made = ran(world(plan(step(days=7)), horizon=0), *march(3, 4, 10, 16, 17, 24))
	assert occurrences(made) == march(3, 10, 17, 24)


def test_months_keep_their_day_or_take_the_last_one():
	ends = [Day(2024, 1, 31), Day(2024, 2, 29), Day(2024, 3, 31), Day(2024, 4, 30), Day(2024, 5, 31)]
	made = ran(world(plan(step(months=1)), horizon=0), *ends)
	assert occurrences(made) == ends


def test_quarters_cross_the_year():
	made = world(plan(step(months=3)), horizon=5)
	ran(made, Day(2024, 11, 30), Day(2025, 2, 26), Day(2025, 3, 2), Day(2025, 5, 30))
	assert occurrences(made) == [Day(2024, 11, 30), Day(2025, 2, 28), Day(2025, 5, 30)]


def test_the_rhythm_counts_from_the_last_purchase_and_begins_anew_with_each():
	made = world(plan(step("r", "rhythm", rhythm=0.5)), parties=0)
	made.party("A", last_purchase=Day(2025, 3, 1), mean_interval_days=20.0)
	made.party("B", last_purchase=Day(2025, 3, 1), mean_interval_days=None)
	ran(made, *march(3, 11, 21))
	assert occurrences(made)[:2] == march(11, 21)
	made.change("A", last_purchase=Day(2025, 3, 25))
	ran(made, *march(26, 31))
	assert Day(2025, 4, 4) in occurrences(made)
	assert {row["party"] for row in made.touchpoints()} == {"A"}


def test_an_occasion_for_all_comes_before_its_day_each_year():
	festival = Occasion("Festival", (Day(2025, 3, 20), Day(2026, 3, 9)))
	made = world(plan(step("o", "occasion", occasion="Festival", offset=-7)), occasions=(festival,))
	ran(made, *march(3, 13, 20))
	rows = made.touchpoints()
	assert [(row["occurrence"], row["due"]) for row in rows] == [(Day(2025, 3, 20), Day(2025, 3, 13))]
	made.run(Day(2026, 2, 27))
	assert occurrences(made)[1:] == [Day(2026, 3, 9)]


@pytest.mark.parametrize(
	("on_28th", "year", "expected"),
	[(True, 2025, Day(2025, 2, 28)), (False, 2025, Day(2025, 3, 1)), (True, 2028, Day(2028, 2, 29))],
)
def test_a_birthday_on_29_february(on_28th, year, expected):
	birthday = Occasion("Birthday", on_28th=on_28th)
	made = world(plan(step("b", "occasion", occasion="Birthday")), occasions=(birthday,))
	made.add(
		"occasion_dates", {"party": "P000", "occasion": "Birthday", "day": Day(2000, 2, 29), "yearly": 1}
	)
	made.run(expected - datetime.timedelta(days=6))
	assert occurrences(made) == [expected]
	assert expected.year == year


def test_a_date_that_does_not_come_back_comes_once():
	made = world(plan(step("b", "occasion", occasion="End", offset=-2)), occasions=(Occasion("End"),))
	made.add("occasion_dates", {"party": "P000", "occasion": "End", "day": Day(2025, 3, 10), "yearly": 0})
	ran(made, *march(3, 8, 20))
	assert [(row["occurrence"], row["due"]) for row in made.touchpoints()] == [
		(Day(2025, 3, 10), Day(2025, 3, 8))
	]


def test_events_come_after_they_happened_and_not_for_what_was_before():
	wanted = ("complaint opened", "complaint closed", "detractor feedback")
	steps = [step(event[:3] + event[-6:], "event", event=event, offset=1) for event in wanted]
	made = world(plan(*steps), parties=2)
	made.add("cases", {"party": "P000", "opened": Day(2025, 2, 1), "closed": None, "kind": "Complaint"})
	made.run(START)
	assert not made.touchpoints()
	made.add(
		"cases", {"party": "P001", "opened": Day(2025, 3, 4), "closed": Day(2025, 3, 6), "kind": "Complaint"}
	)
	made.add("cases", {"party": "P001", "opened": Day(2025, 3, 4), "closed": None, "kind": "Request"})
	made.add("feedback", {"party": "P000", "day": Day(2025, 3, 5), "kind": "NPS", "score": 6.0})
	made.add("feedback", {"party": "P001", "day": Day(2025, 3, 5), "kind": "NPS", "score": 7.0})
	made.run(Day(2025, 3, 7))
	found = [(row["party"], row["step"], row["occurrence"]) for row in made.touchpoints()]
	assert sorted(found) == [
		("P000", "detedback", Day(2025, 3, 5)),
		("P001", "comclosed", Day(2025, 3, 6)),
		("P001", "comopened", Day(2025, 3, 4)),
	]


def test_the_end_of_a_contract_is_still_seen_when_its_day_of_notice_has_passed():
	made = world(plan(step("c", "event", event="contract end", offset=-60)))
	made.add("contracts", {"party": "P000", "end": Day(2025, 4, 1)})
	made.run(START)
	assert [(row["occurrence"], row["due"]) for row in made.touchpoints()] == [(Day(2025, 4, 1), START)]


def test_silence_counts_purchases_and_contacts():
	made = world(plan(step("s", "event", event="silent", offset=30)), parties=0, horizon=0)
	made.party("Long", last_purchase=Day(2024, 1, 1))
	made.party("Called", last_purchase=Day(2024, 1, 1), last_interaction=Day(2025, 2, 20))
	made.run(START)
	assert [row["party"] for row in made.touchpoints()] == ["Long"]


def test_entering_a_tier_counts_and_the_first_tier_ever_does_not():
	made = world(plan(step("t", "event", event="tier entered", event_value="High")), parties=0)
	made.party("New", tier="High", tier_since=START, previous_tier=None)
	made.party("Risen", tier="High", tier_since=START, previous_tier="Regular")
	made.party("Other", tier="Regular", tier_since=START, previous_tier="High")
	made.run(START)
	assert [row["party"] for row in made.touchpoints()] == ["Risen"]


# -- once


def test_a_second_run_changes_nothing():
	made = world(plan(step(days=7), step("b", months=1)), parties=30)
	made.run(START)
	again = made.run(START)
	assert {name: number for name, number in again.counts.items() if number} == {}


def test_a_run_that_was_killed_ends_where_it_would_have_ended():
	def fresh():
		return world(plan(step(days=7), step("b", days=10)), parties=40, a_day=3, people=("ann",))

	whole, killed = fresh(), fresh()
	whole.run(START)
	killed.apply(killed.find(START), START, only=lambda party: int(party[1:]) % 3 == 0)
	killed.run(START)
	key = ("key", "due", "owner", "status")
	assert [[row[k] for k in key] for row in whole.touchpoints()] == [
		[row[k] for k in key] for row in killed.touchpoints()
	]


def test_a_missed_occurrence_makes_way_for_the_next_and_never_two_are_open():
	made = world(plan(step(days=7)))
	for day in march(3, 9, 10, 11, 17, 24, 25):
		made.run(day)
		assert len(made.touchpoints("open_key IS NOT NULL")) <= 1
	found = {row["occurrence"]: row["status"] for row in made.touchpoints()}
	assert found == {
		Day(2025, 3, 3): "Missed",
		Day(2025, 3, 10): "Missed",
		Day(2025, 3, 17): "Missed",
		Day(2025, 3, 24): "Open",
	}


def test_weeks_without_any_run_leave_one_open_touchpoint():
	made = world(plan(step(days=7)))
	made.run(START)
	made.run(Day(2025, 5, 1))
	assert [(row["occurrence"], row["status"]) for row in made.touchpoints()] == [
		(START, "Missed"),
		(Day(2025, 4, 28), "Open"),
	]


def test_one_that_somebody_put_off_is_not_overtaken_by_the_next():
	made = world(plan(step(days=7)))
	made.run(START)
	made.connection.execute("UPDATE touchpoints SET due = DATE '2025-03-20'")
	made.run(Day(2025, 3, 12))
	assert [row["status"] for row in made.touchpoints()] == ["Open"]


# -- for whom


def test_targets_take_in_and_let_go_and_what_is_open_is_cancelled():
	made = world(plan(step(days=7), tiers=("High",)), parties=0)
	made.party("A", tier="High")
	made.party("B", tier="Regular")
	made.run(START)
	assert [row["party"] for row in made.touchpoints()] == ["A"]
	made.change("A", tier="Regular")
	made.change("B", tier="High")
	made.run(Day(2025, 3, 4))
	assert {(row["party"], row["status"]) for row in made.touchpoints()} == {
		("A", "Cancelled"),
		("B", "Open"),
	}
	assert made.ask("SELECT party, why FROM members WHERE left_on IS NOT NULL") == [("A", "target")]


def test_who_comes_back_is_not_called_twice_for_the_same_day():
	made = world(plan(step(days=7), tiers=("High",)), parties=0)
	made.party("A", tier="High")
	made.run(START)
	made.change("A", tier="Regular")
	made.run(START)
	made.change("A", tier="High")
	made.run(START)
	assert len({row["key"] for row in made.touchpoints()}) == len(made.touchpoints())
	assert len(made.touchpoints("open_key IS NOT NULL")) == 1


def test_conditions_are_on_any_signal_and_a_missing_one_stops_the_plan_but_not_the_others():
	fine = plan(step(days=7), family="Fine", conditions=(Condition("open_complaints", "=", 0),))
	broken = plan(step("x", days=7), family="Broken", conditions=(Condition("gone", "=", 0),))
	made = world(fine, broken, parties=0)
	made.party("A", open_complaints=0)
	made.party("B", open_complaints=2)
	result = made.run(START)
	assert {(row["party"], row["family"]) for row in made.touchpoints()} == {("A", "Fine")}
	assert [(item.row, item.field) for item in result.problems] == [("Broken v1, condition 1", "gone")]


def test_the_holdout_gets_nothing_and_is_the_same_every_time():
	made = world(plan(step(days=7), holdout=0.3), parties=200)
	ran(made, *march(3, 12))
	held = {party for (party,) in made.ask("SELECT party FROM members WHERE arm = 'Holdout'")}
	assert 30 <= len(held) <= 90
	assert held == {f"P{n:03d}" for n in range(200) if draw(f"P{n:03d}", "Care")[0] < 0.3}
	assert not held & {row["party"] for row in made.touchpoints()}


def test_a_paused_plan_stands_still():
	running = plan(step(days=7))
	made = world(running, parties=2)
	made.run(START)
	made.do(START)
	made.care = replace(made.care, plans=(replace(running, paused=True),))
	made.connection.execute("DELETE FROM profiles WHERE party = 'P001'")
	made.party("New")
	made.run(Day(2025, 3, 12))
	assert occurrences(made) == [START, START]
	assert made.ask("SELECT party, why FROM members WHERE left_on IS NOT NULL") == [("P001", "party")]
	assert made.ask("SELECT COUNT(*) FROM members") == [(2,)]


def test_the_first_run_of_a_plan_spreads_its_members_and_later_ones_are_attended_to_at_once():
	made = world(plan(step(months=1)), parties=120, begun=frozenset())
	made.run(START)
	early = made.touchpoints()
	assert 20 <= len(early) <= 90
	assert len(set(occurrences(made))) > 8
	made.care = replace(made.care, begun=frozenset({"Care"}))
	made.party("Late")
	made.run(Day(2025, 3, 5))
	assert occurrences(made, "party = 'Late'") == [Day(2025, 3, 5)]


# -- versions


def test_a_new_version_keeps_what_its_steps_have_done():
	first = plan(step("same", days=7), step("old", days=7))
	made = world(first)
	made.run(START)
	made.do(START)
	second = replace(first, name="Care v2", version=2, steps=(step("same", days=7), step("new", days=7)))
	made.care = replace(made.care, plans=(second,))
	made.connection.execute("UPDATE members SET plan = 'Care v2'")
	made.run(START)
	found = made.touchpoints(f"occurrence = DATE '{START}'")
	assert sorted((row["step"], row["plan"]) for row in found) == [
		("new", "Care v2"),
		("old", "Care v1"),
		("same", "Care v1"),
	]


def test_a_version_does_not_make_up_for_what_it_would_have_asked_for_before():
	first = plan(step("old", days=30))
	made = world(first)
	made.run(START)
	made.do(START)
	steps = (step("old", days=7), step("new", days=5))
	second = replace(first, name="Care v2", version=2, steps=steps, since=Day(2025, 3, 25))
	made.care = replace(made.care, plans=(second,), horizon=0)
	made.connection.execute("UPDATE members SET plan = 'Care v2'")
	made.party("Fresh")
	ran(made, *march(25, 28, 31))
	assert occurrences(made, "party = 'P000'") == march(3, 28, 31)
	assert occurrences(made, "party = 'Fresh'")[:2] == march(25, 25)


def test_members_move_with_their_next_touchpoint():
	first = plan(step("same", days=7))
	made = world(first, parties=2)
	made.run(START)
	made.do(START, "party = 'P000'")
	second = replace(first, name="Care v2", version=2, steps=(step("same", days=7),))
	made.care = replace(made.care, plans=(replace(first, current=False), second))
	made.connection.execute("UPDATE members SET next_plan = 'Care v2'")
	made.run(Day(2025, 3, 4))
	assert made.ask("SELECT party, plan, next_plan FROM members ORDER BY party") == [
		("P000", "Care v2", None),
		("P001", "Care v1", "Care v2"),
	]


# -- who does it, and on which day


def test_nothing_is_due_on_a_day_off_and_nobody_gets_more_than_a_day_holds():
	free = weekends(START, Day(2025, 6, 1)) | {Day(2025, 3, 4)}
	made = world(plan(step(days=7)), parties=40, a_day=4, people=("ann",), calendars={"": free})
	made.run(START)
	per_day = dict(made.ask("SELECT due, COUNT(*) FROM touchpoints GROUP BY due"))
	assert not set(per_day) & free
	assert max(per_day.values()) == 4
	assert min(per_day) == START
	assert len(per_day) == 10


def test_what_is_open_already_counts_against_the_day():
	made = world(plan(step(days=7)), parties=6, a_day=4, people=("ann",))
	by_hand = {"party": "P000", "status": "Open", "due": START, "owner": "ann"}
	made.add("touchpoints", *({**by_hand, "key": f"hand {n}"} for n in range(3)))
	made.run(START)
	planned = dict(made.ask("SELECT due, COUNT(*) FROM touchpoints WHERE family IS NOT NULL GROUP BY due"))
	assert planned == {START: 1, Day(2025, 3, 4): 4, Day(2025, 3, 5): 1}


def test_the_higher_tier_goes_first_when_a_day_is_full():
	made = world(plan(step(days=7)), parties=0, a_day=1, people=("ann",))
	made.party("Low", tier_rank=1)
	made.party("High", tier_rank=3)
	made.run(START)
	assert [row["party"] for row in made.touchpoints()] == ["High", "Low"]


def test_a_capacity_of_nothing_plans_nothing_and_says_so():
	made = world(plan(step(days=7)), a_day=0, people=("ann",))
	assert made.run(START).counts["unplaced"] == 1
	assert not made.touchpoints()


def test_each_rule_finds_its_person():
	steps = (
		step("m", days=7),
		step("u", days=7, owner_rule="user", people=("bob",)),
		step("l", days=7, owner_rule="least loaded", people=("cat", "dan")),
		step("r", days=7, owner_rule="round robin", people=("cat", "dan")),
	)
	made = world(plan(*steps), parties=0, people=("ann", "bob", "cat", "dan", "eve"), fallback="eve")
	for number in range(40):
		made.party(f"P{number}", manager="ann")
	made.party("Orphan", manager="left the firm")
	made.run(START)
	loads = dict(made.ask("SELECT owner, COUNT(*) FROM touchpoints WHERE step = 'l' GROUP BY owner"))
	assert sorted(loads.values()) == [20, 21]
	assert {who for (who,) in made.ask("SELECT owner FROM touchpoints WHERE step = 'u'")} == {"bob"}
	assert made.ask("SELECT owner FROM touchpoints WHERE step = 'm' AND party = 'Orphan'") == [("eve",)]
	assert {
		who for (who,) in made.ask("SELECT owner FROM touchpoints WHERE step = 'm' AND party <> 'Orphan'")
	} == {"ann"}
	dealt = dict(made.ask("SELECT owner, COUNT(*) FROM touchpoints WHERE step = 'r' GROUP BY owner"))
	assert set(dealt) == {"cat", "dan"}


@pytest.mark.parametrize("fallback", ["eve", "bob", None])
def test_nobody_is_given_a_party_that_they_may_not_see(fallback):
	"""By whatever rule, also where it waited or a part was dealt before; the party's manager or the fallback takes it."""
	steps = (
		step("m", days=7),
		step("u", days=7, owner_rule="user", people=("bob",)),
		step("l", days=7, owner_rule="least loaded", people=("bob", "cat")),
		step("r", days=7, owner_rule="round robin", people=("bob", "cat")),
	)
	made = world(plan(*steps), parties=0, people=("ann", "bob", "cat"), fallback=fallback)
	people = [
		Person("ann"),
		Person("bob", unseen=lambda keys: {key for key in keys if key.startswith("Far")}),
	]
	people += [Person("cat", unseen=lambda keys: {key for key in keys if key == "Far 0"}), Person("eve")]
	made.care = replace(made.care, people=tuple(people))
	for number in range(10):
		made.party(f"Near {number}", manager="bob")
		made.party(f"Far {number}", manager="bob" if number % 2 else "ann")
	for night in march(3, 3, 10):
		made.run(night)
	rows = made.ask("SELECT step, party, owner FROM touchpoints WHERE status = 'Open'")
	assert len(rows) == 80
	assert not [row for row in rows if row[2] == "bob" and row[1].startswith("Far")]
	assert not [row for row in rows if row[2] == "cat" and row[1] == "Far 0"]
	owner = {(key, party): who for key, party, who in rows}
	last = "eve" if fallback == "eve" else None
	assert [owner["m", party] for party in ("Near 1", "Far 1", "Far 2")] == ["bob", last, "ann"]
	assert [owner["u", party] for party in ("Near 1", "Far 1", "Far 2")] == ["bob", last, "ann"]
	assert [owner["l", party] for party in ("Far 1", "Far 2", "Far 0")] == ["cat", "cat", "ann"]
	assert {owner["r", f"Near {number}"] for number in range(10)} == {"bob", "cat"}
	assert {owner["r", f"Far {number}"] for number in range(10)} <= {"cat", "ann", last}


# -- contact rules


def test_a_cap_is_never_exceeded_and_priority_decides():
	steps = (step("a", days=7, priority=1), step("b", days=7, priority=9), step("c", days=7, priority=5))
	made = world(plan(*steps), rules=(ContactRule("Two", "cap", maximum=2, window=7),))
	made.run(START)
	assert {row["step"]: row["status"] for row in made.touchpoints()} == {
		"b": "Open",
		"c": "Open",
		"a": "Waiting",
	}
	assert [row["rule"] for row in made.touchpoints("status = 'Waiting'")] == ["Two"]


def test_a_cap_counts_what_happened_and_lets_go_when_the_window_has_passed():
	made = world(plan(step(days=30)), rules=(ContactRule("One", "cap", maximum=1, window=7),))
	made.add(
		"interactions", {"party": "P000", "day": Day(2025, 3, 1), "direction": "Out", "channel": "Email"}
	)
	made.add(
		"interactions", {"party": "P000", "day": Day(2025, 2, 1), "direction": "Out", "channel": "Email"}
	)
	for day in march(3, 7, 8):
		made.run(day)
	assert [(row["status"], row["due"]) for row in made.touchpoints()] == [("Open", Day(2025, 3, 8))]


@pytest.mark.parametrize(("maximum", "status"), [(0, "Waiting"), (None, "Open")])
def test_nought_means_none_and_empty_means_no_limit(maximum, status):
	made = world(plan(step(days=7)), rules=(ContactRule("Cap", "cap", maximum=maximum, window=7),))
	made.run(START)
	assert [row["status"] for row in made.touchpoints()] == [status]


def test_a_cap_of_a_channel_leaves_others_alone():
	steps = (step("a", days=7), step("b", days=7, channel="Visit"), step("c", days=7))
	rule = ContactRule("One each", "cap", maximum=1, window=7, per_channel=True)
	made = world(plan(*steps), rules=(rule,))
	made.run(START)
	assert {row["step"]: row["status"] for row in made.touchpoints()} == {
		"a": "Open",
		"b": "Open",
		"c": "Waiting",
	}


def test_no_offer_while_a_complaint_is_open_nor_for_a_while_after():
	steps = (step("offer", days=1, nature="Offer"), step("care", days=1))
	rule = ContactRule("Cool", "cool-down", action="drop", nature="Offer", cool_down=3)
	made = world(plan(*steps), rules=(rule,), horizon=0)
	ran(made, START)
	made.add("cases", {"party": "P000", "opened": Day(2025, 3, 4), "closed": None, "kind": "Complaint"})
	ran(made, *march(4, 5))
	made.connection.execute("UPDATE cases SET closed = DATE '2025-03-05'")
	ran(made, *march(7, 8))
	assert occurrences(made, "step = 'offer' AND status = 'Suppressed'") == march(4, 5, 7)
	assert occurrences(made, "step = 'offer' AND status = 'Done'") == march(3, 8)
	assert occurrences(made, "step = 'care' AND status = 'Done'") == march(3, 4, 5, 7, 8)


def test_notices_pass_unless_a_rule_names_them():
	steps = (step("notice", days=7, nature="Notice", touchpoint_type="Notice"), step("care", days=7))
	made = world(plan(*steps), rules=(ContactRule("None", "cap", maximum=0),))
	made.run(START)
	assert {row["step"]: row["status"] for row in made.touchpoints()} == {"notice": "Open", "care": "Waiting"}
	named = world(plan(*steps), rules=(ContactRule("None", "cap", maximum=0, types=("Notice",)),))
	named.run(START)
	assert {row["step"]: row["status"] for row in named.touchpoints()} == {
		"notice": "Waiting",
		"care": "Open",
	}


def test_a_no_is_a_no_for_its_channel_and_a_yes_is_needed_where_the_rule_says_so():
	steps = (step("mail", days=7, channel="Email"), step("call", days=7))
	made = world(plan(*steps), parties=3, rules=(ContactRule("No", "consent", action="drop"),))
	made.add("consents", {"party": "P000", "channel": "Email", "answer": "No"})
	made.add("consents", {"party": "P001", "answer": "No"})
	made.run(START)
	dropped = {(row["party"], row["step"]) for row in made.touchpoints("status = 'Suppressed'")}
	assert dropped == {("P000", "mail"), ("P001", "mail"), ("P001", "call")}
	asked = world(
		plan(*steps), parties=2, rules=(ContactRule("Yes", "consent", opt_in=True, channels=("Email",)),)
	)
	asked.add("consents", {"party": "P000", "channel": "Email", "answer": "Yes"})
	asked.run(START)
	assert [(row["party"], row["step"]) for row in asked.touchpoints("status = 'Waiting'")] == [
		("P001", "mail")
	]


def test_conditions_of_a_rule_hold_contacts_back():
	rule = ContactRule(
		"Dispute",
		"condition",
		action="drop",
		nature="Greeting",
		conditions=(Condition("open_complaints", ">", 0),),
	)
	made = world(plan(step(days=7, nature="Greeting")), parties=0, rules=(rule,))
	made.party("Angry", open_complaints=1)
	made.party("Calm", open_complaints=0)
	made.run(START)
	assert {row["party"]: row["status"] for row in made.touchpoints()} == {
		"Angry": "Suppressed",
		"Calm": "Open",
	}


def test_quiet_days_move_a_contact_and_name_the_rule():
	rule = ContactRule("Feast", "quiet days", quiet=frozenset({START, Day(2025, 3, 4)}))
	made = world(plan(step(days=7)), rules=(rule,), calendars={"": frozenset({Day(2025, 3, 5)})})
	made.run(START)
	assert [(row["due"], row["status"], row["moved_by"]) for row in made.touchpoints()] == [
		(Day(2025, 3, 6), "Open", "Feast")
	]


def test_a_greeting_that_was_held_back_does_not_come_months_later():
	rule = ContactRule("Dispute", "condition", conditions=(Condition("open_complaints", ">", 0),))
	feast = Occasion("Feast", (Day(2025, 3, 5),))
	made = world(plan(step("f", "occasion", occasion="Feast")), parties=0, rules=(rule,), occasions=(feast,))
	made.party("A", open_complaints=1)
	made.run(START)
	made.run(Day(2025, 3, 18))
	assert [row["status"] for row in made.touchpoints()] == ["Waiting"]
	made.change("A", open_complaints=0)
	made.run(Day(2025, 4, 6))
	assert [(row["status"], row["open_key"]) for row in made.touchpoints()] == [("Suppressed", None)]


def test_what_waits_goes_when_the_rule_lets_go_and_keeps_its_key():
	rule = ContactRule("Dispute", "condition", conditions=(Condition("open_complaints", ">", 0),))
	made = world(plan(step(days=30)), parties=0, rules=(rule,))
	made.party("A", open_complaints=1)
	made.run(START)
	(waiting,) = made.touchpoints()
	made.change("A", open_complaints=0)
	made.run(Day(2025, 3, 9))
	(gone,) = made.touchpoints()
	assert (waiting["status"], gone["status"], gone["due"]) == ("Waiting", "Open", Day(2025, 3, 9))
	assert waiting["key"] == gone["key"]

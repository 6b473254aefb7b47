"""Signals, each against a case worked out by hand."""

import datetime

import pytest

from crm_retention.engine.signals import SIGNAL_NAMES, SIGNALS
from tests.support.cycles import AS_OF, bought, days_ago, run


def signals_of(party: str, data: dict, **options) -> dict:
	return run(data, **options).profiles[party]


def known(row: dict) -> set[str]:
	return {name for name in SIGNAL_NAMES if row[name] is not None}


# Three purchase days, 100, 60 and 10 days ago, the middle one with two documents and a return of 50.
ORDINARY = [
	bought("A", 100, 200, discount=0, margin=80),
	bought("A", 60, 100, discount=25, margin=10),
	bought("A", 60, 75, discount=0, margin=5),
	bought("A", 60, -50, discount=0, margin=-20),
	bought("A", 10, 125, discount=0, margin=None),
]


@pytest.fixture(scope="module")
def ordinary():
	return signals_of("A", {"purchases": ORDINARY})


@pytest.mark.parametrize(
	("signal", "value"),
	[
		("first_purchase", days_ago(100)),
		("last_purchase", days_ago(10)),
		("recency_days", 10),
		("tenure_days", 100),
		("frequency", 2),
		("purchases", 4),
		("monetary_total", 450),
		("monetary_average", 150),  # 450 over three days
		("monetary_12m", 450),
		("monetary_prior_12m", 0),
		("trend", None),  # nothing to compare with
		("mean_interval_days", 45),  # 90 days between first and last, two intervals
		("days_overdue", -35),
		("overdue_ratio", round(10 / 45, 6)),
		("repeat_value", 150),  # (100 + 75 + 125) / 2, returns and the first day left out
		("discount_share", round(25 / 525, 6)),
		("discount_documents_share", 0.25),
		("return_share", 0.1),
		("margin_12m", 75),
	],
)
def test_purchase_signals_of_an_ordinary_buyer(ordinary, signal, value):
	assert ordinary[signal] == value


def test_one_purchase_has_no_rhythm_and_no_repeat_value():
	row = signals_of("A", {"purchases": [bought("A", 30, 40)]})
	assert (row["frequency"], row["purchases"], row["monetary_total"]) == (0, 1, 40)
	for name in ("mean_interval_days", "days_overdue", "overdue_ratio", "repeat_value", "trend"):
		assert row[name] is None, name


def test_two_documents_on_one_day_are_one_purchase_day():
	row = signals_of("A", {"purchases": [bought("A", 30, 40), bought("A", 30, 60)]})
	assert (row["frequency"], row["purchases"], row["monetary_average"]) == (0, 2, 100)


def test_a_party_without_purchases_has_counts_of_zero_and_nothing_else():
	parties = [{"party": "A"}, {"party": "B"}]
	row = signals_of("B", {"parties": parties, "purchases": [bought("A", 1)]})
	assert row["purchases"] == 0
	assert known(row) == {"purchases"}


def test_a_party_with_returns_only_is_no_buyer():
	row = signals_of("A", {"purchases": [bought("A", 5, -30)]})
	assert row["purchases"] == 0
	assert row["monetary_total"] == -30
	for name in ("first_purchase", "last_purchase", "recency_days", "frequency", "return_share"):
		assert row[name] is None, name


def test_a_zero_amount_is_a_purchase_without_value():
	row = signals_of("A", {"purchases": [bought("A", 20, 0), bought("A", 10, 0)]})
	assert (row["purchases"], row["frequency"], row["monetary_total"]) == (2, 1, 0)
	assert row["repeat_value"] == 0
	assert row["return_share"] is None
	assert row["monetary_average"] == 0


def test_the_day_of_the_cycle_counts_and_the_day_after_does_not():
	purchases = [bought("A", 0, 10), bought("A", -1, 1000)]
	outcome = run({"purchases": purchases})
	assert outcome.profiles["A"]["monetary_total"] == 10
	assert outcome.profiles["A"]["recency_days"] == 0
	assert outcome.result.counts["purchases_after"] == 1


def test_periods_hold_their_last_day_and_not_the_day_before_their_first():
	purchases = [
		bought("A", 0, 1),
		bought("A", 364, 2),
		bought("A", 365, 4),
		bought("A", 729, 8),
		bought("A", 730, 16),
	]
	row = signals_of("A", {"purchases": purchases})
	assert row["monetary_12m"] == 3
	assert row["monetary_prior_12m"] == 12
	assert row["trend"] == -0.75
	assert row["monetary_total"] == 31


def test_period_length_is_set_by_the_configuration():
	purchases = [
		bought("A", 0, 1),
		bought("A", 29, 2),
		bought("A", 30, 4),
		bought("A", 59, 8),
		bought("A", 60, 16),
	]
	row = signals_of("A", {"purchases": purchases}, config={"windows": {"period": 30}})
	assert (row["monetary_12m"], row["monetary_prior_12m"]) == (3, 12)


def test_trend_is_unknown_where_the_period_before_is_not_positive():
	purchases = [bought("A", 1, 10), bought("A", 400, 10), bought("A", 400, -10)]
	assert signals_of("A", {"purchases": purchases})["trend"] is None


def test_nothing_in_this_period_after_a_good_one_is_a_trend_of_minus_one():
	row = signals_of("A", {"purchases": [bought("A", 400, 10)]})
	assert (row["monetary_12m"], row["trend"]) == (0, -1)


def test_payment_signals():
	def invoice(ago, due, paid, outstanding, amount=100):
		return bought(
			"A",
			ago,
			amount,
			due_day=days_ago(due),
			outstanding=float(outstanding),
			paid_day=paid and days_ago(paid),
		)

	purchases = [
		invoice(200, 170, 150, 0),  # 20 days late
		invoice(150, 120, 130, 0),  # early: counts as 0
		invoice(100, 70, None, 60),  # overdue
		invoice(20, -10, None, 100),  # not yet due
		invoice(40, 0, None, 40),  # due today: not overdue
	]
	row = signals_of("A", {"purchases": purchases})
	assert row["days_late"] == 10
	assert row["overdue_share"] == round(60 / 500, 6)


def test_a_payment_after_the_day_is_not_known_yet():
	purchases = [bought("A", 40, 100, due_day=days_ago(30), paid_day=days_ago(-3), outstanding=0.0)]
	assert signals_of("A", {"purchases": purchases})["days_late"] is None


def test_payment_and_discount_are_unknown_without_their_columns():
	row = signals_of("A", {"purchases": [bought("A", 40, 100)]})
	for name in ("days_late", "overdue_share", "discount_share", "discount_documents_share", "margin_12m"):
		assert row[name] is None, name


def test_product_breadth_counts_different_items_of_the_period():
	def item(ago, product):
		return {"party": "A", "day": days_ago(ago), "product": product}

	items = [item(1, "x"), item(2, "x"), item(364, "y"), item(365, "z"), item(-1, "w")]
	data = {"purchases": [bought("A", 1)], "items": items}
	assert signals_of("A", data)["product_breadth"] == 2


def test_interaction_signals():
	def talk(ago, direction, party="A"):
		return {"party": party, "day": days_ago(ago), "direction": direction}

	log = [
		talk(3, "Out"),
		talk(89, "In"),
		talk(90, "In"),
		talk(5, "Out"),
		talk(-1, "In"),
		talk(200, "In", "B"),
	]
	outcome = run({"purchases": [bought("A", 1), bought("B", 1), bought("C", 1)], "interactions": log})
	row = outcome.profiles["A"]
	assert row["last_interaction"] == days_ago(3)
	assert row["last_outbound"] == days_ago(3)
	assert row["last_inbound"] == days_ago(89)
	assert row["days_since_contact"] == 3
	assert (row["inbound_count"], row["outbound_count"]) == (1, 2)
	assert outcome.column("inbound_count") == {"A": 1, "B": 0, "C": 0}
	assert outcome.column("last_outbound") == {"A": days_ago(3), "B": None, "C": None}
	assert outcome.profiles["C"]["days_since_contact"] is None


def test_interactions_without_a_direction_still_give_the_last_one():
	data = {"purchases": [bought("A", 1)], "interactions": [{"party": "A", "day": days_ago(7)}]}
	row = signals_of("A", data)
	assert (row["last_interaction"], row["days_since_contact"]) == (days_ago(7), 7)
	assert row["inbound_count"] is None


def test_feedback_takes_the_latest_answer_of_each_kind_and_the_lower_of_two_on_one_day():
	def answer(ago, kind, score, party="A"):
		return {"party": party, "day": days_ago(ago), "kind": kind, "score": float(score)}

	feedback = [
		answer(50, "NPS", 10),
		answer(10, "NPS", 6),
		answer(10, "NPS", 9),
		answer(-1, "NPS", 0),
		answer(80, "CSAT", 4),
		answer(2, "CES", 7),
		answer(3, "CSAT", 5, "B"),
	]
	outcome = run({"purchases": [bought("A", 1), bought("B", 1)], "feedback": feedback})
	assert outcome.column("nps") == {"A": 6, "B": None}
	assert outcome.column("csat") == {"A": 4, "B": 5}


def test_complaints_open_on_the_day_and_opened_in_the_window():
	def case(opened, closed, kind="Complaint"):
		return {"party": "A", "opened": days_ago(opened), "closed": closed and days_ago(closed), "kind": kind}

	cases = [
		case(10, None),
		case(89, 1),
		case(90, None),  # before the window, still open
		case(20, -1),  # closed tomorrow: open on the day
		case(20, 0) | {"closed": AS_OF},  # closed on the day
		case(5, None, "Question"),
		case(-1, None),  # tomorrow
	]
	row = signals_of("A", {"purchases": [bought("A", 1)], "cases": cases})
	assert row["open_complaints"] == 3
	assert row["recent_complaints"] == 4


def test_every_case_is_a_complaint_where_there_is_no_kind():
	cases = [{"party": "A", "opened": days_ago(4), "closed": None}]
	assert signals_of("A", {"purchases": [bought("A", 1)], "cases": cases})["open_complaints"] == 1


def test_open_complaints_are_unknown_where_closing_is_not_recorded():
	row = signals_of("A", {"purchases": [bought("A", 1)], "cases": [{"party": "A", "opened": days_ago(4)}]})
	assert row["open_complaints"] is None
	assert row["recent_complaints"] == 1


def test_no_cases_is_zero_complaints_and_no_relation_is_unknown():
	purchases = [bought("A", 1), bought("B", 1)]
	cases = [{"party": "B", "opened": days_ago(4), "closed": None}]
	with_cases = run({"purchases": purchases, "cases": cases})
	assert with_cases.column("open_complaints") == {"A": 0, "B": 1}
	assert run({"purchases": purchases}).column("open_complaints") == {"A": None, "B": None}


def test_days_to_contract_end_is_the_next_end_of_a_running_contract():
	def contract(party, start, end):
		return {"party": party, "start": start, "end": end}

	def later(days):
		return days_ago(-days)

	contracts = [
		contract("A", days_ago(300), later(65)),
		contract("A", days_ago(10), later(30)),
		contract("A", days_ago(400), days_ago(1)),  # over
		contract("A", later(1), later(5)),  # not begun
		contract("B", None, AS_OF),  # last day today
		contract("C", days_ago(9), days_ago(1)),
	]
	outcome = run({"purchases": [bought(party, 1) for party in "ABC"], "contracts": contracts})
	assert outcome.column("days_to_contract_end") == {"A": 30, "B": 0, "C": None}


@pytest.mark.parametrize("relation", ["items", "interactions", "feedback", "cases", "contracts"])
def test_an_empty_relation_says_nothing_but_counts(relation):
	row = signals_of("A", {"purchases": [bought("A", 1)], relation: []})
	own = {signal.name: row[signal.name] for signal in SIGNALS if signal.source == relation}
	assert own
	assert {name for name, value in own.items() if value is not None} <= {
		"open_complaints",
		"recent_complaints",
	}
	assert all(value in (None, 0) for value in own.values())


def test_attributes_of_a_party_are_kept_as_they_are():
	parties = [
		{"party": "A", "party_type": "Lead", "party_name": "Ada", "region": "North", "vip": True, "size": 3}
	]
	row = signals_of("A", {"parties": parties, "purchases": [bought("A", 1)]})
	assert (row["party_type"], row["party_name"]) == ("Lead", "Ada")
	assert (row["party__region"], row["party__vip"], row["party__size"]) == ("North", True, 3)


def test_buyers_that_are_not_among_the_parties_are_counted_and_left_out():
	outcome = run(
		{"parties": [{"party": "A"}], "purchases": [bought("A", 1), bought("X", 1), bought("Y", -5)]}
	)
	assert set(outcome.profiles) == {"A"}
	assert outcome.result.counts["buyers_left_out"] == 1


VISITS = [
	{"who": "A", "on": days_ago(1), "minutes": 30, "kind": "Visit", "note": "late"},
	{"who": "A", "on": days_ago(1), "minutes": 20, "kind": "Visit", "note": "early"},
	{"who": "A", "on": days_ago(9), "minutes": 60, "kind": "Call", "note": "first"},
	{"who": "A", "on": days_ago(10), "minutes": 10, "kind": "Visit", "note": None},
	{"who": "A", "on": days_ago(-1), "minutes": 999, "kind": "Visit", "note": "tomorrow"},
	{"who": None, "on": days_ago(1), "minutes": 7, "kind": "Visit", "note": "nobody"},
]


CUSTOM = [
	({"aggregate": "count"}, 4),
	({"aggregate": "count", "window_days": 10}, 3),
	({"aggregate": "count", "window_days": 9}, 2),
	({"aggregate": "count", "date_field": None}, 5),
	({"aggregate": "sum", "value_field": "minutes"}, 120),
	({"aggregate": "average", "value_field": "minutes"}, 30),
	({"aggregate": "minimum", "value_field": "minutes"}, 10),
	({"aggregate": "maximum", "value_field": "minutes", "window_days": 5}, 30),
	({"aggregate": "latest", "value_field": "minutes"}, 30),
	({"aggregate": "maximum", "value_field": "on"}, days_ago(1)),
	({"aggregate": "count", "conditions": [["kind", "=", "Visit"]]}, 3),
	({"aggregate": "count", "conditions": [["kind", "=", "Visit"], ["minutes", ">", 10]]}, 2),
	({"aggregate": "count", "conditions": [["kind", "=", "Gift"]]}, None),
]


@pytest.fixture(scope="module")
def custom():
	shared = {"relation": "visits", "party_field": "who", "date_field": "on"}
	signals = [{"name": f"signal_{number}", **shared, **rule} for number, (rule, _) in enumerate(CUSTOM)]
	data = {"purchases": [bought("A", 1), bought("B", 1)], "visits": VISITS}
	outcome = run(data, {"signals": signals}, extra=["visits"])
	assert not outcome.result.problems
	return outcome


@pytest.mark.parametrize("number", range(len(CUSTOM)), ids=[str(rule) for rule, _ in CUSTOM])
def test_custom_signal(custom, number):
	assert custom.column(f"signal_{number}") == {"A": CUSTOM[number][1], "B": None}


def test_a_custom_signal_whose_field_is_gone_is_reported_and_the_rest_goes_on():
	signals = [
		{"name": "gone", "relation": "visits", "party_field": "who", "date_field": "on", "aggregate": "sum"}
		| {"value_field": "money"},
		{"name": "nowhere", "relation": "trips", "aggregate": "count"},
		{
			"name": "fine",
			"relation": "visits",
			"party_field": "who",
			"date_field": "on",
			"aggregate": "count",
		},
	]
	outcome = run({"purchases": [bought("A", 1)], "visits": VISITS}, {"signals": signals}, extra=["visits"])
	assert [(item.row, item.field) for item in outcome.result.problems] == [
		("gone", "value_field"),
		("nowhere", "relation"),
	]
	assert outcome.profiles["A"]["fine"] == 4
	assert "gone" not in outcome.profiles["A"]


def test_the_catalogue_names_each_signal_once_and_completely():
	assert len(set(SIGNAL_NAMES)) == len(SIGNAL_NAMES)
	for signal in SIGNALS:
		assert signal.label, signal
		assert signal.unit, signal
		assert signal.definition, signal


def test_each_signal_of_the_catalogue_is_a_column_in_its_declared_type():
	row = run({"purchases": ORDINARY}).profiles["A"]
	kinds = {"date": datetime.date, "int": int, "float": float, "money": float, "share": float}
	for signal in SIGNALS:
		assert signal.name in row
		if row[signal.name] is not None:
			assert isinstance(row[signal.name], kinds[signal.type]), signal.name

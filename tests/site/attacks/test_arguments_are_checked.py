"""No argument of any method is taken as it comes: what it cannot be is refused with 4xx, and the refusal names it."""

from __future__ import annotations

import inspect

import frappe
import pytest
from frappe.utils import add_days, nowdate

from crm_retention.api.endpoint import get_kind
from tests.site.attacks.calls import call, get_arguments
from tests.site.attacks.surface import get_methods
from tests.site.desk import make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.plans import make_plan
from tests.site.touchpoints import make_touchpoint, make_type, only_customer

ASKER, FOREIGN, OWN = "asks.badly@example.com", "Zzyzx Foreign", "Own Customer"
DEEP = "[" * 5000 + "]" * 5000
HOSTILE = [
	{},
	[],
	0,
	False,
	None,
	float("nan"),
	1e308,
	"x" * 2**20,
	DEEP,
	"\0",
	"\ud800",
	{"a": DEEP},
	[[[]]],
	-1,
]
DAYS = ["0000-00-00", "9999-12-31", "2026-02-30", "10000-01-01", "1899-12-31", "0", "tomorrow", 20260101]


@pytest.fixture(scope="module", autouse=True)
def honest(leave_site_as_it_was):
	"""Values that each argument may have, for a manager limited to one customer."""
	make_type()
	for name in (OWN, FOREIGN):
		make_customer(name)
		make_profile(name)
	make_user(ASKER, "Retention Manager", "Sales User")
	touchpoint = make_touchpoint(OWN).name
	row = make_row(OWN).insert().name
	run = frappe.get_doc({"doctype": "Retention Run", "kind": "Preview", "as_of": nowdate()}).insert()
	plan = make_plan("Asked For").insert()
	with only_customer(ASKER, OWN):
		yield {
			"party_type": "Customer", "party": OWN, "name": touchpoint, "names": [touchpoint], "run": run.name,
			"outcome": "Reached", "reason": "Because", "user": "Administrator", "kind": "Note", "country": "Germany",
			"due_date": add_days(nowdate(), 1), "start": nowdate(), "end": nowdate(), "plan": plan.name,
			"doc": plan.as_dict(convert_dates_to_str=True), "steps": [], "from_user": ASKER, "to_user": "Administrator",
			"args": {"name": touchpoint, "starts_at": nowdate()}, "values": {"note": "x"}, "interaction": row,
		}  # fmt: skip


def get_honest(path, method, honest):
	"""What a call needs, and nothing more."""
	needed = [name for name, said in get_arguments(method).items() if said.default is said.empty]
	values = {name: honest[name] for name in needed}
	if path.endswith("interactions.correct"):
		values["name"] = honest["interaction"]
	return values


def accepts(kind, value):
	try:
		kind.read("x", value)
	except frappe.ValidationError:
		return False
	return True


@pytest.mark.parametrize("path", get_methods())
def test_no_method_is_without_types_that_are_checked(path):
	method = get_methods()[path]
	for name, parameter in get_arguments(method).items():
		assert not isinstance(inspect.unwrap(method).__annotations__[name], str), (path, name)
		assert get_kind(inspect.unwrap(method), parameter), (path, name)


@pytest.mark.parametrize("path", get_methods())
def test_no_hostile_value_is_an_error_of_the_server_or_tells_of_others(path, honest):
	method = get_methods()[path]
	given = get_honest(path, method, honest)
	for name, parameter in get_arguments(method).items():
		kind = get_kind(inspect.unwrap(method), parameter)
		optional = parameter.default is not parameter.empty
		for value in HOSTILE + (DAYS if "day" in str(kind).lower() else []):
			answer = call(ASKER, path, **given | {name: value})
			seen = (path, name, repr(value)[:60], answer.status, answer.text[:300])
			assert answer.status < 500, seen
			assert FOREIGN not in answer.text, seen
			if not accepts(kind, value) and not (optional and value is None):
				assert answer.status == 417, seen
				assert name in answer.text, seen


@pytest.mark.parametrize("path", get_methods())
def test_no_argument_that_is_needed_can_be_missing(path, honest):
	method = get_methods()[path]
	given = get_honest(path, method, honest)
	for name in given:
		answer = call(ASKER, path, **{key: value for key, value in given.items() if key != name})
		assert (answer.status, f"{name} is missing" in answer.text) == (417, True), (path, name, answer)


@pytest.mark.parametrize(
	"method", ["profile.explain", "timeline.get_view", "timeline.get_timeline", "handover.brief"]
)
@pytest.mark.parametrize("party", [{}, [], 0, False, True, "", " ", None, ["like", "%"], {"like": "%"}, "%"])
def test_no_party_is_found_by_anything_but_its_name(method, party, honest):
	answer = call(ASKER, method, party_type="Customer", party=party)
	assert answer.status == (403 if party == "%" else 417), answer
	assert FOREIGN not in answer.text


@pytest.mark.parametrize("party", [0, {}, ""])
def test_no_row_is_logged_of_a_party_that_is_none(party, honest):
	answer = call(ASKER, "interactions.log_interaction", party_type="Customer", party=party, kind="Note")
	assert (answer.status, "party" in answer.text) == (417, True)


@pytest.mark.parametrize("of", ["User", "tabUser", "Interaction Log' or 1=1", ["User"], {"User": 1}])
def test_timeline_is_of_nothing_else(of, honest):
	answer = call(ASKER, "timeline.get_timeline", party_type="Customer", party=OWN, filters={"of": of})
	assert (answer.status, "of: " in answer.text) == (417, True), answer


@pytest.mark.parametrize(
	"filters",
	[
		"{", "[]", DEEP, {"from_date": "2026-02-30"}, {"to_date": "9999-12-31"}, {"kind": {}}, {"kind": 0},
		{"only_contacts": "x"}, {"channel": "\ud800"}, {"department": "x" * 200},
	],
)  # fmt: skip
def test_no_filter_of_the_timeline_breaks_it(filters, honest):
	answer = call(ASKER, "timeline.get_timeline", party_type="Customer", party=OWN, filters=filters)
	assert answer.status == 417, answer


@pytest.mark.parametrize(
	"before", ["9999-12-31|4|x", "0000-00-00|4|x", "x|y|z", "2026-01-01|99|x", "|||", "2026-01-01|4"]
)
def test_no_place_in_the_timeline_breaks_it(before, honest):
	answer = call(ASKER, "timeline.get_timeline", party_type="Customer", party=OWN, before=before)
	assert answer.status in (200, 417), answer


@pytest.mark.parametrize(
	"row",
	[
		"x", [], ["x"], ["User", "name", "=", "x"], ["Touchpoint", "nope", "=", 1], ["Touchpoint", "name", "sounds", 1],
		["Touchpoint", "due_date", "=", "2026-02-30"], ["Touchpoint", "due_date", "between", ["x", "y"]],
		["Touchpoint", "title", "between", ["a", "b"]], ["Touchpoint", "due_date", "Timespan", "for ever"],
		["Touchpoint", "department", "descendants of", {}], ["Touchpoint", "title", "descendants of", "x"],
		["Touchpoint", "minutes", ">", "nan"], ["Touchpoint", "title", "like", {}], ["Touchpoint", {}, "=", 1],
		["Touchpoint", "name", "in", [{}]], ["Touchpoint", "title) or 1=1", "=", 1], ["Touchpoint", "doctype", "=", 1],
		["Touchpoint", "title", "is", "x"], ["name", "is", ""], ["Touchpoint", "event", "Is", "SET"], ["event", "is", 1],
		["Touchpoint", "event", "is", None], ["Touchpoint", "due_date", "like", "0000-00-00"], ["starts_at", "like", "x"],
	],
)  # fmt: skip
def test_no_filter_of_the_calendar_breaks_it(row, honest):
	answer = call(ASKER, "touchpoints.get_events", start=nowdate(), end=nowdate(), filters=[row])
	assert answer.status == 417, answer


@pytest.mark.parametrize(
	"row",
	[
		["Touchpoint", "status", "=", "Open"], ["Touchpoint", "due_date", "Timespan", "this week", False],
		["Touchpoint", "title", "like", "%x%"], ["Touchpoint", "_assign", "like", "%x%"], ["status", "in", "Open,Done"],
		["Touchpoint", "due_date", "Between", ["2026-01-01", "2026-12-31"]], ["Touchpoint", "docstatus", "=", 0],
		["Touchpoint", "department", "descendants of", "All Departments"], ["Touchpoint", "event", "is", "set"],
		["Touchpoint", "creation", ">", "2026-01-01 10:00:00"], ["Touchpoint", "minutes", ">=", "5"],
	],
)  # fmt: skip
def test_filters_that_the_desk_makes_are_answered(row, honest):
	answer = call(
		ASKER, "touchpoints.get_events", start=f"{nowdate()} 00:00:00", end=nowdate(), filters=[row]
	)
	assert answer.status == 200, answer


@pytest.mark.parametrize(
	"change",
	[
		{"steps": "x"}, {"steps": [1]}, {"steps": [{"timing": "Never"}]}, {"steps": [{"unit": "Aeons"}]},
		{"steps": [{"every": 10**400}]}, {"steps": [{"every": {}}]}, {"steps": [{}] * 1000}, {"starts_on": "2026-02-30"},
		{"party_conditions_json": "{"}, {"party_conditions_json": DEEP}, {"party_conditions_json": "[1]"},
		{"signal_conditions_json": '[["Retention Profile", "score", "=", {}]]'}, {"tiers": {"tier": "x"}},
		{"title": {}}, {"holdout_share": "NaN"}, {"name": {}}, {"signal_conditions_json": 1},
		{"party_conditions_json": frappe.as_json([["Customer", "name", "=", "x"]] * 10_000)},
	],
)  # fmt: skip
def test_no_form_of_a_plan_breaks_its_forecast(change, honest):
	answer = call(ASKER, "plans.get_forecast", doc=honest["doc"] | change)
	assert answer.status == 417, answer


def test_no_field_of_other_customers_is_guessed_by_counting_them(honest):
	conditions = frappe.as_json([["Customer", "customer_name", "like", f"{FOREIGN[0]}%"]])
	answer = call(ASKER, "plans.get_forecast", doc=honest["doc"] | {"party_conditions_json": conditions})
	assert (answer.status, answer.data["parties"]) == (200, 0)


@pytest.mark.parametrize(
	"values",
	[
		{"minutes": "nan"}, {"occurred_on": "2026-02-30"}, {"occurred_on": 0}, {"cost": 1e308}, {"note": {}}, {"note": 0},
		{"note": "x" * 70_000}, {"kind": []}, {"party": FOREIGN}, {"owner": "x"}, {"contact": "No Such Contact"},
	],
)  # fmt: skip
def test_no_correction_says_what_no_row_can(values, honest):
	answer = call(ASKER, "interactions.correct", name=honest["interaction"], values=values)
	assert answer.status in (403, 417), answer

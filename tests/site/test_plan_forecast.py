"""The load that a plan brings: counted on the stored profiles, against what people have time for."""

import json

import frappe
import pytest
from frappe.utils import getdate

from crm_retention.api import plans as api
from crm_retention.plans.forecast import forecast
from crm_retention.plans.targets import count_targets
from tests.site.desk import make_change, make_customer, make_profile, make_user, refusal
from tests.site.plans import make_plan, make_step

AS_OF = getdate("2026-12-09")  # a Wednesday; its week begins on 7 December


@pytest.fixture(autouse=True)
def only_these_customers():
	"""Two managers with three and one customers, one customer of nobody, and no other plan."""
	frappe.db.delete("Retention Profile")
	frappe.db.set_value("Maintenance Plan", {"docstatus": 1}, "status", "Ended")
	make_user("anna@trial.example", "Sales User")
	make_user("bob@trial.example", "Sales User")
	owners = ["anna@trial.example"] * 3 + ["bob@trial.example", None]
	for number, owner in enumerate(owners):
		name = f"Firm {number}"
		make_customer(name, account_manager=owner, territory="All Territories")
		tier = "High Value" if number < 4 else "Regular"
		make_profile(name, tier=tier, stage="Active", purchases=number, mean_interval_days=14)


def set_capacity(**values):
	settings = frappe.get_doc("Retention Settings")
	settings.update({"capacities": [], "touchpoints_per_day": "", "hours_per_week": 10, **values})
	settings.save()


def by_user(found):
	return {person["user"]: person for person in found["people"]}


def test_targets_count_the_parties_that_fit():
	def owners(**targets):
		return {group.owner: group.parties for group in count_targets(make_plan(**targets))}

	assert owners() == {"anna@trial.example": 3, "bob@trial.example": 1, "": 1}
	assert owners(tiers=[{"tier": "High Value"}]) == {"anna@trial.example": 3, "bob@trial.example": 1}
	assert owners(stages=[{"stage": "Lost"}]) == {}
	signals = json.dumps(
		[["Retention Profile", "purchases", ">=", 2], ["Retention Profile", "tier", "=", "High Value"]]
	)
	assert owners(signal_conditions_json=signals) == {"anna@trial.example": 1, "bob@trial.example": 1}
	customers = json.dumps([["Customer", "account_manager", "is", "not set"]])
	assert owners(party_conditions_json=customers) == {"": 1}
	frappe.db.set_value("Retention Profile", "Firm 0", "tier_reason", "left")
	assert owners()["anna@trial.example"] == 2


def test_cadence_becomes_touchpoints_and_hours_a_week():
	set_capacity()
	plan = make_plan(
		steps=[{"every": 1, "unit": "Weeks", "minutes": 30}, {"every": 2, "unit": "Days", "minutes": 10}]
	)
	found = forecast(plan, AS_OF)
	assert found["weeks"][0] == "2026-12-07"
	assert len(found["weeks"]) == 13
	assert found["parties"] == 5
	ana = by_user(found)["anna@trial.example"]
	assert ana["own_touchpoints"] == [pytest.approx(3 + 3 * 3.5, abs=0.05)] * 13
	assert ana["own_hours"] == [pytest.approx(1.5 + 1.75, abs=0.06)] * 13
	assert by_user(found)[""]["name"] == "Nobody"


def test_holdout_gets_nothing_and_what_sends_itself_asks_nothing():
	set_capacity()
	steps = [{"every": 1, "unit": "Weeks", "minutes": 60}, {"every": 1, "unit": "Days", "send_by_itself": 1}]
	found = forecast(make_plan(steps=steps, holdout_share=50), AS_OF)
	assert by_user(found)["anna@trial.example"]["own_hours"] == [1.5] * 13


def test_rhythm_goes_by_the_parties_own_intervals():
	set_capacity()
	found = forecast(make_plan(steps=[{"timing": "Buying Rhythm", "rhythm": 0.5, "minutes": 60}]), AS_OF)
	assert by_user(found)["anna@trial.example"]["own_touchpoints"] == [3.0] * 13  # every 7 days each


def test_occasion_falls_into_its_week():
	set_capacity()
	found = forecast(
		make_plan(steps=[{"timing": "Occasion", "occasion": "New Year", "offset_days": -3}]), AS_OF
	)
	many = by_user(found)["anna@trial.example"]["own_touchpoints"]
	assert [(found["weeks"][week], count) for week, count in enumerate(many) if count] == [
		("2026-12-28", 3.0)
	]


def test_events_go_by_the_last_year_and_unknown_ones_are_named():
	set_capacity()
	for number in range(4):
		make_change(
			f"Firm {number}", kind="Stage", on_date="2026-06-01", from_value="Active", to_value="Dormant"
		)
	entered = {"timing": "Event", "event": "Stage Entered", "event_value": "Dormant", "minutes": 60}
	detractor = {"timing": "Event", "event": "Detractor Feedback"}
	birthday = {"timing": "Occasion", "occasion": "End of Contract"}
	found = forecast(make_plan(steps=[entered, detractor, birthday]), AS_OF)
	assert sum(found["total"]) == pytest.approx(4 * 91 / 365, abs=0.7)
	assert len(found["not_counted"]) == 2
	assert "On Detractor Feedback" in found["not_counted"][0]


def test_weeks_beyond_capacity_are_marked_with_other_plans_counted():
	set_capacity(capacities=[{"user": "bob@trial.example", "touchpoints_per_day": "0"}])
	other = make_plan("Other", steps=[{"every": 1, "unit": "Weeks", "minutes": 150}]).submit()
	plan = make_plan(steps=[{"every": 1, "unit": "Weeks", "minutes": 60}])
	found = by_user(forecast(plan, AS_OF))
	assert found["anna@trial.example"]["hours"] == [10.5] * 13
	assert found["anna@trial.example"]["over"] == list(range(13))
	assert found["bob@trial.example"]["over"] == list(range(13))  # 0 a day means none
	assert found[""]["over"] == []
	other.cancel()
	assert by_user(forecast(plan, AS_OF))["anna@trial.example"]["over"] == []


def test_version_is_not_counted_beside_the_one_it_follows():
	set_capacity()
	plan = make_plan(steps=[{"every": 1, "unit": "Weeks", "minutes": 60}]).submit()
	draft = frappe.get_doc("Maintenance Plan", api.make_new_version(plan.name)["name"])
	assert forecast(draft, AS_OF)["other"] == [0.0] * 13


def test_roles_and_users_share_the_load():
	set_capacity()
	frappe.get_doc({"doctype": "Role", "role_name": "Carers"}).insert()
	for user in ("anna@trial.example", "bob@trial.example"):
		frappe.get_doc("User", user).add_roles("Carers")
	weekly = {"every": 1, "unit": "Weeks", "minutes": 60}
	shared = forecast(
		make_plan(steps=[{**weekly, "owner_rule": "Role, Round Robin", "role": "Carers"}]), AS_OF
	)
	assert {user: person["own_hours"][0] for user, person in by_user(shared).items()} == {
		"anna@trial.example": 2.5,
		"bob@trial.example": 2.5,
	}
	fixed = forecast(make_plan(steps=[{**weekly, "owner_rule": "User", "user": "bob@trial.example"}]), AS_OF)
	assert by_user(fixed)["bob@trial.example"]["own_hours"][0] == 5


def test_budget_compares_a_year_of_one_customer():
	set_capacity(hour_rate=60)
	plan = make_plan(steps=[{"every": 1, "unit": "Weeks", "minutes": 30, "cost": 2}], hours_per_party=20)
	budget = forecast(plan, AS_OF)["budget"]
	assert budget["hours"] == pytest.approx(26.09, abs=0.01)
	assert budget["money"] == pytest.approx(52.18 * 32, abs=0.5)
	assert budget["hours_allowed"] == 20


def test_form_that_is_not_saved_has_a_forecast():
	set_capacity()
	values = {"doctype": "Maintenance Plan", "__islocal": 1, "title": "New", "steps": [make_step()]}
	assert api.get_forecast(json.dumps(values))["parties"] == 5
	assert not frappe.db.exists("Maintenance Plan", {"title": "New"})


def test_conditions_that_nobody_can_decide_are_told():
	rows = json.dumps([["Retention Profile", "no_such_signal", ">", 1]])
	with pytest.raises(frappe.ValidationError, match="no_such_signal"):
		forecast(make_plan(signal_conditions_json=rows))
	assert "no_such_signal" in refusal(make_plan(signal_conditions_json=rows))


def test_forecast_is_for_those_who_write_plans():
	frappe.set_user("anna@trial.example")
	with pytest.raises(frappe.PermissionError):
		api.get_forecast({"doctype": "Maintenance Plan", "title": "New", "steps": [make_step()]})

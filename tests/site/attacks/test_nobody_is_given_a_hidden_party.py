"""The night gives nobody a touchpoint of a party that they may not read, whatever rule a plan has, and names none in ToDos."""

from __future__ import annotations

from typing import Any

import frappe
import pytest

from tests.site import care
from tests.site.care import ANN, CALL, FAY, add_members, night, start_plan, step
from tests.site.desk import make_user

pytestmark = pytest.mark.commits

LIMITED = "limited.care@example.com"
NEAR, FAR = "Near Customer", "Quetzalcoatlus"
ROLE = "Role of Attacks"
RULES = {
	"Trial User": {"owner_rule": "User", "user": LIMITED},
	"Trial Robin": {"owner_rule": "Role, Round Robin", "role": ROLE},
	"Trial Least": {"owner_rule": "Role, Least Loaded", "role": ROLE},
	"Trial Manager": {"owner_rule": "Account Manager"},
}


@pytest.fixture(scope="module", autouse=True)
def made(site: Any, leave_site_as_it_was: None) -> Any:
	"""A night of a plan for each rule, all of which ask a user who sees one territory alone, as the fallback does."""
	care.set_up()
	frappe.get_doc({"doctype": "Role", "role_name": ROLE}).insert()
	make_user(LIMITED, "Retention User", "Sales User", ROLE)
	root = frappe.db.get_value("Territory", {"parent_territory": ("in", ("", None))})
	for name in ("Near", "Far"):
		row = {"doctype": "Territory", "territory_name": f"Territory {name}", "parent_territory": root}
		frappe.get_doc(row).insert()
	allowed = {"user": LIMITED, "allow": "Territory", "for_value": "Territory Near"}
	frappe.get_doc({"doctype": "User Permission", **allowed, "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", LIMITED)
	care.configure(fallback_owner=LIMITED)
	add_members(NEAR, FAR, manager=LIMITED)
	add_members("Another", manager=ANN)
	for name, territory in ((NEAR, "Near"), (FAR, "Far"), ("Another", "Far")):
		frappe.db.set_value("Customer", name, "territory", f"Territory {territory}")
	for title, rule in RULES.items():
		start_plan(title, step(**rule))
	night()
	yield frappe.get_all("Touchpoint", {"plan": ("is", "set")}, ["*"], limit=0)
	care.forget()
	frappe.cache.hdel("user_permissions", LIMITED)


@pytest.mark.parametrize("plan", RULES)
def test_whoever_sees_the_party_is_given_it_and_nobody_else(made: Any, plan: str) -> None:
	given = {row.party: row.assigned_to for row in made if row.plan_family == plan}
	assert given == {NEAR: LIMITED, FAR: None, "Another": ANN}


def test_no_todo_of_theirs_names_a_party(made: Any) -> None:
	frappe.set_user(LIMITED)
	found = frappe.get_list("ToDo", {"reference_type": "Touchpoint"}, ["description", "reference_name"])
	frappe.set_user("Administrator")
	assert {row.reference_name for row in found} == {row.name for row in made if row.party == NEAR}
	assert all(row.description.startswith(f"{CALL} (Trial") for row in found)
	assert not any(name in str(found) for name in (NEAR, FAR, "Another"))
	assert FAY not in {row.assigned_to for row in made}


def test_fallback_who_sees_the_party_takes_what_the_rule_cannot_give(made: Any) -> None:
	care.configure(fallback_owner=FAY)
	start_plan("Trial Fallback", step(**RULES["Trial User"]))
	night()
	rows = frappe.get_all("Touchpoint", {"plan_family": "Trial Fallback"}, ["party", "assigned_to"], limit=0)
	assert {row.party: row.assigned_to for row in rows} == {NEAR: LIMITED, FAR: FAY, "Another": ANN}

"""What was done over HTTP is refused over HTTP: a client sends what it likes, flags and names of its own included."""

from __future__ import annotations

from urllib.parse import urlencode

import frappe
import pytest

from tests.site.attacks.inside import Insider
from tests.site.desk import make_change, make_customer, make_profile, make_user
from tests.site.interactions import make_touchpoint
from tests.site.touchpoints import make_type

pytestmark = pytest.mark.commits
MANAGER, ADMIN = "http.manager@example.com", "Administrator"


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
	"""A customer of the manager's and a foreign one, with profiles and an ended touchpoint."""
	make_type()
	for name, group in (("Mine", "Commercial"), ("Foreign", "Government")):
		make_customer(name, customer_group=group)
		make_profile(name, score=70)
	make_customer("Fresh", customer_group="Commercial")
	make_user(MANAGER, "Retention Manager", "Sales User")
	permission = {"doctype": "User Permission", "user": MANAGER, "allow": "Customer Group"}
	permission |= {"for_value": "Commercial", "apply_to_all_doctypes": 1}
	frappe.get_doc(permission).insert()
	found = {"done": make_touchpoint("Mine", status="Done", occurrence_key="f|s|d|Mine").name}
	found["change"] = make_change("Mine").name
	frappe.db.commit()
	return found


@pytest.fixture(scope="module")
def people(names) -> dict[str, Insider]:
	return {user: Insider(user) for user in (MANAGER, ADMIN)}


@pytest.mark.parametrize("version", ["resource", "v1/resource", "v2/document"])
def test_foreign_profile_is_neither_moved_nor_read(people, version) -> None:
	values = {"party": "Mine", "override_tier": "High Value", "override_reason": "x"}
	verb = "PATCH" if version.startswith("v2") else "PUT"
	for path in (f"/api/{version}/Retention Profile/Foreign",):
		answer = people[MANAGER].send(verb, path, values)
		assert answer.status == 403, answer.text
		assert "score" not in answer.text
		assert people[MANAGER].send("GET", path).status == 403
	assert people[MANAGER].send("GET", f"/api/{version}/Retention Profile/Mine").status == 200


@pytest.mark.parametrize("user", [MANAGER, ADMIN])
def test_tier_change_is_not_posted(people, user) -> None:
	change = {"party_type": "Customer", "party": "Mine", "on_date": "2026-01-01", "kind": "Tier"}
	change |= {"to_value": "High Value", "flags": {"by_app": 1, "ignore_permissions": 1}, "by_app": 1}
	before = frappe.db.count("Tier Change")
	for path in ("/api/resource/Tier Change", "/api/v2/document/Tier Change"):
		assert people[user].send("POST", path, change).status == 403
	whole = {"doc": {"doctype": "Tier Change", **change}}
	assert people[user].send("POST", "/api/method/frappe.client.insert", whole).status == 403
	frappe.db.rollback()
	assert frappe.db.count("Tier Change") == before


@pytest.mark.parametrize("doctype", ["Contact Stop", "Plan Enrollment", "Retention Profile"])
def test_what_the_app_finds_is_not_posted(people, doctype) -> None:
	rule, plan = (frappe.get_all(name, pluck="name")[0] for name in ("Contact Rule", "Maintenance Plan"))
	row = {"party_type": "Customer", "party": "Fresh", "on_date": "2026-01-01", "plan": plan, "rule": rule}
	row |= {"action": "Drop", "arm": "Treated", "flags": {"ignore_permissions": 1}}
	for user in (MANAGER, ADMIN):
		answer = people[user].send("POST", f"/api/resource/{doctype}", row)
		assert answer.status == 403, answer.text


@pytest.mark.parametrize("user", [MANAGER, ADMIN])
def test_history_is_not_deleted(names, people, user) -> None:
	for doctype, name in (("Touchpoint", names["done"]), ("Tier Change", names["change"])):
		answer = people[user].send("DELETE", f"/api/resource/{doctype}/{name}")
		assert answer.status in (403, 417), answer.text
		assert frappe.db.exists(doctype, name)


def test_period_is_not_shortened(people) -> None:
	path = "/api/resource/Retention Settings/Retention Settings"
	assert people[MANAGER].send("PUT", path, {"log_keep_days": 1, "agreed_rows": 10**9}).status == 403


@pytest.mark.parametrize(
	"query",
	["my_day.people", "cycle.run_now", "touchpoints.complete", "profile.explain", "timeline.get_timeline"],
)
def test_search_of_frappe_is_no_way_to_a_method(people, query) -> None:
	asked = {"doctype": "Customer", "txt": "", "query": f"crm_retention.api.{query}"}
	for verb in ("GET", "POST"):
		answer = people[MANAGER].send(verb, "/api/method/frappe.desk.search.search_link?" + urlencode(asked))
		assert 400 <= answer.status < 500, answer.text[-500:]

"""What was done over HTTP is refused over HTTP: a client sends what it likes, flags and names of its own included."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import frappe
import pytest
from werkzeug.test import Client, TestResponse

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
	for user in (MANAGER, ADMIN):
		doc = frappe.get_doc("User", user)
		doc.api_key, doc.api_secret = f"key-{frappe.scrub(user)}", "secret"
		doc.save()
	found = {"done": make_touchpoint("Mine", status="Done", occurrence_key="f|s|d|Mine").name}
	found["change"] = make_change("Mine").name
	frappe.db.commit()
	return found


def send(user: str, verb: str, path: str, values: dict[str, Any] | None = None) -> TestResponse:
	"""A request, served in a thread of its own: the request has its own connection and user."""

	def serve() -> TestResponse:
		from frappe.app import application

		token = {"Authorization": f"token key-{frappe.scrub(user)}:secret"}
		headers = {"Accept": "application/json", "X-Frappe-Site-Name": site, **token}
		return Client(application).open(path, method=verb, json=values, headers=headers)

	site = frappe.local.site
	with ThreadPoolExecutor(1) as pool:
		return pool.submit(serve).result()


@pytest.mark.parametrize("version", ["resource", "v1/resource", "v2/document"])
def test_foreign_profile_is_neither_moved_nor_read(names, version) -> None:
	values = {"party": "Mine", "override_tier": "High Value", "override_reason": "x"}
	verb = "PATCH" if version.startswith("v2") else "PUT"
	for path in (f"/api/{version}/Retention Profile/Foreign",):
		answer = send(MANAGER, verb, path, values)
		assert answer.status_code == 403, answer.text
		assert "score" not in answer.text
		assert send(MANAGER, "GET", path).status_code == 403
	assert send(MANAGER, "GET", f"/api/{version}/Retention Profile/Mine").status_code == 200


@pytest.mark.parametrize("user", [MANAGER, ADMIN])
def test_tier_change_is_not_posted(names, user) -> None:
	change = {"party_type": "Customer", "party": "Mine", "on_date": "2026-01-01", "kind": "Tier"}
	change |= {"to_value": "High Value", "flags": {"by_app": 1, "ignore_permissions": 1}, "by_app": 1}
	before = frappe.db.count("Tier Change")
	for path in ("/api/resource/Tier Change", "/api/v2/document/Tier Change"):
		assert send(user, "POST", path, change).status_code == 403
	whole = {"doc": {"doctype": "Tier Change", **change}}
	assert send(user, "POST", "/api/method/frappe.client.insert", whole).status_code == 403
	frappe.db.rollback()
	assert frappe.db.count("Tier Change") == before


@pytest.mark.parametrize("doctype", ["Contact Stop", "Plan Enrollment", "Retention Profile"])
def test_what_the_app_finds_is_not_posted(names, doctype) -> None:
	rule, plan = (frappe.get_all(name, pluck="name")[0] for name in ("Contact Rule", "Maintenance Plan"))
	row = {"party_type": "Customer", "party": "Fresh", "on_date": "2026-01-01", "plan": plan, "rule": rule}
	row |= {"action": "Drop", "arm": "Treated", "flags": {"ignore_permissions": 1}}
	for user in (MANAGER, ADMIN):
		answer = send(user, "POST", f"/api/resource/{doctype}", row)
		assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("user", [MANAGER, ADMIN])
def test_history_is_not_deleted(names, user) -> None:
	for doctype, name in (("Touchpoint", names["done"]), ("Tier Change", names["change"])):
		answer = send(user, "DELETE", f"/api/resource/{doctype}/{name}")
		assert answer.status_code in (403, 417), answer.text
		assert frappe.db.exists(doctype, name)


def test_period_is_not_shortened(names) -> None:
	path = "/api/resource/Retention Settings/Retention Settings"
	assert send(MANAGER, "PUT", path, {"log_keep_days": 1, "agreed_rows": 10**9}).status_code == 403


@pytest.mark.parametrize(
	"query",
	["my_day.people", "cycle.run_now", "touchpoints.complete", "profile.explain", "timeline.get_timeline"],
)
def test_search_of_frappe_is_no_way_to_a_method(names, query) -> None:
	asked = {"doctype": "Customer", "txt": "", "query": f"crm_retention.api.{query}"}
	for verb in ("GET", "POST"):
		answer = send(MANAGER, verb, "/api/method/frappe.desk.search.search_link?" + urlencode(asked))
		assert 400 <= answer.status_code < 500, answer.text[-500:]

"""Permissions are judged on what is stored and on what is sent, and a record never changes its party by hand."""

from __future__ import annotations

from typing import Any

import frappe
import pytest
from frappe.desk.form.assign_to import add as assign
from frappe.desk.form.save import savedocs

from crm_retention.parties import CARRIED
from crm_retention.permissions import QUERIES
from crm_retention.records import RECORDS
from tests.site.desk import make_change, make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.plans import enroll, make_plan
from tests.site.touchpoints import make_touchpoint, make_type

MINE, FOREIGN, NEIGHBOUR = "Mine", "Foreign", "Neighbour"
MANAGER, USER = "limited.manager@example.com", "limited.user@example.com"
REFUSED = (frappe.PermissionError, frappe.ValidationError)


@pytest.fixture(scope="module")
def names() -> dict[str, dict[str, str]]:
	"""One of every record of a readable and of a foreign customer, and users who may read the first alone."""
	make_type()
	plan = make_plan("Trial").insert()
	found: dict[str, dict[str, str]] = {}
	for party in (MINE, FOREIGN, NEIGHBOUR):
		make_customer(party, customer_group="Government" if party == FOREIGN else "Commercial")
		found[party] = make_records(party, plan)
	for user, role in ((MANAGER, "Retention Manager"), (USER, "Retention User")):
		make_user(user, role, "Sales User")
		permission = {"doctype": "User Permission", "user": user, "allow": "Customer Group"}
		permission |= {"for_value": "Commercial", "apply_to_all_doctypes": 1}
		frappe.get_doc(permission).insert(ignore_permissions=True)
		frappe.cache.hdel("user_permissions", user)
	return found


def make_records(party: str, plan: Any) -> dict[str, str]:
	"""The names of one record of each DocType."""
	given = {"party_type": "Customer", "party": party}
	touchpoint = make_touchpoint(party)
	stop = {
		"doctype": "Contact Stop",
		"rule": frappe.get_all("Contact Rule", pluck="name")[0],
		"action": "Drop",
	}
	stop |= given | {"touchpoint": touchpoint.name, "on_date": "2026-01-01"}
	preference = {"doctype": "Contact Preference", "channel": "Phone", "answer": "No"} | given
	return {
		"Retention Profile": make_profile(party, score=70).name,
		"Tier Change": make_change(party).name,
		"Interaction Log": make_row(party, note="said").insert().name,
		"Touchpoint": touchpoint.name,
		"Plan Enrollment": enroll(plan, party).name,
		"Contact Stop": frappe.get_doc(stop).insert(ignore_permissions=True).name,
		"Contact Preference": frappe.get_doc(preference).insert().name,
	}


def test_every_record_with_a_party_is_under_the_rules() -> None:
	app = frappe.get_all("DocType", {"module": "CRM Retention", "istable": 0}, pluck="name")
	with_party = {name for name in app if frappe.get_meta(name).has_field("party")}
	assert with_party == set(RECORDS) == set(QUERIES) == {*CARRIED, "Retention Profile"}
	for hook in ("has_permission", "permission_query_conditions"):
		assert with_party <= set(frappe.get_hooks(hook))
	events = frappe.get_doc_hooks()
	for doctype in with_party:
		for event in ("before_insert", "before_validate", "validate", "before_rename"):
			assert f"crm_retention.records.{event}" in events[doctype][event], (doctype, event)


def put(doctype: str, name: str, values: dict[str, Any]) -> None:
	"""PUT /api/resource, as the request handler does it."""
	doc = frappe.get_doc(doctype, name)
	doc.update(values)
	doc.save()


def put_v2(doctype: str, name: str, values: dict[str, Any]) -> None:
	from frappe.api.v2 import update_doc

	frappe.local.form_dict = frappe._dict(values)
	update_doc(doctype, name)


def set_value(doctype: str, name: str, values: dict[str, Any]) -> None:
	frappe.client.set_value(doctype, name, values)


def save_whole(doctype: str, name: str, values: dict[str, Any]) -> None:
	frappe.client.save(frappe.get_doc(doctype, name).as_dict() | values)


def save_form(doctype: str, name: str, values: dict[str, Any]) -> None:
	doc = frappe.get_doc(doctype, name).as_dict() | values
	savedocs(frappe.as_json(doc), "Save")


def claim_to_be_new(doctype: str, name: str, values: dict[str, Any]) -> None:
	save_whole(doctype, name, values | {"__islocal": 1})


def insert_over(doctype: str, name: str, values: dict[str, Any]) -> None:
	frappe.client.insert(frappe.get_doc(doctype, name).as_dict() | values)


WAYS = (put, put_v2, set_value, save_whole, save_form, claim_to_be_new, insert_over)
FIELDS = {
	"Retention Profile": {"override_tier": "High Value", "override_reason": "x"},
	"Contact Preference": {"answer": "Yes"},
	"Touchpoint": {"note": "x", "why": "x"},
}


def stored(doctype: str, name: str) -> Any:
	return frappe.db.get_value(doctype, name, ["party", "modified"])


@pytest.mark.parametrize("user", [MANAGER, USER, "Administrator"])
@pytest.mark.parametrize("doctype", RECORDS)
def test_foreign_record_is_not_reached_by_sending_a_party_of_ones_own(names, doctype, user) -> None:
	name = names[FOREIGN][doctype]
	before = stored(doctype, name)
	for way in WAYS:
		if user == "Administrator" and way in (claim_to_be_new, insert_over):
			continue  # who may read everything may make a record of his own of what he read
		frappe.set_user(user)
		frappe.db.savepoint("way")
		with pytest.raises((*REFUSED, frappe.NameError)):
			way(doctype, name, {"party": MINE} | FIELDS.get(doctype, {}))
		frappe.db.rollback(save_point="way")
		assert stored(doctype, name) == before, way.__name__


@pytest.mark.parametrize("user", [MANAGER, USER, "Administrator"])
@pytest.mark.parametrize("doctype", RECORDS)
def test_foreign_record_is_not_passed_off_as_ones_own_by_its_name(names, doctype, user) -> None:
	foreign, own = names[FOREIGN][doctype], names[MINE][doctype]
	stamps = frappe.db.get_value(doctype, own, ["creation", "modified", "owner"], as_dict=True)
	before = stored(doctype, foreign), stored(doctype, own)
	for way in (put, put_v2, set_value):
		frappe.set_user(user)
		frappe.db.savepoint("way")
		with pytest.raises(REFUSED) as refused:
			way(doctype, foreign, {"name": own, "party": MINE} | stamps)
		if user != "Administrator":
			assert "cannot be changed" not in str(refused.value), "it is said to be there"
		frappe.db.rollback(save_point="way")
		assert (stored(doctype, foreign), stored(doctype, own)) == before, way.__name__


@pytest.mark.parametrize("user", [MANAGER, USER])
@pytest.mark.parametrize("doctype", RECORDS)
@pytest.mark.parametrize(
	"values", [{"party": FOREIGN}, {"party": NEIGHBOUR}, {"party_type": "Lead"}], ids=str
)
def test_ones_own_record_is_given_to_nobody(names, doctype, user, values) -> None:
	name = names[MINE][doctype]
	before = stored(doctype, name)
	frappe.set_user(user)
	for way in (put, set_value, save_form):
		frappe.db.savepoint("way")
		with pytest.raises(REFUSED):
			way(doctype, name, values)
		frappe.db.rollback(save_point="way")
		assert stored(doctype, name) == before, way.__name__


@pytest.mark.parametrize(
	"party", [{}, [], 0, 1, True, ["Foreign"], {"name": "Foreign"}, " ", "foreign ", "FOREIGN"], ids=str
)
def test_what_is_no_name_is_no_party(names, party) -> None:
	frappe.set_user(USER)
	row = {
		"doctype": "Interaction Log",
		"party_type": "Customer",
		"party": party,
		"kind": "Note",
		"note": "x",
	}
	with pytest.raises((*REFUSED, frappe.LinkValidationError)):
		frappe.client.insert(row)


@pytest.mark.parametrize("kind", ["User", "Supplier", "", None, {}, 0], ids=str)
def test_only_customers_and_leads_are_parties(names, kind) -> None:
	for user in (USER, "Administrator"):
		frappe.set_user(user)
		row = {"doctype": "Interaction Log", "party_type": kind, "party": "Administrator", "kind": "Note"}
		with pytest.raises((*REFUSED, frappe.LinkValidationError, frappe.DoesNotExistError)):
			frappe.client.insert(row | {"note": "x"})


@pytest.mark.parametrize("answer", ["Yes", "No"])
def test_foreign_no_is_not_answered_again(names, answer) -> None:
	frappe.set_user(USER)
	new = {"doctype": "Contact Preference", "party_type": "Customer", "channel": "Phone", "answer": answer}
	with pytest.raises(REFUSED):
		frappe.client.insert(new | {"party": FOREIGN})
	with pytest.raises(REFUSED):
		frappe.client.insert(new | {"party": MINE, "key": f"Phone||{FOREIGN}"})
	assert frappe.db.get_value("Contact Preference", {"party": FOREIGN}, "answer") == "No"


@pytest.mark.parametrize("doctype", RECORDS)
@pytest.mark.parametrize("user", [MANAGER, "Administrator"])
def test_records_are_neither_renamed_nor_merged(names, doctype, user) -> None:
	frappe.set_user(user)
	mine, foreign = names[MINE][doctype], names[FOREIGN][doctype]
	for new, merge in (("something", False), (foreign, True)):
		with pytest.raises(REFUSED):
			frappe.rename_doc(doctype, mine, new, merge=merge)
	assert frappe.db.exists(doctype, mine)


@pytest.mark.parametrize("doctype", RECORDS)
def test_share_of_a_record_opens_nothing(names, doctype) -> None:
	foreign = names[FOREIGN][doctype]
	for share in ({"user": USER}, {"everyone": 1}):
		with pytest.raises(REFUSED):
			frappe.share.add(doctype, foreign, **share)
	with pytest.raises(REFUSED):
		frappe.share.set_permission(doctype, foreign, USER, "read")
	frappe.set_user(USER)
	assert not frappe.has_permission(doctype, "read", foreign)
	assert foreign not in frappe.get_list(doctype, pluck="name", limit=0)


def test_assignment_of_a_record_opens_nothing(names) -> None:
	foreign = names[FOREIGN]["Touchpoint"]
	with pytest.raises(REFUSED):
		assign({"assign_to": [USER], "doctype": "Touchpoint", "name": foreign, "description": "x"})
	assert not frappe.has_permission("Touchpoint", "read", foreign, user=USER)


@pytest.mark.parametrize("doctype", RECORDS)
def test_list_and_single_record_say_the_same(names, doctype) -> None:
	frappe.set_user(USER)
	listed = set(frappe.get_list(doctype, pluck="name", limit=0))
	for party in (MINE, FOREIGN, NEIGHBOUR):
		name = names[party][doctype]
		assert (name in listed) == frappe.has_permission(doctype, "read", name) == (party != FOREIGN)

"""A row that was captured from a document is for those who may read the document, wherever rows are listed."""

from __future__ import annotations

import json
from typing import Any

import frappe
import pytest

from crm_retention.api.interactions import correct
from crm_retention.api.timeline import get_timeline
from tests.site.desk import make_customer, make_user
from tests.site.interactions import make_row

PARTY, USER, SUPPORT = "Patient", "sales.only@example.com", "sales.support@example.com"
MANAGER = "sales.manager@example.com"
LOG = "Interaction Log"


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
	"""Rows by hand, of an open document, of a secret issue and of a deleted one, and of letters about customer and issue."""
	make_customer(PARTY)
	make_user(USER, "Retention User", "Sales User", "Report Manager")
	make_user(SUPPORT, "Retention User", "Sales User", "Support Team")
	issue = {"doctype": "Issue", "subject": "Secret", "customer": PARTY}
	issue = frappe.get_doc(issue).insert(ignore_permissions=True).name
	gone = {"doctype": "Issue", "subject": "Secret of before", "customer": PARTY}
	gone = frappe.get_doc(gone).insert(ignore_permissions=True).name
	letters = {kind: make_letter(kind, name) for kind, name in (("Customer", PARTY), ("Issue", issue))}
	return {
		"by hand": make_row(PARTY, note="Said").insert().name,
		"open": captured("Customer", PARTY, "Open"),
		"secret": captured("Issue", issue, "Secret"),
		"deleted": get_deleted(gone),
		"letter": captured("Communication", letters["Customer"], "Open letter"),
		"secret letter": captured("Communication", letters["Issue"], "Secret letter"),
	}


def get_deleted(issue: str) -> str:
	"""The row of an issue that is deleted afterwards, past the log."""
	name = captured("Issue", issue, "Secret of before")
	frappe.db.delete("Issue", issue)
	return name


def make_letter(kind: str, name: str) -> str:
	letter = {"doctype": "Communication", "communication_medium": "Email", "subject": "Hello"}
	return frappe.get_doc(letter | {"reference_doctype": kind, "reference_name": name}).insert().name


def captured(doctype: str, name: str, subject: str) -> str:
	row = make_row(PARTY, subject=subject, note=subject, reference_doctype=doctype, reference_name=name)
	row.source = frappe.get_all("Interaction Source", pluck="name", limit=1)[0]
	row.reference_key = f"attack|{doctype}|{name}"
	return row.insert(ignore_permissions=True).name


def call(method: str, **arguments: Any) -> Any:
	frappe.local.form_dict = frappe._dict(arguments, cmd=method)
	return frappe.call(method, **arguments)


SHOWN, HIDDEN = ("by hand", "open", "letter"), ("secret", "deleted", "secret letter")


def test_lists_counts_and_reports_leave_them_out(names) -> None:
	frappe.set_user(USER)
	of_party = {"party": PARTY}
	listed = frappe.get_list(LOG, of_party, pluck="name", limit=0)
	assert set(listed) == {names[key] for key in SHOWN}
	assert frappe.client.get_count(LOG, of_party) == len(SHOWN)
	view = [[LOG, "party", "=", PARTY]]
	rows = call(
		"frappe.desk.reportview.get", doctype=LOG, fields='["subject","note"]', filters=json.dumps(view)
	)
	assert "Secret" not in json.dumps(rows)
	grouped = call(
		"frappe.desk.listview.get_group_by_count",
		doctype=LOG,
		current_filters=json.dumps(view),
		field="subject",
	)
	assert "Secret" not in json.dumps(grouped, default=str)
	assert not frappe.get_list(LOG, {"subject": ("like", "Secret%")}, pluck="name")


def test_single_rows_and_values_are_refused(names) -> None:
	frappe.set_user(USER)
	for key, name in names.items():
		assert frappe.has_permission(LOG, "read", name) == (key in SHOWN), key
		if key in HIDDEN:
			with pytest.raises(frappe.PermissionError):
				frappe.client.get(LOG, name)
			assert not (frappe.client.get_value(LOG, "subject", {"name": name}) or {}).get("subject")


def test_timeline_says_that_something_happened_and_not_what(names) -> None:
	frappe.set_user(USER)
	rows = {row["name"]: row for row in get_timeline("Customer", PARTY)["rows"]}
	assert set(rows) == set(names.values())
	for key, name in names.items():
		assert bool(rows[name].get("hidden")) == (key in HIDDEN), key
	assert "Secret" not in frappe.as_json(rows)


def test_folded_rows_say_nothing_that_a_source_takes_from_its_document(names) -> None:
	told = {"channel": "Phone", "direction": "In", "minutes": 47, "user": SUPPORT}
	told |= {"outcome": "Reached", "sentiment": "Negative"}
	frappe.db.set_value(LOG, names["secret"], told)
	frappe.set_user(USER)
	(row,) = (row for row in get_timeline("Customer", PARTY)["rows"] if row["name"] == names["secret"])
	assert row["hidden"]
	assert not set(row) & (set(told) | {"user_name"})
	for field in ("channel", "direction"):
		found = get_timeline("Customer", PARTY, filters={field: told[field]})["rows"]
		assert names["secret"] not in {row["name"] for row in found}, field
	frappe.set_user(SUPPORT)
	found = get_timeline("Customer", PARTY, filters={"channel": "Phone"})["rows"]
	assert names["secret"] in {row["name"] for row in found}


@pytest.mark.parametrize("user", [SUPPORT, "Administrator"])
def test_whoever_may_read_the_documents_sees_all(names, user) -> None:
	frappe.set_user(user)
	listed = frappe.get_list(LOG, {"party": PARTY}, pluck="name", limit=0)
	assert set(listed) == set(names.values())


def test_list_goes_back_to_the_rule_after_a_timeline(names) -> None:
	frappe.set_user(USER)
	get_timeline("Customer", PARTY)
	assert names["secret"] not in frappe.get_list(LOG, pluck="name", limit=0)


def test_row_that_one_may_not_read_is_not_corrected_away(names) -> None:
	make_user(MANAGER, "Retention Manager", "Sales User")
	frappe.set_user(MANAGER)
	with pytest.raises(frappe.PermissionError):
		make_row(PARTY, note="Instead", supersedes=names["secret"]).insert()


def test_correction_takes_no_veil_off(names) -> None:
	frappe.db.set_value(LOG, names["secret"], "owner", SUPPORT)  # who may correct it
	frappe.set_user(SUPPORT)
	corrected = correct(names["secret"], {"minutes": 7})["name"]
	frappe.set_user(USER)
	assert not frappe.has_permission(LOG, "read", corrected)
	assert corrected not in frappe.get_list(LOG, pluck="name", limit=0)
	assert "Secret" not in frappe.as_json(get_timeline("Customer", PARTY)["rows"])

"""The report of gaps: the score by hand-counted facts, every filter, and nothing of customers that are hidden."""

from __future__ import annotations

import frappe
import pytest
from frappe.desk.query_report import run
from frappe.utils import add_to_date, now_datetime, nowdate

from crm_retention.crm_retention.report.interaction_gaps.interaction_gaps import execute
from tests.site.desk import make_customer, make_user
from tests.site.interactions import make_row

FACTS = {"Call": ("outcome", "note"), "Visit": ("minutes", "note", "outcome", "department")}
USER = "reader@example.com"


@pytest.fixture(autouse=True)
def rows():
	for kind in frappe.get_all("Interaction Kind", pluck="name"):
		doc = frappe.get_doc("Interaction Kind", kind)
		doc.set("required_facts", [{"fact": fact} for fact in FACTS.get(kind, ())])
		doc.save()
	make_customer("Full", customer_group="Commercial")
	make_customer("Thin", customer_group="Government")
	department = frappe.get_all("Department", {"is_group": 0}, pluck="name", limit=1)[0]
	make_row("Full", outcome="Reached", note="x", user="Guest").insert()  # 2 of 2
	make_row(
		"Full", "Visit", minutes=5, note="x", outcome="Reached", department=department
	).insert()  # 4 of 4
	make_row("Thin", outcome="Reached").insert()  # 1 of 2
	make_row("Thin", "Visit").insert()  # 0 of 4
	make_row("Thin", "Email").insert()  # requires nothing
	old = add_to_date(now_datetime(), days=-200)
	make_row("Thin", occurred_on=old).insert()  # 0 of 2, long ago
	return department


def get(**filters):
	columns, data = execute({"group_by": "Party", **filters})
	names = [column["fieldname"] for column in columns]
	for row in data:
		assert set(names) <= set(row)
	return {row["party"]: row for row in data if row["party"] in ("Full", "Thin")}


def score(row):
	return row["interactions"], row["required"], row["present"], round(row["completeness"])


def test_score_is_the_share_of_required_facts_that_are_there():
	found = get()
	assert score(found["Full"]) == (2, 6, 6, 100)
	assert score(found["Thin"]) == (3, 6, 1, 17)
	missing = {name: value for name, value in found["Thin"].items() if name.startswith("missing_")}
	assert missing == {"missing_note": 2, "missing_outcome": 1, "missing_minutes": 1, "missing_department": 1}
	assert next(iter(get())) == "Thin"  # the most missing first


def test_each_filter(rows):
	assert score(get(from_date=add_to_date(nowdate(), days=-300))["Thin"]) == (4, 8, 1, 12)
	assert get(to_date=add_to_date(nowdate(), days=-100), from_date="2000-01-01")["Thin"]["required"] == 2
	assert score(get(kind="Call")["Thin"]) == (1, 2, 1, 50)
	assert score(get(department=rows)["Full"]) == (1, 4, 4, 100)
	assert score(get(user="Guest")["Full"]) == (1, 2, 2, 100)
	assert list(get(party_type="Customer", party="Full")) == ["Full"]
	assert get(party_type="Lead") == {}
	assert list(get(below=90)) == ["Thin"]
	assert get(below=10) == {}


def test_groups(rows):
	_columns, data = execute({"group_by": "Department", "party": "Full"})
	assert {row["department"]: row["required"] for row in data} == {None: 2, rows: 4}
	columns, data = execute({"party": "Full"})
	assert sorted((row["party"], row["department"] or "") for row in data) == [("Full", ""), ("Full", rows)]
	types = {column["fieldname"]: column["fieldtype"] for column in columns}
	assert (types["party"], types["completeness"], types["interactions"]) == (
		"Dynamic Link",
		"Percent",
		"Int",
	)


def test_corrected_rows_do_not_count():
	row = make_row("Full").insert()
	make_row("Full", outcome="Reached", note="x", supersedes=row.name).insert()
	assert score(get()["Full"]) == (3, 8, 8, 100)


def test_hidden_customers_are_left_out():
	make_user(USER, "Retention User", "Sales User")
	permission = {
		"doctype": "User Permission",
		"user": USER,
		"allow": "Customer Group",
		"for_value": "Commercial",
	}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)
	assert list(get()) == ["Full"]
	total = {row["department"]: row["required"] for row in execute({"group_by": "Department"})[1]}
	assert sum(total.values()) == sum(row["required"] for row in execute({"group_by": "Party"})[1])


def test_report_runs_from_the_desk_and_is_refused_to_strangers():
	result = run("Interaction Gaps", {"group_by": "Party", "party": "Thin"}, ignore_prepared_report=True)
	assert result["result"][0]["party"] == "Thin"
	make_user("stranger@example.com", "Sales User")
	frappe.set_user("stranger@example.com")
	with pytest.raises(frappe.PermissionError):
		run("Interaction Gaps", {})


def test_nothing_is_required():
	frappe.db.delete("Interaction Fact")
	assert execute({})[1] == []

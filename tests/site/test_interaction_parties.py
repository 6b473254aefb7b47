"""What was recorded of a party goes with it when it is renamed or merged, and away when it is deleted."""

from __future__ import annotations

import frappe
import pytest

from crm_retention.care.keys import enrollment_key, occurrence_key, open_key
from tests.site.desk import make_change, make_customer, make_profile
from tests.site.interactions import capture, get_log, make_row, make_touchpoint
from tests.site.trade import insert

TYPES = ("Interaction Log", "Touchpoint", "Plan Enrollment", "Contact Preference", "Contact Stop")
DAYS = ("2026-01-05", "2026-02-05")


@pytest.fixture(autouse=True)
def customers():
	for name in ("Old", "Kept"):
		make_customer(name)


def add(doctype, party, **values):
	given = {
		"party_type": "Customer",
		"party": party,
		"party_name": party,
		"name": frappe.generate_hash(length=10),
	}
	frappe.get_doc({"doctype": doctype, **given, **values}).db_insert()
	return given["name"]


def fill(party, key=None):
	"""One of everything, with keys as the app makes them."""
	key = key or party
	planned = {
		"occurrence_key": occurrence_key("PLAN", "step", DAYS[1], key),
		"open_key": open_key("PLAN", "step", key),
	}
	return {
		"row": make_row(party, note="said").insert().name,
		"done": make_touchpoint(
			party, status="Done", occurrence_key=occurrence_key("PLAN", "step", DAYS[0], key)
		).name,
		"open": make_touchpoint(party, **planned).name,
		"promise": make_touchpoint(party, is_promise=1).name,
		"enrollment": add(
			"Plan Enrollment", party, plan_family="PLAN", open_key=enrollment_key("PLAN", key), arm="Treated"
		),
		"preference": add("Contact Preference", party, channel="Email", answer="Yes", key=f"Email||{key}"),
		"stop": add("Contact Stop", party, action="Drop", key=f"rule|{DAYS[0]}|{key}"),
	}


def get(doctype, name, *fields):
	return frappe.db.get_value(doctype, name, fields[0] if len(fields) == 1 else fields)


def add_letter(*parties):
	letter = {"name": frappe.generate_hash(length=10), "communication_type": "Communication", "subject": "Hi"}
	letter |= {
		"communication_medium": "Email",
		"sent_or_received": "Sent",
		"communication_date": "2026-03-01 10:00:00",
	}
	insert("Communication", [letter])
	parent = {"parent": letter["name"], "parenttype": "Communication", "parentfield": "timeline_links"}
	rows = (
		{"name": frappe.generate_hash(), "link_doctype": "Customer", "link_name": party, **parent}
		for party in parties
	)
	insert("Communication Link", rows)
	return letter["name"]


class TestRename:
	def test_everything_goes_by_the_new_name_with_its_keys(self):
		names = fill("Old")
		frappe.rename_doc("Customer", "Old", "New", force=True)
		for doctype in TYPES:
			assert frappe.db.count(doctype, {"party": "Old"}) == 0
			assert frappe.db.count(doctype, {"party": "New"}) >= 1
		assert get("Touchpoint", names["open"], "occurrence_key", "open_key", "status") == (
			occurrence_key("PLAN", "step", DAYS[1], "New"),
			open_key("PLAN", "step", "New"),
			"Open",
		)
		assert get("Plan Enrollment", names["enrollment"], "open_key") == enrollment_key("PLAN", "New")
		assert get("Contact Preference", names["preference"], "key") == "Email||New"
		assert get("Contact Stop", names["stop"], "key") == f"rule|{DAYS[0]}|New"

	def test_profile_follows_though_frappes_map_of_links_does_not_know_it(self, monkeypatch):
		make_profile("Old", tier="Regular")
		monkeypatch.setattr("frappe.model.rename_doc.rename_dynamic_links", lambda *_args: None)
		row = make_row("Old").insert()
		frappe.rename_doc("Customer", "Old", "New", force=True)
		assert get("Retention Profile", "New", "party") == "New"
		assert get("Interaction Log", row.name, "party") == "New"

	def test_leads_keep_their_prefix(self):
		insert("Lead", [{"name": "L-1", "lead_name": "Prospect", "status": "Lead"}])
		name = make_touchpoint("L-1", party_type="Lead", open_key=open_key("PLAN", "step", "Lead: L-1")).name
		frappe.rename_doc("Lead", "L-1", "L-2", force=True)
		assert get("Touchpoint", name, "party", "open_key") == ("L-2", open_key("PLAN", "step", "Lead: L-2"))

	def test_namesake_of_another_type_is_left_alone(self):
		insert("Lead", [{"name": "Old", "lead_name": "Namesake", "status": "Lead"}])
		name = make_touchpoint("Old", party_type="Lead", open_key=open_key("PLAN", "step", "Lead: Old")).name
		frappe.rename_doc("Customer", "Old", "New", force=True)
		assert get("Touchpoint", name, "party", "open_key") == ("Old", open_key("PLAN", "step", "Lead: Old"))

	def test_party_whose_name_ends_another_ones_key_is_left_alone(self):
		make_customer("Very Old")
		name = make_touchpoint("Very Old", open_key=open_key("PLAN", "step", "Very Old")).name
		frappe.rename_doc("Customer", "Old", "New", force=True)
		assert get("Touchpoint", name, "open_key") == open_key("PLAN", "step", "Very Old")

	def test_captured_letters_are_not_captured_again(self):
		add_letter("Old", "Kept")
		capture(False, "Email")
		frappe.rename_doc("Customer", "Old", "New", force=True)
		capture(True, "Email")
		assert len(get_log("New")) == len(get_log("Kept")) == 1


class TestMerge:
	def merge(self):
		frappe.rename_doc("Customer", "Old", "Kept", merge=True, force=True)

	def test_survivor_keeps_its_own_plans_and_takes_over_the_history(self):
		mine, other = fill("Kept"), fill("Old")
		self.merge()
		for doctype in TYPES:
			assert frappe.db.count(doctype, {"party": "Old"}) == 0
		assert get("Touchpoint", mine["open"], "status", "open_key") == (
			"Open",
			open_key("PLAN", "step", "Kept"),
		)
		assert get("Plan Enrollment", mine["enrollment"], "open_key") == enrollment_key("PLAN", "Kept")
		assert get("Touchpoint", other["open"], "status", "open_key", "party") == ("Cancelled", None, "Kept")
		assert "Kept" in get("Touchpoint", other["open"], "reason")
		assert get("Plan Enrollment", other["enrollment"], "open_key") is None
		assert get("Plan Enrollment", other["enrollment"], "to_date", "ended_why")[0]
		assert len(get_log("Kept")) == 2

	def test_keys_do_not_collide_and_what_only_the_other_did_stays_done(self):
		fill("Kept")
		other = fill("Old")
		only = make_touchpoint(
			"Old", status="Done", occurrence_key=occurrence_key("PLAN", "step", "2025-12-05", "Old")
		)
		self.merge()
		assert get("Touchpoint", other["done"], "status", "occurrence_key") == ("Done", None)
		assert get("Touchpoint", only.name, "occurrence_key") == occurrence_key(
			"PLAN", "step", "2025-12-05", "Kept"
		)

	def test_promises_stay_open(self):
		other = fill("Old")
		self.merge()
		assert get("Touchpoint", other["promise"], "status", "party") == ("Open", "Kept")

	def test_task_of_a_cancelled_touchpoint_is_closed(self):
		other = fill("Old")
		task = frappe.get_doc(
			{
				"doctype": "ToDo",
				"status": "Open",
				"description": "x",
				"reference_type": "Touchpoint",
				"reference_name": other["open"],
			}
		)
		task.db_insert()
		self.merge()
		assert get("ToDo", task.name, "status") == "Closed"

	def test_no_of_either_stands(self):
		answers = {
			"Email": ("Yes", "No"),
			"Phone": ("No", "Yes"),
			"Visit": ("No", "No"),
			"SMS": ("Yes", "Yes"),
		}
		for channel, given in answers.items():
			for party, answer in zip(("Kept", "Old"), given, strict=True):
				add("Contact Preference", party, channel=channel, answer=answer, key=f"{channel}||{party}")
		self.merge()
		found = frappe.get_all("Contact Preference", {"party": "Kept"}, ["channel", "answer", "key"])
		assert {(row.channel, row.key): row.answer for row in found} == {
			(channel, f"{channel}||Kept"): "No" if "No" in given else "Yes"
			for channel, given in answers.items()
		}
		assert len(found) == len(answers)

	def test_letter_to_both_counts_once_afterwards(self):
		add_letter("Old", "Kept")
		capture(False, "Email")
		self.merge()
		capture(True, "Email")
		first, second = get_log("Kept")
		assert {first.name, second.name} & {first.supersedes, second.supersedes}

	def test_profile_of_the_other_goes_as_before(self):
		for name in ("Old", "Kept"):
			make_profile(name, tier="Regular")
			make_change(name)
		self.merge()
		assert frappe.db.count("Tier Change", {"party": "Old"}) == 0
		changes = frappe.get_all("Tier Change", {"party": "Kept"}, pluck="party_name")
		assert sorted(changes, key=str) == [None, None, "Old", "Old"]
		assert frappe.db.exists("Retention Profile", "Kept")
		assert not frappe.db.exists("Retention Profile", "Old")


def test_deleted_party_leaves_its_history_and_nothing_to_do():
	names = fill("Old")
	task = frappe.get_doc(
		{
			"doctype": "ToDo",
			"status": "Open",
			"description": "x",
			"reference_type": "Touchpoint",
			"reference_name": names["open"],
		}
	)
	task.db_insert()
	frappe.delete_doc("Customer", "Old")
	assert frappe.db.count("Contact Preference", {"party": "Old"}) == 0
	assert get("Interaction Log", names["row"], "party", "party_name", "party_deleted") == ("Old", "Old", 1)
	assert get("Touchpoint", names["done"], "status", "party_deleted") == ("Done", 1)
	for name in (names["open"], names["promise"]):
		assert get("Touchpoint", name, "status", "open_key") == ("Cancelled", None)
	assert get("Touchpoint", names["open"], "occurrence_key")  # no plan makes it again
	assert get("Plan Enrollment", names["enrollment"], "open_key") is None
	assert get("Plan Enrollment", names["enrollment"], "to_date")
	assert get("ToDo", task.name, "status") != "Open"

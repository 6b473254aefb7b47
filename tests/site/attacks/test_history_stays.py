"""What happened stays on record: nobody deletes, merges, shortens or makes up the past."""

from __future__ import annotations

from typing import Any

import frappe
import pytest
from frappe.utils import add_days, add_to_date, now_datetime, nowdate

from crm_retention.capture.clearing import clear_old_rows
from crm_retention.keeping import RowsWouldGoError
from tests.site.desk import make_change, make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.interactions import make_touchpoint as make_ended
from tests.site.plans import enroll, make_plan
from tests.site.touchpoints import make_touchpoint, make_type

PARTY = "Witness"
MANAGER, USER, SYSTEM = "past.manager@example.com", "past.user@example.com", "past.system@example.com"
REFUSED = (frappe.PermissionError, frappe.ValidationError)
ENDED = ("Done", "Skipped", "Missed", "Suppressed", "Cancelled")


@pytest.fixture(scope="module", autouse=True)
def people() -> None:
	make_type()
	make_customer(PARTY)
	make_user(MANAGER, "Retention Manager", "Sales User")
	make_user(USER, "Retention User", "Sales User")
	make_user(SYSTEM, "System Manager", "Sales User")


class TestTouchpoints:
	@pytest.mark.parametrize("status", ENDED)
	@pytest.mark.parametrize("user", [USER, MANAGER, SYSTEM, "Administrator"])
	def test_ended_one_is_deleted_by_nobody(self, user, status) -> None:
		name = make_ended(PARTY, status=status).name
		frappe.set_user(user)
		for delete in (frappe.delete_doc, frappe.client.delete):
			with pytest.raises(REFUSED):
				delete("Touchpoint", name)
		assert frappe.db.exists("Touchpoint", name)

	@pytest.mark.parametrize(
		"values",
		[
			{"occurrence_key": "f|s|d|p"},
			{"times_rescheduled": 1},
			{"message_status": "Sending"},
			{"note": "n"},
		],
		ids=str,
	)
	def test_one_that_a_plan_made_or_somebody_acted_on_is_deleted_by_nobody(self, values) -> None:
		name = make_ended(PARTY, **values).name
		for user in (MANAGER, SYSTEM, "Administrator"):
			frappe.set_user(user)
			with pytest.raises(REFUSED):
				frappe.client.delete("Touchpoint", name)

	def test_one_entered_by_mistake_is_deleted_by_a_system_manager_alone(self) -> None:
		name = make_touchpoint(PARTY).name
		for user in (USER, MANAGER):
			frappe.set_user(user)
			with pytest.raises(REFUSED):
				frappe.client.delete("Touchpoint", name)
		frappe.set_user(SYSTEM)
		frappe.client.delete("Touchpoint", name)

	@pytest.mark.parametrize("user", [USER, MANAGER, "Administrator"])
	def test_keys_of_occurrences_are_not_taken_away(self, user) -> None:
		name = make_ended(PARTY, occurrence_key="f|s|e|p", open_key="f|s|p").name
		frappe.set_user(user)
		doc = frappe.get_doc("Touchpoint", name)
		doc.update({"occurrence_key": None, "open_key": "x", "note": "n"})
		doc.save()
		keys = frappe.db.get_value("Touchpoint", name, ["occurrence_key", "open_key"])
		assert keys == ("f|s|e|p", "f|s|p")

	@pytest.mark.parametrize("user", [USER, MANAGER, SYSTEM])
	def test_what_the_app_says_of_one_is_said_by_nobody_else(self, user) -> None:
		key = {"occurrence_key": "fam|step|2027-01-01|Other", "open_key": "fam|step|Other"}
		said = {"message_status": "Sent", "completed_by": SYSTEM, "times_rescheduled": 3}
		said["interaction"] = make_row(PARTY, note="x").insert().name
		frappe.set_user(user)
		name = make_touchpoint(PARTY, **key, **said).name
		stored = frappe.db.get_value("Touchpoint", name, [*key, *said], as_dict=True)
		assert not any(stored.values()), stored

	@pytest.mark.parametrize(
		"request_id", ["next|TP-1", "hand_over|Customer|X|a@b.c|2026-01-01", "promise|L"]
	)
	def test_what_the_app_makes_itself_is_not_made_before_it(self, request_id) -> None:
		name = make_touchpoint(PARTY).name
		for user in (USER, MANAGER, SYSTEM):
			frappe.set_user(user)
			with pytest.raises(frappe.ValidationError, match="is taken"):
				make_touchpoint(PARTY, request_id=request_id)
			frappe.set_user("Administrator")
			with pytest.raises(frappe.ValidationError, match="is taken"):
				frappe.get_doc("Touchpoint", name).update({"request_id": request_id}).save()

	def test_service_level_is_not_moved_without_a_reason(self) -> None:
		name = make_touchpoint(PARTY).name
		before = frappe.db.get_value("Touchpoint", name, "service_date")
		frappe.set_user(USER)
		later = add_days(nowdate(), 300)
		with pytest.raises(frappe.MandatoryError):
			frappe.client.set_value("Touchpoint", name, "service_date", later)
		with pytest.raises(frappe.MandatoryError):
			make_touchpoint(PARTY, service_date=later)
		frappe.client.set_value("Touchpoint", name, {"service_date": later, "reason": "They are away"})
		assert str(frappe.db.get_value("Touchpoint", name, "service_date")) == later
		with pytest.raises(frappe.ValidationError):
			frappe.client.set_value(
				"Touchpoint", name, {"service_date": add_days(nowdate(), -9), "reason": "y"}
			)
		done = {"status": "Done", "outcome": "Reached", "service_date": add_days(nowdate(), 400)}
		frappe.client.set_value("Touchpoint", name, done)
		assert str(frappe.db.get_value("Touchpoint", name, "service_date")) == later
		assert str(before) == add_days(nowdate(), 3)


class TestMadeUp:
	@pytest.mark.parametrize("user", [USER, MANAGER, SYSTEM, "Administrator"])
	def test_tier_change_is_entered_by_nobody(self, user) -> None:
		row = {"doctype": "Tier Change", "party_type": "Customer", "party": PARTY, "on_date": nowdate()}
		row |= {"kind": "Tier", "to_value": "High Value"}
		row |= {"flags": {"by_app": 1, "ignore_permissions": 1}, "ignore_permissions": 1, "by_app": 1}
		frappe.set_user(user)
		with pytest.raises(frappe.PermissionError):
			frappe.client.insert(row)
		with pytest.raises(frappe.PermissionError):
			frappe.client.insert_many([row])

	def test_web_form_makes_none_either(self) -> None:
		frappe.flags.in_web_form = True
		with pytest.raises(frappe.PermissionError):
			make_profile(PARTY)

	@pytest.mark.parametrize("field", ["source", "reference_key", "reference_name", "reference_doctype"])
	def test_row_entered_by_hand_says_so(self, field) -> None:
		value = {
			"source": frappe.get_all("Interaction Source", pluck="name")[0],
			"reference_doctype": "Customer",
		}
		value |= {"reference_name": PARTY, "reference_key": "x|y"}
		given = {field: value[field]}
		if field == "reference_name":
			given["reference_doctype"] = "Customer"
		frappe.set_user(USER)
		row = make_row(PARTY, note="x", party_deleted=1, party_name="Else", owner=MANAGER, **given).insert()
		row.reload()
		assert [row.get(name) for name in value] == [None] * len(value)
		assert (row.party_name, row.party_deleted, row.owner) == (PARTY, 0, USER)

	def test_nobody_is_said_to_have_done_what_somebody_else_entered(self) -> None:
		frappe.set_user(USER)
		with pytest.raises(frappe.PermissionError):
			make_row(PARTY, note="x", user=MANAGER).insert()
		frappe.set_user(MANAGER)
		assert make_row(PARTY, note="x", user=USER).insert().user == USER

	def test_row_fulfils_no_touchpoint_of_somebody_else(self) -> None:
		make_customer("Another")
		theirs = make_touchpoint("Another").name
		frappe.set_user(USER)
		with pytest.raises(frappe.ValidationError):
			make_row(PARTY, note="x", touchpoint=theirs).insert()

	def test_nothing_is_entered_that_has_not_happened(self) -> None:
		frappe.set_user(USER)
		with pytest.raises(frappe.ValidationError):
			make_row(PARTY, note="x", occurred_on=add_to_date(now_datetime(), days=1)).insert()


class TestWords:
	@pytest.fixture
	def row(self) -> Any:
		return make_row(PARTY, note="x", channel="Phone").insert()

	@pytest.mark.parametrize(
		("doctype", "old", "new"),
		[
			("Interaction Kind", "Call", "Visit"),
			("Contact Channel", "Phone", "Email"),
			("User", USER, MANAGER),
		],
	)
	@pytest.mark.parametrize("user", [SYSTEM, "Administrator"])
	def test_word_of_the_past_is_not_merged(self, row, doctype, old, new, user) -> None:
		make_row(PARTY, note="x", user=USER).insert()
		frappe.set_user(user)
		with pytest.raises(frappe.ValidationError, match="keep what they said"):
			frappe.rename_doc(doctype, old, new, merge=True, force=True)
		kind, channel = frappe.db.get_value("Interaction Log", row.name, ["kind", "channel"])
		assert (kind, channel) == ("Call", "Phone")

	def test_department_of_the_past_is_not_merged(self) -> None:
		one, other = frappe.get_all("Department", {"is_group": 0}, pluck="name", limit=2)
		make_row(PARTY, note="x", department=one).insert()
		with pytest.raises(frappe.ValidationError, match="keep what they said"):
			frappe.rename_doc("Department", one, other, merge=True, force=True)

	def test_word_of_the_past_is_not_deleted(self, row) -> None:
		for doctype, name in (("Interaction Kind", row.kind), ("Contact Channel", row.channel)):
			with pytest.raises(frappe.LinkExistsError):
				frappe.delete_doc(doctype, name, force=True)

	def test_word_that_is_written_otherwise_means_the_same(self, row) -> None:
		frappe.rename_doc("Contact Channel", "Phone", "Telephone", force=True)
		assert frappe.db.get_value("Interaction Log", row.name, "channel") == "Telephone"


class TestPeriods:
	@pytest.fixture(autouse=True)
	def rows(self) -> None:
		for days in (400, 300, 2, 0):
			make_row(PARTY, note="x", occurred_on=add_to_date(now_datetime(), days=-days)).insert()
		make_change(PARTY, on_date=add_days(nowdate(), -500))

	def set(self, **values: Any) -> None:
		settings = frappe.get_doc("Retention Settings")
		settings.update(values)
		settings.save()

	@pytest.mark.parametrize("field", ["log_keep_days", "history_keep_days"])
	def test_manager_does_not_shorten_one(self, field) -> None:
		frappe.set_user(MANAGER)
		for agreed in (0, 10_000_000):
			with pytest.raises(frappe.PermissionError):
				self.set(**{field: 1, "agreed_rows": agreed})
		with pytest.raises(frappe.PermissionError):
			frappe.client.set_value("Retention Settings", "Retention Settings", field, 1)

	def test_system_manager_is_told_how_many_rows_would_go_first(self) -> None:
		frappe.set_user("Administrator")
		many = frappe.db.count("Interaction Log", {"occurred_on": ("<", add_days(nowdate(), -1))})
		assert many >= 3
		with pytest.raises(RowsWouldGoError, match=str(many)):
			self.set(log_keep_days=1)
		with pytest.raises(RowsWouldGoError):
			self.set(log_keep_days=1, agreed_rows=many - 1)
		assert frappe.db.get_single_value("Retention Settings", "log_keep_days") == 0
		assert clear_old_rows(commit=False) == 0
		self.set(log_keep_days=1, agreed_rows=many)
		assert clear_old_rows(commit=False) == many

	def test_agreement_is_for_one_save(self) -> None:
		many = frappe.db.count("Interaction Log")
		self.set(log_keep_days=350, agreed_rows=many)
		with pytest.raises(RowsWouldGoError):
			self.set(log_keep_days=100)

	def test_longer_period_asks_nothing(self) -> None:
		frappe.db.set_single_value("Retention Settings", "log_keep_days", 100)
		frappe.clear_document_cache("Retention Settings", "Retention Settings")
		frappe.set_user(MANAGER)
		self.set(log_keep_days=1000)
		self.set(log_keep_days=0)


class TestDeletedParty:
	@pytest.fixture
	def names(self) -> dict[str, str]:
		make_customer("Gone", customer_group="Commercial")
		make_profile("Gone")
		found = {
			"Interaction Log": make_row("Gone", note="secret").insert().name,
			"Tier Change": make_change("Gone").name,
			"Touchpoint": make_ended("Gone", status="Done", party_name="Gone").name,
			"Plan Enrollment": enroll(make_plan("Trial").insert(), "Gone").name,
		}
		frappe.delete_doc("Customer", "Gone")
		return found

	def test_its_history_stays_with_its_name_for_managers(self, names) -> None:
		for user in (MANAGER, SYSTEM):
			frappe.set_user(user)
			for doctype, name in names.items():
				row = frappe.client.get(doctype, name)
				assert (row["party"], row["party_name"], row["party_deleted"]) == ("Gone", "Gone", 1)
				assert name in frappe.get_list(doctype, pluck="name", limit=0)

	def test_nobody_else_sees_it_not_even_in_a_namesake(self, names) -> None:
		for namesake in (False, True):
			if namesake:
				make_customer("Gone")
			frappe.set_user(USER)
			for doctype, name in names.items():
				assert not frappe.has_permission(doctype, "read", name)
				assert name not in frappe.get_list(doctype, pluck="name", limit=0)
			frappe.set_user("Administrator")

	def test_manager_who_may_not_read_everything_does_not_see_it(self, names) -> None:
		permission = {"doctype": "User Permission", "user": MANAGER, "allow": "Customer Group"}
		permission |= {"for_value": "Commercial", "apply_to_all_doctypes": 1}
		frappe.get_doc(permission).insert(ignore_permissions=True)
		frappe.cache.hdel("user_permissions", MANAGER)
		frappe.set_user(MANAGER)
		for doctype, name in names.items():
			assert not frappe.has_permission(doctype, "read", name)
			assert name not in frappe.get_list(doctype, pluck="name", limit=0)

	def test_merged_party_is_still_named_in_its_rows(self) -> None:
		for name in ("Absorbed", "Survivor"):
			make_customer(name)
			make_profile(name)
		row, change = make_row("Absorbed", note="x").insert(), make_change("Absorbed")
		ended = make_ended("Absorbed", status="Done", party_name="Absorbed")
		frappe.rename_doc("Customer", "Absorbed", "Survivor", merge=True, force=True)
		for doc in (row, change, ended):
			doc.reload()
			assert (doc.party, doc.party_name) == ("Survivor", "Absorbed")

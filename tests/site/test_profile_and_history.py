"""Profiles hold what is unknown as unknown, follow their party, and history is never changed."""

import frappe
import pytest
from frappe.client import delete, set_value

from crm_retention.configuration import LIFETIME_RESULTS
from crm_retention.engine.signals import SIGNALS
from tests.site.desk import make_change, make_customer, make_profile, make_user, refusal


def stored(name, field):
	return frappe.db.sql(f"select `{field}` from `tabRetention Profile` where name = %s", name)[0][0]


FIELDTYPES = {"date": "Date", "int": "Int", "float": "Float", "money": "Currency", "share": "Float"}


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_every_signal_of_the_engine_has_its_field(signal):
	df = frappe.get_meta("Retention Profile").get_field(signal.name)
	assert df, f"{signal.name} has no field on Retention Profile"
	assert (df.label, df.fieldtype, df.read_only) == (signal.label, FIELDTYPES[signal.type], 1)


@pytest.mark.parametrize("name", LIFETIME_RESULTS)
def test_every_result_of_the_lifetime_model_has_its_field(name):
	df = frappe.get_meta("Retention Profile").get_field(name)
	assert df.fieldtype in ("Float", "Currency")


def test_unknown_numbers_stay_unknown_through_a_save():
	make_customer("Trial")
	profile = make_profile("Trial", frequency=0)
	for field in ("score", "nps", "recency_days", "monetary_12m"):
		assert stored("Trial", field) is None, field
	assert stored("Trial", "frequency") == 0
	profile.reload()
	profile.update({"override_tier": "High Value", "override_reason": "New contract"})
	profile.save()
	assert stored("Trial", "score") is None
	assert stored("Trial", "frequency") == 0
	assert profile.as_dict()["score"] is None


def test_frappe_sees_nothing_to_alter_in_nullable_columns():
	if frappe.db.db_type != "mariadb":
		pytest.skip("how Frappe alters a table differs by database")
	from frappe.database.mariadb.schema import MariaDBTable

	meta = frappe.get_meta("Retention Profile")
	table = MariaDBTable("Retention Profile", meta)
	table.setup_table_columns()
	for column in table.columns.values():
		column.build_for_alter_table(table.current_columns.get(column.fieldname.lower()))
	assert [column.fieldname for column in (*table.change_type, *table.set_default)] == []


def test_override_needs_a_reason():
	make_customer("Trial")
	profile = make_profile("Trial")
	profile.override_tier = "High Value"
	assert "Reason" in refusal(profile)


def test_override_is_signed_by_the_server():
	make_customer("Trial")
	profile = make_profile("Trial")
	values = {"override_stage": "Loyal", "override_reason": "Visited", "override_by": "Guest"}
	profile.update(values)
	profile.save()
	assert profile.override_by == "Administrator"
	assert profile.override_on
	profile.override_stage = None
	profile.save()
	assert not profile.override_by
	assert not profile.override_reason


def test_override_into_the_past_or_into_a_disabled_tier_is_refused():
	make_customer("Trial")
	profile = make_profile("Trial")
	profile.update({"override_tier": "Regular", "override_reason": "x", "override_until": "2020-01-01"})
	assert "Until" in refusal(profile)
	frappe.db.set_value("Customer Tier", "Regular", "enabled", 0)
	profile.reload()
	profile.update({"override_tier": "Regular", "override_reason": "x"})
	assert "Regular is disabled" in refusal(profile)


def test_computed_fields_are_not_written_through_the_api():
	make_customer("Trial")
	make_profile("Trial", score=10)
	set_value("Retention Profile", "Trial", "score", 99)
	assert stored("Trial", "score") == 10


def test_profile_is_neither_renamed_nor_deleted_by_itself():
	make_customer("Trial")
	make_profile("Trial")
	with pytest.raises(frappe.ValidationError):
		frappe.rename_doc("Retention Profile", "Trial", "Other", force=True)
	with pytest.raises(frappe.ValidationError):
		frappe.delete_doc("Retention Profile", "Trial")


def test_one_profile_a_party():
	make_customer("Trial")
	make_profile("Trial")
	with pytest.raises((frappe.DuplicateEntryError, frappe.UniqueValidationError)):
		make_profile("Trial")


def test_profile_of_a_lead_has_a_name_of_its_own():
	make_customer("Trial")
	make_profile("Trial")
	lead = frappe.get_doc({"doctype": "Lead", "first_name": "Trial"}).insert()
	profile = make_profile(lead.name, party_type="Lead")
	assert profile.name == f"Lead: {lead.name}"


class TestParty:
	def test_renamed_customer_takes_profile_and_history_along(self):
		make_customer("Trial")
		make_profile("Trial", score=40)
		make_change("Trial")
		frappe.rename_doc("Customer", "Trial", "Trial Renamed")
		assert not frappe.db.exists("Retention Profile", "Trial")
		assert stored("Trial Renamed", "score") == 40
		assert frappe.db.get_value("Retention Profile", "Trial Renamed", "party") == "Trial Renamed"
		assert frappe.db.exists("Tier Change", {"party": "Trial Renamed"})

	def test_merged_customer_leaves_the_survivors_profile(self):
		for name, score in (("Trial", 40), ("Survivor", 70)):
			make_customer(name)
			make_profile(name, score=score)
			make_change(name, run=None)
		frappe.rename_doc("Customer", "Trial", "Survivor", merge=True)
		assert frappe.get_all(
			"Retention Profile", {"party": ("in", ["Trial", "Survivor"])}, pluck="name"
		) == ["Survivor"]
		assert stored("Survivor", "score") == 70
		assert frappe.db.count("Tier Change", {"party": "Survivor"}) == 2
		assert not frappe.db.exists("Tier Change", {"party": "Trial"})

	def test_deleted_customer_leaves_its_history_alone(self):
		make_customer("Trial")
		make_profile("Trial")
		make_change("Trial")
		frappe.delete_doc("Customer", "Trial")
		assert not frappe.db.exists("Retention Profile", "Trial")
		kept = {"party": "Trial", "party_name": "Trial", "party_deleted": 1}
		assert frappe.db.exists("Tier Change", kept)

	def test_whoever_may_rename_a_customer_takes_its_profile_along(self):
		make_customer("Trial")
		make_profile("Trial")
		frappe.set_user(make_user("seller@example.com", "Sales Manager", "Sales Master Manager"))
		frappe.rename_doc("Customer", "Trial", "Trial Renamed")
		assert frappe.db.exists("Retention Profile", "Trial Renamed")

	def test_renamed_lead_takes_its_profile_along(self):
		lead = frappe.get_doc({"doctype": "Lead", "first_name": "Trial"}).insert()
		make_profile(lead.name, party_type="Lead")
		frappe.rename_doc("Lead", lead.name, "LEAD-RENAMED")
		assert frappe.db.exists("Retention Profile", "Lead: LEAD-RENAMED")


class TestHistory:
	@pytest.fixture
	def change(self):
		make_customer("Trial")
		return make_change("Trial", score=None)

	def test_save_is_refused(self, change):
		change.to_value = "High Value"
		with pytest.raises(frappe.PermissionError):
			change.save()

	def test_direct_writes_of_the_document_are_refused(self, change):
		for write in (lambda: change.db_set("to_value", "x"), change.db_update, change.delete):
			with pytest.raises(frappe.PermissionError):
				write()
		assert frappe.db.get_value("Tier Change", change.name, "to_value") == "Regular"

	def test_api_is_refused(self, change):
		with pytest.raises(frappe.PermissionError):
			set_value("Tier Change", change.name, "to_value", "High Value")
		with pytest.raises(frappe.PermissionError):
			delete("Tier Change", change.name)
		with pytest.raises(frappe.PermissionError):
			frappe.rename_doc("Tier Change", change.name, "other", force=True)

	@pytest.mark.usefixtures("change")
	def test_nobody_may_write_one(self):
		for role in ("System Manager", "Retention Manager"):
			frappe.set_user(make_user(f"{frappe.scrub(role)}@example.com", role, "Sales Manager"))
			for ptype in ("create", "write", "delete"):
				assert not frappe.has_permission("Tier Change", ptype), (role, ptype)
			frappe.set_user("Administrator")

	def test_unknown_score_stays_unknown(self, change):
		assert frappe.db.sql("select score from `tabTier Change` where name = %s", change.name)[0][0] is None

	@pytest.mark.usefixtures("change")
	def test_one_change_a_run_party_and_kind(self):
		run = frappe.get_doc({"doctype": "Retention Run", "kind": "Manual", "as_of": "2026-01-01"}).insert()
		make_change("Trial", run=run.name)
		with pytest.raises((frappe.UniqueValidationError, frappe.DuplicateEntryError)):
			make_change("Trial", run=run.name)

"""A new site is useful on its first day, and what was seeded belongs to the admin from then on."""

import frappe
import pytest

from crm_retention.configuration import get_config
from crm_retention.engine.config import parse
from crm_retention.setup import install, seeds
from crm_retention.setup.custom_fields import CUSTOM_FIELDS
from crm_retention.setup.defaults import DEFAULTS
from crm_retention.setup.roles import ROLES


def test_install_seeds_every_default():
	for doctype, table in (
		("Customer Tier", "tiers"),
		("Lifecycle Stage", "stages"),
		("Customer Scorecard", "scorecards"),
	):
		wanted = {row["name"] for row in DEFAULTS[table]}
		assert wanted <= set(frappe.get_all(doctype, pluck="name"))


def test_seeded_site_and_command_line_have_the_same_rules():
	assert get_config().version == parse(DEFAULTS).version


def test_install_makes_roles_and_fields():
	assert all(frappe.db.exists("Role", role) for role in ROLES)
	meta = frappe.get_meta("Customer")
	for field in CUSTOM_FIELDS["Customer"]:
		assert meta.has_field(field["fieldname"]), field["fieldname"]
		assert field["fieldname"].startswith("retention_")


def test_seeding_again_keeps_edits_and_deletions():
	tier = frappe.get_doc("Customer Tier", "Regular")
	tier.way_of_care = "As we like it"
	tier.save()
	frappe.delete_doc("Lifecycle Stage", "Lost")
	seeds.seed()
	assert frappe.db.get_value("Customer Tier", "Regular", "way_of_care") == "As we like it"
	assert not frappe.db.exists("Lifecycle Stage", "Lost")


def test_seeding_next_to_an_active_scorecard_does_not_take_its_place():
	frappe.rename_doc("Customer Scorecard", "Customer Value", "Our Own Value")
	frappe.db.set_default(seeds.SEEDED, "[]")
	seeds.seed()
	active = frappe.get_all("Customer Scorecard", {"purpose": "Value", "is_active": 1}, pluck="name")
	assert active == ["Our Own Value"]


def test_first_settings_are_written_once():
	frappe.db.set_single_value("Retention Settings", "run_hour", 5)
	install.set_first_settings()
	assert frappe.db.get_single_value("Retention Settings", "run_hour") == 5


def test_migration_seeds_what_a_failed_installation_owes(monkeypatch):
	frappe.db.delete("Lifecycle Stage")
	seeds.forget()
	with monkeypatch.context() as patch:
		broken = {"doctype": "Customer Tier", "tier_name": "Broken", "frequency": "Never"}
		patch.setattr(seeds, "get_docs", lambda: [*seeds.get_stages(), broken])
		with pytest.raises(frappe.ValidationError):
			seeds.seed()
	assert seeds.is_owed()
	monkeypatch.setattr(install, "prepare", lambda: None)  # it changes tables, which commits
	install.after_migrate()
	assert {stage["name"] for stage in DEFAULTS["stages"]} <= set(
		frappe.get_all("Lifecycle Stage", pluck="name")
	)
	assert not seeds.is_owed()
	frappe.delete_doc("Lifecycle Stage", "Lost")
	install.after_migrate()
	assert not frappe.db.exists("Lifecycle Stage", "Lost")


def test_seeded_records_are_valid_on_save():
	for doctype in ("Customer Tier", "Lifecycle Stage", "Customer Scorecard"):
		for name in frappe.get_all(doctype, pluck="name"):
			frappe.get_doc(doctype, name).save()

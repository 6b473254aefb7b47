"""Installing and uninstalling leaves the site as it was before."""

import frappe
import pytest

pytestmark = [pytest.mark.commits, pytest.mark.slow]
APP = "crm_retention"


def remains():
	"""Everything on the site that names the app, its roles, its fields or its DocTypes."""
	found = []
	for doctype, filters in (
		("Custom Field", {"fieldname": ("like", "retention_%")}),
		("Property Setter", {"field_name": ("like", "retention_%")}),
		("Role", {"name": ("like", "Retention %")}),
		("Has Role", {"role": ("like", "Retention %")}),
		("Module Def", {"app_name": APP}),
		("DocType", {"module": "CRM Retention"}),
		("Workspace", {"module": "CRM Retention"}),
		("Number Card", {"module": "CRM Retention"}),
		("Dashboard Chart", {"module": "CRM Retention"}),
		("Scheduled Job Type", {"method": ("like", f"{APP}.%")}),
		("Logs To Clear", {"ref_doctype": ("like", "Retention %")}),
		("DefaultValue", {"defkey": ("like", "retention%")}),
		("Custom DocPerm", {"role": ("like", "Retention %")}),
		("Workflow", {"document_type": "Maintenance Plan"}),
		("Workflow State", {"name": "Withdrawn"}),
		("Workflow Action Master", {"name": "Withdraw"}),
		("Email Template", {"name": ("like", "Care: %")}),
		("User Permission", {"allow": ("like", "%Tier")}),
		("Version", {"ref_doctype": ("in", ("Customer Tier", "Retention Profile"))}),
	):
		found += [f"{doctype}: {name}" for name in frappe.get_all(doctype, filters=filters, pluck="name")]
	found += [
		f"column {name}" for name in frappe.db.get_table_columns("Customer") if name.startswith("retention_")
	]
	found += [
		f"table {name}" for name in frappe.db.get_tables(cached=False) if name.startswith("tabRetention")
	]
	found += [
		f"single {row[0]}"
		for row in frappe.db.sql("select doctype from tabSingles where doctype like 'Retention%'")
	]
	return found


def test_uninstall_leaves_nothing_behind(site):
	assert remains()
	frappe.db.commit()
	result = site.run("uninstall-app", APP, "--yes", "--no-backup")
	assert result.returncode == 0, result.stdout + result.stderr
	frappe.db.rollback()
	frappe.clear_cache()
	assert remains() == []

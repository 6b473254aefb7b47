"""The app is installed on the site, and what it declares there can be resolved."""

import frappe
import pytest
from frappe.modules import get_module_name
from frappe.modules.utils import get_module_app

APP = "crm_retention"


def hooked_methods():
	"""Every dotted path that the app hands to Frappe, with the hook that names it."""
	for hook, value in frappe.get_hooks(app_name=APP).items():
		for path in strings_in(value):
			if path.startswith(f"{APP}.") and " " not in path:
				yield hook, path


def strings_in(value):
	if isinstance(value, str):
		yield value
	elif isinstance(value, dict):
		for part in value.values():
			yield from strings_in(part)
	elif isinstance(value, list | tuple):
		for part in value:
			yield from strings_in(part)


def test_app_is_installed_after_erpnext():
	installed = frappe.get_installed_apps()
	assert installed.index("erpnext") < installed.index(APP)


def test_module_belongs_to_the_app():
	assert frappe.db.get_value("Module Def", "CRM Retention", "app_name") == APP
	assert get_module_app("CRM Retention") == APP


def test_hooks_name_methods_that_exist():
	missing = []
	for hook, path in hooked_methods():
		try:
			frappe.get_attr(path)
		except (AttributeError, ImportError, frappe.AppNotInstalledError) as error:
			missing.append(f"{hook}: {path} ({error})")
	assert not missing


def test_every_doctype_has_a_controller_and_a_table():
	doctypes = frappe.get_all("DocType", {"module": "CRM Retention"}, ["name", "issingle", "is_virtual"])
	for doctype in doctypes:
		assert frappe.get_module(get_module_name(doctype.name, "CRM Retention")), doctype.name
		if not doctype.issingle and not doctype.is_virtual:
			assert frappe.db.table_exists(doctype.name), doctype.name


@pytest.mark.commits
def test_second_install_and_migrate_leave_the_site_as_it_is(site):
	before = table_sizes()
	for command in (["install-app", APP], ["migrate"]):
		result = site.run(*command)
		assert result.returncode == 0, result.stdout + result.stderr
	frappe.db.rollback()  # a new snapshot, in which the other process's work is visible
	assert table_sizes() == before


def table_sizes() -> dict[str, int]:
	"""Rows by DocType of the app, and of what an install adds to: roles, fields, workspaces."""
	doctypes = frappe.get_all(
		"DocType", {"module": "CRM Retention", "issingle": 0, "is_virtual": 0}, pluck="name"
	)
	doctypes += [
		"Custom Field",
		"Property Setter",
		"Role",
		"Workspace",
		"Number Card",
		"Dashboard Chart",
		"Module Def",
	]
	return {doctype: frappe.db.count(doctype) for doctype in doctypes}

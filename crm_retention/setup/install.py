"""What an installation and every migration do. Safe to repeat: nothing that an admin changed is touched."""

from __future__ import annotations

import frappe

from crm_retention.setup import custom_fields, indexes, nullable, roles, seeds


def after_install() -> None:
	"""Prepare a new site: useful on the first day with nothing configured."""
	prepare()
	seeds.seed()
	set_first_settings()


def after_migrate() -> None:
	"""Bring roles, fields and columns up to date."""
	prepare()


def prepare() -> None:
	"""Create what is missing."""
	roles.create_roles()
	custom_fields.create_custom_fields()
	for doctype in nullable.NULLABLE_DOCTYPES:
		nullable.allow_unknown(doctype)
	indexes.create_indexes()


def set_first_settings() -> None:
	"""Write the defaults of Retention Settings, so that code that reads single values finds them."""
	if frappe.db.exists("Singles", {"doctype": "Retention Settings"}):
		return
	settings = frappe.get_doc("Retention Settings")
	settings.flags.ignore_validate = True  # companies of several currencies are the admin's to sort out
	settings.flags.ignore_mandatory = True
	settings.save(ignore_permissions=True)

"""What an installation and every migration do. Safe to repeat: nothing that an admin changed is touched."""

from __future__ import annotations

import frappe

from crm_retention import sealed
from crm_retention.setup import custom_fields, indexes, nullable, roles, seeds


def after_install() -> None:
	"""Prepare a new site: useful on the first day with nothing configured."""
	prepare()
	seeds.seed()
	set_first_settings()


def after_migrate() -> None:
	"""Bring roles, fields, columns and settings up to date, and do what a failed installation did not."""
	prepare()
	if (
		seeds.is_owed()
	):  # the installation stopped before it came to that, and counts as one on 16 all the same
		seeds.seed()
	set_first_settings()


def prepare() -> None:
	"""Create what is missing."""
	sealed.ensure_key()
	roles.create_roles()
	custom_fields.create_custom_fields()
	for doctype in nullable.NULLABLE_DOCTYPES:
		nullable.allow_unknown(doctype)
	indexes.create_indexes()


def set_first_settings() -> None:
	"""Write the default of each field of Retention Settings that was never saved, so that code that reads single
	values finds them: on a new site all of them, after an update those that are new.
	"""
	saved = frappe.db.get_singles_dict("Retention Settings")
	for df in frappe.get_meta("Retention Settings").fields:
		if df.default not in (None, "") and df.fieldname not in saved:
			frappe.db.set_single_value("Retention Settings", df.fieldname, df.default)

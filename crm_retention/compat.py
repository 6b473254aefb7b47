"""What differs between versions of Frappe, and nothing else: each function names the version that needs a line, so
that dropping 15 one day is deleting what is for 15.
"""

from __future__ import annotations

from typing import Any

import frappe
from pypika.terms import LiteralValue, Term

MAJOR = int(frappe.__version__.partition(".")[0])
HAS_SIDEBARS = MAJOR >= 16  # Workspace Sidebar and Desktop Icon, from workspace_sidebar/ and desktop_icon/

# What a permission hook says that has nothing against it: 16 reads None as a no, 15 True as the last word
NO_OPINION = True if MAJOR >= 16 else None


def get_desk_path(*parts: str) -> str:
	"""The path of a page in the desk: /app/my-day on 15, /desk/my-day since 16. ``parts`` are parts of a URL already."""
	return "/".join(("/desk" if MAJOR >= 16 else "/app", *parts))


def forget_columns(doctype: str) -> None:
	"""What Frappe remembers of a table's columns: 15 in a hash; 16 under a key of their own, in the process as well."""
	table = f"tab{doctype}"
	frappe.cache.hdel("table_columns", table)
	for cache in (frappe.cache, getattr(frappe, "client_cache", None)):
		if cache is not None:
			cache.delete_value(f"table_columns::{table}")


def get_list_sql(doctype: str, **arguments: Any) -> str:
	"""The SQL of ``frappe.get_list(doctype, ...)``, with every value in it and each % once.

	Raises PermissionError where the user may not list the DocType at all.
	"""
	query = frappe.get_list(doctype, run=False, **arguments)
	if isinstance(query, str):  # 15
		return query
	sql, values = query.walk()  # 16: a query; its own get_sql() would leave backslashes in values as they are
	return sql % {name: frappe.db.escape(str(value), percent=False) for name, value in values.items()}


def get_permission_criterion(doctype: str) -> Term | None:
	"""What Frappe adds to every list of the session's user, as a condition of the query builder; None if nothing.

	Raises PermissionError where the user may not list the DocType at all.
	"""
	if MAJOR < 16:
		from frappe.desk.reportview import build_match_conditions

		condition = build_match_conditions(doctype)
		return LiteralValue(condition) if condition else None
	# 16: that function doubles the % of permission hooks once more, and leaves backslashes in values as they are
	from frappe.database.query import Engine

	engine = Engine()
	engine.get_query(doctype, db_query_compat=True)
	return engine.get_permission_conditions(doctype, engine.table)

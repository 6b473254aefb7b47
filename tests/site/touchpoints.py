"""What tests of touchpoints share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe.utils import nowdate

from tests.site.desk import make_customer, make_user

TYPE = "Care Call of Tests"


def make_type(name: str = TYPE, **values: Any) -> str:
	"""A touchpoint type by phone, of 20 minutes and a cost of 5."""
	if not frappe.db.exists("Touchpoint Type", name):
		given = {"channel": "Phone", "minutes": 20, "cost": 5, "nature": "Care"} | values
		frappe.get_doc({"doctype": "Touchpoint Type", "type_name": name, **given}).insert()
	return name


def make_touchpoint(customer: str, **values: Any) -> Any:
	"""A touchpoint of a customer that is due today, inserted."""
	given = {"party_type": "Customer", "party": customer, "due_date": nowdate(), "touchpoint_type": TYPE}
	return frappe.get_doc({"doctype": "Touchpoint", **given, **values}).insert()


def make_seller(email: str, *roles: str) -> str:
	"""A user who cares for customers."""
	return make_user(email, "Retention User", "Sales User", *roles)


def make_customers(*names: str, **values: Any) -> None:
	"""Customers with the touchpoint type of the tests."""
	make_type()
	for name in names:
		make_customer(name, **values)


def get_todos(touchpoint: str) -> list[tuple[str, str]]:
	"""(allocated_to, status) of the ToDos of a touchpoint."""
	filters = {"reference_type": "Touchpoint", "reference_name": touchpoint}
	rows = frappe.get_all("ToDo", filters, ["allocated_to", "status"], order_by="creation, status")
	return [(row.allocated_to, row.status) for row in rows]


@contextmanager
def only_customer(user: str, customer: str) -> Iterator[None]:
	"""The user may see one customer only; what Frappe remembers of it is forgotten at the end."""
	permission = {"doctype": "User Permission", "user": user, "allow": "Customer", "for_value": customer}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", user)
	try:
		yield
	finally:
		frappe.cache.hdel("user_permissions", user)
		frappe.local.user_perms = None

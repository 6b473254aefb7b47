"""Two customers with one of everything, one within reach of a limited colleague and one beyond, and people of every kind.

The customer beyond is called by a word that no request can contain: an answer with it has told what it may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe.utils import add_days, now_datetime, nowdate

from crm_retention.care import keys
from tests.site.plans import make_plan
from tests.site.touchpoints import TYPE, make_type

NEAR, FAR = "C-NEAR", "C-FAR"
SECRET = "Quetzalcoatlus"
TERRITORY = {NEAR: "Territory Near", FAR: "Territory Far"}
PASSWORD = "an-attack-is-a-promise-9"
MANAGER_OF_BOTH = "Administrator"  # looks after both customers, and is there before the other people are
LIMITED = ("limited Retention User", "limited Retention Manager")
OUTSIDERS = ("no role", "website user")
PEOPLE: dict[str, tuple[str, ...]] = {
	"no role": (),
	"website user": (),
	"Sales User": ("Sales User",),
	"Support": ("Support Team",),
	"Retention User": ("Retention User", "Sales User"),
	"limited Retention User": ("Retention User", "Sales User"),
	"limited Retention Manager": ("Retention Manager", "Sales User"),
	"Retention Manager": ("Retention Manager", "Sales User"),
	"System Manager": ("System Manager",),
}
WITH_PARTY = (
	"Retention Profile",
	"Tier Change",
	"Touchpoint",
	"Interaction Log",
	"Plan Enrollment",
	"Contact Preference",
	"Contact Stop",
)

Names = dict[str, dict[str, str]]


def get_address(person: str) -> str:
	"""The user name of somebody."""
	return person.lower().replace(" ", ".") + "@attacks.example"


def make_people() -> None:
	"""A user of every kind; the limited ones see the customers of one territory alone."""
	for person, roles in PEOPLE.items():
		user = frappe.get_doc(
			{
				"doctype": "User",
				"email": get_address(person),
				"first_name": person,
				"send_welcome_email": 0,
				"user_type": "Website User" if person == "website user" else "System User",
			}
		)
		user.flags.no_welcome_mail = True
		user.insert(ignore_permissions=True)
		if roles:
			user.add_roles(*roles)
		if person in LIMITED:
			limit(user.name)


def limit(user: str) -> None:
	"""From now on the user sees one territory alone."""
	permission = {"user": user, "allow": "Territory", "for_value": TERRITORY[NEAR]}
	doc = frappe.get_doc({"doctype": "User Permission", **permission, "apply_to_all_doctypes": 1})
	doc.insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", user)


def make_parties() -> Names:
	"""Both customers with one of everything: its name by DocType and customer."""
	make_type()
	root = frappe.db.get_value("Territory", {"parent_territory": ("in", ("", None))})
	plan = make_plan("Attacked").insert()
	names: Names = {doctype: {} for doctype in ("Customer", *WITH_PARTY)}
	for party, territory in TERRITORY.items():
		row = {"doctype": "Territory", "territory_name": territory, "parent_territory": root}
		frappe.get_doc(row).insert()
		called = SECRET if party == FAR else "Nearby"
		customer = {"customer_name": called, "customer_group": "Commercial", "customer_type": "Company"}
		customer |= {"territory": territory, "account_manager": MANAGER_OF_BOTH}
		frappe.get_doc({"doctype": "Customer", **customer}).insert(set_name=party)
		names["Customer"][party] = party
		for doctype, values in get_rows(party, called, plan).items():
			names[doctype][party] = store(doctype, party, called, values)
	return names


def get_rows(party: str, called: str, plan: Any) -> dict[str, dict[str, Any]]:
	"""What is recorded of a customer, by DocType."""
	rule = frappe.get_all("Contact Rule", pluck="name", limit=1)[0]
	planned = {"plan": plan.name, "plan_family": plan.plan_family, "version_number": plan.version_number}
	day, member = nowdate(), keys.enrollment_key(plan.plan_family, party)
	return {
		"Retention Profile": {"tier": "Regular", "stage": "At Risk", "score": 50, "as_of": add_days(day, -1)},
		"Tier Change": {"kind": "Tier", "to_value": "Regular", "on_date": day},
		"Touchpoint": {
			"touchpoint_type": TYPE,
			"title": f"{TYPE}: {called}",
			"status": "Open",
			"due_date": day,
			"service_date": add_days(day, 3),
			"instructions": f"Ask {called}",
			"channel": "Phone",
		},
		"Interaction Log": {
			"kind": "Call",
			"occurred_on": now_datetime(),
			"direction": "Internal",
			"note": f"{called} is angry",
			"subject": f"About {called}",
			"user": "Administrator",
		},
		"Plan Enrollment": {
			**planned,
			"arm": "Treated",
			"from_date": day,
			"clock_start": day,
			"open_key": member,
		},
		"Contact Preference": {"channel": "Email", "answer": "No", "key": f"Email|{party}"},
		"Contact Stop": {"rule": rule, "action": "Drop", "on_date": day, "key": f"attack|{party}"},
	}


def store(doctype: str, party: str, called: str, values: dict[str, Any]) -> str:
	"""A row as the app leaves it; its name."""
	doc = frappe.new_doc(doctype)
	doc.update({"party_type": "Customer", "party": party, "party_name": called, **values})
	if doctype == "Retention Profile":
		doc.name = party
	else:
		doc.set_new_name()
	doc.owner = doc.modified_by = "Administrator"
	doc.creation = doc.modified = now_datetime()
	doc.db_insert()
	return doc.name


@contextmanager
def acting_as(person: str) -> Iterator[str]:
	"""The session is somebody's."""
	user = get_address(person)
	frappe.set_user(user)
	try:
		yield user
	finally:
		frappe.set_user("Administrator")

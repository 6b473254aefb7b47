"""What site tests of forms share: documents in few words, and refusals as text."""

from __future__ import annotations

import json
from typing import Any

import frappe
import pytest


def make_customer(name: str, **values: Any) -> Any:
	"""A customer of its own name, inserted."""
	given = {"customer_group": "Commercial", "territory": "All Territories", "customer_type": "Company"}
	return frappe.get_doc({"doctype": "Customer", "customer_name": name, **given, **values}).insert()


def make_profile(customer: str, **values: Any) -> Any:
	"""The profile of a customer, inserted as the cycle would leave it."""
	party = {"party_type": "Customer", "party": customer, "party_name": customer}
	return frappe.get_doc({"doctype": "Retention Profile", **party, **values}).insert(ignore_permissions=True)


def make_change(customer: str, **values: Any) -> Any:
	"""A tier change of a customer, inserted as the cycle would leave it."""
	party = {"party_type": "Customer", "party": customer, "on_date": "2026-01-01", "kind": "Tier"}
	change = frappe.get_doc({"doctype": "Tier Change", **party, "to_value": "Regular", **values})
	change.flags.by_app = True
	return change.insert(ignore_permissions=True)


def make_tier(name: str, party: list | None = None, signals: list | None = None, **values: Any) -> Any:
	"""A tier, not inserted; conditions as desk filters without their DocType."""
	given = {"rank": 50, "min_score": 90, "enabled": 1}
	groups = {
		"party_conditions_json": json.dumps([["Customer", *row] for row in party or []]),
		"signal_conditions_json": json.dumps([["Retention Profile", *row] for row in signals or []]),
	}
	return frappe.get_doc({"doctype": "Customer Tier", "tier_name": name, **given, **groups, **values})


def make_user(email: str, *roles: str) -> str:
	"""A desk user with these roles."""
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": email,
			"first_name": email,
			"send_welcome_email": 0,
			"user_type": "System User",
		}
	)
	user.insert(ignore_permissions=True)
	user.add_roles(*roles)
	return email


def refusal(doc: Any) -> str:
	"""What the desk says when it refuses to save."""
	with pytest.raises(frappe.ValidationError) as caught:
		doc.save()
	return str(caught.value)

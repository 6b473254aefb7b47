"""My Day and its digest say of phone, mail and address what their reader finds on customer, lead, contact and address."""

from __future__ import annotations

from typing import Any

import frappe
import pytest
from frappe.utils import getdate

from crm_retention.api.my_day import my_day
from crm_retention.care.digests import get_daily
from tests.site.touchpoints import make_customers, make_seller, make_touchpoint

PARTY, USER = "Day of Attacks", "day.attacks@example.com"
PHONE, MAIL, CITY = "+49 171 777", "hidden@customer.example", "Quetzaltenango"


@pytest.fixture(scope="module", autouse=True)
def parties(leave_site_as_it_was: None) -> None:
	make_customers(PARTY)
	make_seller(USER)


def hide(doctype: str, *fields: str) -> None:
	"""Fields of a level that the user's roles do not have."""
	for field in fields:
		make = frappe.custom.doctype.property_setter.property_setter.make_property_setter
		make(doctype, field, "permlevel", 7, "Int", validate_fields_for_doctype=False)
	frappe.clear_cache(doctype=doctype)


@pytest.fixture(autouse=True)
def forget_levels() -> Any:
	yield
	for doctype in ("Customer", "Lead", "Contact", "Address"):
		frappe.clear_cache(doctype=doctype)


def add_contact() -> tuple[str, str]:
	"""A contact and an address of the customer; their names."""
	link = [{"link_doctype": "Customer", "link_name": PARTY}]
	contact = {"doctype": "Contact", "first_name": "Chen", "links": link}
	contact |= {"phone_nos": [{"phone": PHONE, "is_primary_mobile_no": 1}]}
	contact |= {"email_ids": [{"email_id": MAIL, "is_primary": 1}]}
	address = {"doctype": "Address", "address_title": PARTY, "address_type": "Office", "links": link}
	address |= {"address_line1": "1 Long Street", "city": CITY, "pincode": "100", "country": "Germany"}
	return frappe.get_doc(contact).insert().name, frappe.get_doc(address).insert().name


def get_card(party: str = PARTY, party_type: str = "Customer") -> Any:
	make_touchpoint(party, party_type=party_type, assigned_to=USER)
	frappe.set_user(USER)
	return my_day()["cards"][0]


def test_what_is_shown_is_there() -> None:
	add_contact()
	card = get_card()
	assert (card["phone"], card["email"], card["city"]) == (PHONE, MAIL, CITY)
	assert PHONE in str(get_daily(USER, getdate()))


def test_hidden_fields_of_the_customer_are_not() -> None:
	frappe.db.set_value("Customer", PARTY, {"mobile_no": PHONE, "email_id": MAIL})
	hide("Customer", "mobile_no", "email_id")
	card = get_card()
	assert (card["phone"], card["email"]) == ("", "")
	digest = str(get_daily(USER, getdate()))
	assert card["title"] in digest
	assert PHONE not in digest


def test_hidden_fields_of_the_lead_are_not() -> None:
	lead = {"doctype": "Lead", "first_name": "Lea", "mobile_no": PHONE, "phone": "0123", "city": CITY}
	name = frappe.get_doc(lead).insert().name
	hide("Lead", "mobile_no", "city")
	card = get_card(name, "Lead")
	assert (card["phone"], card["city"]) == ("0123", "")


def test_hidden_fields_of_contact_and_address_are_not() -> None:
	add_contact()
	hide("Contact", "mobile_no", "phone")
	hide("Address", "city", "address_line1")
	card = get_card()
	assert (card["phone"], card["email"], card["city"]) == ("", MAIL, "")
	assert "Long Street" not in frappe.as_json(card)


@pytest.mark.parametrize("doctype", ["Contact", "Address"])
def test_contacts_and_addresses_that_their_reader_may_not_list_are_not(doctype: str) -> None:
	_contact, address = add_contact()
	frappe.db.set_value("Customer", PARTY, "customer_primary_address", address)
	other = {"doctype": "Contact", "first_name": "Another"}
	if doctype == "Address":
		other = {"doctype": "Address", "address_title": "Another", "address_type": "Office"}
		other |= {"address_line1": "2", "city": "Ulm", "country": "Germany"}
	seen = frappe.get_doc(other).insert().name
	allowed = {"doctype": "User Permission", "user": USER, "allow": doctype, "for_value": seen}
	frappe.get_doc(allowed | {"applicable_for": doctype}).insert(ignore_permissions=True)
	frappe.cache.hdel("user_permissions", USER)
	card = get_card()
	frappe.cache.hdel("user_permissions", USER)
	told = {"Contact": (card["phone"], card["email"]), "Address": (card["address"], card["city"])}
	assert told.pop(doctype) == ("", "")
	assert all(value for pair in told.values() for value in pair)

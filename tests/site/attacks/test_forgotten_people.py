"""A Personal Data Deletion Request takes what is on record of the person, and of nobody else."""

from __future__ import annotations

import frappe
import pytest

from tests.site.desk import make_change, make_customer, make_profile, make_user
from tests.site.interactions import make_row, make_touchpoint
from tests.site.mail import make_outgoing_account

EMAIL = "maria.forgotten@example.com"


@pytest.fixture
def person() -> dict[str, str]:
	"""A user who is a lead, an individual customer, a company's contact and the author of a row."""
	make_outgoing_account("Of Requests")  # a request is confirmed by mail
	make_user(EMAIL, "Retention User", "Sales User")
	frappe.db.set_value("User", EMAIL, "full_name", "Maria Forgotten")
	lead = frappe.get_doc({"doctype": "Lead", "first_name": "Maria", "email_id": EMAIL}).insert().name
	make_customer("Maria F", customer_type="Individual")
	frappe.db.set_value("Customer", "Maria F", "email_id", EMAIL)
	make_customer("Her Company")
	contact = frappe.get_doc("Contact", {"user": EMAIL})  # which Frappe makes with the user
	contact.append("links", {"link_doctype": "Customer", "link_name": "Her Company"})
	contact.save()
	make_profile("Maria F")
	make_change("Maria F")
	return {
		"lead": make_row(lead, party_type="Lead", note="of her").insert().name,
		"own": make_row("Maria F", note="of her").insert().name,
		"contact": make_row("Her Company", note="what she said", subject="Maria", contact=contact.name)
		.insert()
		.name,
		"mention": make_row("Her Company", note=f"wrote to {EMAIL} today").insert().name,
		"other": make_row("Her Company", note="of the company").insert().name,
		"touchpoint": make_touchpoint(
			"Maria F", status="Done", note="ill", occurrence_key="f|s|d|Maria F"
		).name,
	}


def forget() -> None:
	request = frappe.get_doc({"doctype": "Personal Data Deletion Request", "email": EMAIL}).insert()
	request.db_set("status", "Pending Approval")
	request.reload()
	request._anonymize_data()
	assert request.status == "Deleted"


def test_rows_of_the_person_go_and_others_stay(person) -> None:
	forget()
	exists = {key: bool(frappe.db.exists("Interaction Log", name)) for key, name in person.items()}
	assert exists == {
		"lead": False, "own": False, "contact": True, "mention": True, "other": True, "touchpoint": False,
	}  # fmt: skip
	assert frappe.db.get_value("Interaction Log", person["contact"], ["subject", "note"]) == (
		"[REDACTED]",
		None,
	)
	assert EMAIL not in frappe.db.get_value("Interaction Log", person["mention"], "note")
	assert frappe.db.get_value("Interaction Log", person["other"], "note") == "of the company"
	assert not frappe.db.exists("Tier Change", {"party": "Maria F"})
	assert not frappe.db.exists("Retention Profile", "Maria F")


def test_forgotten_person_is_not_contacted_again(person) -> None:
	forget()
	fields = ["note", "party_name", "occurrence_key", "status"]
	touchpoint = frappe.db.get_value("Touchpoint", person["touchpoint"], fields)
	assert touchpoint == (None, "[REDACTED]", "f|s|d|Maria F", "Done")
	of_her = {"party_type": "Customer", "party": "Maria F"}
	answers = frappe.get_all("Contact Preference", of_her, ["channel", "nature", "answer"])
	said = [(row.channel or "", row.nature or "", row.answer) for row in answers]
	assert said == [("", "", "No")], "a wish not to be written to was forgotten with the rest"
	assert not frappe.db.exists("Touchpoint", of_her | {"party_deleted": 1}), "she is still a customer"


def test_what_was_left_of_a_deleted_person_goes_too(person) -> None:
	frappe.delete_doc("Customer", "Maria F", force=True)
	assert frappe.db.exists("Interaction Log", person["own"])
	forget()
	assert not frappe.db.exists("Interaction Log", person["own"])


def test_request_is_the_only_way(person) -> None:
	with pytest.raises(frappe.PermissionError):
		frappe.delete_doc("Interaction Log", person["own"], force=True, ignore_permissions=True)

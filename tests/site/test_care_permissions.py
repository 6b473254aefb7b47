"""Who decides about rules of care, and what nobody writes by hand."""

import frappe
import pytest

from tests.site.desk import make_user
from tests.site.plans import enroll, make_plan
from tests.site.touchpoints import make_seller

RULES = ("Contact Rule", "Contact Channel", "Touchpoint Type", "Care Occasion")
WRITTEN_BY_THE_RUN = ("Contact Stop", "Plan Enrollment")
WRITING = ("write", "create", "delete")


@pytest.fixture
def seller():
	return make_seller("seller.rules@example.com")


@pytest.fixture
def manager():
	return make_user("manager.rules@example.com", "Retention Manager", "Sales Manager")


@pytest.mark.parametrize("doctype", [*RULES, *WRITTEN_BY_THE_RUN])
def test_whoever_does_the_work_reads_rules_and_writes_none(seller, doctype):
	assert frappe.has_permission(doctype, "read", user=seller)
	assert not [right for right in WRITING if frappe.has_permission(doctype, right, user=seller)]


@pytest.mark.parametrize("doctype", RULES)
def test_managers_write_rules(manager, doctype):
	assert [right for right in WRITING if frappe.has_permission(doctype, right, user=manager)] == list(
		WRITING
	)


@pytest.mark.parametrize("doctype", WRITTEN_BY_THE_RUN)
def test_what_the_run_writes_is_nobodys_to_change(manager, doctype):
	assert frappe.has_permission(doctype, "read", user=manager)
	assert not [right for right in WRITING if frappe.has_permission(doctype, right, user=manager)]


def test_nobody_moves_a_customer_out_of_the_holdout(manager):
	member = enroll(make_plan("Measured", holdout_share=20).submit(), "Held Out", arm="Holdout")
	frappe.set_user(manager)
	found = frappe.get_doc("Plan Enrollment", member.name)
	found.arm = "Treated"
	with pytest.raises(frappe.PermissionError):
		found.save()


def test_wishes_about_contact_are_written_by_whoever_hears_them(seller):
	assert frappe.has_permission("Contact Preference", "create", user=seller)

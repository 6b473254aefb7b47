"""Whatever a Retention Manager saves, by forms or by REST, a run ends Completed or Partial.

``CRM_RETENTION_FUZZ`` says how many documents are tried; they are the same ones each time.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from typing import Any

import frappe
import pytest

from tests.site import care
from tests.site.attacks.forger import Forger
from tests.site.attacks.inside import Answer, Insider
from tests.site.attacks.scene import WITH_PARTY
from tests.site.attacks.surface import get_doctypes
from tests.site.care import MONDAY, add_members
from tests.site.desk import make_user
from tests.site.trade import run

pytestmark = pytest.mark.commits
MANAGER = "hostile.manager@example.com"
MANY = int(os.environ.get("CRM_RETENTION_FUZZ") or 60)
SEED = 20260629
EVERY = 250  # documents after which a night is run as well
ENOUGH = 5_000  # documents among which there is a good one of every kind
MEMBERS = tuple(f"Member {number}" for number in range(12))


@pytest.fixture(scope="module", autouse=True)
def manager(site, leave_site_as_it_was):
	care.set_up()
	add_members(*MEMBERS)
	run(MONDAY - timedelta(days=1))
	make_user(MANAGER, "Retention Manager", "Sales Manager", "Accounts Manager", "Support Team")
	return Insider(MANAGER)


def send(manager: Insider, doctype: str, values: dict[str, Any]) -> Answer:
	"""Save it as a new document, or into the one that is named; plans are put to use as well."""
	if name := values.pop("name", None):
		return manager.send("PUT", f"/api/resource/{doctype}/{name}", values)
	answer = manager.send("POST", f"/api/resource/{doctype}", values)
	if answer.status == 200 and doctype == "Maintenance Plan":
		manager.send("PUT", f"/api/resource/{doctype}/{answer.data['name']}", {"docstatus": 1})
	return answer


# What Frappe 16 says of NaN and of numbers beyond 64 bits, before any document is asked
NO_JSON = "Invalid request body"
TOO_LARGE = 413  # what Frappe answers to megabytes, before it reads them


def names_a_field(doctype: str, answer: Answer) -> bool:
	"""Whether a refusal says which field it is about; one of the name says which document."""
	metas = [frappe.get_meta(doctype)]
	metas += [frappe.get_meta(df.options) for df in metas[0].get_table_fields()]
	labels = {df.label for meta in metas for df in meta.fields if df.label} | {"Name", "already exists"}
	fields = {df.fieldname for meta in metas for df in meta.fields}
	return any(label in answer.text for label in labels | fields | {NO_JSON})


def is_about_nobody(doctype: str, values: dict[str, Any]) -> bool:
	"""Whether no customer is named: what is nobody's may not be saved, and the refusal is that of a hidden one's."""
	known = values.get("party_type") == "Customer" and values.get("party") in MEMBERS
	return doctype in WITH_PARTY and not known


def is_refused(doctype: str, values: dict[str, Any], answer: Answer) -> bool:
	"""With a field that is named, or without a word about whoever is not there."""
	if answer.status == 403:
		return is_about_nobody(doctype, values) or names_a_field(doctype, answer)
	return answer.status == TOO_LARGE or (400 <= answer.status < 500 and names_a_field(doctype, answer))


def may_save(doctype: str) -> bool:
	"""Whether a Retention Manager makes or changes documents of the DocType."""
	rows = [row for row in frappe.get_meta(doctype).permissions if row.role == "Retention Manager"]
	return any(row.write or row.create for row in rows)


def test_all_that_a_manager_may_save_is_forged():
	assert sorted(Forger(SEED, MEMBERS).makers) == [
		doctype for doctype in get_doctypes() if may_save(doctype)
	]


def test_no_hostile_configuration_ends_a_run(manager):
	forger = Forger(SEED, MEMBERS)
	wrong, saved = [], Counter()
	for number in range(1, MANY + 1):
		doctype, values = forger.make()
		answer = send(manager, doctype, values)
		saved[doctype] += answer.status == 200
		if answer.status != 200 and not is_refused(doctype, values, answer):
			wrong.append((answer.status, doctype, str(values)[:400], answer.text[-600:]))
		if number % EVERY == 0 or number == MANY:
			frappe.db.rollback()
			frappe.clear_cache()
			log = run(MONDAY)
			assert log.status in ("Completed", "Partial"), (number, log.error, log.traceback)
	assert not wrong, "\n".join(map(str, wrong))
	assert saved.total() > MANY / 20
	if MANY >= ENOUGH:
		assert [doctype for doctype in forger.makers if not saved[doctype]] == []
	assert frappe.db.count("Retention Profile", {"as_of": MONDAY}) == len(MEMBERS)

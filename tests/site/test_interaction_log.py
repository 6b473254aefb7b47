"""The Interaction Log is append-only through every door, a correction is a row, and old rows leave by the setting alone."""

from __future__ import annotations

import json

import frappe
import pytest
from frappe.utils import add_days, add_to_date, now_datetime, nowdate

from crm_retention.api.interactions import correct
from crm_retention.capture.clearing import clear_old_rows
from tests.site.desk import make_customer, make_user
from tests.site.interactions import capture, get_log, make_row, make_touchpoint
from tests.site.trade import add_sales

USER = "caller@example.com"


@pytest.fixture(autouse=True)
def parties():
	make_customer("Buyer")
	make_customer("Other")


@pytest.fixture
def row():
	return make_row("Buyer", note="Wants a second machine\nand soon").insert()


@pytest.fixture
def caller():
	make_user(USER, "Retention User", "Sales User")
	frappe.set_user(USER)


def refuse(kind, *facts):
	doc = frappe.get_doc("Interaction Kind", kind)
	doc.set("required_facts", [{"fact": fact, "refuse": 1} for fact in facts])
	doc.save()


class TestEntering:
	def test_what_goes_without_saying_is_filled_in(self, row):
		assert (row.party_name, row.channel, row.user) == ("Buyer", "Phone", "Administrator")
		assert row.subject == "Wants a second machine"

	def test_future_is_refused_and_a_phone_may_be_a_little_ahead(self):
		with pytest.raises(frappe.ValidationError, match="lies in the future"):
			make_row("Buyer", occurred_on=add_to_date(now_datetime(), hours=1)).insert()
		soon = make_row("Buyer", occurred_on=add_to_date(now_datetime(), minutes=2)).insert()
		assert soon.occurred_on <= now_datetime()

	def test_required_facts_are_refused_only_where_the_kind_says_so(self):
		refuse("Call", "outcome")
		with pytest.raises(frappe.MandatoryError, match="Outcome"):
			make_row("Buyer").insert()
		make_row("Buyer", outcome="Reached").insert()
		make_row("Buyer", "Meeting").insert()  # facts missing, reported and not refused

	def test_captured_rows_are_never_refused(self):
		refuse("Invoice", "outcome")
		add_sales("Buyer", (frappe.utils.getdate(), 10.0))
		capture(False, "Invoice")
		assert get_log("Buyer", "kind") == ["Invoice"]

	@pytest.mark.parametrize(
		("values", "message"),
		[
			({"party_type": "Supplier"}, "Party Type"),
			({"kind": "Letter"}, "disabled"),
			({"latitude": 91}, "Latitude"),
			({"longitude": -181}, "Longitude"),
		],
	)
	def test_nonsense_is_refused_naming_the_field(self, values, message):
		frappe.get_doc({"doctype": "Interaction Kind", "kind_name": "Letter", "enabled": 0}).insert()
		doc = make_row("Buyer", **values)
		doc.flags.ignore_links = True
		with pytest.raises(frappe.ValidationError, match=message):
			doc.insert()

	@pytest.mark.usefixtures("caller")
	def test_hand_entry_cannot_pass_for_a_captured_document(self):
		(name,) = add_sales("Buyer", (frappe.utils.getdate(), 10.0))
		key = f"Invoice|Sales Invoice|{name}"
		row = make_row(
			"Buyer", reference_key=key, source="Invoice", reference_doctype="Sales Invoice"
		).insert()
		assert [row.reference_key, row.source, row.reference_doctype] == [None] * 3
		frappe.set_user("Administrator")
		capture(False, "Invoice")
		assert get_log("Buyer", "reference_key", source="Invoice") == [key]

	@pytest.mark.usefixtures("row")
	def test_kind_with_rows_is_not_deleted(self):
		with pytest.raises(frappe.LinkExistsError):
			frappe.delete_doc("Interaction Kind", "Call")


def set_value(name):
	frappe.client.set_value("Interaction Log", name, "note", "changed")


def save(name):
	frappe.get_doc("Interaction Log", name).update({"note": "changed"}).save()


def save_as_app(name):
	frappe.get_doc("Interaction Log", name).update({"note": "changed"}).save(ignore_permissions=True)


def db_set(name):
	frappe.get_doc("Interaction Log", name).db_set("note", "changed")


def savedocs(name):
	from frappe.desk.form.save import savedocs

	doc = frappe.get_doc("Interaction Log", name).as_dict() | {"note": "changed"}
	savedocs(frappe.as_json(doc), "Save")


def delete(name):
	frappe.client.delete("Interaction Log", name)


def delete_by_force(name):
	frappe.delete_doc("Interaction Log", name, force=True, ignore_permissions=True)


def rename(name):
	frappe.rename_doc("Interaction Log", name, "another", force=True)


def import_update(name):
	from frappe.core.doctype.data_import.importer import Importer

	importer = Importer.__new__(Importer)  # without a file to read
	importer.doctype = "Interaction Log"
	importer.data_import = frappe.get_doc({"doctype": "Data Import"})
	importer.update_record(frappe._dict(doctype="Interaction Log", name=name, note="changed"))


WAYS = [set_value, save, save_as_app, db_set, savedocs, delete, delete_by_force, rename, import_update]


class TestAppendOnly:
	@pytest.mark.parametrize("way", WAYS)
	@pytest.mark.parametrize("user", ["Administrator", USER])
	def test_no_door_changes_a_row(self, row, way, user):
		import frappe.client

		make_user(USER, "Retention Manager", "System Manager", "Sales User")
		frappe.set_user(user)
		before = frappe.db.get_value("Interaction Log", row.name, "*", as_dict=True)
		with pytest.raises(frappe.PermissionError):
			way(row.name)
		frappe.set_user("Administrator")
		assert frappe.db.get_value("Interaction Log", row.name, "*", as_dict=True) == before

	def test_bulk_tools_change_nothing(self, row, monkeypatch):
		from frappe.desk.doctype.bulk_update.bulk_update import _bulk_action
		from frappe.desk.reportview import delete_bulk

		# both commit and roll back between documents
		monkeypatch.setattr(frappe.db, "commit", lambda: None)
		monkeypatch.setattr(frappe.db, "rollback", lambda *_a, **_k: None)
		delete_bulk("Interaction Log", [row.name])
		_bulk_action("Interaction Log", [row.name], "update", {"note": "changed"})
		assert get_log("Buyer", "note") == [row.note]

	def test_roles_offer_neither_write_nor_delete(self, row):
		make_user(USER, "Retention Manager", "System Manager", "Sales User")
		for right in ("write", "delete"):
			assert not frappe.has_permission("Interaction Log", right, row, user=USER)
		for right in ("read", "create"):
			assert frappe.has_permission("Interaction Log", right, row, user=USER)


class TestCorrections:
	def test_correction_is_a_row_that_takes_the_others_place(self, row):
		new = frappe.get_doc("Interaction Log", correct(row.name, {"note": "Wants none"})["name"])
		assert (new.supersedes, new.note, new.kind, new.party) == (row.name, "Wants none", "Call", "Buyer")
		assert frappe.db.get_value("Interaction Log", row.name, "note") == row.note

	def test_second_correction_of_a_row_is_refused_and_one_of_the_correction_is_not(self, row):
		first = correct(row.name, json.dumps({"minutes": 5}))["name"]
		with pytest.raises(frappe.ValidationError, match=first):
			correct(row.name, {"minutes": 6})
		correct(first, {"minutes": 6})

	def test_correction_of_another_party_is_refused(self, row):
		with pytest.raises(frappe.ValidationError, match="same party"):
			make_row("Other", supersedes=row.name).insert()

	def test_party_cannot_be_corrected(self, row):
		with pytest.raises(frappe.ValidationError, match="party"):
			correct(row.name, {"party": "Other"})

	def test_repeated_request_corrects_once(self, row):
		names = {correct(row.name, {"minutes": 5}, request_id="r1")["name"] for _ in range(3)}
		assert len(names) == 1

	@pytest.mark.usefixtures("row", "caller")  # in this order
	def test_only_whoever_logged_it_and_managers_correct_it(self, row):
		with pytest.raises(frappe.PermissionError):
			correct(row.name, {"minutes": 5})
		with pytest.raises(frappe.PermissionError):
			make_row("Buyer", supersedes=row.name).insert()
		mine = make_row("Buyer").insert()
		correct(mine.name, {"minutes": 5})


class TestLinks:
	def test_what_the_log_names_can_be_deleted(self):
		task = frappe.get_doc({"doctype": "ToDo", "description": "x", "status": "Closed"})
		task.update({"reference_type": "Customer", "reference_name": "Buyer"}).insert()
		capture(False, "Task")
		assert get_log("Buyer", "reference_name") == [task.name]
		frappe.delete_doc("ToDo", task.name)
		assert get_log("Buyer", "reference_name") == [task.name]


class TestClearing:
	@pytest.fixture(autouse=True)
	def rows(self):
		self.names = {}
		for days in (400, 101, 99, 0):
			moment = add_to_date(now_datetime(), days=-days)
			self.names[days] = make_row("Buyer", occurred_on=moment, note=str(days)).insert().name

	def clear(self, days):
		frappe.db.set_single_value("Retention Settings", "log_keep_days", days)
		clear_old_rows(commit=False)
		return get_log("Buyer", "note")

	def test_zero_keeps_for_ever(self):
		assert self.clear(0) == ["400", "101", "99", "0"]

	def test_rows_older_than_the_setting_leave_with_what_named_them(self):
		done = make_touchpoint("Buyer", interaction=self.names[400], status="Done")
		assert self.clear(100) == ["99", "0"]
		assert frappe.db.get_value("Touchpoint", done.name, "interaction") is None

	def test_old_correction_of_a_newer_row_stays_or_the_row_would_count_again(self):
		long_ago = add_to_date(now_datetime(), days=-300)
		make_row("Buyer", occurred_on=long_ago, note="correction", supersedes=self.names[99]).insert()
		assert self.clear(100) == ["correction", "99", "0"]

	def test_batches_go_on_until_all_are_gone(self, monkeypatch):
		monkeypatch.setattr("crm_retention.capture.clearing.ROWS_PER_BATCH", 1)
		assert self.clear(1) == ["0"]

	def test_cleared_documents_do_not_come_back(self):
		add_sales("Buyer", (frappe.utils.getdate(add_days(nowdate(), -200)), 10.0))
		capture(False, "Invoice")
		assert "400" not in self.clear(100)
		capture(True, "Invoice")
		assert get_log("Buyer", kind="Invoice") == []

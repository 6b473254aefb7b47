"""The reports of contacts held back and of the load: figures counted by hand, every filter, nothing of hidden customers."""

from __future__ import annotations

import frappe
import pytest
from frappe.desk.query_report import run
from frappe.utils import add_days, getdate, nowdate

from crm_retention.crm_retention.report.contacts_held_back import contacts_held_back
from crm_retention.crm_retention.report.touchpoint_load import touchpoint_load
from tests.site.desk import make_customer, make_user
from tests.site.interactions import get_type, make_touchpoint

READER = "reader@example.com"
ANNA, BEN = "anna.load@example.com", "ben.load@example.com"


@pytest.fixture(autouse=True)
def customers():
	frappe.db.delete("Contact Stop")
	frappe.db.delete("Touchpoint")
	make_customer("Seen", customer_group="Commercial")
	make_customer("Hidden", customer_group="Government")


def sign_in_restricted():
	"""A user who may see commercial customers only."""
	make_user(READER, "Retention User", "Sales User")
	permission = {"doctype": "User Permission", "user": READER, "allow": "Customer Group"}
	frappe.get_doc({**permission, "for_value": "Commercial", "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", READER)
	frappe.set_user(READER)


def check_columns(columns, rows):
	names = [column["fieldname"] for column in columns]
	assert len(names) == len(set(names))
	assert all(column["fieldtype"] and column["label"] for column in columns)
	for row in rows:
		assert set(names) <= set(row)


class TestContactsHeldBack:
	FIRST, SECOND = "Rule One of Tests", "Rule Two of Tests"

	@pytest.fixture(autouse=True)
	def held_back(self):
		for name in (self.FIRST, self.SECOND):
			rule = {"doctype": "Contact Rule", "rule_name": name, "kind": "Consent", "action": "Drop"}
			frappe.get_doc(rule).insert()
		for party, rule, on_date, values in (
			("Seen", self.FIRST, "2026-03-02", {"channel": "Email"}),
			("Seen", self.FIRST, "2026-03-08", {"channel": "Phone", "action": "Postpone"}),
			("Hidden", self.FIRST, "2026-03-09", {"channel": "Email", "stage": "Sending"}),
			("Hidden", self.SECOND, "2026-04-30", {"touchpoint_type": get_type("Held Back")}),
		):
			given = {"doctype": "Contact Stop", "party_type": "Customer", "party": party, "party_name": party}
			given |= {"action": "Drop", "stage": "Creating", "key": f"{party}|{on_date}"}
			frappe.get_doc({**given, "rule": rule, "on_date": on_date, **values}).insert()

	def get(self, **filters):
		given = {"from_date": "2026-03-01", "to_date": "2026-04-30", **filters}
		columns, rows = contacts_held_back.execute(given)
		check_columns(columns, rows)
		return rows

	def test_counts_by_rule(self):
		first, second = self.get()
		assert (first["rule"], first["stops"], first["postponed"], first["dropped"]) == (self.FIRST, 3, 1, 2)
		assert (first["parties"], first["last_on"]) == (2, getdate("2026-03-09"))
		assert (second["rule"], second["stops"], second["parties"]) == (self.SECOND, 1, 1)

	@pytest.mark.parametrize(
		("filters", "stops"),
		[
			({"from_date": "2026-03-09"}, 2),
			({"to_date": "2026-03-08"}, 2),
			({"rule": SECOND}, 1),
			({"channel": "Email"}, 2),
			({"touchpoint_type": "Held Back"}, 1),
			({"action": "Postpone"}, 1),
			({"stage": "Sending"}, 1),
			({"party_type": "Lead"}, 0),
			({"party_type": "Customer", "party": "Seen"}, 2),
		],
	)
	def test_each_filter(self, filters, stops):
		assert sum(row["stops"] for row in self.get(**filters)) == stops

	def test_groups(self):
		def by(group, *fields):
			return {tuple(row[field] for field in fields): row["stops"] for row in self.get(group_by=group)}

		assert by("Rule and Channel", "rule", "channel") == {
			(self.FIRST, "Email"): 2,
			(self.FIRST, "Phone"): 1,
			(self.SECOND, None): 1,
		}
		assert by("Touchpoint Type", "touchpoint_type") == {(None,): 3, ("Held Back",): 1}
		assert by("Rule and Touchpoint Type", "rule", "touchpoint_type")[self.SECOND, "Held Back"] == 1
		assert by("Channel", "channel") == {("Email",): 2, ("Phone",): 1, (None,): 1}
		assert by("Party", "party_type", "party", "party_name") == {
			("Customer", "Seen", "Seen"): 2,
			("Customer", "Hidden", "Hidden"): 2,
		}

	def test_periods(self):
		months = {row["period"]: row["stops"] for row in self.get(period="Month", rule=self.FIRST)}
		assert months == {"2026-03-01": 3}
		weeks = [(row["period"], row["rule"], row["stops"]) for row in self.get(period="Week")]
		assert weeks == [
			("2026-03-02", self.FIRST, 2),  # a Monday and the Sunday after it
			("2026-03-09", self.FIRST, 1),
			("2026-04-27", self.SECOND, 1),
		]
		one = self.get(period="Week", from_date="2026-03-03", to_date="2026-03-08")
		assert [(row["period"], row["stops"]) for row in one] == [("2026-03-02", 1)]

	def test_impossible_times_are_refused(self):
		with pytest.raises(frappe.ValidationError, match="To Date"):
			self.get(to_date="2026-02-01")
		with pytest.raises(frappe.ValidationError, match="Period"):
			self.get(from_date="2000-01-01", period="Week")

	def test_hidden_customers_do_not_count(self):
		sign_in_restricted()
		rows = self.get()
		assert [(row["rule"], row["stops"], row["parties"]) for row in rows] == [(self.FIRST, 2, 1)]
		assert [row["party"] for row in self.get(group_by="Party")] == ["Seen"]


class TestTouchpointLoad:
	MONDAY = "2026-05-04"

	@pytest.fixture(autouse=True)
	def touchpoints(self, monkeypatch):
		monkeypatch.setattr(touchpoint_load, "today", lambda: getdate("2026-05-06"))
		for user in (ANNA, BEN):
			make_user(user, "Retention User", "Sales User")
		settings = frappe.get_doc("Retention Settings")
		settings.update({"touchpoints_per_day": "2", "hours_per_week": 10, "holiday_list": None})
		settings.set("capacities", [{"user": BEN, "touchpoints_per_day": "0", "hours_per_week": 1}])
		settings.save()
		frappe.db.set_value("Company", {"name": ("is", "set")}, "default_holiday_list", None)
		frappe.clear_cache(doctype="Company")
		self.add(ANNA, "2026-01-01", is_promise=1)  # late
		self.add(ANNA, "2026-05-05")  # late
		self.add(ANNA, "2026-05-10", tier="Regular")  # Sunday of the first week
		self.add(ANNA, "2026-05-11", channel="Email", party="Hidden")
		self.add(BEN, "2026-05-07")
		self.add(None, "2026-05-07", touchpoint_type=get_type("Other Type"))
		self.add(ANNA, "2026-05-07", status="Waiting")
		self.add(ANNA, "2026-05-07", send_by_itself=1)
		self.add(ANNA, "2026-12-24")

	def add(self, user, day, party="Seen", **values):
		make_touchpoint(party, **{"assigned_to": user, "due_date": day, "minutes": 90, **values})

	def get(self, **filters):
		columns, rows = touchpoint_load.execute({"from_date": "2026-05-06", "weeks": 2, **filters})
		check_columns(columns, rows)
		return {(row["week"], row["user"]): row for row in rows}

	def test_late_ones_are_to_be_done_in_the_first_week(self):
		rows = self.get()
		assert {key: (row["touchpoints"], row["late"], row["promises"]) for key, row in rows.items()} == {
			(self.MONDAY, ANNA): (3, 2, 1),
			(self.MONDAY, BEN): (1, 0, 0),
			(self.MONDAY, None): (1, 0, 0),
			("2026-05-11", ANNA): (1, 0, 0),
		}

	def test_capacity_is_that_of_working_days(self):
		rows = self.get()
		anna, ben, nobody = (rows[self.MONDAY, user] for user in (ANNA, BEN, None))
		assert (anna["capacity"], anna["capacity_hours"], anna["hours"], anna["used"]) == (10, 10, 4.5, 45)
		assert (ben["capacity"], ben["capacity_hours"], ben["over"]) == (0, 1, 1)
		assert (nobody["capacity"], nobody["used"], nobody["over"]) == (None, None, 0)
		days_off = [
			{"holiday_date": day, "description": "off"} for day in ("2026-05-04", "2026-05-05", "2026-05-06")
		]
		holidays = {"doctype": "Holiday List", "holiday_list_name": "Short Week of Tests"}
		holidays |= {"from_date": "2026-01-01", "to_date": "2026-12-31", "holidays": days_off}
		frappe.db.set_single_value(
			"Retention Settings", "holiday_list", frappe.get_doc(holidays).insert().name
		)
		frappe.clear_document_cache("Retention Settings")
		assert self.get()[self.MONDAY, ANNA]["capacity"] == 8  # two on each day that the list leaves

	def test_no_limit_is_no_capacity(self):
		settings = frappe.get_doc("Retention Settings")
		settings.update({"touchpoints_per_day": "", "hours_per_week": 0})
		settings.save()
		row = self.get()[self.MONDAY, ANNA]
		assert (row["capacity"], row["capacity_hours"], row["used"]) == (None, None, None)

	@pytest.mark.parametrize(
		("filters", "many"),
		[
			({"from_date": "2026-05-11"}, 6),
			({"weeks": 1}, 5),
			({"weeks": 0}, 6),
			({"user": ANNA}, 4),
			({"touchpoint_type": "Other Type"}, 1),
			({"channel": "Email"}, 1),
			({"tier": "Regular"}, 1),
			({"only_over": 1}, 1),
		],
	)
	def test_each_filter(self, filters, many):
		assert sum(row["touchpoints"] for row in self.get(**filters).values()) == many

	def test_filter_by_department(self):
		department = frappe.get_all("Department", {"is_group": 0}, pluck="name", limit=1)[0]
		self.add(BEN, "2026-05-08", department=department)
		assert [row["touchpoints"] for row in self.get(department=department).values()] == [1]

	def test_minutes_come_from_type_and_channel_where_a_touchpoint_has_none(self):
		frappe.db.delete("Touchpoint")
		frappe.db.set_value("Contact Channel", "Phone", "minutes", 30)
		self.add(ANNA, "2026-05-07", minutes=0)
		assert self.get()[self.MONDAY, ANNA]["hours"] == 0.5
		frappe.db.set_value("Touchpoint Type", get_type(), "minutes", 60)
		assert self.get()[self.MONDAY, ANNA]["hours"] == 1

	def test_hidden_customers_do_not_count(self):
		sign_in_restricted()
		assert ("2026-05-11", ANNA) not in self.get()
		assert self.get()[self.MONDAY, ANNA]["touchpoints"] == 3


@pytest.mark.parametrize("report", ["Contacts Held Back", "Touchpoint Load"])
def test_reports_run_from_the_desk_and_are_refused_to_strangers(report):
	make_touchpoint("Seen", due_date=add_days(nowdate(), 1))
	assert run(report, {}, ignore_prepared_report=True)["columns"]
	make_user("stranger@example.com", "Sales User")
	frappe.set_user("stranger@example.com")
	with pytest.raises(frappe.PermissionError):
		run(report, {})

"""My Day: what it shows, in which order, to whom, and in how many queries."""

import frappe
import pytest
from frappe.utils import add_days, nowdate

from crm_retention.api.my_day import my_day, people
from tests.site.desk import make_user
from tests.site.touchpoints import make_customers, make_seller, make_touchpoint, only_customer

ANNA, BEN, BOSS = "anna.day@example.com", "ben.day@example.com", "boss.day@example.com"


@pytest.fixture(scope="module", autouse=True)
def parties(leave_site_as_it_was):
	make_customers("Day One", "Day Two", "Day Three")
	make_seller(ANNA)
	make_seller(BEN)
	make_user(BOSS, "Retention Manager", "Sales Manager")


def in_days(days, party="Day One", user=ANNA, **values):
	return make_touchpoint(party, due_date=add_days(nowdate(), days), assigned_to=user, **values).name


def names(day, when=None):
	return [card["name"] for card in day["cards"] if when in (None, card["when"])]


def test_day_holds_overdue_today_week_and_every_promise():
	late, now, soon, far = in_days(-2), in_days(0), in_days(6), in_days(7)
	promise = in_days(40, is_promise=1)
	in_days(0, user=BEN)
	frappe.set_user(ANNA)
	day = my_day()
	assert names(day) == [late, now, soon, promise]
	assert [card["when"] for card in day["cards"]] == ["overdue", "today", "week", "later"]
	assert day["counts"] == {"overdue": 1, "today": 1, "week": 1, "promises": 1}
	assert far not in names(day)
	assert day["cards"][0]["late_days"] == 2
	assert day["minutes_today"] == 40


def test_higher_tier_comes_first_on_a_day():
	low, high = in_days(0, "Day One"), in_days(0, "Day Two")
	ranks = frappe.get_all("Customer Tier", pluck="name", order_by="rank")
	for name, tier in ((low, ranks[0]), (high, ranks[-1])):
		frappe.db.set_value("Touchpoint", name, "tier", tier)
	frappe.set_user(ANNA)
	assert names(my_day()) == [high, low]


def test_what_has_ended_or_waits_is_left_out():
	frappe.db.set_value("Touchpoint", in_days(0), "status", "Waiting")
	frappe.db.set_value("Touchpoint", in_days(0), "status", "Missed")
	frappe.set_user(ANNA)
	assert names(my_day()) == []


def test_card_carries_phone_and_address_of_the_contact():
	link = [{"link_doctype": "Customer", "link_name": "Day One"}]
	contact = {"doctype": "Contact", "first_name": "Chen", "links": link, "is_primary_contact": 1}
	contact["phone_nos"] = [{"phone": "+86 10 5555", "is_primary_mobile_no": 1}]
	contact["email_ids"] = [{"email_id": "chen@example.com", "is_primary": 1}]
	frappe.get_doc(contact).insert()
	address = {"doctype": "Address", "address_title": "Day One", "address_type": "Office", "links": link}
	address |= {"address_line1": "1 Long Street", "city": "Beijing", "pincode": "100000"}
	frappe.get_doc({**address, "country": "China"}).insert()
	in_days(0)
	frappe.set_user(ANNA)
	card = my_day()["cards"][0]
	assert (card["phone"], card["email"]) == ("+86 10 5555", "chen@example.com")
	assert (card["address"], card["city"]) == ("1 Long Street, 100000, Beijing", "Beijing")
	assert card["map_url"].endswith("query=1%20Long%20Street%2C%20100000%2C%20Beijing")


def test_leads_are_on_the_day_too():
	lead = frappe.get_doc({"doctype": "Lead", "first_name": "Lea", "phone": "0123", "city": "Ulm"}).insert()
	make_touchpoint(lead.name, party_type="Lead", assigned_to=ANNA)
	frappe.set_user("Administrator")
	card = my_day(ANNA)["cards"][0]
	assert (card["party_type"], card["phone"], card["city"]) == ("Lead", "0123", "Ulm")


def test_hidden_party_is_left_out_even_if_assigned():
	seen, hidden = in_days(0, "Day One"), in_days(0, "Day Two")
	with only_customer(ANNA, "Day One"):
		frappe.set_user(ANNA)
		day = my_day()
	assert names(day) == [seen]
	assert hidden not in frappe.as_json(day)


def test_only_managers_see_the_day_of_others():
	name, nobodys = in_days(0), make_touchpoint("Day Three").name
	frappe.set_user(BEN)
	assert people() == []
	with pytest.raises(frappe.PermissionError):
		my_day(ANNA)
	frappe.set_user(BOSS)
	assert names(my_day(ANNA)) == [name]
	assert nobodys in names(my_day("Nobody"))
	assert {row["user"]: row["open"] for row in people()}[ANNA] == 1


def test_number_of_queries_does_not_grow_with_the_day():
	def count_queries():
		frappe.set_user(ANNA)
		my_day()  # permissions and metadata are read once
		before = frappe.db.sql("show session status like 'Questions'")[0][1]
		my_day()
		after = frappe.db.sql("show session status like 'Questions'")[0][1]
		frappe.set_user("Administrator")
		return int(after) - int(before)

	if frappe.db.db_type != "mariadb":
		pytest.skip("only MariaDB counts a session's queries")
	in_days(0, "Day One")
	few = count_queries()
	for party in ("Day One", "Day Two", "Day Three"):
		for days in (-1, 0, 1):
			in_days(days, party)
	assert count_queries() == few

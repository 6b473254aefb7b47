"""One customer in one view, and the timeline: what is shown, in which order, page by page, and to whom."""

from __future__ import annotations

import datetime

import frappe
import pytest
from frappe.utils import add_days, add_to_date, getdate, now_datetime, nowdate

from crm_retention.api.timeline import get_timeline, get_view
from crm_retention.views.timeline import get_site_time
from tests.site.desk import make_change, make_customer, make_profile, make_user
from tests.site.interactions import make_row, make_touchpoint

PARTY, OTHER, USER = "Shown", "Not Shown", "viewer@example.com"
AT = datetime.datetime(2026, 3, 10, 12)
ROLES = ("Retention User", "Sales User")


@pytest.fixture(autouse=True)
def customers():
	make_customer(PARTY, customer_group="Commercial")
	make_customer(OTHER, customer_group="Government")


@pytest.fixture
def viewer():
	"""Whoever is signed in may see commercial customers only."""
	make_user(USER, *ROLES)
	permission = {"doctype": "User Permission", "user": USER, "allow": "Customer Group"}
	frappe.get_doc({**permission, "for_value": "Commercial", "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)


def log(at=AT, kind="Call", party=PARTY, **values):
	return make_row(party, kind, occurred_on=at, **values).insert(ignore_permissions=True).name


def captured(doctype, name, **values):
	"""A row as the sweep writes it."""
	given = {
		"source": frappe.db.get_value("Interaction Source", {}),
		"reference_key": f"test|{doctype}|{name}",
	}
	return log(reference_doctype=doctype, reference_name=name, **given, **values)


def ended(status, at, **values):
	return make_touchpoint(PARTY, status=status, completed_on=at, due_date=getdate(at), **values).name


def get_plan():
	return frappe.get_all("Maintenance Plan", ["name", "title", "version_number"], order_by="name", limit=1)[
		0
	]


def enroll(arm="Treated", **values):
	plan = get_plan()
	given = {"party_type": "Customer", "party": PARTY, "plan": plan.name, "version_number": 3, "arm": arm}
	given |= {"from_date": "2026-03-01", "open_key": f"test|{arm}", "name": frappe.generate_hash(length=10)}
	doc = frappe.get_doc({"doctype": "Plan Enrollment", **given, **values})
	doc.db_insert()
	return doc.name


def make_issue(subject, **values):
	return frappe.get_doc({"doctype": "Issue", "subject": subject, "customer": PARTY, **values}).insert()


def names(filters=None, **given):
	return [row["name"] for row in get_timeline("Customer", PARTY, filters, **given)["rows"]]


@pytest.fixture
def history():
	"""A row of every kind, from the oldest to the newest."""
	department = frappe.get_all("Department", {"is_group": 0}, pluck="name", limit=1)[0]
	enrollment = enroll(from_date="2026-03-01", to_date="2026-03-20", open_key=None)
	return {
		"entered": enrollment,
		"changed": make_change(PARTY, on_date="2026-03-05").name,
		"invoice": log(AT, "Note", direction="Internal", department=department),
		"missed": ended("Missed", datetime.datetime(2026, 3, 11, 9), channel="Email", department=department),
		"email": log(datetime.datetime(2026, 3, 12, 9), "Email", channel="Email", direction="In"),
		"call": log(datetime.datetime(2026, 3, 15, 9), "Call", channel="Phone", direction="Out"),
		"left": enrollment,
		"department": department,
	}


def test_timeline_has_every_kind_of_row_newest_first(history):
	order = ["left", "call", "email", "missed", "invoice", "changed", "entered"]
	page = get_timeline("Customer", PARTY)
	assert [row["name"] for row in page["rows"]] == [history[key] for key in order]
	assert page["before"] is None
	events = [row["event"] for row in page["rows"]]
	assert events == ["left", "logged", "logged", "ended", "logged", "changed", "entered"]
	assert [row["only_day"] for row in page["rows"]] == [True, False, False, False, False, True, True]
	left = page["rows"][0]
	assert (left["version_number"], left["title"], left["arm"]) == (3, get_plan().title, "Treated")


def test_other_parties_rows_are_not_there(history):
	make_row(OTHER, occurred_on=AT).insert()
	lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Somebody"}).insert()
	row = make_row(lead.name, party_type="Lead", occurred_on=AT).insert()
	assert len(names()) == 7
	assert [row["name"] for row in get_timeline("Lead", lead.name)["rows"]] == [row.name]


@pytest.mark.parametrize(
	("filters", "expected"),
	[
		({"of": "Interaction Log"}, ["call", "email", "invoice"]),
		({"of": "Touchpoint"}, ["missed"]),
		({"of": "Plan Enrollment"}, ["left", "entered"]),
		({"of": "Tier Change"}, ["changed"]),
		({"kind": "Email"}, ["email"]),
		({"channel": "Email"}, ["email", "missed"]),
		({"channel": "Phone", "of": "Touchpoint"}, []),
		({"direction": "In"}, ["email"]),
		({"only_contacts": 1}, ["call", "email"]),
		({"from_date": "2026-03-12"}, ["left", "call", "email"]),
		({"to_date": "2026-03-05"}, ["changed", "entered"]),
		({"from_date": "2026-03-10", "to_date": "2026-03-11"}, ["missed", "invoice"]),
		({}, ["left", "call", "email", "missed", "invoice", "changed", "entered"]),
	],
)
def test_each_filter(history, filters, expected):
	assert names(filters) == [history[key] for key in expected]
	assert names(frappe.as_json(filters)) == [history[key] for key in expected]


def test_filter_by_department(history):
	assert names({"department": history["department"]}) == [history["missed"], history["invoice"]]


def test_unknown_filters_and_places_are_refused():
	for filters in ({"owner": "Administrator"}, {"1=1; --": 1}):
		with pytest.raises(frappe.ValidationError, match="no filter"):
			get_timeline("Customer", PARTY, filters)
	for before in ("yesterday", "2026-01-01|x|y", "2026-01-01"):
		with pytest.raises(frappe.ValidationError, match="no place"):
			get_timeline("Customer", PARTY, None, before)
	with pytest.raises(frappe.ValidationError, match="kind of party"):
		get_timeline("User", "Administrator")


def test_pages_put_together_are_the_whole_however_moments_coincide():
	midnight = datetime.datetime(2026, 3, 5)
	for at in [AT] * 6 + [midnight] * 3:
		log(at)
	for at in [AT] * 3 + [midnight] * 2:
		ended("Skipped", at)
	for _number in range(3):
		make_change(PARTY, on_date="2026-03-05")
		enroll(from_date="2026-03-05", to_date="2026-03-10", open_key=None)
	whole = [(row["of"], row["event"], row["name"]) for row in get_timeline("Customer", PARTY)["rows"]]
	assert len(whole) == len(set(whole)) == 6 + 3 + 3 + 2 + 3 + 3 + 3
	for size in (1, 2, 3, 7):
		found, before = [], None
		while True:
			page = get_timeline("Customer", PARTY, None, before, size)
			assert len(page["rows"]) <= size
			found += [(row["of"], row["event"], row["name"]) for row in page["rows"]]
			before = page["before"]
			if not before:
				break
		assert found == whole, f"pages of {size}"


def test_what_happens_meanwhile_does_not_shift_the_next_page():
	rows = [log(add_days(AT, -day)) for day in range(6)]
	first = get_timeline("Customer", PARTY, None, None, 3)
	log(add_days(AT, 1))
	second = get_timeline("Customer", PARTY, None, first["before"], 3)
	assert [row["name"] for row in first["rows"] + second["rows"]] == rows


def test_completed_touchpoint_is_there_once_as_its_interaction():
	touchpoint = make_touchpoint(PARTY, status="Done", completed_on=AT)
	row = log(touchpoint=touchpoint.name)
	frappe.db.set_value("Touchpoint", touchpoint.name, "interaction", row)
	make_touchpoint(PARTY, status="Open")
	make_touchpoint(PARTY, status="Waiting")
	assert names() == [row]
	assert get_timeline("Customer", PARTY)["rows"][0]["touchpoint"] == touchpoint.name


def test_what_the_nightly_run_ended_stands_on_its_day():
	make_touchpoint(PARTY, status="Missed", due_date="2026-02-01")
	row = get_timeline("Customer", PARTY)["rows"][0]
	assert (row["occurred_on"], row["only_day"], row["status"]) == ("2026-02-01", True, "Missed")
	frappe.db.delete("Touchpoint", {"party": PARTY})
	early = make_touchpoint(PARTY, status="Cancelled", due_date=add_days(nowdate(), 30))
	row = get_timeline("Customer", PARTY)["rows"][0]
	assert row["occurred_on"][:10] == str(getdate(frappe.db.get_value("Touchpoint", early.name, "modified")))
	assert not row["only_day"]


def test_corrected_rows_hide_behind_their_correction():
	wrong = log(note="wrong")
	right = log(note="right", supersedes=wrong)
	assert names() == [right]
	assert get_timeline("Customer", PARTY)["rows"][0]["corrects"] == wrong
	assert get_view("Customer", PARTY)["last_contact"]["name"] == right


def test_days_are_those_of_the_users_calendar():
	make_user(USER, *ROLES)
	frappe.db.set_value("User", USER, "time_zone", "Pacific/Kiritimati")  # the first to begin a day
	frappe.db.set_value("User", "Administrator", "time_zone", None)  # has that of the site
	for user in (USER, "Administrator"):
		frappe.clear_document_cache("User", user)
	frappe.db.set_single_value("System Settings", "time_zone", "America/New_York")
	frappe.cache.delete_value("system_settings")
	evening = log(datetime.datetime(2026, 3, 10, 20))  # 2026-03-11 14:00 on Kiritimati
	change = make_change(PARTY, on_date="2026-03-10").name
	assert names({"to_date": "2026-03-10"}) == [evening, change]
	frappe.set_user(USER)
	assert names({"to_date": "2026-03-10"}) == [change]
	assert names({"from_date": "2026-03-11", "to_date": "2026-03-11"}) == [evening]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America", "x" * 140])
def test_time_zone_that_is_none_is_that_of_the_site(zone, viewer):
	morning = log(datetime.datetime(2026, 3, 10, 1))
	frappe.db.set_value("User", USER, "time_zone", zone)
	frappe.clear_document_cache("User", USER)
	assert get_site_time(datetime.date(2026, 3, 10)) == datetime.datetime(2026, 3, 10)
	assert names({"from_date": "2026-03-10", "to_date": "2026-03-10"}) == [morning]


def test_strangers_and_restricted_users_are_refused(viewer):
	assert get_view("Customer", PARTY)["party"] == PARTY
	assert get_timeline("Customer", PARTY)["rows"] == []
	for method in (get_view, get_timeline):
		with pytest.raises(frappe.PermissionError):
			method("Customer", OTHER)
	frappe.set_user("Guest")
	for method in (get_view, get_timeline):
		with pytest.raises(frappe.PermissionError):
			method("Customer", PARTY)


def test_who_reads_customers_but_no_care_sees_no_care(history):
	make_user("sales@example.com", "Sales User")
	make_touchpoint(PARTY)
	frappe.set_user("sales@example.com")
	assert get_timeline("Customer", PARTY) == {"rows": [], "before": None}
	view = get_view("Customer", PARTY)
	assert view["touchpoints"] == view["plans"] == view["stops"] == view["preferences"] == []
	assert view["last_contact"] is view["next_contact"] is view["rhythm"] is None


def test_documents_that_the_user_may_not_read_are_not_named(viewer):
	frappe.set_user("Administrator")
	secret = make_issue("Secret trouble")
	order = frappe.get_doc({"doctype": "Opportunity", "opportunity_from": "Customer", "party_name": PARTY})
	order.insert(ignore_mandatory=True)
	hidden = captured("Issue", secret.name, subject="Secret trouble", note="All of it")
	gone = captured("Issue", make_issue("Gone since").name, subject="Gone since")
	frappe.db.delete("Issue", {"subject": "Gone since"})
	open_one = captured("Opportunity", order.name, subject="A chance")
	full = {row["name"]: row for row in get_timeline("Customer", PARTY)["rows"]}
	assert full[hidden]["reference_name"] == secret.name
	frappe.set_user(USER)
	rows = {row["name"]: row for row in get_timeline("Customer", PARTY)["rows"]}
	assert set(rows) == {hidden, gone, open_one}
	assert "Secret" not in frappe.as_json(rows)
	assert secret.name not in frappe.as_json(rows)
	assert (rows[hidden]["kind"], rows[hidden]["hidden"]) == ("Call", True)
	assert rows[gone]["hidden"]
	assert "Gone since" not in frappe.as_json(rows)
	assert full[gone]["subject"] == "Gone since"
	assert rows[open_one]["reference_name"] == order.name
	assert get_view("Customer", PARTY)["cases"] == []


def test_email_may_be_read_with_what_it_was_about(viewer):
	frappe.set_user("Administrator")
	secret = make_issue("Secret trouble")
	mail = {"doctype": "Communication", "communication_medium": "Email", "subject": "Hello"}
	about = {"Customer": PARTY, "Issue": secret.name}
	letters = [
		frappe.get_doc({**mail, "reference_doctype": kind, "reference_name": name}).insert().name
		for kind, name in about.items()
	]
	rows = [captured("Communication", name, kind="Email", subject="Hello") for name in letters]
	frappe.set_user(USER)
	found = {row["name"]: row.get("reference_name") for row in get_timeline("Customer", PARTY)["rows"]}
	assert found == {rows[0]: letters[0], rows[1]: None}


def test_user_permission_on_another_field_hides_rows(viewer):
	frappe.set_user("Administrator")
	first, second = frappe.get_all("Department", {"is_group": 0}, pluck="name", limit=2)
	mine, _theirs = log(department=first), log(department=second)
	permission = {"doctype": "User Permission", "user": USER, "allow": "Department", "for_value": first}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", USER)
	frappe.set_user(USER)
	assert names() == [mine]


def test_a_percent_sign_in_a_permission_breaks_nothing():
	make_customer("100%s Pure")
	make_user(USER, *ROLES)
	permission = {"doctype": "User Permission", "user": USER, "allow": "Customer", "for_value": "100%s Pure"}
	frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert()
	frappe.cache.hdel("user_permissions", USER)
	row = make_row("100%s Pure", occurred_on=AT).insert().name
	frappe.set_user(USER)
	assert [found["name"] for found in get_timeline("Customer", "100%s Pure")["rows"]] == [row]
	assert get_view("Customer", "100%s Pure")["last_contact"]["name"] == row


def test_number_of_queries_does_not_grow_with_rows():
	def count(method):
		before = frappe.db.sql("SHOW SESSION STATUS LIKE 'Questions'")[0][1]
		method("Customer", PARTY)
		return int(frappe.db.sql("SHOW SESSION STATUS LIKE 'Questions'")[0][1]) - int(before)

	if frappe.db.db_type != "mariadb":
		pytest.skip("only MariaDB counts statements")
	log()
	make_touchpoint(PARTY)
	enroll()
	for method in (get_view, get_timeline):
		count(method)  # what Frappe caches is read once
	few = [count(method) for method in (get_view, get_timeline)]
	for day in range(30):
		log(add_days(AT, -day))
		make_touchpoint(PARTY)
	assert [count(method) for method in (get_view, get_timeline)] == few
	assert max(few) < 60


def test_view_says_last_and_next_contact_and_promises():
	log(AT, "Call", outcome="Reached")
	log(add_days(AT, 1), "Note")  # no contact
	later = make_touchpoint(PARTY, due_date=add_days(nowdate(), 5), assigned_to="Guest")
	sooner = make_touchpoint(PARTY, due_date=add_days(nowdate(), -2), is_promise=1, why="Send the offer")
	make_touchpoint(PARTY, status="Waiting", due_date=add_days(nowdate(), -9))
	view = get_view("Customer", PARTY)
	assert (view["last_contact"]["kind"], view["last_contact"]["occurred_on"]) == ("Call", str(AT))
	assert view["next_contact"]["name"] == sooner.name
	assert [row["name"] for row in view["touchpoints"] if row["status"] == "Open"] == [
		sooner.name,
		later.name,
	]
	assert [row["why"] for row in view["touchpoints"] if row.get("is_promise")] == ["Send the offer"]
	make_user(USER, *ROLES)
	frappe.set_user(USER)
	may_act = {row["name"]: row["may_act"] for row in get_view("Customer", PARTY)["touchpoints"]}
	assert may_act[sooner.name]
	assert not may_act[later.name]


def test_view_names_plan_version_and_arm_of_present_enrollments_only():
	enroll()
	enroll("Holdout", from_date="2026-02-01")
	enroll(from_date="2026-01-01", to_date="2026-02-01", open_key=None)
	plans = get_view("Customer", PARTY)["plans"]
	assert sorted((row["arm"], row["version_number"], row["from_date"]) for row in plans) == [
		("Holdout", 3, "2026-02-01"),
		("Treated", 3, "2026-03-01"),
	]
	assert {row["title"] for row in plans} == {get_plan().title}


def make_occasion(name, **values):
	return frappe.get_doc(
		{"doctype": "Care Occasion", "occasion_name": name, "enabled": 1, **values}
	).insert()


def test_occasions_ahead_are_those_of_plans_and_of_documents(viewer):
	frappe.set_user("Administrator")
	frappe.db.delete("Care Occasion")
	soon, far = getdate(add_days(nowdate(), 10)), getdate(add_days(nowdate(), 120))
	make_occasion("Used", kind="Fixed Date", month=soon.month, day=soon.day)
	make_occasion("Unused", kind="Fixed Date", month=soon.month, day=soon.day)
	make_occasion("Far", kind="Fixed Date", month=far.month, day=far.day)
	values = {"document_type": "Issue", "party_field": "customer", "date_field": "opening_date"}
	make_occasion("Anniversary", kind="Date Field", every_year=1, **values)
	make_occasion("Once", kind="Date Field", every_year=0, **values)
	for occasion in ("Used", "Far"):
		step = {"parent": get_plan().name, "parenttype": "Maintenance Plan", "parentfield": "steps"}
		step |= {"timing": "Occasion", "occasion": occasion, "step_name": f"Write about {occasion}"}
		step |= {"name": frappe.generate_hash(length=10), "doctype": "Maintenance Plan Step"}
		frappe.get_doc(step).db_insert()
	enroll()
	opened = getdate(add_to_date(soon, years=-2))
	issue = make_issue("x").name
	frappe.db.set_value("Issue", issue, "opening_date", opened)
	found = {row["occasion"]: row for row in get_view("Customer", PARTY)["occasions"]}
	assert set(found) == {"Used", "Anniversary"}
	assert found["Used"]["day"] == str(soon)
	assert found["Used"]["steps"] == ["Write about Used"]
	assert found["Anniversary"]["document"] == {"doctype": "Issue", "name": issue}
	assert {row["in_days"] for row in found.values()} == {10}
	frappe.set_user(USER)  # may not read issues
	assert [row["occasion"] for row in get_view("Customer", PARTY)["occasions"]] == ["Used"]


def test_dates_of_documents_that_name_their_party_by_type():
	frappe.db.delete("Care Occasion")
	values = {"document_type": "Contract", "party_field": "party_name", "date_field": "end_date"}
	make_occasion("End", kind="Date Field", **values)
	contract = {"doctype": "Contract", "party_type": "Customer", "contract_terms": "x"}
	contract |= {"start_date": nowdate(), "end_date": add_days(nowdate(), 30)}
	mine = frappe.get_doc({**contract, "party_name": PARTY}).insert(ignore_mandatory=True)
	frappe.get_doc({**contract, "party_name": OTHER}).insert(ignore_mandatory=True)
	rows = get_view("Customer", PARTY)["occasions"]
	assert [(row["occasion"], row["in_days"], row["document"]["name"]) for row in rows] == [
		("End", 30, mine.name)
	]


def test_cases_stand_open_ones_first():
	closed, still_open = make_issue("Closed", status="Closed"), make_issue("Open")
	frappe.db.set_value("Issue", still_open.name, "opening_date", add_days(nowdate(), -9))
	make_issue("Other", customer=OTHER)
	cases = get_view("Customer", PARTY)["cases"]
	assert [(row["name"], row["is_open"]) for row in cases] == [(still_open.name, True), (closed.name, False)]
	assert cases[0]["title"] == "Open"


def test_rhythm_compares_the_last_purchase_with_the_usual_interval():
	assert get_view("Customer", PARTY)["rhythm"] is None
	last = getdate(add_days(nowdate(), -45))
	make_profile(PARTY, last_purchase=last, mean_interval_days=30, purchases=4)
	make_profile(OTHER, last_purchase=last, purchases=1)
	rhythm = get_view("Customer", PARTY)["rhythm"]
	assert rhythm["expected_on"] == str(getdate(add_days(nowdate(), -15)))
	assert (rhythm["days_since"], rhythm["days_overdue"], rhythm["ratio"]) == (45, 15, 1.5)
	rhythm = get_view("Customer", OTHER)["rhythm"]
	assert (rhythm["days_since"], rhythm["expected_on"], rhythm["ratio"]) == (45, None, None)


def test_what_rules_hold_back_and_what_the_party_wishes():
	rule = frappe.get_all("Contact Rule", ["name", "because"], {"because": ("is", "set")}, limit=1)[0]
	stop = {
		"doctype": "Contact Stop",
		"party_type": "Customer",
		"party": PARTY,
		"rule": rule.name,
		"action": "Drop",
	}
	for days in (2, 60):
		frappe.get_doc({**stop, "on_date": add_days(nowdate(), -days), "key": f"test|{days}"}).insert(
			ignore_permissions=True
		)
	preference = {"doctype": "Contact Preference", "party_type": "Customer", "party": PARTY, "answer": "No"}
	frappe.get_doc({**preference, "channel": "Phone"}).insert()
	view = get_view("Customer", PARTY)
	assert [(row["rule"], row["because"]) for row in view["stops"]] == [(rule.name, rule.because)]
	assert [(row.get("channel"), row["answer"]) for row in view["preferences"]] == [("Phone", "No")]
	letter = {"doctype": "Email Unsubscribe", "email": "a@example.com"}
	letter |= {"reference_doctype": "Customer", "reference_name": PARTY}
	frappe.get_doc(letter).insert(ignore_permissions=True)
	assert get_view("Customer", PARTY)["preferences"][-1]["unsubscribed"]


def test_view_of_a_lead():
	lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Somebody", "unsubscribed": 1}).insert().name
	row = make_row(lead, party_type="Lead", occurred_on=now_datetime()).insert()
	view = get_view("Lead", lead)
	assert (view["party_name"], view["last_contact"]["name"]) == ("Somebody", row.name)
	assert view["preferences"][0]["answer"] == "No"

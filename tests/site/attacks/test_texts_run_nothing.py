"""Texts run nothing: whoever may write a text can say what the app gives it, and reach, spend or break no more."""

from __future__ import annotations

import time

import frappe
import pytest
from frappe.utils import now_datetime

from crm_retention.care import acting, digests, handover, messages, reminders, text_checks, texts
from crm_retention.patches import hold_back_unsafe_texts
from crm_retention.views import brief
from tests.site.desk import make_user
from tests.site.mail import make_outgoing_account
from tests.site.plans import make_plan
from tests.site.touchpoints import make_customers, make_seller, make_touchpoint, make_type, only_customer

pytestmark = pytest.mark.commits
INSIDER, BOSS = "insider.texts@example.com", "boss.texts@example.com"
PARTY, OTHER = "Texts {{ 7*7 }} One", "Texts Two"
ESCAPES = (
	"{{ frappe.get_doc('User', me).add_roles('System Manager') }}",
	"{{ frappe.db.sql('select password from __Auth') }}",
	"{{ frappe.db.get_value('Customer', {}, 'name') }}",
	"{{ frappe.session.user }}",
	"{{ frappe }}",
	"{% set x = frappe %}{{ x }}",
	"{{ _('x') }}",
	"{{ self }}{{ self._TemplateReference__context }}",
	"{{ cycler.__init__.__globals__ }}",
	"{{ lipsum.__globals__['os'].popen('id').read() }}",
	"{{ ''.__class__.__mro__[1].__subclasses__() }}",
	"{{ party.__class__ }}",
	"{{ party['__class__'] }}",
	"{{ party.items }}",
	"{{ party.items() }}",
	"{{ party|attr('__class__') }}",
	"{{ party|map(attribute='x')|list }}",
	"{{ party_name.format(x=1) }}",
	"{{ '{0.__class__}'.format(party_name) }}",
	"{{ party_name.upper() }}",
	"{{ touchpoint.save }}",
	"{{ touchpoint.meta }}",
	"{{ party[party_name] }}",
	"{{ responsible.x.y }}",
	"{% include 'templates/emails/login_with_email_link.html' %}",
	"{% import 'x' as y %}",
	"{% extends 'templates/base.html' %}",
	"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
	"{% for x in party %}{{ x }}{% endfor %}",
	"{% call x() %}{% endcall %}",
	"{% filter upper %}x{% endfilter %}",
	"{% autoescape false %}{{ party_name }}{% endautoescape %}",
	"{{ 1 | safe }}",
	"{{ 1 / 0 }}",
)
BOMBS = (
	"{{ 'a' * 10**9 }}",
	"{{ 'a' ~ 9**9**9 }}",
	"{{ party_name | center(1000000000) }}",
	"{{ '%1000000000s' | format('x') }}",
	"{{ '%1000000000s' % 'x' }}",
	"{{ 1.5 | round(1000000000, 'ceil') }}",
	"{{ range(1000000000) | list }}",
	"{{ party_name | replace('', party_name * 1000) }}",
	"{{ party_name | indent(1000000000) }}",
	"{{ party_name | wordwrap(1) | join(party_name) }}",
	"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
	"{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
	"{{ " + "not " * 900 + "1 }}",
	"{% if 1 %}" * 190 + "{% endif %}" * 10,
	"{{ " + "9" * 1900 + " | round }}",
	"{{ " + "[" * 900 + " }}",
)
TOO_LONG = ("{{ x }}" * 100_000, "{" * 100_000, "{% raw %}" * 50_000, "x" * 1_000_000)


@pytest.fixture(scope="module", autouse=True)
def people(leave_site_as_it_was):
	make_customers(PARTY, OTHER)
	make_seller(INSIDER)
	make_user(BOSS, "Retention Manager", "Sales Manager")
	make_type("SMS of Texts", channel="SMS", nature="Message")
	make_type("Mail of Texts", channel="Email", nature="Message")
	frappe.db.set_value("Contact Rule", {"enabled": 1}, "enabled", 0)
	frappe.db.set_single_value("SMS Settings", "sms_gateway_url", "http://127.0.0.1:9/?account=SECRETACCOUNT")
	frappe.db.set_value("Customer", {"name": ("in", (PARTY, OTHER))}, "mobile_no", "+49123456")
	frappe.get_doc(
		{"doctype": "Email Template", "name": "Letter of Texts", "subject": "Hi", "response": "<p>Hi</p>"}
	).insert()
	make_outgoing_account("Of Texts")
	frappe.db.commit()


@pytest.fixture(autouse=True)
def nothing_waits(people):
	frappe.set_user("Administrator")
	frappe.db.delete("Touchpoint")
	frappe.db.delete("Error Log")
	frappe.db.commit()


def sms(text="Hi {{ party_name }}", party=PARTY, **values):
	given = {"touchpoint_type": "SMS of Texts", "assigned_to": INSIDER, "sms_text": text}
	return make_touchpoint(party, **given | values)


def stored_sms(text, party=PARTY, **values):
	"""One that is due and was stored before texts were checked."""
	doc = sms(party=party, **values)
	frappe.db.set_value(
		"Touchpoint", doc.name, {"sms_text": text, "send_by_itself": 1, "message_status": "Due"}
	)
	frappe.db.commit()
	return doc.name


def sent_text(monkeypatch, text, party=PARTY, **values):
	"""What leaves of a stored text: the text itself, or None and the reason."""
	left = []
	monkeypatch.setattr(messages, "send_sms", lambda _to, text, **_more: left.append(text))
	name = stored_sms(text, party, **values)
	messages.send_due(now_datetime())
	doc = frappe.get_doc("Touchpoint", name)
	return (left[0] if left else None), doc


def refusal_of(work):
	with pytest.raises(frappe.ValidationError) as caught:
		work()
	return str(caught.value)


@pytest.mark.parametrize("text", [*ESCAPES, *BOMBS], ids=lambda text: text[:40])
def test_no_text_runs_anything_or_takes_its_time(text):
	values = {"party_name": "A", "responsible": "B", "party": {"name": "A"}, "touchpoint": {"why": "C"}}
	begun = time.monotonic()
	for kind in (texts.SMS, texts.LETTER):
		with pytest.raises(texts.TextError):
			texts.render(text, values, kind)
	assert time.monotonic() - begun < 5


@pytest.mark.parametrize("text", TOO_LONG, ids=lambda text: text[:10])
def test_no_length_takes_its_time(text):
	begun = time.monotonic()
	for kind in (texts.SMS, texts.LETTER):
		for size in (texts.LONGEST[kind], len(text)):
			list(texts.get_faults(text[:size], {}, kind))
	assert time.monotonic() - begun < 20


def test_no_field_that_holds_a_book_fills_the_memory():
	values = {"party": {"notes": "x" * 1_000_000}}
	with pytest.raises(texts.TextError, match="longer"):
		texts.render("{{ party.notes }}" * 2_000, values, texts.LETTER)


def test_no_user_saves_a_text_that_calls():
	name = sms().name
	with acting.acting_as(INSIDER):
		for text in ESCAPES:
			doc = frappe.get_doc("Touchpoint", name)
			doc.sms_text = text
			refused = refusal_of(doc.save)
			assert "SMS Text" in refused
		assert "there is no variable me" in refusal_of(lambda: sms(ESCAPES[0]))
	assert "System Manager" not in frappe.get_roles(INSIDER)


def test_no_user_saves_a_plan_step_that_calls():
	plan = make_plan("Trial Texts", [step("{{ party_name }} {{ frappe.db }} {{ party.nothing }}")])
	refused = refusal_of(plan.insert)
	for part in ("row 1", "SMS Text", "there is no variable frappe", "there is no variable party.nothing"):
		assert part in refused
	make_plan("Trial Texts", [step("{{ party.customer_name }}, {{ first_name }}")]).insert()


def step(text):
	given = {"step_name": "Message", "touchpoint_type": "SMS of Texts", "owner_rule": "Account Manager"}
	given |= {"timing": "Every", "every": 1, "unit": "Months", "service_level_days": 3, "channel": "SMS"}
	return given | {"send_by_itself": 1, "sms_text": text}


def test_no_refusal_repeats_html():
	for text in (
		"{{ party['<img src=x onerror=alert(1)>'] }}",
		"{% <img src=x> %}",
		"{{ '<b>' | x }} {{ '<b>'.y }}",
	):
		for fault in texts.get_faults(text, {"party": frozenset()}, texts.SMS):
			assert "<" not in fault


def test_no_hand_over_starts_with_a_letter_that_calls():
	letter = {"doctype": "Email Template", "name": "Calling", "subject": "{{ frappe.db }}", "response": "x"}
	frappe.get_doc(letter).insert()
	refused = refusal_of(lambda: handover.hand_over(INSIDER, BOSS, None, None, True, "Calling"))
	assert "Subject: there is no variable frappe" in refused


def test_no_notice_of_a_late_touchpoint_is_html():
	frappe.db.set_value("User", INSIDER, "full_name", "<img src=x onerror=alert(1)>")
	frappe.clear_cache(user=INSIDER)
	late = frappe._dict(title="<img src=x>", due_date=frappe.utils.nowdate(), assigned_to=INSIDER)
	assert "<img" not in reminders.get_subject(late, BOSS)


def test_no_stored_text_runs_when_it_is_sent(monkeypatch):
	text, doc = sent_text(monkeypatch, "Your code {{ frappe.db.sql('select 1') }}")
	assert text is None
	assert (doc.status, doc.message_status, doc.note) == ("Open", "Failed", None)
	assert "frappe" in doc.message_error
	assert dict(messages.send_due(now_datetime())) == {}  # and it is not tried for ever


def test_no_text_leaves_half_filled_in(monkeypatch):
	text, doc = sent_text(monkeypatch, "Dear {{ party.customer_name }}, {{ party.nothing }}")
	assert text is None
	assert "there is no variable party.nothing" in doc.message_error


def test_no_name_of_a_customer_is_read_as_a_text(monkeypatch):
	text, _doc = sent_text(monkeypatch, "Dear {{ party_name }}, {{ party.customer_name }}")
	assert text == f"Dear {PARTY}, {PARTY}"


def test_no_name_is_html_in_a_letter_and_no_subject_has_a_second_line():
	values = {"party_name": "<img src=x onerror=alert(1)>\r\nBcc: all@example.com"}
	assert "<img" not in texts.render("<p>{{ party_name }}</p>", values, texts.LETTER)
	subject = texts.render("Hi {{ party_name }}\n!", values, texts.SUBJECT)
	assert "\n" not in subject
	assert "\r" not in subject


def test_no_text_says_what_its_responsible_person_may_not_read(monkeypatch):
	with only_customer(INSIDER, OTHER):
		text, doc = sent_text(monkeypatch, "Dear {{ party_name }}", OTHER)
		assert text == f"Dear {OTHER}"
		frappe.db.set_value(
			"Touchpoint", doc.name, {"party": PARTY, "status": "Open", "message_status": "Due"}
		)
		frappe.db.commit()
		assert dict(messages.send_due(now_datetime())) == {"failed": 1}
	frappe.db.delete("User Permission", {"user": INSIDER})
	doc.reload()
	assert (doc.status, doc.message_status) == ("Open", "Failed")
	assert f"{INSIDER} is disabled or may not read" in doc.message_error


@pytest.fixture
def hidden_field():
	make = {"doctype": "Property Setter", "doctype_or_field": "DocField", "doc_type": "Customer"}
	make |= {"field_name": "tax_id", "property": "permlevel", "value": "4", "property_type": "Int"}
	setter = frappe.get_doc(make).insert()
	frappe.db.set_value("Customer", PARTY, "tax_id", "HIDDEN-7")
	frappe.clear_cache(doctype="Customer")
	frappe.db.commit()
	yield
	frappe.delete_doc("Property Setter", setter.name, force=True)
	frappe.clear_cache(doctype="Customer")
	frappe.db.commit()


def test_no_text_says_a_field_above_the_level_of_writer_or_sender(hidden_field, monkeypatch):
	with acting.acting_as(INSIDER):
		assert "there is no variable party.tax_id" in refusal_of(lambda: sms("{{ party.tax_id }}"))
	text, doc = sent_text(monkeypatch, "{{ party['tax_id'] }}")
	assert text is None
	assert "party.tax_id" in doc.message_error


def test_no_message_is_sent_in_the_name_of_the_administrator(monkeypatch):
	users = []
	real = messages.get_values
	monkeypatch.setattr(messages, "get_values", lambda doc, user: users.append(user) or real(doc, user))
	text, _doc = sent_text(monkeypatch, "Hi {{ responsible }}")
	assert text
	assert users == [INSIDER]
	assert frappe.session.user == "Administrator"


def test_no_message_of_nobody_leaves_or_is_lost(monkeypatch):
	frappe.db.set_single_value("Retention Settings", "fallback_owner", "")
	text, doc = sent_text(monkeypatch, "Hi", assigned_to="")
	assert (text, doc.status, doc.message_status) == (None, "Open", "Due")
	assert "nobody is responsible" in doc.message_error


def test_no_letter_runs_anything_whoever_changed_it():
	frappe.db.set_value("Customer", PARTY, "email_id", "one@example.com")
	given = {"touchpoint_type": "Mail of Texts", "assigned_to": INSIDER, "email_template": "Letter of Texts"}
	doc = make_touchpoint(PARTY, **given)
	doc.db_set({"send_by_itself": 1, "message_status": "Due"})
	letter = frappe.get_doc("Email Template", "Letter of Texts")
	letter.response = "<p>{{ frappe.session.user }}</p>"
	assert "Response: there is no variable frappe" in refusal_of(letter.save)
	letter.db_set("response", letter.response)
	frappe.db.commit()
	assert dict(messages.send_due(now_datetime())) == {"failed": 1}
	doc.reload()
	assert "Response: there is no variable frappe" in doc.message_error
	assert not frappe.db.exists("Email Queue", {"reference_name": PARTY})
	letter.db_set("response", "<p>Hi {{ party_name }}</p>")
	doc.db_set("message_status", "Due")
	frappe.db.commit()
	assert dict(messages.send_due(now_datetime())) == {"sent": 1}


def test_no_stored_text_stops_the_work_on_its_touchpoint():
	name = stored_sms("{{ frappe }}")
	doc = frappe.get_doc("Touchpoint", name)
	doc.update({"status": "Done", "outcome": "Reached"})
	doc.save()
	assert frappe.db.get_value("Touchpoint", name, "status") == "Done"


def test_no_stored_text_is_forgotten_by_the_update():
	bad, good = stored_sms("{{ frappe }}"), stored_sms("Hi {{ party.customer_name }}")
	plan = make_plan("Trial Patch", [step("Hi")]).insert()
	frappe.db.set_value("Maintenance Plan Step", plan.steps[0].name, "sms_text", "{{ frappe.db }}")
	for _twice in range(2):
		hold_back_unsafe_texts.execute()
	assert frappe.db.get_value("Touchpoint", bad, ["message_status", "status"]) == ("Failed", "Open")
	assert "frappe" in frappe.db.get_value("Touchpoint", bad, "message_error")
	assert frappe.db.get_value("Touchpoint", good, "message_status") == "Due"
	comments = frappe.get_all(
		"Comment", {"reference_name": plan.name, "comment_type": "Info"}, pluck="content"
	)
	assert len([text for text in comments if "row 1" in text and "variable frappe" in text]) == 1
	log = frappe.get_all("Error Log", {"method": "Texts that cannot be sent"}, pluck="error")
	assert bad in log[0]


def test_no_text_that_a_plan_would_send_is_hidden_from_the_run():
	plan = make_plan("Trial Run", [step("Hi")]).insert()
	frappe.db.set_value("Maintenance Plan Step", plan.steps[0].name, "sms_text", "{{ frappe.db }}")
	problems = text_checks.get_plan_problems([plan.name])
	assert [(one.row, one.field) for one in problems] == [(plan.name, "steps, 1, sms_text")]
	assert problems[0].message == "there is no variable frappe"


@pytest.mark.parametrize("field", ["instructions", "why", "note", "location"])
def test_no_other_words_of_a_touchpoint_are_texts(field):
	payload = "{{ 7777 * 7777 }}{{ frappe.session.user }}<img src=x onerror=alert(1)>"
	doc = sms("", is_promise=1)
	frappe.db.set_value("Touchpoint", doc.name, field, payload)
	digest = digests.get_daily(INSIDER, frappe.utils.getdate())
	shown = frappe.render_template("templates/emails/retention_digest.html", digest)
	told = brief.render("Customer", PARTY) + handover.get_comment(INSIDER, BOSS, 1)
	for html in (shown, told):
		assert str(7777 * 7777) not in html
		assert "<img" not in html


def test_no_sms_error_says_what_the_gateway_knows(monkeypatch):
	name = stored_sms("Hi")
	messages.send_due(now_datetime())
	doc = frappe.get_doc("Touchpoint", name)
	assert doc.message_status == "Failed"
	assert "SECRETACCOUNT" not in doc.message_error
	assert "127.0.0.1" not in doc.message_error
	assert not frappe.get_all("Error Log", {"error": ("like", "%SECRETACCOUNT%")})

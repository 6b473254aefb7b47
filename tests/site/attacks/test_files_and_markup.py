"""Attaching a file gives it to nobody who may not read it, and a name is a name and no markup."""

from __future__ import annotations

import frappe
import pytest
from frappe.core.doctype.file.utils import find_file_by_url

from crm_retention.care import todos
from tests.site.attacks.calls import Answer, call
from tests.site.desk import make_customer, make_profile, make_user
from tests.site.interactions import make_row
from tests.site.touchpoints import TYPE, make_touchpoint, make_type, only_customer

PARTY, USER, OWNER = "Holder", "thief@example.com", "file.owner@example.com"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", autouse=True)
def people() -> None:
	make_type()
	make_customer(PARTY)
	for user in (USER, OWNER):
		make_user(user, "Retention User", "Sales User")


def make_file(owner: str, content: str, **values: object) -> str:
	"""The address of a private file."""
	frappe.set_user(owner)
	file = {"doctype": "File", "file_name": f"{content}.txt", "content": content, "is_private": 1, **values}
	url = frappe.get_doc(file).insert(ignore_permissions=True).file_url
	frappe.set_user("Administrator")
	return url


@pytest.mark.parametrize("attached", [False, True])
def test_private_file_of_somebody_else_is_not_attached(attached) -> None:
	to = {"attached_to_doctype": "Customer", "attached_to_name": PARTY} if attached else {}
	url = make_file(OWNER, f"secret {attached}", **to)
	frappe.set_user(USER)
	with pytest.raises(frappe.PermissionError):
		make_row(PARTY, note="x", attachment=url).insert()
	assert not frappe.db.exists("File", {"file_url": url, "attached_to_doctype": "Interaction Log"})
	assert attached or find_file_by_url(url) is None


FLAGS = {"flags": {"uploaded": True, "ignore_permissions": True, "original_path": {"old": "", "new": ""}}}
SECRET = {"doctype": "File", "file_name": "mine.txt", "is_private": 1}


def send_file(values: dict, name: str | None = None) -> Answer:
	"""A row of File as a client sends it, and whether its sender may then read the secret."""
	if name:
		return call(USER, "frappe.client.set_value", doctype="File", name=name, fieldname=values)
	return call(USER, "frappe.client.insert", doc={**SECRET, **values})


@pytest.mark.parametrize("attached", [False, True])
def test_no_row_is_made_of_a_private_file_of_somebody_else(attached) -> None:
	make_customer("Files Hidden")
	to = {"attached_to_doctype": "Customer", "attached_to_name": "Files Hidden"} if attached else {}
	with only_customer(USER, PARTY):
		url = make_file(OWNER, f"secret row {attached}", **to)
		digest = frappe.db.get_value("File", {"file_url": url}, "content_hash")
		own = make_file(USER, "own row")
		name = frappe.db.get_value("File", {"file_url": own, "owner": USER})
		sent = [
			{"file_url": url},
			{"file_url": url, **FLAGS},
			{"file_url": url.replace("/files/", "/files/./")},
			{"file_url": url.replace("/files/", "/files//")},
			{"file_url": url.replace("/private/", "/files/../private/")},
			{"file_url": "https://example.com/x.txt", "content_hash": digest},
			{"file_url": url, "attached_to_doctype": "Customer", "attached_to_name": PARTY},
			{"file_name": url.rsplit("/", 1)[1]},
		]
		for values in sent:
			answer = send_file(values)
			assert answer.status != 200 or answer.data["file_url"] == "https://example.com/x.txt", (
				values,
				answer,
			)
		# Frappe stores what was sent with it, elsewhere
		assert send_file({"file_url": url, "content": "own row"}).data["file_url"] == own
		for values in ({"file_url": url}, {"file_url": url, "is_private": 1}, {"file_url": url, **FLAGS}):
			assert send_file(values, name).status == 403, values


def test_one_answer_for_private_files_that_are_there() -> None:
	url = make_file(OWNER, "secret answer")
	assert url not in send_file({"file_url": url}).text


def test_honest_files_are_made_as_before() -> None:
	"""What one uploads, also where somebody else has the same, what one may read, and what becomes public."""
	make_file(OWNER, "the same in both")
	same = send_file({"content": "the same in both"})
	assert same.status == 200, same
	attached = make_file(OWNER, "seen", attached_to_doctype="Customer", attached_to_name=PARTY)
	seen = {"file_url": attached, "attached_to_doctype": "Customer", "attached_to_name": PARTY}
	assert send_file(seen).status == 200
	assert send_file({"file_url": "https://example.com/x.txt"}).status == 200
	own = make_file(USER, "to be public")
	name = frappe.db.get_value("File", {"file_url": own})
	answer = send_file({"is_private": 0}, name)
	assert (answer.status, answer.data["file_url"].startswith("/files/")) == (200, True), answer


def test_who_uploaded_the_same_attaches_it() -> None:
	make_file(OWNER, "the same brochure")
	url = make_file(USER, "the same brochure")
	frappe.set_user(USER)
	assert make_row(PARTY, note="x", attachment=url).insert().attachment == url


def test_file_that_is_not_there_is_not_attached() -> None:
	frappe.set_user(USER)
	for url in ("/private/files/guess.pdf", "/files/guess.pdf", "/private/files/../site_config.json"):
		with pytest.raises(frappe.ValidationError):
			make_row(PARTY, note="x", attachment=url).insert()


@pytest.mark.parametrize(
	"link",
	[
		"javascript:alert(1)",
		" javascript:alert(1)",
		"JaVaScRiPt:x",
		"java\tscript:alert(1)",
		"\x01javascript:alert(1)",
		"data:text/html,x",
		"//evil",
		"file:///etc",
	],
)
def test_link_that_runs_something_is_refused(link) -> None:
	for user in (USER, "Administrator"):
		frappe.set_user(user)
		with pytest.raises(frappe.ValidationError):
			make_row(PARTY, note="x", attachment=link).insert()


def test_ones_own_file_is_attached_and_its_correction_keeps_it() -> None:
	from crm_retention.api.interactions import correct

	url = make_file(USER, "my photo")
	frappe.set_user(USER)
	row = make_row(PARTY, note="x", attachment=url).insert()
	make_user("corrector@example.com", "Retention Manager", "Sales User")
	frappe.set_user("corrector@example.com")
	new = correct(row.name, {"minutes": 3})["name"]
	assert frappe.db.get_value("Interaction Log", new, "attachment") == url


def test_names_are_shown_as_they_are_in_todos_events_and_mails() -> None:
	frappe.db.set_value("Customer", PARTY, "customer_name", EVIL)
	make_profile(PARTY)
	touchpoint = make_touchpoint(PARTY, assigned_to=USER, starts_at=frappe.utils.add_to_date(None, hours=1))
	todo = frappe.db.get_value("ToDo", {"reference_name": touchpoint.name}, "description")
	assert "<img" not in todo + todos.get_description(EVIL, EVIL)
	assert "&lt;img" in todos.get_description(TYPE, EVIL)
	digest = {
		"title": EVIL,
		"intro": EVIL,
		"url": "/",
		"link": EVIL,
		"table": {"head": [EVIL], "rows": [[EVIL]]},
	}
	digest["sections"] = [{"title": EVIL, "more": EVIL, "rows": [{"url": "/", "text": EVIL, "note": EVIL}]}]
	assert "<img" not in frappe.render_template("templates/emails/retention_digest.html", digest)


def test_sql_that_makes_todos_escapes_as_the_forms_do() -> None:
	from crm_retention.backends.site_care_write import as_html

	text = """<a href="x" title='y'>&amp;</a>"""
	shown = frappe.db.sql(f"select {as_html('%s')}", text)[0][0]
	assert shown == frappe.utils.escape_html(text)


@pytest.mark.parametrize(
	"link",
	[
		"javascript:alert(1)",
		" JavaScript : x",
		"java\tscript:x",
		"\x01javascript:x",
		"data:text/html,<script>x</script>",
	],
)
def test_place_that_runs_something_is_refused(link) -> None:
	for user in (USER, "Administrator"):
		frappe.set_user(user)
		with pytest.raises(frappe.ValidationError):
			make_touchpoint(PARTY, location=link)


def test_markup_of_instructions_runs_nothing() -> None:
	evil = f'<p>Ask<a href="javascript:alert(1)">here</a>{EVIL}<script>alert(1)</script></p>'
	name = make_type("Evil Call", instructions=evil)
	said = frappe.db.get_value("Touchpoint Type", name, "instructions")
	assert "Ask" in said
	assert not any(word in said for word in ("javascript", "onerror", "<script"))

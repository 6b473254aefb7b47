"""A run is queued once however many ask for it, none waits for a queue that is gone, and errors tell users no secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import frappe
import pytest
import redis
from frappe.utils.background_jobs import get_queue
from rq.job import JobStatus

from crm_retention.api.cycle import preview, progress, run_now
from crm_retention.crm_retention.doctype.retention_run.retention_run import get_preview
from crm_retention.jobs import nightly
from crm_retention.jobs.cycle import run_job
from crm_retention.jobs.runs import create_run, today
from crm_retention.sealed import seal, unseal
from tests.site.attacks.inside import Insider
from tests.site.desk import make_user
from tests.site.trade import run

pytestmark = pytest.mark.commits
MANAGER, USER = "manager.of.runs@example.com", "user.of.runs@example.com"
NO_QUEUE = "redis://127.0.0.1:1"


@pytest.fixture(scope="module", autouse=True)
def manager(site, leave_site_as_it_was):
	make_user(MANAGER, "Retention Manager")
	make_user(USER, "Retention User")
	return Insider(MANAGER)


@pytest.fixture(autouse=True)
def no_runs() -> Iterator[None]:
	frappe.db.rollback()
	frappe.db.delete("Retention Run")
	frappe.db.commit()
	yield
	frappe.set_user("Administrator")
	frappe.db.rollback()


def get_runs(**filters):
	frappe.db.rollback()
	return frappe.get_all("Retention Run", filters, ["name", "status", "error"])


@pytest.mark.parametrize(("path", "kind"), [("cycle.run_now", "Manual"), ("cycle.preview", "Preview")])
def test_six_at_once_queue_one(manager, path, kind):
	answers = manager.send_at_once(6, "POST", f"/api/method/crm_retention.api.{path}")
	assert sorted(answer.status for answer in answers) == [200, 417, 417, 417, 417, 417], answers
	assert len(get_runs(kind=kind)) == 1
	assert all("already queued or at work" in answer.said for answer in answers if answer.status == 417)


def test_preview_of_somebody_else_is_not_in_the_way():
	preview()
	frappe.db.commit()
	frappe.set_user(MANAGER)
	preview()
	frappe.db.commit()
	assert len(get_runs(kind="Preview")) == 2


@pytest.fixture
def no_queue(monkeypatch):
	"""The address of a queue that nobody listens to."""
	from frappe.utils import background_jobs

	monkeypatch.setattr(background_jobs, "_redis_queue_conn", redis.from_url(NO_QUEUE))


@pytest.mark.parametrize("method", [run_now, preview])
def test_without_a_queue_it_says_so_and_no_run_waits(no_queue, method):
	with pytest.raises(nightly.QueueIsDown, match="queue of background jobs cannot be reached"):
		method()
	frappe.db.commit()
	assert get_runs() == []
	assert nightly.QueueIsDown.http_status_code == 503


def test_a_queue_that_goes_between_leaves_no_run_waiting(no_queue, monkeypatch):
	monkeypatch.setattr(nightly, "refuse_without_queue", lambda: None)
	run_now()
	frappe.db.commit()
	[row] = get_runs()
	assert row.status == "Failed"
	assert "cannot be reached" in row.error


def test_a_run_that_the_queue_has_lost_does_not_wait_for_ever():
	lost = create_run("Manual", today())
	lost.db_set("creation", frappe.utils.add_to_date(frappe.utils.now(), days=-2), update_modified=False)
	nightly.enqueue_if_due()
	frappe.db.commit()
	assert [row.status for row in get_runs(name=lost.name)] == ["Failed"]


def queue_run():
	"""A run by its name, its job on the queue."""
	name = run_now()["run"]
	frappe.db.commit()
	return name


def get_jobs():
	return {job.id: job for job in get_queue("long").jobs}


def test_a_run_of_a_restored_site_is_begun_though_the_queue_knows_its_name():
	before = get_jobs()
	name = queue_run()
	[old] = get_jobs().keys() - before.keys()
	job = get_jobs()[old]
	get_queue("long").remove(job)
	job.set_status(JobStatus.STARTED)  # by a worker that was killed
	frappe.db.delete("Retention Run")
	frappe.db.sql("update tabSeries set current = current - 1 where name like 'RUN-%'")
	frappe.db.commit()
	before = get_jobs()
	assert queue_run() == name
	assert len(get_jobs().keys() - before.keys()) == 1


def test_a_run_that_is_on_the_queue_twice_is_done_once():
	queued = create_run("Manual", today())
	run_job(queued.name)
	ended = frappe.get_doc("Retention Run", queued.name).as_dict()
	assert ended.status in ("Completed", "Partial")
	run_job(queued.name)
	assert frappe.get_doc("Retention Run", queued.name).as_dict() == ended


@pytest.fixture
def crashed(monkeypatch):
	"""A run that ended with an error that nobody foresaw."""
	from crm_retention.jobs import cycle

	def crash(*_args):
		raise KeyError("a secret of the machine room")

	monkeypatch.setattr(cycle, "refuse_going_back", crash)
	with pytest.raises(KeyError):
		run()
	return get_runs()[0].name


def read_as(user, name):
	"""The run as the desk sends it to a user, and its progress."""
	from frappe.desk.form.load import getdoc

	frappe.set_user(user)
	frappe.local.response = frappe._dict(docs=[])
	getdoc("Retention Run", name)
	doc = json.loads(frappe.as_json(frappe.local.response.docs[0]))
	said = progress(name)
	frappe.set_user("Administrator")
	return doc, said


def test_users_read_a_sentence_and_managers_what_went_wrong(crashed):
	doc, said = read_as(USER, crashed)
	assert said["status"] == "Failed"
	assert doc["error"] == said["error"] == "The run ended with an error. Please tell a manager."
	assert "secret" not in json.dumps([doc, said])
	doc, said = read_as(MANAGER, crashed)
	assert "a secret of the machine room" in doc["traceback"]
	assert "Traceback" not in said["error"]


def test_users_find_no_traceback_by_list_report_or_filter(crashed):
	frappe.set_user(USER)
	for call in (
		lambda: frappe.get_list("Retention Run", fields=["name", "traceback"]),
		lambda: frappe.get_list("Retention Run", {"traceback": ("like", "%secret%")}),
	):
		try:
			assert "secret" not in json.dumps(call(), default=str)
		except (frappe.PermissionError, frappe.DataError):
			frappe.clear_last_message()


def test_runs_of_before_keep_their_traceback_for_managers_alone():
	from crm_retention.patches.hide_tracebacks import execute

	old = create_run("Manual", today())
	old.db_set({"status": "Failed", "error": "Traceback (most recent call last):\n  secret"})
	said = create_run("Manual", today())
	said.db_set({"status": "Failed", "error": "A run as of today is done already"})
	for _time in range(2):
		execute()
	old.reload()
	assert (old.error, old.traceback) == (
		"The run ended with an error. Please tell a manager.",
		"Traceback (most recent call last):\n  secret",
	)
	assert said.reload().error == "A run as of today is done already"


@pytest.mark.parametrize("user", [USER, MANAGER])
def test_no_filter_finds_out_letter_by_letter_what_a_run_keeps_back(user, crashed):
	found = json.dumps(
		{"user": "Administrator", "moves": [{"party": "Zzyzx Moved", "party_type": "Customer"}]}
	)
	preview = create_run("Preview", today())
	preview.update(
		{"status": "Completed", "preview_result": found, "traceback": "a secret of the machine room"}
	)
	preview.save(ignore_permissions=True)
	assert preview.preview_result == frappe.get_doc("Retention Run", preview.name).preview_result == found
	other = create_run("Preview", today())
	other.update({"status": "Completed", "preview_result": found})
	other.save(ignore_permissions=True)
	frappe.set_user(user)
	for field, text in (
		("preview_result", "Zzyzx Moved"),
		("traceback", "secret"),
		("preview_result", "moves"),
	):
		for filters in ({field: ("like", f"%{text}%")}, {field: found}):
			assert ask_for_count(filters) == 0
	same = frappe.db.get_values(
		"Retention Run", {"name": ("in", (preview.name, other.name))}, "preview_result"
	)
	assert len(set(same)) == 2, "what was found is guessed by what is stored"


def ask_for_count(filters):
	"""How many runs a filter finds; none where the field may not be asked for."""
	from frappe.client import get_count

	try:
		return get_count("Retention Run", filters=filters)
	except frappe.PermissionError:
		frappe.clear_last_message()
		return 0


def test_runs_of_before_are_sealed_once():
	from crm_retention.patches.seal_details_of_runs import execute

	old = create_run("Preview", today())
	old.db_set({"preview_result": '{"moves": []}', "traceback": "Traceback: secret"})
	for _time in range(2):
		execute()
	stored = frappe.db.get_value("Retention Run", old.name, ["preview_result", "traceback"])
	assert not any("moves" in text or "secret" in text for text in stored)
	old.reload()
	assert (old.preview_result, old.traceback) == ('{"moves": []}', "Traceback: secret")


def test_runs_sealed_with_another_key_open_without_what_they_found(monkeypatch):
	from cryptography.fernet import Fernet

	run = create_run("Preview", today())
	run.update({"status": "Completed", "preview_result": '{"moves": [1]}'})
	run.save(ignore_permissions=True)
	monkeypatch.setitem(frappe.local.conf, "encryption_key", Fernet.generate_key().decode())
	said = frappe.get_message_log()
	assert frappe.get_doc("Retention Run", run.name).preview_result is None
	assert frappe.get_message_log() == said
	with pytest.raises(frappe.ValidationError, match="another key"):
		get_preview(run.name)


def test_process_that_remembers_a_site_without_a_key_does_not_make_another_one(monkeypatch):
	stored = seal("what a worker found")
	key = frappe.get_site_config()["encryption_key"]
	monkeypatch.delitem(frappe.local.conf, "encryption_key")
	assert unseal(stored) == "what a worker found"
	assert frappe.get_site_config()["encryption_key"] == frappe.local.conf["encryption_key"] == key

"""The guarantee that every other platform test stands on: whatever a test writes is gone for the next one."""

import frappe
import pytest


def make_note(title: str) -> None:
	frappe.get_doc(doctype="Note", title=title).insert()


def notes() -> list[str]:
	return frappe.get_all("Note", {"title": ["like", "isolation %"]}, pluck="title")


class TestSavepoint:
	def test_write_is_seen_by_its_own_test(self):
		make_note("isolation savepoint")
		assert notes() == ["isolation savepoint"]

	def test_write_is_gone_in_the_next(self):
		assert notes() == []

	def test_rollback_by_the_code_under_test_is_allowed(self):
		make_note("isolation rolled back")
		frappe.db.rollback()
		assert notes() == []


class TestCommit:
	@pytest.mark.commits
	def test_committed_write_is_seen_by_another_process(self, site):
		make_note("isolation committed")
		frappe.db.commit()
		seen = site.run("execute", "frappe.db.count", "--args", "['Note', {'title': 'isolation committed'}]")
		assert seen.stdout.strip() == "1", seen.stderr

	def test_committed_write_is_gone_in_the_next(self):
		assert notes() == []


@pytest.mark.commits
def test_worker_runs_queued_jobs(site):
	frappe.enqueue("frappe.client.insert", queue="long", doc={"doctype": "Note", "title": "isolation worker"})
	site.work_off_queues()
	frappe.db.rollback()
	assert notes() == ["isolation worker"]

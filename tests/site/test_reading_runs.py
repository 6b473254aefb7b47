"""A run reads of one moment, in a bounded room that is gone afterwards, and writes over nothing that people did meanwhile."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading

import duckdb
import frappe
import pytest

from crm_retention.backends.site_write import ProfileWriter
from crm_retention.configuration import get_config
from crm_retention.jobs import cycle
from crm_retention.jobs.reading import read_all
from crm_retention.site import memory
from crm_retention.site import read as reading
from crm_retention.site.memory import DoesNotFit, engine_of_run, get_limit, get_spill_path
from crm_retention.site.read import snapshot
from crm_retention.sources import get_sources
from tests.site.trade import DAY, add_customers, add_market, add_sales, ago, forget_runs, get_profiles, run

pytestmark = pytest.mark.commits


@pytest.fixture(scope="module", autouse=True)
def market(site, leave_site_as_it_was):
	add_market(1_000)
	frappe.db.commit()


@pytest.fixture(autouse=True)
def clean(market):
	forget_runs()
	yield
	frappe.conf.pop("retention_memory_limit", None)
	forget_runs()


class TestOneMoment:
	def test_invoices_that_come_while_it_is_read_are_all_in_or_all_out(self, monkeypatch):
		"""Another connection sells to everybody while each relation is read."""
		name, path = frappe.local.site, frappe.local.sites_path
		sold, make = [], reading.make

		def sell():
			frappe.init(name, sites_path=path, force=True)
			frappe.connect()
			who = f"Moment {len(sold)}"
			add_customers(who)
			add_sales(who, (ago(1), 11.0), (ago(2), 11.0))
			frappe.db.commit()
			frappe.destroy()
			sold.append(who)

		def selling(backend, relation, table):
			make(backend, relation, table)
			seller = threading.Thread(target=sell)
			seller.start()
			seller.join()

		monkeypatch.setattr(reading, "make", selling)
		config = get_config()
		with engine_of_run() as backend, snapshot() as connection:
			read_all(backend, connection, get_sources(config, DAY), plans=False)
			monkeypatch.undo()
			assert len(sold) > 5
			assert backend.query("SELECT count(*) FROM purchases WHERE party LIKE 'Moment %'") == [(0,)]
			assert backend.query("SELECT count(*) FROM parties WHERE party LIKE 'Moment %'") == [(0,)]
		frappe.db.rollback()
		found = get_profiles()
		assert {found[who]["purchases"] for who in sold} == {2}

	def test_a_decision_by_hand_during_a_run_stays(self, monkeypatch):
		before = run(ago(30))
		assert before.status == "Completed", (before.error, before.traceback)
		who, prepare = "Market 00007", ProfileWriter.prepare

		def decide_in_between(writer):
			written = prepare(writer)
			frappe.db.commit()
			profile = frappe.get_doc("Retention Profile", who)
			profile.update({"override_tier": "High Value", "override_reason": "an old friend"})
			profile.save()
			frappe.db.commit()
			return written

		monkeypatch.setattr(ProfileWriter, "prepare", decide_in_between)
		frappe.db.set_value(
			"Retention Profile", who, "recency_days", 1
		)  # so that the run has something to write
		ended = run(DAY)
		assert ended.status == "Completed", (ended.error, ended.traceback)
		profile = frappe.db.get_value("Retention Profile", who, ["tier", "tier_reason"], as_dict=True)
		assert (profile.tier, profile.tier_reason) == ("High Value", "override")
		assert frappe.db.get_value("Customer", who, "retention_tier") == "High Value"
		monkeypatch.undo()
		ended = run(DAY)
		assert ended.status == "Completed", (ended.error, ended.traceback)
		assert frappe.db.get_value("Retention Profile", who, "tier") == "High Value"

	def test_a_customer_renamed_during_a_run_leaves_no_profile_of_the_old_name(self, monkeypatch):
		add_customers("Before")
		add_sales("Before", (ago(10), 100.0))
		frappe.db.commit()
		run(ago(30))
		prepare = ProfileWriter.prepare

		def rename_in_between(writer):
			written = prepare(writer)
			frappe.db.commit()
			frappe.rename_doc("Customer", "Before", "After", force=True, show_alert=False)
			frappe.db.commit()
			return written

		monkeypatch.setattr(ProfileWriter, "prepare", rename_in_between)
		ended = run(DAY)
		assert ended.status == "Completed", (ended.error, ended.traceback)
		assert frappe.get_all("Retention Profile", {"party": ("in", ("Before", "After"))}, pluck="name") == [
			"After"
		]


class TestRoom:
	def test_what_does_not_fit_goes_into_a_folder_of_the_site_s_user_alone_and_is_gone_afterwards(self):
		frappe.conf.retention_memory_limit = "64MiB"
		with engine_of_run() as backend:
			(folder,) = get_spill_path().glob("run-*")
			for path in (folder, folder.parent):
				assert stat.S_IMODE(path.stat().st_mode) == 0o700
			backend.execute(
				"CREATE TABLE big AS SELECT hash(range) a, hash(range + 1) b, hash(range + 2) c FROM range(9000000)"
			)
			spilled = [path for path in folder.rglob("*") if path.suffix == ".tmp" or "duckdb" in path.name]
			assert spilled
			assert backend.query("SELECT count(*) FROM big") == [(9_000_000,)]
		assert not get_spill_path().exists()

	def test_a_run_leaves_no_folder(self):
		ended = run(DAY)
		assert ended.status == "Completed", (ended.error, ended.traceback)
		assert not get_spill_path().exists()

	def test_a_run_that_fails_leaves_none_either(self, monkeypatch):
		monkeypatch.setattr(cycle, "run_cycle", lambda *_arguments: 1 / 0)
		with pytest.raises(ZeroDivisionError):
			run(DAY)
		assert not get_spill_path().exists()

	def test_what_a_killed_run_left_is_cleared_by_the_next_and_nobody_else_s(self, site):
		process = hold_engine(site)
		(killed,) = get_spill_path().glob("run-*")
		os.killpg(process.pid, signal.SIGKILL)
		process.wait()
		assert killed.exists()
		with engine_of_run():
			assert not killed.exists()
			(mine,) = get_spill_path().glob("run-*")
			with engine_of_run():
				assert mine.exists()
		assert not get_spill_path().exists()

	def test_a_run_that_does_not_fit_says_so_and_changes_nothing(self):
		frappe.conf.retention_memory_limit = "2MiB"
		ended = run(DAY)
		assert ended.status == "Failed"
		assert "does not fit into" in ended.error
		assert "retention_memory_limit" in ended.error
		assert frappe.db.count("Retention Profile") == 0
		assert not get_spill_path().exists()

	def test_a_disk_that_is_full_says_so_too(self, monkeypatch):
		def full(self, sql):
			raise duckdb.IOException("Could not write file: No space left on device")

		with engine_of_run() as backend:
			monkeypatch.setattr(memory.DuckDBBackend, "execute", full)
			with pytest.raises(DoesNotFit, match="No space left"):
				backend.execute("CREATE TABLE x AS SELECT 1")

	@pytest.mark.parametrize(
		("given", "mib"),
		[("512", 512), (512, 512), ("1GiB", 1024), ("1.5 GB", 1536), ("64MiB", 64)],
	)
	def test_the_limit_is_a_setting(self, given, mib):
		frappe.conf.retention_memory_limit = given
		assert get_limit() == mib * 1024**2

	@pytest.mark.parametrize("given", ["much", "-1", "0", "1TB; SET x", [], {}])
	def test_what_is_no_size_is_refused_by_the_run(self, given):
		frappe.conf.retention_memory_limit = given
		ended = run(DAY)
		assert ended.status == "Failed"
		assert "retention_memory_limit" in ended.error

	def test_without_the_setting_it_is_half_of_what_is_free_and_no_more_than_two_gibibytes(self, monkeypatch):
		for free, expected in ((10 * 1024**3, 2 * 1024**3), (1024**3, 512 * 1024**2), (0, memory.LEAST)):
			monkeypatch.setattr(memory, "get_free", lambda free=free: free)
			assert get_limit() == expected

	def test_the_engine_opens_no_file_and_no_network(self):
		with engine_of_run() as backend:
			for sql in (
				"SELECT * FROM read_csv('/etc/passwd')",
				"COPY (SELECT 1) TO '/tmp/retention.csv'",
				"ATTACH '/tmp/retention.duckdb'",
				"INSTALL httpfs",
				"SET enable_external_access = true",
			):
				with pytest.raises(duckdb.Error):
					backend.connection.execute(sql)


def hold_engine(site):
	"""A process that has begun a run and stands still."""
	code = (
		f"import frappe, time; frappe.init({frappe.local.site!r}, sites_path={str(site.sites_path)!r})\n"
		"from crm_retention.site.memory import engine_of_run\n"
		"with engine_of_run():\n print('held', flush=True); time.sleep(600)"
	)
	process = subprocess.Popen(
		[sys.executable, "-c", code],
		cwd=site.sites_path,
		stdout=subprocess.PIPE,
		text=True,
		start_new_session=True,
	)
	assert process.stdout.readline() == "held\n"
	return process

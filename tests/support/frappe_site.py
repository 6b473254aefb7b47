"""The site that site tests and browser tests run on, and how each test leaves it as it was.

`make test` provides a disposable one. To use another that you can lose, from the bench's environment:
FRAPPE_BENCH=~/frappe-bench CRM_RETENTION_SITE=site-you-can-lose env/bin/python -m pytest tests/site
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frappe
import pytest
from benchkit.baseline import Baseline
from benchkit.database import Admin
from benchkit.stores import copy_sqlite

if bench_to_test := os.environ.get("FRAPPE_BENCH"):
	os.chdir(
		Path(bench_to_test) / "sites"
	)  # 16 writes logs, relative to it, as soon as some modules are imported

SAVEPOINT = "before_test"
# statements that end a transaction; a temporary table does not
COMMITTING = ("commit", "create_table", "alter_table", "drop_table", "rename_table", "truncate")


@dataclass
class Site:
	"""A site, its bench, and what a test does with them from the outside."""

	name: str
	bench: Path
	kept: Path  # a folder for what the database was
	baseline: Baseline | None = None

	@property
	def sites_path(self) -> Path:
		return self.bench / "sites"

	def connect(self) -> None:
		os.chdir(self.sites_path)  # Frappe's logs and locks are relative to it
		frappe.init(self.name, sites_path=str(self.sites_path))
		frappe.connect()
		frappe.set_user("Administrator")

	def bench_command(self, *arguments: str) -> list[str]:
		"""The command line of `bench --site SITE ...`, for subprocess."""
		return [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", self.name, *arguments]

	def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess:
		"""`bench --site SITE ...`, to its end. It sees only what is committed."""
		options = {"capture_output": True, "text": True, "timeout": 300, "cwd": self.sites_path} | options
		return subprocess.run(self.bench_command(*arguments), **options)

	def start(self, *arguments: str, **options: Any) -> subprocess.Popen:
		"""`bench --site SITE ...` in the background, in a process group of its own so that it can be killed whole."""
		options = {"cwd": self.sites_path, "start_new_session": True, "stdin": subprocess.DEVNULL} | options
		return subprocess.Popen(self.bench_command(*arguments), **options)

	def start_worker(self, queues: str = "long,default,short", **options: Any) -> subprocess.Popen:
		return self.start("worker", "--queue", queues, "--quiet", **options)

	def work_off_queues(self, queues: str = "long,default,short") -> None:
		"""Run every queued job in a worker that ends when there is nothing left to do."""
		self.run("worker", "--queue", queues, "--quiet", "--burst", check=True)

	@property
	def database(self) -> Admin:
		"""The site's own database user: it may drop and create its own database, and no other."""
		conf = frappe.conf
		host = conf.db_host if conf.db_host not in (None, "localhost") else "127.0.0.1"
		return Admin(conf.get("db_user") or conf.db_name, conf.db_password, host, int(conf.db_port or 3306))

	@property
	def sqlite_file(self) -> Path | None:
		if frappe.db.db_type != "sqlite":
			return None
		return self.sites_path / self.name / "db" / f"{frappe.conf.db_name}.db"

	def save_baseline(self) -> None:
		self.kept.mkdir(parents=True, exist_ok=True)
		if file := self.sqlite_file:
			copy_sqlite(file, self.kept / "baseline.db")
		else:
			self.baseline = Baseline(self.database, frappe.conf.db_name, self.kept)
			self.baseline.save()

	def restore(self) -> None:
		"""Put the database back to what it was when the session began."""
		file = self.sqlite_file
		frappe.db.close()
		if file:
			copy_sqlite(self.kept / "baseline.db", file)
		else:
			self.baseline.restore()
		frappe.destroy()
		self.connect()
		frappe.clear_cache()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
	name, bench = os.environ.get("CRM_RETENTION_SITE"), os.environ.get("FRAPPE_BENCH")
	if not name or not bench:
		pytest.fail("CRM_RETENTION_SITE and FRAPPE_BENCH name the site to test on; `make test` sets them")
	with tempfile.TemporaryDirectory() as folder:
		# kept from one suite on a site to the next, where somebody names a folder for it
		site = Site(name, Path(bench), Path(os.environ.get("CRM_RETENTION_BASELINE", folder)))
		site.connect()
		site.save_baseline()
		yield site
		frappe.destroy()


@pytest.fixture(scope="module", autouse=True)
def leave_site_as_it_was(request: pytest.FixtureRequest, site: Site) -> Iterator[None]:
	"""Undo what a module's fixtures wrote, and restore the database after a module marked `commits`."""
	yield
	if request.node.get_closest_marker("commits"):
		site.restore()
	else:
		frappe.db.rollback()
		forget_what_was_read()


@pytest.fixture(autouse=True)
def undo(request: pytest.FixtureRequest, site: Site, leave_site_as_it_was: None) -> Iterator[None]:
	"""Each test ends where it began: at a savepoint, or for one marked `commits` with the database restored."""
	if module_commits(request):
		yield
		return
	if request.node.get_closest_marker("commits"):
		yield
		site.restore()
		return
	flags, before = frappe.local.flags.copy(), commits_so_far()
	frappe.db.savepoint(SAVEPOINT)
	yield
	leaked = commits_so_far() > before
	if leaked:
		site.restore()
	else:
		roll_back()
	frappe.local.flags = flags
	frappe.set_user("Administrator")
	forget_what_was_read()
	if leaked:
		pytest.fail("this test committed: mark it with pytest.mark.commits, or keep it from committing")


def module_commits(request: pytest.FixtureRequest) -> bool:
	module = request.node.getparent(pytest.Module)
	return module is not None and module.get_closest_marker("commits") is not None


def roll_back() -> None:
	try:
		frappe.db.rollback(save_point=SAVEPOINT)
	except frappe.db.OperationalError:  # the code under test rolled back, and the savepoint went with it
		frappe.db.rollback()


def commits_so_far() -> int:
	"""How many transactions this connection has ended, DDL included; 0 where the database does not count."""
	if frappe.db.db_type != "mariadb":
		return 0
	counters = dict(frappe.db.sql("SHOW SESSION STATUS LIKE 'Com\\_%%'"))
	return sum(int(counters[f"Com_{statement}"]) for statement in COMMITTING)


def forget_what_was_read() -> None:
	"""Cached documents may be of a transaction that was rolled back."""
	frappe.cache.delete_keys("document_cache::")
	if client_cache := getattr(frappe, "client_cache", None):  # Frappe 16
		client_cache.clear_cache()
	frappe.local.message_log = []

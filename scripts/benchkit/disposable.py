"""Disposable sites: a template with ERPNext and a company, made once per version, copied in seconds."""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from .database import Admin, database_name
from .workbench import Workbench

ADMIN_PASSWORD = "admin"
NOT_COPIED = shutil.ignore_patterns("site_config.json", "logs", "locks", "backups")
# runs inside the bench's environment; a change here makes a new template
SETUP_WIZARD = Path(__file__).with_name("setup_wizard.py")


def template_key(bench: Path) -> str:
	"""Changes with Frappe and ERPNext, down to the commit, with the wizard's answers, and with the fiscal year."""
	parts = [SETUP_WIZARD.read_bytes(), str(date.today().year).encode()]
	for app in ("frappe", "erpnext"):
		path = (bench / "apps" / app).resolve()
		git = ["git", "-c", f"safe.directory={path}", "-C", str(path), "rev-parse", "HEAD"]
		head = subprocess.run(git, capture_output=True).stdout
		parts += [(path / app / "__init__.py").read_bytes(), head]
	return hashlib.sha1(b"\0".join(parts)).hexdigest()[:12]


@contextmanager
def locked(file: Path) -> Iterator[None]:
	file.parent.mkdir(parents=True, exist_ok=True)
	with file.open("w") as handle:
		fcntl.flock(handle, fcntl.LOCK_EX)
		yield


def ensure_template(workbench: Workbench, admin: Admin, templates: Path) -> Path:
	template = templates / template_key(workbench.bench)
	with locked(templates / "lock"):
		if not (template / "complete").exists():
			print(
				"Making the template of a site with ERPNext: a few minutes, once per version of Frappe and ERPNext"
			)
			shutil.rmtree(template, ignore_errors=True)
			make_template(workbench, admin, template)
	return template


def make_template(workbench: Workbench, admin: Admin, template: Path) -> None:
	site = f"template-{template.name}.localhost"
	database = database_name(site)
	try:
		admin.drop(database)  # what a killed attempt may have left
		workbench.frappe(
			"new-site", site, "--force", "--db-name", database, "--admin-password", ADMIN_PASSWORD,
			"--db-root-username", admin.user, "--db-root-password", admin.password,
			"--mariadb-user-host-login-scope", "%", "--install-app", "erpnext",
		)  # fmt: skip
		workbench.call([workbench.python, SETUP_WIZARD, site])
		template.mkdir(parents=True)
		admin.dump(database, template / "database.sql")
		shutil.copytree(workbench.sites / site, template / "site", ignore=NOT_COPIED)
		shutil.copy(workbench.sites / site / "site_config.json", template)
		(template / "complete").touch()
	finally:
		admin.drop(database)
		shutil.rmtree(workbench.sites / site, ignore_errors=True)


def create_site(workbench: Workbench, admin: Admin, template: Path, site: str) -> None:
	database, password = database_name(site), secrets.token_hex(12)
	admin.load(database, template / "database.sql")
	admin.grant(database, password)
	folder = workbench.sites / site
	shutil.copytree(template / "site", folder)
	for name in ("logs", "locks"):
		(folder / name).mkdir(exist_ok=True)
	config = json.loads((template / "site_config.json").read_text())
	config |= {"db_name": database, "db_password": password, "allow_tests": True}
	config |= {"db_user": database} if "db_user" in config else {}
	(folder / "site_config.json").write_text(json.dumps(config, indent=1))
	workbench.save_config(workbench.config | {"default_site": site})

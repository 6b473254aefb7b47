"""Disposable sites: a template with ERPNext and a company, made once per version, copied in seconds."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from .database import database_name
from .stores import Store
from .workbench import Workbench

ADMIN_PASSWORD = "admin"
NOT_COPIED = shutil.ignore_patterns("site_config.json", "logs", "locks", "backups", "db")
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


def ensure_template(workbench: Workbench, store: Store, templates: Path) -> Path:
	template = templates / f"{template_key(workbench.bench)}-{store.kind}"
	with locked(templates / "lock"):
		if not (template / "complete").exists():
			print("Making a template site with ERPNext: a few minutes, once per version", flush=True)
			shutil.rmtree(template, ignore_errors=True)
			make_template(workbench, store, template)
	return template


def make_template(workbench: Workbench, store: Store, template: Path) -> None:
	site = f"template-{template.name}.localhost"
	folder, database = workbench.sites / site, database_name(site)
	try:
		store.drop(database)  # what a killed attempt may have left
		workbench.frappe(
			"new-site", site, "--force", "--db-name", database, "--admin-password", ADMIN_PASSWORD,
			*store.new_site_options(), "--install-app", "erpnext",
		)  # fmt: skip
		workbench.call([workbench.python, SETUP_WIZARD, site])
		template.mkdir(parents=True)
		store.save(folder, database, template)
		shutil.copytree(folder, template / "site", ignore=NOT_COPIED)
		shutil.copy(folder / "site_config.json", template)
		(template / "complete").touch()
	finally:
		store.drop(database)
		shutil.rmtree(folder, ignore_errors=True)


def create_site(workbench: Workbench, store: Store, template: Path, site: str) -> None:
	folder = workbench.sites / site
	shutil.copytree(template / "site", folder)
	for name in ("logs", "locks"):
		(folder / name).mkdir(exist_ok=True)
	config = json.loads((template / "site_config.json").read_text())
	config |= store.load(folder, database_name(site), template) | {"allow_tests": True}
	(folder / "site_config.json").write_text(json.dumps(config, indent=1))
	workbench.save_config(workbench.config | {"default_site": site})

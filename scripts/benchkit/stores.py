"""Where a disposable site keeps its data, by kind of database: save it as a template, load it, drop it."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Protocol

from .database import Admin, require_admin


class Store(Protocol):
	kind: str

	def new_site_options(self) -> list[str]:
		"""What `bench new-site` needs to be told."""

	def save(self, site: Path, database: str, template: Path) -> None:
		"""Write the data of a site into the template's folder."""

	def load(self, site: Path, database: str, template: Path) -> dict[str, str]:
		"""Give a site the template's data; return what its configuration has to say about it."""

	def drop(self, database: str) -> None:
		"""Remove what is kept outside the site's folder."""


class MariaDBStore:
	kind = "mariadb"

	def __init__(self, admin: Admin) -> None:
		self.admin = admin

	def new_site_options(self) -> list[str]:
		return [
			"--db-root-username", self.admin.user, "--db-root-password", self.admin.password,
			"--mariadb-user-host-login-scope", "%",
		]  # fmt: skip

	def save(self, site: Path, database: str, template: Path) -> None:  # noqa: ARG002
		self.admin.dump(database, template / "database.sql")

	def load(self, site: Path, database: str, template: Path) -> dict[str, str]:  # noqa: ARG002
		password = secrets.token_hex(12)
		self.admin.load(database, template / "database.sql")
		self.admin.grant(database, password)
		return {"db_name": database, "db_user": database, "db_password": password}

	def drop(self, database: str) -> None:
		self.admin.drop(database)


class SQLiteStore:
	kind = "sqlite"

	def new_site_options(self) -> list[str]:
		return ["--db-type", "sqlite"]

	def save(self, site: Path, database: str, template: Path) -> None:
		copy_sqlite(site / "db" / f"{database}.db", template / "database.sqlite")

	def load(self, site: Path, database: str, template: Path) -> dict[str, str]:
		(site / "db").mkdir(exist_ok=True)
		copy_sqlite(template / "database.sqlite", site / "db" / f"{database}.db")
		return {"db_name": database}

	def drop(self, database: str) -> None:
		pass  # the file goes with the site


def copy_sqlite(source: Path, target: Path) -> None:
	"""A consistent copy, whatever is still in a write-ahead log, over whatever others have open."""
	with sqlite3.connect(source) as reader, sqlite3.connect(target, timeout=60) as writer:
		reader.backup(writer)
	reader.close()
	writer.close()


def database_kind(bench: Path, config: dict) -> str:
	"""`DB`, else what the bench's default site is kept in."""
	if kind := os.environ.get("DB"):
		return kind
	site = bench / "sites" / str(config.get("default_site")) / "site_config.json"
	return json.loads(site.read_text()).get("db_type", "mariadb") if site.exists() else "mariadb"


def choose_store(bench: Path, config: dict) -> Store:
	return SQLiteStore() if database_kind(bench, config) == "sqlite" else MariaDBStore(require_admin(config))

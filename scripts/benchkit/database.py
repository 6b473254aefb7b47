"""The few things that a disposable site needs from MariaDB, through its own client programs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .services import ServiceError, control_mariadb, port_is_open, require_program, wait_until


@dataclass(frozen=True)
class Admin:
	"""Credentials that may create and drop databases."""

	user: str
	password: str
	host: str
	port: int

	def client(self, *arguments: str, program: tuple[str, ...] = ("mariadb", "mysql")) -> list[str]:
		path = require_program(*program, package="mariadb-client")
		return [path, f"--user={self.user}", f"--host={self.host}", f"--port={self.port}", *arguments]

	@property
	def environment(self) -> dict[str, str]:
		return os.environ | {"MYSQL_PWD": self.password}

	def sql(self, statements: str) -> str:
		command = self.client("--batch", "--skip-column-names")
		result = subprocess.run(
			command, input=statements, env=self.environment, capture_output=True, text=True
		)
		if result.returncode:
			raise ServiceError(f"MariaDB: {result.stderr.strip()}")
		return result.stdout

	def works(self) -> bool:
		try:
			self.sql("SELECT 1")
		except ServiceError:
			return False
		return True

	def dump(self, database: str, file: Path, *tables: str) -> None:
		command = self.client(
			"--single-transaction", "--quick", "--routines", "--default-character-set=utf8mb4", database, *tables,
			program=("mariadb-dump", "mysqldump"),
		)  # fmt: skip
		with file.open("wb") as out:
			subprocess.run(command, stdout=out, env=self.environment, check=True)

	def load(self, database: str, file: Path) -> None:
		"""Make `database` what the dump holds, whatever it was before."""
		self.sql(
			f"DROP DATABASE IF EXISTS `{database}`;"
			f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;"
		)
		with file.open("rb") as dump:
			subprocess.run(self.client(database), stdin=dump, env=self.environment, check=True)

	def grant(self, database: str, password: str) -> None:
		"""A user of the same name as the database, as Frappe makes one for every site."""
		for host in ("localhost", "%"):
			self.sql(
				f"CREATE OR REPLACE USER '{database}'@'{host}' IDENTIFIED BY '{password}';"
				f"GRANT ALL ON `{database}`.* TO '{database}'@'{host}';"
			)

	def drop(self, database: str) -> None:
		self.sql(
			f"DROP DATABASE IF EXISTS `{database}`;"
			f"DROP USER IF EXISTS '{database}'@'localhost'; DROP USER IF EXISTS '{database}'@'%';"
		)


def stop_mariadb(admin: Admin) -> None:
	"""Stop the server that was started for the tests. One that stays up spoils no result, so that is only said.

	Asked over SQL first: Debian's service script cannot stop a server whose root user has a password.
	"""
	try:
		admin.sql("SHUTDOWN")
	except ServiceError:
		try:
			control_mariadb("stop")
		except ServiceError as error:
			print(f"note: {error}", flush=True)
			return
	if not wait_until(lambda: not port_is_open(admin.port, admin.host), 60):
		print("note: MariaDB was told to stop and still runs", flush=True)


def database_name(site: str) -> str:
	"""At most 16 characters, as old servers want user names."""
	return "crm_test_" + hashlib.sha1(site.encode()).hexdigest()[:7]


def admin_from(config: dict) -> Admin:
	"""`DB_ROOT_USER` and `DB_ROOT_PASSWORD`, else what the bench's own configuration knows, else root/root."""
	user = os.environ.get("DB_ROOT_USER") or config.get("root_login") or "root"
	password = os.environ.get("DB_ROOT_PASSWORD") or config.get("root_password") or "root"
	host = config.get("db_host") or "127.0.0.1"
	return Admin(
		user, password, "127.0.0.1" if host == "localhost" else host, int(config.get("db_port") or 3306)
	)


def require_admin(config: dict) -> Admin:
	admin = admin_from(config)
	if not admin.works():
		raise ServiceError(
			f"MariaDB refuses {admin.user} on {admin.host}:{admin.port}. Say who may create databases: "
			"DB_ROOT_USER=... DB_ROOT_PASSWORD=... make test"
		)
	return admin


def read_config(sites: Path) -> dict:
	file = sites / "common_site_config.json"
	return json.loads(file.read_text()) if file.exists() else {}

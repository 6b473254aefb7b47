"""Find a bench and act as the user who owns it."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What a process of the bench's owner may inherit from root. Everything else (HOME, XDG_*, VIRTUAL_ENV) would
# send it to files that it cannot read.
INHERITED = ("PATH", "DB", "LANG", "TERM", "TZ", "CI", "NO_COLOR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
INHERITED_PREFIXES = (
	"LC_",
	"PIP_",
	"UV_",
	"NPM_",
	"DB_",
	"CRM_RETENTION_",
	"http",
	"HTTP",
	"no_proxy",
	"NO_PROXY",
)


class Unusable(Exception):
	"""There is a bench, but not one that this user can test on; the message says what to do."""


@dataclass(frozen=True)
class Bench:
	path: Path
	owner: pwd.struct_passwd

	@property
	def python(self) -> Path:
		return self.path / "env" / "bin" / "python"

	@property
	def sites(self) -> Path:
		return self.path / "sites"

	@property
	def as_other_user(self) -> bool:
		return os.geteuid() != self.owner.pw_uid

	def own(self, path: Path) -> None:
		"""Give `path` to the bench's owner, when root made it."""
		if self.as_other_user:
			os.chown(path, self.owner.pw_uid, self.owner.pw_gid, follow_symlinks=False)

	def environment(self, **extra: str) -> dict[str, str]:
		env = dict(os.environ)
		if self.as_other_user:
			env = {k: v for k, v in env.items() if k in INHERITED or k.startswith(INHERITED_PREFIXES)}
			env |= {"HOME": self.owner.pw_dir, "USER": self.owner.pw_name, "LOGNAME": self.owner.pw_name}
		local = f"{self.owner.pw_dir}/.local/bin"
		env["PATH"] = f"{local}:{env.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
		return env | extra

	def popen(self, command: list[str | Path], **options: Any) -> subprocess.Popen:
		"""Start a command as the bench's owner, in the bench unless `cwd` says otherwise."""
		options.setdefault("cwd", self.path)
		options.setdefault("env", self.environment())
		if self.as_other_user:
			groups = os.getgrouplist(self.owner.pw_name, self.owner.pw_gid)
			options |= {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": groups}
		return subprocess.Popen([str(part) for part in command], **options)


def places() -> list[Path]:
	"""Where to look for a bench. `FRAPPE_BENCH` is final: if nothing is there, there is no bench."""
	if named := os.environ.get("FRAPPE_BENCH"):
		return [Path(named)]
	return list(dict.fromkeys(Path(home, "frappe-bench").expanduser() for home in ("~frappe", "~")))


def searched() -> str:
	return " or ".join(map(str, places()))


def find_bench() -> Bench | None:
	for path in places():
		if is_bench(path):
			return usable(path.resolve())
	return None


def is_bench(path: Path) -> bool:
	try:
		return (path / "env/bin/python").exists() and all(
			(path / "apps" / a).is_dir() for a in ("frappe", "erpnext")
		)
	except PermissionError:
		return False


def usable(path: Path) -> Bench:
	owner = pwd.getpwuid((path / "sites").stat().st_uid)
	if os.geteuid() not in (0, owner.pw_uid):
		raise Unusable(f"the bench in {path} belongs to {owner.pw_name}: run as that user or as root")
	if owner.pw_uid == 0:
		raise Unusable(f"the bench in {path} belongs to root, and Frappe refuses to run as root")
	return Bench(path, owner)

"""Find benches and act as the user who owns one, on this machine or behind a command.

A bench is named by its folder, or by a command and the folder that the command sees, with `::` between them:
`docker exec -i frappe_backend::/home/frappe/frappe-bench`. Such a command runs what is put behind it as the bench's owner.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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
OF_THIS_MACHINE = ("PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # means nothing in another root


class Unusable(Exception):
	"""There is a bench, but not one that this user can test on; the message says what to do."""


@dataclass(frozen=True)
class Bench:
	path: Path  # as its own commands see it
	owner: pwd.struct_passwd | None  # None behind a command, which sees to that
	prefix: tuple[str, ...] = ()

	def __str__(self) -> str:
		return f"{shlex.join(self.prefix)}::{self.path}" if self.prefix else str(self.path)

	@property
	def python(self) -> Path:
		return self.path / "env" / "bin" / "python"

	@property
	def sites(self) -> Path:
		return self.path / "sites"

	@cached_property
	def frappe_version(self) -> str:
		"""Such as 15.101.1; empty if its source does not say."""
		source = self.run(["cat", self.path / "apps/frappe/frappe/__init__.py"]).stdout
		found = re.search(rb"^__version__ = ['\"]([^'\"]+)", source, re.MULTILINE)
		return found[1].decode() if found else ""

	@property
	def as_other_user(self) -> bool:
		return self.owner is not None and os.geteuid() != self.owner.pw_uid

	def own(self, path: Path) -> None:
		"""Give `path` to the bench's owner, when root made it."""
		if self.as_other_user:
			os.chown(path, self.owner.pw_uid, self.owner.pw_gid, follow_symlinks=False)

	def environment(self, **extra: str) -> dict[str, str]:
		env = dict(os.environ)
		if self.owner is None or self.as_other_user:
			env = {k: v for k, v in env.items() if k in INHERITED or k.startswith(INHERITED_PREFIXES)}
		if self.owner is None:
			return {k: v for k, v in env.items() if k not in OF_THIS_MACHINE} | extra
		if self.as_other_user:
			env |= {"HOME": self.owner.pw_dir, "USER": self.owner.pw_name, "LOGNAME": self.owner.pw_name}
		local = f"{self.owner.pw_dir}/.local/bin"
		env["PATH"] = f"{local}:{env.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
		return env | extra

	def popen(self, command: list[str | Path], **options: Any) -> subprocess.Popen:
		"""Start a command as the bench's owner, in the bench unless `cwd` says otherwise."""
		folder, environment = options.pop("cwd", self.path), options.pop("env", None) or self.environment()
		words = [str(part) for part in command]
		if self.prefix:
			settings = [f"{name}={value}" for name, value in environment.items()]
			return subprocess.Popen([*self.prefix, "env", "-C", str(folder), *settings, *words], **options)
		if self.as_other_user:
			groups = os.getgrouplist(self.owner.pw_name, self.owner.pw_gid)
			options |= {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": groups}
		return subprocess.Popen(words, cwd=folder, env=environment, **options)

	def run(self, command: list[str | Path], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
		"""Run a command as the bench's owner with `given` as its input, and return what it printed."""
		pipe = subprocess.PIPE
		process = self.popen(command, cwd="/", stdin=pipe, stdout=pipe, stderr=pipe)
		out, errors = process.communicate(given)
		return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def places() -> list[str]:
	"""Where to look for benches. `FRAPPE_BENCHES` (with commas between) or `FRAPPE_BENCH` is final."""
	if named := os.environ.get("FRAPPE_BENCHES"):
		return [name.strip() for name in named.split(",") if name.strip()]
	if named := os.environ.get("FRAPPE_BENCH"):
		return [named]
	return list(dict.fromkeys(os.path.expanduser(f"{home}/frappe-bench") for home in ("~frappe", "~")))


def searched() -> str:
	return " or ".join(places())


def find_bench() -> Bench | None:
	"""The first bench that there is."""
	return next((bench for place in places() if (bench := bench_at(place))), None)


def find_benches() -> list[Bench]:
	"""Those that are named, or one of each version of Frappe beside the usual places."""
	if os.environ.get("FRAPPE_BENCHES") or os.environ.get("FRAPPE_BENCH"):
		return [bench for place in places() if (bench := named_bench(place))]
	first = find_bench()
	found = {major(first): first} if first else {}
	for place in neighbours():
		try:
			if bench := bench_at(place):
				found.setdefault(major(bench), bench)
		except Unusable:
			continue  # somebody else's, and nobody asked for it
	return list(found.values())


def named_bench(place: str) -> Bench | None:
	bench = bench_at(place)
	if bench is None and len(places()) > 1:
		raise Unusable(f"there is no bench in {place}")
	return bench


def neighbours() -> Iterator[str]:
	"""`frappe-bench-16`, `frappe-bench-develop` and the like."""
	for place in map(Path, places()):
		try:
			yield from sorted(str(path) for path in place.parent.glob(f"{place.name}?*"))
		except PermissionError:
			continue


def major(bench: Bench) -> str:
	return bench.frappe_version.partition(".")[0]


def bench_at(place: str) -> Bench | None:
	prefix, command, path = place.rpartition("::")
	if command:
		bench = Bench(Path(path), None, tuple(shlex.split(prefix)))
		return bench if bench.run(["test", "-x", bench.python]).returncode == 0 else None
	folder = Path(place).expanduser()
	try:
		return usable(folder.resolve()) if is_bench(folder) else None
	except PermissionError:
		return None


def is_bench(path: Path) -> bool:
	return (path / "env/bin/python").exists() and all(
		(path / "apps" / a).is_dir() for a in ("frappe", "erpnext")
	)


def usable(path: Path) -> Bench:
	owner = pwd.getpwuid((path / "sites").stat().st_uid)
	if os.geteuid() not in (0, owner.pw_uid):
		raise Unusable(f"the bench in {path} belongs to {owner.pw_name}: run as that user or as root")
	if owner.pw_uid == 0:
		raise Unusable(f"the bench in {path} belongs to root, and Frappe refuses to run as root")
	return Bench(path, owner)

"""MariaDB, Redis and other processes: start what is down, stop only what was started here."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener


class ServiceError(Exception):
	"""A service is down and could not be started; the message says what to do."""


def exit_on_first_signal() -> None:
	"""Turn Ctrl-C and a polite kill into SystemExit once, and ignore further ones: cleaning up is not interrupted."""

	def leave(number: int, _: object) -> None:
		for each in (signal.SIGINT, signal.SIGTERM):
			signal.signal(each, signal.SIG_IGN)
		raise SystemExit(128 + number)

	for each in (signal.SIGINT, signal.SIGTERM):
		signal.signal(each, leave)


def end_with_parent() -> None:
	"""Ask Linux for a polite kill when the parent dies without having been able to send one."""
	with contextlib.suppress(AttributeError, OSError):
		ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def wait_until(ready: Callable[[], bool], seconds: float) -> bool:
	deadline = time.monotonic() + seconds
	while not ready():
		if time.monotonic() > deadline:
			return False
		time.sleep(0.2)
	return True


def port_is_open(port: int, host: str = "127.0.0.1") -> bool:
	with socket.socket() as probe:
		probe.settimeout(1)
		return probe.connect_ex((host, port)) == 0


def http_status(port: int, path: str, site: str | None = None, form: dict[str, str] | None = None) -> int:
	"""Status of a request to this machine, never through a proxy; 0 when there is no answer.

	The site goes into the Host header, because not every resolver knows *.localhost.
	"""
	body = urlencode(form).encode() if form else None
	headers = {"Host": f"{site}:{port}"} if site else {}
	request = Request(f"http://127.0.0.1:{port}{path}", body, headers)
	try:
		return build_opener(ProxyHandler({})).open(request, timeout=30).status
	except HTTPError as error:
		return error.code
	except OSError:
		return 0


def free_port() -> int:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def ensure_mariadb(host: str, port: int) -> bool:
	"""Start MariaDB if nothing answers. True if it was started here, so that the caller can stop it again."""
	if port_is_open(port, host):
		return False
	if host not in ("127.0.0.1", "localhost"):
		raise ServiceError(f"MariaDB on {host}:{port} does not answer, and it is not this machine's to start")
	print("MariaDB is down: starting it", flush=True)
	control_mariadb("start")
	if not wait_until(lambda: port_is_open(port, host), 60):
		raise ServiceError(
			"MariaDB was started but does not answer on port 3306; see /var/log/mysql or journalctl -u mariadb"
		)
	return True


def control_mariadb(action: str) -> None:
	"""`action`: start or stop."""
	sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
	result = subprocess.run([*sudo, "service", "mariadb", action], capture_output=True, text=True)
	if result.returncode:
		reason = (result.stderr or result.stdout).strip()
		raise ServiceError(
			f"could not {action} MariaDB ({reason}); do it by hand: sudo service mariadb {action}"
		)


def require_program(*names: str, package: str) -> str:
	"""The first of `names` on the PATH, or an error that names the Debian package."""
	for name in names:
		if found := shutil.which(name):
			return found
	raise ServiceError(f"{names[0]} is missing: sudo apt-get install {package}")


def redis_command(port: int, directory: Path) -> list[str]:
	program = require_program("redis-server", package="redis-server")
	return [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]


def stop_marked(name: str, value: str) -> None:
	"""Kill every process of this user whose environment holds name=value: whatever a run started and left behind."""
	mark = f"{name}={value}".encode()
	for entry in Path("/proc").glob("[0-9]*/environ"):
		pid = int(entry.parent.name)
		try:
			if pid != os.getpid() and mark in entry.read_bytes().split(b"\0"):
				os.kill(pid, signal.SIGKILL)
		except OSError:
			continue  # gone by now, or another user's

"""Start the site of the bench in the background and say where it is: desk.py start|stop.

Starts what is down (MariaDB, Redis, web, worker, scheduler, realtime) and remembers it, so that `stop` ends that and
nothing else. Logs are in the bench's logs/, named desk-*.log.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from benchkit.bench import Bench, Unusable, find_bench, searched
from benchkit.database import admin_from, read_config
from benchkit.services import ServiceError, ensure_mariadb, http_status, port_is_open, wait_until

PASSWORD = os.environ.get("ADMIN_PASSWORD", "admin")


def main() -> int:
	action = sys.argv[1] if len(sys.argv) > 1 else "start"
	try:
		bench = find_bench()
		if bench is None:
			print(f"error: no bench in {searched()}: `make bench` prepares one", file=sys.stderr)
			return 1
		return stop(bench) if action == "stop" else start(bench)
	except (Unusable, ServiceError) as error:
		print(f"error: {error}", file=sys.stderr)
		return 1


def start(bench: Bench) -> int:
	config = read_config(bench.sites)
	site = os.environ.get("SITE") or config.get("default_site") or only_site(bench)
	if not site or not (bench.sites / site).is_dir():
		print(
			f"error: {bench.path} has no site{f' {site}' if site else ''}: `make bench` makes one",
			file=sys.stderr,
		)
		return 1
	if site_config(bench, site).get("db_type", "mariadb") == "mariadb":
		admin = admin_from(config)
		ensure_mariadb(admin.host, admin.port)
	for name, command, port in wanted(config, site):
		if port is None or not port_is_open(port):
			launch(bench, name, command)
			if name.startswith("redis") and not wait_until(lambda port=port: port_is_open(port), 20):
				raise ServiceError(
					f"Redis does not answer on port {port}; see {bench.path}/logs/desk-{name}.log"
				)
	port = int(config.get("webserver_port") or 8000)
	url = f"http://{site}:{port}"
	if not wait_until(lambda: http_status(port, "/api/method/ping", site) == 200, 90):
		raise ServiceError(f"the site does not answer on port {port}; see {bench.path}/logs/desk-web.log")
	login = {"usr": "Administrator", "pwd": PASSWORD}
	print_how_to_get_in(url, port, http_status(port, "/api/method/login", site, login) == 200)
	return 0


def wanted(config: dict, site: str) -> Iterator[tuple[str, list[str], int | None]]:
	"""Name, command and the port that shows it running; a process without a port is looked up by its pid file."""
	for kind in ("cache", "queue"):
		port = int(str(config.get(f"redis_{kind}", "")).rpartition(":")[2] or 0)
		yield f"redis-{kind}", ["redis-server", f"config/redis_{kind}.conf"], port
	frappe = ["env/bin/python", "-m", "frappe.utils.bench_helper", "frappe"]
	web = int(config.get("webserver_port") or 8000)
	yield "web", [*frappe, "--site", site, "serve", "--port", str(web), "--noreload"], web
	yield "worker", [*frappe, "worker", "--queue", "long,default,short"], None
	yield "schedule", [*frappe, "schedule"], None
	yield "realtime", ["node", "apps/frappe/socketio.js"], int(config.get("socketio_port") or 9000)


def launch(bench: Bench, name: str, command: list[str]) -> None:
	pid_file = bench.path / "config/pids" / f"desk-{name}.pid"
	if pid_of(pid_file):
		return
	if command[0] == "env/bin/python":  # Frappe's commands run in the sites folder
		folder, command = bench.sites, [str(bench.python), *command[1:]]
	else:
		folder = bench.path
	if not shutil.which(command[0]):
		print(f"note: {command[0]} is missing, so {name} is not started", file=sys.stderr)
		return
	log = bench.path / "logs" / f"desk-{name}.log"
	environment = bench.environment(DEV_SERVER="1", FRAPPE_BENCH_ROOT=str(bench.path))
	with log.open("ab") as out, open(os.devnull) as nothing:
		process = bench.popen(
			command,
			cwd=folder,
			env=environment,
			stdin=nothing,
			stdout=out,
			stderr=out,
			start_new_session=True,
		)
	pid_file.parent.mkdir(parents=True, exist_ok=True)
	pid_file.write_text(str(process.pid))
	for path in (log, pid_file):
		bench.own(path)
	print(f"Started {name}", flush=True)


def pid_of(pid_file: Path) -> int | None:
	"""The running process that the file names, unless its number has gone to another program."""
	with contextlib.suppress(OSError, ValueError):
		pid = int(pid_file.read_text())
		command = Path(f"/proc/{pid}/cmdline").read_bytes()
		if any(part in command for part in (b"redis-server", b"bench_helper", b"socketio.js")):
			return pid
	return None


def stop(bench: Bench) -> int:
	"""End what `start` started; MariaDB is the machine's and stays."""
	# Redis last: the others depend on it
	for pid_file in sorted(
		(bench.path / "config/pids").glob("desk-*.pid"), key=lambda file: "redis" in file.name
	):
		if pid := pid_of(pid_file):
			os.killpg(pid, signal.SIGTERM)
			wait_until(lambda file=pid_file: pid_of(file) is None, 20)
			print(f"Stopped {pid_file.stem.removeprefix('desk-')}", flush=True)
		pid_file.unlink()
	return 0


def only_site(bench: Bench) -> str | None:
	sites = [path.parent.name for path in bench.sites.glob("*/site_config.json")]
	return sites[0] if len(sites) == 1 else None


def site_config(bench: Bench, site: str) -> dict:
	return json.loads((bench.sites / site / "site_config.json").read_text())


def print_how_to_get_in(url: str, port: int, password_works: bool) -> None:
	password = (
		PASSWORD if password_works else "the password that you chose (or set one: bench set-admin-password)"
	)
	print(f"\nAddress   {url}/app\n          http://127.0.0.1:{port}/app where *.localhost does not resolve")
	print(f"Login     Administrator / {password}")
	print("Stop      make desk-stop")


if __name__ == "__main__":
	sys.exit(main())

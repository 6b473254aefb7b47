"""A bench of its own for one test run, in seconds, beside nothing that anybody else uses.

It borrows the real bench's environment and its Frappe and ERPNext by links, and has everything else to itself:
sites, configuration, Redis, and a copy of this checkout as the app. So a run neither sees nor disturbs the app
that is linked into the real bench, its sites, or its workers, and there is nothing to put back afterwards.
Frappe supports this: `FRAPPE_BENCH_ROOT` names the bench to every part of it, Python and Node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .services import free_port, port_is_open, redis_command, stop_marked, wait_until

APP = "crm_retention"
RUN_MARK = "CRM_RETENTION_RUN"
CONFIG_KEPT = ("db_host", "db_port", "db_socket", "rds_db")


@dataclass
class Workbench:
	path: Path
	bench: Path
	apps: list[str] = field(default_factory=lambda: ["frappe", "erpnext"])
	processes: list[subprocess.Popen] = field(default_factory=list)

	@property
	def sites(self) -> Path:
		return self.path / "sites"

	@property
	def python(self) -> Path:
		"""Named as it is in the real bench, so that what it compiles is found again by the next run."""
		return self.bench / "env" / "bin" / "python"

	@property
	def bytecode(self) -> Path:
		"""Where Python keeps what it compiled. A bench made with uv has none, and each process would compile ERPNext."""
		return self.bench / "crm-retention-tests" / "bytecode"

	def environment(self) -> dict[str, str]:
		kept = {k: v for k, v in os.environ.items() if not k.startswith(("FRAPPE_", "PYTHON", "VIRTUAL_ENV"))}
		# in front of the environment's own paths, where another checkout of the app may be linked
		return kept | {
			"FRAPPE_BENCH_ROOT": str(self.path),
			"FRAPPE_BENCH": str(self.path),
			"PYTHONPATH": str(self.path / "apps" / APP),
			"PYTHONPYCACHEPREFIX": str(self.bytecode),
			RUN_MARK: self.path.name,
		}

	def build(self, config: dict) -> None:
		for folder in ("apps", "sites/assets", "logs", "config/pids", "redis/cache", "redis/queue"):
			(self.path / folder).mkdir(parents=True, exist_ok=True)
		link(self.path / "env", self.bench / "env")
		for app in ("frappe", "erpnext"):
			link(self.path / "apps" / app, (self.bench / "apps" / app).resolve())
		self.write_config(config)
		self.set_apps(self.apps)
		self.link_assets()

	def write_config(self, config: dict) -> None:
		cache, queue = free_port(), free_port()
		own = {
			"redis_cache": f"redis://127.0.0.1:{cache}",
			"redis_queue": f"redis://127.0.0.1:{queue}",
			"redis_socketio": f"redis://127.0.0.1:{cache}",
			"socketio_port": free_port(),
			"webserver_port": free_port(),
			"serve_default_site": True,
			"background_workers": 1,
			"mute_emails": 1,
			"pause_scheduler": 1,
		}
		self.save_config({k: v for k, v in config.items() if k in CONFIG_KEPT} | own)

	@property
	def config(self) -> dict:
		return json.loads((self.sites / "common_site_config.json").read_text())

	def save_config(self, config: dict) -> None:
		(self.sites / "common_site_config.json").write_text(json.dumps(config, indent=1))

	def set_apps(self, apps: list[str]) -> None:
		self.apps = apps
		(self.sites / "apps.txt").write_text("\n".join(apps) + "\n")

	def link_assets(self) -> None:
		assets = self.sites / "assets"
		for app in ("frappe", "erpnext"):
			link(assets / app, (self.bench / "apps" / app / app / "public").resolve())
		for name in ("assets.json", "assets-rtl.json"):
			if (built := self.bench / "sites/assets" / name).exists():
				shutil.copy(built, assets / name)
		if (locale := self.bench / "sites/assets/locale").exists():
			shutil.copytree(locale, assets / "locale", dirs_exist_ok=True)

	def build_app_assets(self) -> None:
		"""What `bench build --app` does for the app, without touching the other apps' assets."""
		package = self.path / "apps" / APP / APP
		if (package / "public").is_dir():
			link(self.sites / "assets" / APP, package / "public")
		if any((package / "public").rglob("*.bundle.*")):
			frappe = (self.bench / "apps/frappe").resolve()
			self.call(["node", "esbuild", "--production", "--apps", APP], cwd=frappe)
		if any((package / "locale").glob("*.po")):
			self.frappe("compile-po-to-mo", "--app", APP, "--force")

	def call(self, command: list, cwd: Path | None = None) -> None:
		"""Run a command to its end, quietly; show what it printed when it fails."""
		command = [str(part) for part in command]
		result = subprocess.run(
			command,
			cwd=cwd or self.sites,
			env=self.environment(),
			stdin=subprocess.DEVNULL,
			capture_output=True,
			text=True,
		)
		if result.returncode:
			sys.stdout.write(result.stdout + result.stderr)
			raise subprocess.CalledProcessError(result.returncode, command)

	def frappe(self, *arguments: str) -> None:
		"""A bench command, as `bench ...` would run it."""
		self.call([self.python, "-m", "frappe.utils.bench_helper", "frappe", *arguments])

	def start_redis(self) -> None:
		for kind in ("cache", "queue"):
			port = int(self.config[f"redis_{kind}"].rpartition(":")[2])
			with (self.path / "logs" / f"redis_{kind}.log").open("wb") as log:
				process = subprocess.Popen(
					redis_command(port, self.path / "redis" / kind),
					env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
				)  # fmt: skip
			self.processes.append(process)
			if not wait_until(lambda port=port: port_is_open(port), 20):
				raise RuntimeError(f"Redis does not answer on port {port}; see {log.name}")

	def stop(self) -> None:
		for process in self.processes:
			process.terminate()
			process.wait(20)
		stop_marked(RUN_MARK, self.path.name)
		shutil.rmtree(self.bytecode / self.path.relative_to("/"), ignore_errors=True)


def link(name: Path, target: Path) -> None:
	name.unlink(missing_ok=True)
	name.symlink_to(target)

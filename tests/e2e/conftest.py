"""A real browser on a real server: web, worker and realtime on free ports, for the disposable site.

CRM_RETENTION_SCREENSHOTS names the folder for screenshots; CHROMIUM another browser than the one on the PATH.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import frappe
import pytest
from benchkit.browser import find_browser
from benchkit.disposable import ADMIN_PASSWORD
from benchkit.services import http_status, wait_until
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.e2e.pages import PATIENCE
from tests.support.frappe_site import Site, site

__all__ = ["site"]

# A dialog that is still fading in does not close when it is told to: here none fades.
STILL = {"reduced_motion": "reduce"}
DESKTOP = {"viewport": {"width": 1280, "height": 900}, **STILL}
PHONE = {
	**STILL,
	"viewport": {"width": 390, "height": 844},
	"has_touch": True,
	"is_mobile": True,
	"device_scale_factor": 2,
}
# what the desk keeps of where one was: the next test begins anew
FORGET = "() => { localStorage.clear(); sessionStorage.clear(); }"
QUIET_BROWSER = [
	"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
	for item in items:
		item.add_marker(pytest.mark.commits)


@pytest.fixture(scope="session")
def base_url(site: Site) -> Iterator[str]:
	"""The address of the running site. 127.0.0.1, because not every resolver knows *.localhost."""
	port, logs = frappe.conf.webserver_port, site.bench / "logs"
	realtime = ["node", str(site.bench / "apps/frappe/socketio.js")]
	with (
		background(
			site.bench_command("serve", "--port", str(port), "--noreload"), site, logs / "e2e-web.log"
		),
		background(
			site.bench_command("worker", "--queue", "long,default,short"), site, logs / "e2e-worker.log"
		),
		background(realtime, site, logs / "e2e-realtime.log"),
	):
		url = f"http://127.0.0.1:{port}"
		if not wait_until(lambda: http_status(port, "/api/method/ping") == 200, 60):
			pytest.fail("the web server does not answer:\n" + (logs / "e2e-web.log").read_text()[-3000:])
		yield url


@contextmanager
def background(command: list[str], site: Site, log: Path) -> Iterator[None]:
	# DEV_SERVER makes the desk look for realtime on its own port, where no nginx joins the two
	environment = os.environ | {"DEV_SERVER": "1"}
	with log.open("wb") as out:
		process = subprocess.Popen(
			command, cwd=site.sites_path, env=environment, start_new_session=True,
			stdin=subprocess.DEVNULL, stdout=out, stderr=out,
		)  # fmt: skip
		try:
			yield
		finally:
			os.killpg(process.pid, signal.SIGTERM)
			process.wait(30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
	expect.set_options(timeout=PATIENCE * 1000)
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(executable_path=find_browser(), args=QUIET_BROWSER)
		yield browser
		browser.close()


@pytest.fixture(scope="module", autouse=True)
def leave_site_as_it_was(site: Site) -> Iterator[None]:
	"""What a browser does is committed: each module gives the site back as it found it."""
	frappe.db.rollback()
	yield
	site.restore()


@pytest.fixture(autouse=True)
def fresh_transaction(site: Site) -> None:
	"""Read what the server has written since."""
	frappe.db.rollback()


@dataclass
class Sessions:
	"""Who is logged in on which screen. What the browser has loaded once it keeps, as at people's desks."""

	browser: Browser
	base_url: str
	opened: dict[tuple[int, str, str], BrowserContext] = field(default_factory=dict)
	pages: dict[BrowserContext, Page] = field(default_factory=dict)

	def get(self, screen: dict, user: str, password: str) -> BrowserContext:
		"""The session of a user on a screen; logged in, whatever became of an earlier login."""
		key = (id(screen), user, password)
		if key not in self.opened:
			self.opened[key] = self.browser.new_context(base_url=self.base_url, **screen)
			self.opened[key].set_default_timeout(PATIENCE * 1000)
		context = self.opened[key]
		asked = context.request.get("/api/method/frappe.auth.get_logged_user")
		if not asked.ok or asked.json().get("message") != user:
			answer = context.request.post("/api/method/login", form={"usr": user, "pwd": password})
			assert answer.ok, f"{user} cannot log in: {answer.status} {answer.text()[:300]}"
		return context

	def take_page(self, context: BrowserContext) -> Page:
		"""The page that the test before left, or a new one."""
		page = self.pages.pop(context, None)
		return page or context.new_page()

	def leave_page(self, page: Page) -> None:
		"""For the next test to go on in; a second page of one session is closed."""
		if page.context in self.pages:
			page.close()
		else:
			self.pages[page.context] = page


@pytest.fixture(scope="module")
def sessions(browser: Browser, base_url: str) -> Iterator[Sessions]:
	"""Sessions of the module's users."""
	sessions = Sessions(browser, base_url)
	yield sessions
	for context in sessions.opened.values():
		context.close()


@pytest.fixture
def log_in(sessions: Sessions, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
	"""Call it with a screen (DESKTOP, PHONE), and a user and password for others than Administrator, for a page.

	An uncaught error in a page fails the test that opened it; when a test fails, its pages are photographed. Tests of a module
	marked ``one_desk`` go on in the pages that the tests before have left.
	"""
	opened: list[tuple[Page, list[str]]] = []
	goes_on = request.node.get_closest_marker("one_desk")

	def open_page(screen: dict, user: str = "Administrator", password: str = ADMIN_PASSWORD) -> Page:
		context, errors = sessions.get(screen, user, password), []
		page = sessions.take_page(context) if goes_on else context.new_page()
		page.on("pageerror", lambda error: errors.append(error.stack or error.message))
		page.on("console", lambda message: message.type == "error" and print(f"console: {message.text}"))
		opened.append((page, errors))
		return page

	yield open_page
	failed = request.node.stash.get(FAILED, False)
	for number, (page, _errors) in enumerate(opened):
		if failed:
			page.screenshot(path=screenshot_file(request, f"failed-{number}"))
		with contextlib.suppress(Error):  # a page that was never opened keeps nothing
			page.evaluate(FORGET)
		if goes_on and not failed:
			sessions.leave_page(page)
		else:
			page.close()
	errors = [error for _page, found in opened for error in found]
	if errors:
		pytest.fail("uncaught errors in the browser:\n" + "\n".join(errors))


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
	report = yield
	if report.when == "call":
		item.stash[FAILED] = report.failed
	return report


@pytest.fixture
def desktop(log_in: Callable[..., Page]) -> Page:
	"""A page of Administrator's on a desktop screen."""
	return log_in(DESKTOP)


@pytest.fixture
def phone(log_in: Callable[..., Page]) -> Page:
	"""A page of Administrator's on a phone."""
	return log_in(PHONE)


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
	"""Photograph a page: screenshot(page, "what it shows")."""
	return lambda page, name: page.screenshot(path=screenshot_file(request, name)) and None


def screenshot_file(request: pytest.FixtureRequest, name: str) -> Path:
	folder = Path(os.environ.get("CRM_RETENTION_SCREENSHOTS", "screenshots"))
	folder.mkdir(parents=True, exist_ok=True)
	return folder / (re.sub(r"\W+", "-", f"{request.node.name}-{name}") + ".png")

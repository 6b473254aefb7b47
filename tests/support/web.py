"""A real web server for the disposable site, and clients that know a token and no more."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
import pytest
import requests
from benchkit.services import free_port, http_status, wait_until

from tests.support.frappe_site import Site

SECONDS = 60


@contextmanager
def serving(site: Site) -> Iterator[str]:
	"""The site's web server on a port of its own; its address."""
	port, quiet = free_port(), subprocess.DEVNULL
	process = site.start("serve", "--port", str(port), "--noreload", stdout=quiet, stderr=quiet)
	try:
		if not wait_until(lambda: http_status(port, "/api/method/ping") == 200, SECONDS):
			pytest.fail("the web server does not answer")
		yield f"http://127.0.0.1:{port}"
	finally:
		os.killpg(process.pid, signal.SIGTERM)
		process.wait(30)


class Client:
	"""Somebody with a token; the user is committed with it by whoever makes the client."""

	def __init__(self, url: str, user: str | None) -> None:
		self.url, self.session = url, requests.Session()
		self.session.headers["Accept"] = "application/json"
		if user:
			self.session.headers["Authorization"] = f"token {give_token(user)}"

	def call(self, method: str, **values: Any) -> requests.Response:
		"""POST to a whitelisted method by its dotted path."""
		return self.send("POST", f"/api/method/{method}", values)

	def send(self, verb: str, path: str, values: Any = None, **options: Any) -> requests.Response:
		"""A request with ``values`` as JSON, answered within a minute."""
		return self.session.request(verb, self.url + path, json=values, timeout=SECONDS, **options)


def give_token(user: str) -> str:
	"""A key and secret with which requests are the user's."""
	doc = frappe.get_doc("User", user)
	doc.api_key, doc.api_secret = f"key-of-{user}", f"secret-of-{user}"
	doc.save(ignore_permissions=True)
	return f"{doc.api_key}:secret-of-{user}"

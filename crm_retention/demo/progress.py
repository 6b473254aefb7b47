"""How the demo tells what it does, and keeps the site from telling others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import frappe


@contextmanager
def quietly() -> Iterator[None]:
	"""No mails go out, and nobody is told."""
	before = frappe.flags.mute_emails, frappe.flags.mute_messages
	frappe.flags.mute_emails = frappe.flags.mute_messages = True
	try:
		yield
	finally:
		frappe.flags.mute_emails, frappe.flags.mute_messages = before


@contextmanager
def said(what: str) -> Iterator[None]:
	"""Say what is being done and how long it took."""
	click.echo(f"{what} ... ", nl=False)
	begun = time.perf_counter()
	try:
		yield
	except BaseException:
		click.echo("failed")
		raise
	click.echo(f"{time.perf_counter() - begun:.1f} s")

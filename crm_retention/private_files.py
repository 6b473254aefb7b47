"""Private files: a row of File gives its maker the file that it names, so nobody makes one of a file that they may not read."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.utils import cstr

from crm_retention import compat
from crm_retention.permissions import unsaid

if TYPE_CHECKING:
	from frappe.model.document import Document

PRIVATE = "/private/files/"


def note_what_was_sent(doc: Document, ptype: str | None = None, user: str | None = None) -> bool | None:  # noqa: ARG001
	"""No opinion on a permission, but a look at a new file before Frappe reads its content and decides on its address.

	Whoever sends a content and no address has the file; where the same is stored already, Frappe answers with the
	address of that one.
	"""
	if ptype == "create":
		doc.flags.uploaded = bool(doc.get("content")) and not doc.get("file_url")
	return compat.NO_OPINION


def validate(doc: Document, _method: str | None = None) -> None:
	"""Raises PermissionError for the address of a private file that the user may not read.

	What the server does by itself, and the file that Frappe moves when it becomes private or public, are its own.
	"""
	before = doc.get_doc_before_save()
	if doc.is_folder or (before and get_address(before) == get_address(doc)):
		return
	if doc.flags.ignore_permissions or doc.flags.uploaded or doc.flags.original_path:
		return
	if frappe.session.user != "Administrator" and not may_name(doc):
		message = _("{0}: there is no such file, or you may not see it.")
		frappe.throw(message.format(_(doc.meta.get_label("file_url"))), frappe.PermissionError)


def get_address(doc: Document) -> str:
	"""Where Frappe finds a file: by its address, or by its name alone."""
	return cstr(doc.file_url) or (PRIVATE if doc.is_private else "/files/") + cstr(doc.file_name)


def may_name(doc: Document) -> bool:
	"""Whether the user may read the file of an address. Roundabout addresses of private files are none."""
	url = get_address(doc)
	path = posixpath.normpath(url)
	if not path.startswith("/private/"):
		return True
	others = frappe.get_all("File", {"file_url": path, "name": ("!=", cstr(doc.name))}, pluck="name", limit=0)
	return path == url and (not others or any(may_read(name) for name in others))


def may_read(name: str) -> bool:
	"""Whether the user may read a file."""
	with unsaid():
		return bool(frappe.has_permission("File", "read", doc=frappe.get_doc("File", name)))

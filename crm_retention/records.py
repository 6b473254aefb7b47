"""What holds for every record that has a party, whoever writes it and through whatever interface."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.model import attachment_fieldtypes
from frappe.utils import cstr

from crm_retention.documents import is_posted, throw_field
from crm_retention.parties import PARTY_TYPES
from crm_retention.permissions import get_stored

if TYPE_CHECKING:
	from frappe.model.document import Document

# every DocType of the app with party_type and party
RECORDS = (
	"Contact Preference",
	"Contact Stop",
	"Interaction Log",
	"Plan Enrollment",
	"Retention Profile",
	"Tier Change",
	"Touchpoint",
)
# no person enters them, an administrator neither: they say what the app found and did
MADE_BY_APP = ("Contact Stop", "Plan Enrollment", "Retention Profile", "Tier Change")
SCHEMES = ("http://", "https://")
FILES = ("/files/", "/private/files/")
RUNS = re.compile(r"(javascript|vbscript):|data:\w+/", re.IGNORECASE)
PASSED_OVER = re.compile(r"[\x00-\x20]+")  # by browsers, within a scheme too


def before_insert(doc: Document, _method: str | None = None) -> None:
	"""A record of a party is new in every respect, and some are the app's alone."""
	if doc.meta.has_field("party_deleted"):
		doc.party_deleted = 0
	if doc.doctype in MADE_BY_APP:
		validate_made_by_app(doc)


def before_validate(doc: Document, _method: str | None = None) -> None:
	"""Its party is one, and stays."""
	validate_party(doc)
	validate_same_party(doc)


def validate(doc: Document, _method: str | None = None) -> None:
	"""It is of a kind of party; what it hands out is the user's to give, and runs nothing."""
	validate_party_type(doc)
	validate_attachments(doc)
	validate_links(doc)


def before_rename(doc: Document, _method: str, _old: str, _new: str, _merge: bool = False) -> None:
	"""Names of records are keys, and merging two would lose one; a profile follows its customer."""
	if doc.doctype != "Retention Profile":
		frappe.throw(_("{0}: its name is a key and stays as it is.").format(_(doc.doctype)))


def validate_share(share: Document, _method: str | None = None) -> None:
	"""A share of one record would outlast the permission on its party. Raises ValidationError."""
	if share.share_doctype in RECORDS:
		message = _("{0}: seen by whoever may read its customer or lead. Share that one instead.")
		frappe.throw(message.format(_(share.share_doctype)))


def validate_made_by_app(doc: Document, _method: str | None = None) -> None:
	"""Raises PermissionError for what was posted or imported; for a change of tier, without exception.

	Flags of a document cannot be sent. A web form ignores permissions for whoever fills it in.
	"""
	trusted = not is_posted() or (doc.flags.ignore_permissions and not frappe.flags.in_web_form)
	if not (doc.flags.by_app or (trusted and doc.doctype != "Tier Change")):
		message = _("{0}: made by the app alone.")
		frappe.throw(message.format(_(doc.doctype)), frappe.PermissionError)


def validate_party(doc: Document) -> None:
	"""Raises ValidationError for what is no name: Frappe would look for it as a filter or a number."""
	if not isinstance(doc.party, str) or not doc.party.strip():
		throw_field(doc, "party", _("this is no name."))


def validate_party_type(doc: Document) -> None:
	"""Raises ValidationError for what is no kind of party."""
	if doc.party_type not in PARTY_TYPES:
		throw_field(doc, "party_type", _("{0} is neither a customer nor a lead.").format(_(doc.party_type)))


def validate_same_party(doc: Document) -> None:
	"""A record stays with its party: only renaming and merging the party itself moves it."""
	stored = get_stored(doc)
	for field, before in zip(("party_type", "party"), stored or (), strict=False):
		if doc.get(field) != before:
			message = _("cannot be changed; make a new record instead.")
			throw_field(doc, field, message, frappe.CannotChangeConstantError)


def validate_attachments(doc: Document) -> None:
	"""Raises ValidationError for a link that is none, PermissionError for a file that is not the user's to give."""
	for df in doc.meta.get("fields", {"fieldtype": ("in", attachment_fieldtypes)}):
		url = doc.get(df.fieldname)
		if url and url not in get_held(doc, df.fieldname):
			validate_attachment(doc, df.fieldname, url)


def validate_links(doc: Document) -> None:
	"""Raises ValidationError for a text that a client may take for a link, and that would run something."""
	for df in doc.meta.get("fields", {"fieldtype": "Data", "read_only": 0}):
		if RUNS.match(PASSED_OVER.sub("", cstr(doc.get(df.fieldname)))):
			throw_field(doc, df.fieldname, _("this is neither a place nor a link to the web."))


def get_held(doc: Document, field: str) -> list[str]:
	"""What the record, or the row that it corrects, has in a field already."""
	names = [name for name in (doc.name, doc.get("supersedes")) if isinstance(name, str)]
	return frappe.get_all(doc.doctype, {"name": ("in", names or [""])}, pluck=field)


def validate_attachment(doc: Document, field: str, url: str) -> None:
	"""A link to the web, or a file of this site: a public one, or a private one that the user uploaded.

	Frappe makes an attached file readable for whoever reads the record. To read a private file is therefore
	not enough to attach it.
	"""
	if not isinstance(url, str) or not url.startswith((*SCHEMES, *FILES)):
		throw_field(doc, field, _("this is neither a file nor a link to the web."))
	if url.startswith(SCHEMES):
		return
	files = frappe.get_all("File", {"file_url": url}, ["owner"])
	if not files:
		throw_field(doc, field, _("there is no such file."))
	if frappe.session.user == "Administrator" or not url.startswith("/private/"):
		return
	if not any(file.owner == frappe.session.user for file in files):
		message = _("this file was uploaded by somebody else. Upload it here to attach it.")
		throw_field(doc, field, message, frappe.PermissionError)

"""Base classes of documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model.base_document import BaseDocument
from frappe.model.document import Document

from crm_retention import bounds
from crm_retention.setup.nullable import get_nullable_fields


def throw_field(
	doc: Document, field: str, message: str, error: type[Exception] = frappe.ValidationError
) -> None:
	"""Refuse, naming the field."""
	frappe.throw(_("{0}: {1}").format(_(doc.meta.get_label(field)), message), error)


def is_posted() -> bool:
	"""Whether what is being saved came from a client, an import or a web form, and not from code of the server."""
	return bool(frappe.request or frappe.flags.in_import or frappe.flags.in_web_form)


class BoundedDocument(Document):
	"""A document whose fields have bounds, see ``bounds``: what lies beyond them is refused, naming row and field."""

	def update(self, d: Any) -> Any:
		"""Fields of the document. One that is stored stays itself: what was sent for another document is refused."""
		if self.get("creation") and not self.get("__islocal"):
			for field in ("name", "doctype"):
				if field in d and d[field] != self.get(field):
					self.check_permission("write")
					message = _("{0}: cannot be changed.").format(_(frappe.unscrub(field)))
					frappe.throw(message, frappe.CannotChangeConstantError)
		return super().update(d)

	def extend(self, key: str, value: Any) -> None:
		"""Rows of a table. Raises ValidationError for what is no list of rows."""
		if isinstance(value, (str, bytes, dict)) or not isinstance(value, Iterable):
			self.throw_no_rows(key)
		super().extend(key, value)

	def append(self, key: str, value: Any = None, *args: Any, **kwargs: Any) -> Any:
		"""A row of a table. Raises ValidationError for what is none."""
		if value is not None and not isinstance(value, (dict, BaseDocument)):
			self.throw_no_rows(key)
		return super().append(key, value, *args, **kwargs)

	def require(self, *fields: str) -> None:
		"""Refuse a document without these fields, where a rule needs them before Frappe asks for them."""
		for field in fields:
			if not self.get(field):
				throw_field(self, field, _("is needed"), frappe.MandatoryError)

	def throw_no_rows(self, key: str) -> None:
		label = _(frappe.get_meta(self.doctype).get_label(key))
		frappe.throw(_("{0}: this is not a list of rows").format(label))

	def _validate_links(self) -> None:
		"""The first look that Frappe takes at what a user who may save has sent, before any rule reckons with it."""
		if self._action != "cancel":
			bounds.check(self)
			for doc in (self, *self.get_all_children()):
				bounds.write_texts(doc)
				doc._validate_selects()
		super()._validate_links()


class UnknownNumbers(BoundedDocument):
	"""A document whose computed numbers may be unknown: Frappe would save and send an empty one as 0."""

	def get_valid_dict(self, *args: Any, **kwargs: Any) -> Any:
		values = super().get_valid_dict(*args, **kwargs)
		for name in self._get_unknown():
			if name in values:
				values[name] = None
		return values

	def _set_defaults(self) -> None:
		unknown = self._get_unknown()
		super()._set_defaults()
		for name in unknown:
			self.set(name, None)

	def _get_unknown(self) -> list[str]:
		return [
			df.fieldname for df in get_nullable_fields(self.doctype) if self.get(df.fieldname) in (None, "")
		]


class AppendOnly(BoundedDocument):
	"""A record that is written once and never changed or deleted, by no user and through no interface."""

	def before_validate(self) -> None:
		self.validate_is_new()

	def before_rename(self, *_args: Any) -> None:
		self.throw_append_only()

	def on_trash(self) -> None:
		self.throw_append_only()

	def db_update(self) -> None:
		self.throw_append_only()

	def db_set(self, *_args: Any, **_kwargs: Any) -> None:
		self.throw_append_only()

	def validate_is_new(self) -> None:
		if not self.is_new():
			self.throw_append_only()

	def throw_append_only(self) -> None:
		message = _("{0} is history: it cannot be changed or deleted.").format(_(self.doctype))
		frappe.throw(message, frappe.PermissionError)

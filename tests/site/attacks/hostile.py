"""Seeded requests of somebody who tries everything: all whitelisted methods, all DocTypes, by every REST verb."""

from __future__ import annotations

import inspect
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import frappe

from tests.site.attacks.scene import FAR, NEAR, Names, get_address
from tests.site.attacks.surface import get_doctypes, get_methods, get_reports

DEEP = "[" * 5000 + "]" * 5000
# what no field expects; NaN and infinity go as JSON has them in Python
VALUES: tuple[Any, ...] = (
	{}, [], 0, 1, -1, False, True, None, "", " ", "0", "null", "[", "{}", "[]", "x", "%", "_", "\\", "'", '"', "`",
	"\x00", "\ud800", "😀", "​", "../../etc/passwd", "<img src=x onerror=alert(1)>", "{{ frappe.session.user }}",
	"javascript:alert(1)", "' or 1=1 --", "2026-12-01T10:00:00Z", "2026-12-01 garbage", "٢٠٢٦-١٢-٠١", "٣", "x\ud800", "0000-00-00", "9999-12-31", "2026-02-30", "10000-01-01", "today", "12:00",
	2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"), "NaN", "1e400", "x" * 141, "x" * 70_000, DEEP,
	["x"], [[]], [{}], {"name": "x"}, {"x": {"y": []}}, [None], [["Customer", FAR]], ["Customer", "name", "=", FAR],
	{"party": FAR}, {"$gt": ""}, [1, 2, 3],
)  # fmt: skip
OPERATORS = ("=", "!=", ">", "like", "in", "between", "is", "descendants of", "timespan", "sounds like", "")
ORDERS = ("creation desc", "name", "party", "1", "sleep(1)", "(select 1)", "`tabUser`.`name` asc")


@dataclass(frozen=True)
class Request:
	"""One request; ``values`` are its JSON body, or its query for GET."""

	verb: str
	path: str
	values: dict[str, Any] = field(default_factory=dict)

	@property
	def options(self) -> dict[str, Any]:
		if self.verb == "GET":
			return {"params": {name: as_parameter(value) for name, value in self.values.items()}}
		return {"data": json.dumps(self.values).encode(), "headers": {"Content-Type": "application/json"}}


def as_parameter(value: Any) -> str:
	"""A value as it stands in an address, which cannot be of every length."""
	text = value if isinstance(value, str) else json.dumps(value)
	return text[:4000].encode("utf-8", "replace").decode()


class Attacker:
	"""Makes requests, the same ones for the same seed."""

	def __init__(self, names: Names, seed: int) -> None:
		self.random, self.names = random.Random(seed), names
		self.methods, self.doctypes, self.reports = get_methods(), get_doctypes(), get_reports()
		self.known = [*names["Customer"], *(name for of in names.values() for name in of.values())]
		self.makers: list[tuple[int, Callable[[], Request]]] = [
			(6, self.call_method),
			(2, self.list_documents),
			(2, self.open_document),
			(2, self.insert_document),
			(3, self.change_document),
			(1, self.delete_document),
			(2, self.use_the_desk),
		]

	def make(self) -> Request:
		"""The next request."""
		weights, makers = zip(*self.makers, strict=True)
		return self.random.choices(makers, weights)[0]()

	def value(self) -> Any:
		"""Something hostile, or something that is there."""
		if self.random.random() < 0.35:
			return self.random.choice(
				[*self.known, "Customer", "Lead", "Administrator", get_address("Retention User")]
			)
		return self.random.choice(VALUES)

	def call_method(self) -> Request:
		"""A method of the app with a part of its arguments, true ones among them, and some that it has not."""
		path, method = self.random.choice(list(self.methods.items()))
		values = {
			name: self.argument(name)
			for name in inspect.signature(method).parameters
			if self.random.random() < 0.9
		}
		if self.random.random() < 0.1:
			values[self.random.choice(("self", "x", "ignore_permissions", "doctype"))] = self.value()
		if self.random.random() < 0.02:
			values["cmd"] = as_parameter(
				self.value()
			)  # the method that Frappe asks instead, a name of its own
		verb = "GET" if self.random.random() < 0.2 else "POST"
		return Request(verb, f"/api/method/{path}", values)

	def argument(self, name: str) -> Any:
		"""What an argument of that name may honestly be about, more often than not."""
		honest = {"party_type": "Customer", "party": self.random.choice((NEAR, FAR))}
		honest |= {
			"name": self.random.choice(self.known),
			"names": json.dumps([self.random.choice(self.known)]),
		}
		if name in honest and self.random.random() < 0.6:
			return honest[name]
		return self.value()

	def doctype(self) -> str:
		return self.random.choice(self.doctypes)

	def field(self, doctype: str) -> str:
		return self.random.choice([df.fieldname for df in frappe.get_meta(doctype).fields] or ["name"])

	def document(self, doctype: str) -> str:
		"""A document of the DocType where the scene has one. Frappe looks it up before the app is asked, in UTF-8."""
		return self.random.choice(
			[*self.names.get(doctype, {}).values()] or [as_parameter(self.value())[:50] or "x"]
		)

	def filters(self, doctype: str) -> Any:
		row = [doctype, self.field(doctype), self.random.choice(OPERATORS), self.value()]
		return self.random.choice(([row], row, {self.field(doctype): self.value()}, self.value()))

	def list_documents(self) -> Request:
		doctype = self.doctype()
		values = {"filters": self.filters(doctype), "fields": [self.field(doctype), "name"]}
		if self.random.random() < 0.3:
			values |= {"order_by": self.random.choice(ORDERS), "limit": self.value()}
		return Request("GET", f"/api/resource/{doctype}", values)

	def open_document(self) -> Request:
		doctype = self.doctype()
		return Request("GET", f"/api/resource/{doctype}/{self.document(doctype)}")

	def fields(self, doctype: str) -> dict[str, Any]:
		"""A few fields of a document; of a child table rows like those."""
		chosen, fields = {}, frappe.get_meta(doctype).fields
		for df in self.random.sample(fields, min(self.random.randint(1, 5), len(fields))):
			chosen[df.fieldname] = (
				[self.fields(df.options)] if df.fieldtype == "Table" else self.argument(df.fieldname)
			)
		return chosen

	def insert_document(self) -> Request:
		doctype = self.doctype()
		return Request("POST", f"/api/resource/{doctype}", self.fields(doctype))

	def change_document(self) -> Request:
		doctype = self.doctype()
		name, values = self.document(doctype), self.fields(doctype)
		if self.random.random() < 0.7:
			return Request("PUT", f"/api/resource/{doctype}/{name}", values)
		changed = {"doctype": doctype, "name": name, "fieldname": values}
		return Request("POST", "/api/method/frappe.client.set_value", changed)

	def delete_document(self) -> Request:
		doctype = self.doctype()
		return Request("DELETE", f"/api/resource/{doctype}/{self.document(doctype)}")

	def use_the_desk(self) -> Request:
		"""What the desk's own screens ask for, about the app's DocTypes and reports."""
		doctype = self.doctype()
		of_doctype = {
			"doctype": doctype,
			"filters": json.dumps([[doctype, self.field(doctype), "=", as_parameter(self.value())]]),
		}
		asked = self.random.choice(
			[
				("frappe.desk.reportview.get", of_doctype | {"fields": json.dumps(["name", self.field(doctype)])}),
				("frappe.desk.reportview.get_count", of_doctype | {"fields": "[]"}),
				("frappe.desk.search.search_link", {"doctype": doctype, "txt": as_parameter(self.value())}),
				("frappe.client.get_value", {"doctype": doctype, "fieldname": self.field(doctype), "filters": self.document(doctype)}),
				("frappe.desk.form.load.getdoc", {"doctype": doctype, "name": self.document(doctype)}),
				("frappe.desk.query_report.run", {"report_name": self.random.choice(self.reports), "filters": {"from_date": self.value(), "to_date": self.value()}}),
			]
		)  # fmt: skip
		return Request("POST", f"/api/method/{asked[0]}", asked[1])

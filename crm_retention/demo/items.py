"""Items, their groups and a price list of their own."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils.nestedset import get_root_of

from crm_retention.demo.products import PRODUCTS

PRICE_LIST = "Demo Selling"


def create_items(currency: str) -> None:
	"""Item groups, items and a price list in the company's currency; what is there stays."""
	create_price_list(currency)
	root = get_root_of("Item Group")
	for group in dict.fromkeys(item.group for item in PRODUCTS):
		create("Item Group", group, item_group_name=group, parent_item_group=root)
	for item in PRODUCTS:
		values = {"item_code": item.code, "item_name": item.name, "item_group": item.group}
		create("Item", item.code, **values, stock_uom="Nos", is_stock_item=0, is_purchase_item=0)
		price = {"item_code": item.code, "price_list": PRICE_LIST, "price_list_rate": item.price}
		if not frappe.db.exists("Item Price", {"item_code": item.code, "price_list": PRICE_LIST}):
			frappe.get_doc({"doctype": "Item Price", **price}).insert(ignore_permissions=True)


def create_price_list(currency: str, name: str = PRICE_LIST) -> None:
	"""A price list of the demo's own; one in another currency cannot be used."""
	create("Price List", name, price_list_name=name, currency=currency, selling=1, enabled=1)
	found = frappe.db.get_value("Price List", name, "currency")
	if found != currency:
		message = _("Price List {0} is in {1}, the company's currency is {2}")
		frappe.throw(message.format(name, found, currency))


def create(doctype: str, name: str, /, **values: object) -> None:
	"""Insert a record of that name, whatever the site's naming series say, unless it is there."""
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True, set_name=name)

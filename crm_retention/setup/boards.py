"""The kanban board of touchpoints of a new site. From then on it belongs to the admin."""

from __future__ import annotations

from typing import Any

import frappe

DOCTYPE = "Touchpoint"
BOARD = "Touchpoints by Status"
# what people set or look after; the rest is found in the list
COLUMNS = (("Open", "Blue"), ("Waiting", "Yellow"), ("Done", "Green"), ("Skipped", "Gray"))


def get_docs() -> list[dict[str, Any]]:
	"""The board as a document; dragging a card to Done or Skipped asks for what the form asks for."""
	columns = [{"column_name": name, "indicator": colour, "status": "Active"} for name, colour in COLUMNS]
	return [
		{
			"doctype": "Kanban Board",
			"kanban_board_name": BOARD,
			"reference_doctype": DOCTYPE,
			"field_name": "status",
			"fields": '["due_date", "tier"]',
			"columns": columns,
		}
	]


def delete_boards() -> None:
	"""Every board of touchpoints: without its DocType none of them opens."""
	names = frappe.get_all("Kanban Board", filters={"reference_doctype": DOCTYPE}, pluck="name")
	if names:
		frappe.db.delete("Kanban Board Column", {"parent": ("in", names)})
		frappe.db.delete("Kanban Board", {"name": ("in", names)})

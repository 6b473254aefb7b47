import frappe
from frappe.utils import cstr, escape_html

from crm_retention.batches import read_in_batches
from crm_retention.care.todos import get_description


def execute() -> None:
	"""Open ToDos say what is to be done and why, and no longer the party, which their reader may not be allowed to see."""
	todo, touchpoint = frappe.qb.DocType("ToDo"), frappe.qb.DocType("Touchpoint")
	query = (
		frappe.qb.from_(todo)
		.join(touchpoint)
		.on((todo.reference_type == "Touchpoint") & (todo.reference_name == touchpoint.name))
		.select(todo.name, todo.description, touchpoint.title, touchpoint.touchpoint_type, touchpoint.why)
		.where(todo.status == "Open")
	)
	frappe.db.auto_commit_on_many_writes = True  # there may be more than one transaction takes
	for row in read_in_batches(query, todo.name):
		# what somebody wrote in other words is theirs
		if row.title and cstr(row.description).startswith(escape_html(row.title)):
			text = get_description(row.touchpoint_type, row.why)
			frappe.db.set_value("ToDo", row.name, "description", text, update_modified=False)

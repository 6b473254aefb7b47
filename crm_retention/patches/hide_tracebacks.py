import frappe
from frappe import _

from crm_retention.batches import read_in_batches


def execute() -> None:
	"""What runs said to everybody about an error that nobody foresaw is for managers; users read a sentence."""
	run = frappe.qb.DocType("Retention Run")
	query = frappe.qb.from_(run).select(run.name, run.error).where(run.error.like("Traceback%"))
	for row in read_in_batches(query, run.name):
		values = {"error": _("The run ended with an error. Please tell a manager."), "traceback": row.error}
		frappe.db.set_value("Retention Run", row.name, values, update_modified=False)

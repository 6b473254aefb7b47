import frappe
from frappe import _


def execute() -> None:
	"""What runs said to everybody about an error that nobody foresaw is for managers; users read a sentence."""
	filters = {"error": ("like", "Traceback%")}
	for row in frappe.get_all("Retention Run", filters=filters, fields=["name", "error"], limit=0):
		values = {"error": _("The run ended with an error. Please tell a manager."), "traceback": row.error}
		frappe.db.set_value("Retention Run", row.name, values, update_modified=False)

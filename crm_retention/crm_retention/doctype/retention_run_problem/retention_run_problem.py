from frappe.model.document import Document


class RetentionRunProblem(Document):
	pass

from frappe.model.document import Document


class RetentionRunStep(Document):
	pass

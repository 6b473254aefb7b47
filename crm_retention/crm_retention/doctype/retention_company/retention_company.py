from frappe.model.document import Document


class RetentionCompany(Document):
	pass

from frappe.model.document import Document


class CustomerScorecardBand(Document):
	pass

from frappe.model.document import Document


class CustomerScorecardCriterion(Document):
	pass

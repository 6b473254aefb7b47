frappe.provide("crm_retention");

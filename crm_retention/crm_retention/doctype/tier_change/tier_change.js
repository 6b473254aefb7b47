// Copyright (c) 2026, CRM Retention developers and contributors
// For license information, please see license.txt

// frappe.ui.form.on("Tier Change", {
// 	refresh(frm) {

// 	},
// });

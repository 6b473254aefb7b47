frappe.ui.form.on("Customer Tier", {
	refresh(frm) {
		crm_retention.conditions.render_groups(frm);
	},
});

frappe.ui.form.on("Lifecycle Stage", {
	refresh(frm) {
		crm_retention.conditions.render_groups(frm);
	},
});

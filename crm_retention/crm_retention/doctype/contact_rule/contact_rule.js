frappe.ui.form.on("Contact Rule", {
	refresh(frm) {
		crm_retention.conditions.render_groups(frm);
		frm.trigger("kind");
	},

	// A section is there for the kinds that use it.
	kind(frm) {
		const sections = {
			cap_section: ["Cap"],
			quiet_time_section: ["Quiet Hours", "Quiet Days"],
			consent_and_cool_down_section: ["Consent", "Cool-Down"],
			conditions_section: ["Condition"],
		};
		Object.entries(sections).forEach(([section, kinds]) => frm.toggle_display(section, kinds.includes(frm.doc.kind)));
	},
});

frappe.ui.form.on("Customer", {
	refresh(frm) {
		if (frm.is_new()) {
			frm.toggle_display("retention_tab", false);
			return;
		}
		frm.trigger("show_retention");
	},

	show_retention(frm) {
		const field = frm.get_field("retention_html");
		if (!field) return;
		const view = crm_retention.profile_view;
		const party = frm.doc.name;
		view.load(field.$wrapper, "Customer", party).then(() => {});
		if (!frappe.model.can_read("Retention Profile")) return;
		frappe.db.get_value("Retention Profile", { party_type: "Customer", party }, ["tier", "stage", "health", "override_tier"]).then((r) => {
			const profile = r.message;
			if (!profile || frm.doc.name !== party) return;
			if (profile.tier) {
				const hand = profile.override_tier ? ` (${__("set by hand")})` : "";
				frm.dashboard.add_indicator(__("Tier: {0}", [__(profile.tier)]) + hand, "blue");
			}
			if (profile.stage) frm.dashboard.add_indicator(__("Stage: {0}", [__(profile.stage)]), "purple");
			if (profile.health !== null && profile.health !== undefined) {
				frm.dashboard.add_indicator(__("Health: {0}", [format_number(profile.health, null, 0)]), view.health_colour(profile.health));
			}
		});
	},
});

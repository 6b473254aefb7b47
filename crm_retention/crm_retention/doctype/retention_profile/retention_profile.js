frappe.ui.form.on("Retention Profile", {
	refresh(frm) {
		const view = crm_retention.profile_view;
		view.load(frm.get_field("explanation_html").$wrapper, frm.doc.party_type, frm.doc.party);
		frm.toggle_display("custom_signals_section", frm.meta.fields.some((df) => df.is_custom_field));
		frm.add_custom_button(__(frm.doc.party_type), () => frappe.set_route("Form", frm.doc.party_type, frm.doc.party));
		if (frm.doc.override_tier || frm.doc.override_stage) {
			const until = frm.doc.override_until ? __("until {0}", [frappe.datetime.str_to_user(frm.doc.override_until)]) : __("until it is lifted");
			frm.set_intro(__("Decided by hand, {0}: {1}", [until, frappe.utils.escape_html(frm.doc.override_reason || "")]), "blue");
		}
		const writable = frm.has_perm("write");
		["override_tier", "override_stage", "override_until", "override_reason"].forEach((field) => frm.set_df_property(field, "read_only", !writable));
	},
});

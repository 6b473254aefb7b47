frappe.ui.form.on("Retention Run", {
	refresh(frm) {
		frm.disable_save(); // the cycle writes it, nobody else
		frm.trigger("show_progress");
		if (frm.doc.kind === "Preview" && ["Completed", "Partial"].includes(frm.doc.status)) {
			crm_retention.run_view.render_preview(frm.get_field("preview_html").$wrapper, frm.doc.name);
		}
	},

	show_progress(frm) {
		frm.stop_watching && frm.stop_watching();
		const wrapper = frm.get_field("progress_html").$wrapper.empty();
		if (frm.is_new() || crm_retention.run_view.is_done(frm.doc.status)) return;
		const bar = crm_retention.run_view.make_bar(wrapper);
		frm.stop_watching = crm_retention.run_view.watch(frm.doc.name, bar, () => frm.reload_doc());
	},

	on_hide(frm) {
		frm.stop_watching && frm.stop_watching();
	},
});

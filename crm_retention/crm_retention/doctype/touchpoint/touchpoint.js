frappe.ui.form.on("Touchpoint", {
	refresh(frm) {
		if (frm.is_new()) return;
		if (!["Open", "Waiting"].includes(frm.doc.status)) {
			frm.disable_form();
			return;
		}
		const tp = crm_retention.touchpoint;
		const reload = () => frm.reload_doc();
		frm.add_custom_button(__("Done", null, "My Day"), () => tp.complete(frm.doc, reload)).addClass("btn-primary");
		frm.add_custom_button(__("Later"), () => tp.later(frm.doc, reload));
		frm.add_custom_button(__("Skip"), () => tp.skip(frm.doc, reload));
		if (frm.doc.message_status === "Failed") {
			frm.add_custom_button(__("Send Again"), () => tp.call("retry_message", { name: frm.doc.name }, reload));
		}
	},

	setup(frm) {
		frm.set_query("party_type", () => ({ filters: { name: ["in", ["Customer", "Lead"]] } }));
		frm.set_query("touchpoint_type", () => ({ filters: { enabled: 1 } }));
	},
});

frappe.ui.form.on("Care Occasion", {
	setup(frm) {
		frm.set_query("document_type", () => ({ query: "crm_retention.api.choices.search_document_types" }));
		// the desk would ask whether the user reads DocType itself, which managers do not; the server checks the choice
		frm.get_field("document_type").df.ignore_link_validation = true;
	},

	refresh(frm) {
		frm.trigger("set_fields");
		frm.trigger("set_holidays");
	},

	kind: (frm) => frm.trigger("set_holidays"),
	country: (frm) => frm.trigger("set_holidays"),
	document_type: (frm) => frm.trigger("set_fields"),

	// The fields of the chosen document type, as choices.
	set_fields(frm) {
		const source = frm.doc.document_type;
		if (!source) return;
		frappe.model.with_doctype(source).then(() => {
			const is_shown = (df) => frappe.perm.has_perm(source, df.permlevel || 0, "read");
			const choices = (test) => frappe.get_meta(source).fields.filter((df) => test(df) && is_shown(df)).map((df) => ({ value: df.fieldname, label: __(df.label, null, source), description: df.fieldname }));
			const is_party = (df) => df.fieldtype === "Dynamic Link" || (df.fieldtype === "Link" && ["Customer", "Lead"].includes(df.options));
			frm.set_df_property("date_field", "options", choices((df) => ["Date", "Datetime"].includes(df.fieldtype)));
			frm.set_df_property("party_field", "options", choices(is_party));
		});
	},

	set_holidays(frm) {
		if (frm.doc.kind !== "Public Holiday" || !frm.doc.country) return;
		frappe
			.xcall("crm_retention.crm_retention.doctype.care_occasion.care_occasion.get_holiday_names", { country: frm.doc.country })
			.then((names) => frm.set_df_property("holiday", "options", names))
			.catch(() => {});
	},
});

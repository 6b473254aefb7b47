frappe.provide("crm_retention.source_fields");

Object.assign(crm_retention.source_fields, {
	party_field: (df, doc) =>
		doc.party_type === "From Field" ? df.fieldtype === "Dynamic Link" : df.fieldtype === "Link" && df.options === doc.party_type,
	party_type_field: (df) => df.fieldtype === "Link" && df.options === "DocType",
	date_field: (df) => ["Date", "Datetime"].includes(df.fieldtype),
	minutes_field: (df) => ["Int", "Float", "Duration"].includes(df.fieldtype),
	subject_field: (df) => ["Data", "Small Text", "Text", "Select", "Link"].includes(df.fieldtype),
	note_field: (df) => ["Data", "Small Text", "Text", "Long Text", "Text Editor", "Code"].includes(df.fieldtype),
	user_field: (df) => df.fieldtype === "Link" && df.options === "User",
	direction_field: (df) => ["Select", "Data"].includes(df.fieldtype),
	channel_field: (df) => ["Select", "Data", "Link"].includes(df.fieldtype),
	contact_field: (df) => df.fieldtype === "Link" && df.options === "Contact",
});

frappe.ui.form.on("Interaction Source", {
	setup(frm) {
		frm.set_query("document_type", () => ({ query: "crm_retention.api.choices.search_document_types" }));
		// the desk would ask whether the user reads DocType itself, which managers do not; the server checks the choice
		frm.get_field("document_type").df.ignore_link_validation = true;
	},

	refresh(frm) {
		frm.toggle_enable("document_type", !frm.doc.is_standard);
		if (frm.doc.last_error) frm.set_intro(frappe.utils.escape_html(frm.doc.last_error), "red");
		frm.trigger("set_choices");
	},

	document_type(frm) {
		Object.keys(crm_retention.source_fields).forEach((field) => frm.set_value(field, null));
		frm.set_value("filters_json", "[]");
		frm.trigger("set_choices").then(() => frm.trigger("suggest"));
	},

	party_type(frm) {
		frm.set_value("party_field", null);
		frm.trigger("set_choices").then(() => frm.trigger("suggest"));
	},

	party_field(frm) {
		const df = frappe.meta.get_docfield(frm.doc.document_type, frm.doc.party_field);
		if (frm.doc.party_type === "From Field") frm.set_value("party_type_field", df?.options || null);
	},

	// The fields of the chosen document type, as choices with their labels.
	set_choices(frm) {
		const source = frm.doc.document_type;
		if (!source) return Promise.resolve();
		return frappe.model.with_doctype(source).then(() => {
			const meta = frappe.get_meta(source);
			const is_shown = (df) => frappe.perm.has_perm(source, df.permlevel || 0, "read");
			Object.entries(crm_retention.source_fields).forEach(([field, fits]) => {
				const choices = meta.fields
					.filter((df) => fits(df, frm.doc) && is_shown(df))
					.map((df) => ({ value: df.fieldname, label: __(df.label || df.fieldname, null, source), description: df.fieldname }));
				if (field === "date_field") {
					choices.push({ value: "creation", label: __("Created On"), description: "creation" });
					choices.push({ value: "modified", label: __("Last Updated On"), description: "modified" });
				}
				frm.set_df_property(field, "options", choices);
			});
			frm.toggle_display("only_submitted", Boolean(meta.is_submittable));
			crm_retention.conditions.render(frm, {
				field: "filters_json",
				html: "filters_html",
				doctype: source,
				title: __("Conditions"),
				empty: __("No condition: every document counts."),
			});
		});
	},

	// One candidate needs no choosing.
	suggest(frm) {
		const fields = frappe.get_meta(frm.doc.document_type)?.fields || [];
		["party_field", "date_field"].forEach((field) => {
			const found = fields.filter((df) => crm_retention.source_fields[field](df, frm.doc));
			if (found.length) frm.set_value(field, (found.find((df) => df.reqd) || found[0]).fieldname);
		});
	},
});

frappe.provide("crm_retention.signal_fields");

Object.assign(crm_retention.signal_fields, {
	is_date: (df) => ["Date", "Datetime"].includes(df.fieldtype),
	is_number: (df) => ["Int", "Float", "Currency", "Percent", "Check", "Rating", "Duration"].includes(df.fieldtype),
	is_party: (df) =>
		(df.fieldtype === "Link" && ["Customer", "Lead"].includes(df.options)) || df.fieldtype === "Dynamic Link",
	has_value: (df) =>
		df.fieldtype !== "Password" && !frappe.model.no_value_type.includes(df.fieldtype) && !frappe.model.table_fields.includes(df.fieldtype),
});

frappe.ui.form.on("Retention Signal", {
	setup(frm) {
		frm.set_query("source_doctype", () => ({ query: "crm_retention.api.choices.search_document_types" }));
		// the desk would ask whether the user reads DocType itself, which managers do not; the server checks the choice
		frm.get_field("source_doctype").df.ignore_link_validation = true;
	},

	refresh(frm) {
		frm.trigger("set_choices");
	},

	label(frm) {
		if (frm.is_new() && !frm.doc.signal_name) frm.set_value("signal_name", frappe.scrub(frm.doc.label || ""));
	},

	source_doctype(frm) {
		["party_field", "date_field", "value_field"].forEach((field) => frm.set_value(field, null));
		frm.set_value("filters_json", "[]");
		frm.trigger("set_choices").then(() => frm.trigger("suggest"));
	},

	aggregate(frm) {
		frm.trigger("set_choices");
	},

	// The fields of the chosen document type, as choices with their labels.
	set_choices(frm) {
		const source = frm.doc.source_doctype;
		if (!source) return Promise.resolve();
		return frappe.model.with_doctype(source).then(() => {
			const fields = frappe.get_meta(source).fields;
			const is_shown = (df) => frappe.perm.has_perm(source, df.permlevel || 0, "read");
			const choices = (test) => fields.filter((df) => test(df) && is_shown(df)).map((df) => ({ value: df.fieldname, label: __(df.label || df.fieldname, null, source), description: df.fieldname }));
			const summed = ["Sum", "Average"].includes(frm.doc.aggregate);
			frm.set_df_property("party_field", "options", choices(crm_retention.signal_fields.is_party));
			frm.set_df_property("date_field", "options", [...choices(crm_retention.signal_fields.is_date), { value: "creation", label: __("Created On"), description: "creation" }]);
			frm.set_df_property("value_field", "options", choices(summed ? crm_retention.signal_fields.is_number : crm_retention.signal_fields.has_value));
			frm.toggle_display("only_submitted", !!frappe.get_meta(source).is_submittable);
			crm_retention.conditions.render(frm, {
				field: "filters_json",
				html: "filters_html",
				doctype: source,
				title: __("Filters"),
				empty: __("No filter: all documents count."),
			});
		});
	},

	// One candidate needs no choosing.
	suggest(frm) {
		const fields = frappe.get_meta(frm.doc.source_doctype)?.fields || [];
		const party = fields.filter(crm_retention.signal_fields.is_party);
		const dates = fields.filter(crm_retention.signal_fields.is_date);
		if (party.length) frm.set_value("party_field", (party.find((df) => df.fieldtype === "Link") || party[0]).fieldname);
		if (dates.length) frm.set_value("date_field", (dates.find((df) => df.reqd) || dates[0]).fieldname);
	},
});

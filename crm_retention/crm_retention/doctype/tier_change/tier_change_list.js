frappe.listview_settings["Tier Change"] = {
	add_fields: ["kind"],
	hide_name_column: true,
	get_indicator(doc) {
		return [__(doc.kind), doc.kind === "Tier" ? "blue" : "purple", `kind,=,${doc.kind}`];
	},
};

frappe.listview_settings["Tier Change"] = {
	add_fields: ["kind"],
	hide_name_column: true,
	get_indicator(doc) {
		return [__(doc.kind, null, "Tier Change"), doc.kind === "Tier" ? "blue" : "purple", `kind,=,${doc.kind}`];
	},
};

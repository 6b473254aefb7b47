frappe.listview_settings["Lifecycle Stage"] = {
	add_fields: ["enabled"],
	has_indicator_for_draft: true,
	get_indicator(doc) {
		return doc.enabled ? [__("Enabled"), "green", "enabled,=,1"] : [__("Disabled"), "gray", "enabled,=,0"];
	},
};

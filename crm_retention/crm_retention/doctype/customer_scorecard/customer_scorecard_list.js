frappe.listview_settings["Customer Scorecard"] = {
	add_fields: ["is_active"],
	has_indicator_for_draft: true,
	get_indicator(doc) {
		return doc.is_active ? [__("Active", null, "Customer Scorecard"), "green", "is_active,=,1"] : [__("Not Active"), "gray", "is_active,=,0"];
	},
};

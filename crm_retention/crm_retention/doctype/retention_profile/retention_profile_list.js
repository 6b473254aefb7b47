frappe.listview_settings["Retention Profile"] = {
	add_fields: ["health", "stage"],
	hide_name_column: true,
	get_indicator(doc) {
		if (doc.health === null || doc.health === undefined) return [__("Health Unknown"), "gray", "health,is,not set"];
		if (doc.health >= 60) return [__("Healthy"), "green", "health,>=,60"];
		if (doc.health >= 35) return [__("Watch"), "orange", "health,Between,35,60"];
		return [__("Unhealthy"), "red", "health,<,35"];
	},
};

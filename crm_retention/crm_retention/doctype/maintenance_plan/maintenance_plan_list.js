frappe.listview_settings["Maintenance Plan"] = {
	get_indicator(doc) {
		const colours = { Draft: "red", Active: "green", Paused: "orange", Superseded: "gray", Ended: "gray" };
		return [__(doc.status, null, "Maintenance Plan"), colours[doc.status] || "gray", `status,=,${doc.status}`];
	},
	add_fields: ["status", "version_number"],
	has_indicator_for_draft: 1,
	has_indicator_for_cancelled: 1,
};

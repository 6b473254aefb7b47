frappe.listview_settings["Retention Run"] = {
	add_fields: ["status"],
	get_indicator(doc) {
		const colour = { Completed: "green", Failed: "red", Partial: "orange", Running: "blue", Queued: "gray" }[doc.status];
		return [__(doc.status, null, "Retention Run"), colour, `status,=,${doc.status}`];
	},
};

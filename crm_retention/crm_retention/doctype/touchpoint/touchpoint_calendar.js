frappe.views.calendar["Touchpoint"] = {
	field_map: { start: "start", end: "end", id: "name", title: "title", allDay: "all_day", color: "color" },
	gantt: false,
	get_events_method: "crm_retention.api.touchpoints.get_events",
	update_event_method: "crm_retention.api.touchpoints.move",
	filters: [
		{ fieldtype: "Link", fieldname: "assigned_to", options: "User", label: __("Responsible", null, "Touchpoint") },
		{ fieldtype: "Link", fieldname: "touchpoint_type", options: "Touchpoint Type", label: __("Type") },
	],
};

frappe.query_reports["Contacts Held Back"] = {
	filters: [
		{ fieldname: "from_date", label: __("From Date"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.get_today(), -30) },
		{ fieldname: "to_date", label: __("To Date"), fieldtype: "Date", default: frappe.datetime.get_today() },
		{
			fieldname: "group_by",
			label: __("Group By"),
			fieldtype: "Select",
			default: "Rule",
			options: [
				{ value: "Rule", label: __("Rule") },
				{ value: "Rule and Channel", label: __("Rule and Channel") },
				{ value: "Rule and Touchpoint Type", label: __("Rule and Touchpoint Type") },
				{ value: "Channel", label: __("Channel") },
				{ value: "Touchpoint Type", label: __("Touchpoint Type") },
				{ value: "Party", label: __("Party") },
			],
		},
		{
			fieldname: "period",
			label: __("Period", null, "Contact Stop"),
			fieldtype: "Select",
			options: ["", { value: "Week", label: __("Week") }, { value: "Month", label: __("Month") }],
		},
		{ fieldname: "rule", label: __("Rule"), fieldtype: "Link", options: "Contact Rule" },
		{ fieldname: "channel", label: __("Channel"), fieldtype: "Link", options: "Contact Channel" },
		{ fieldname: "touchpoint_type", label: __("Touchpoint Type"), fieldtype: "Link", options: "Touchpoint Type" },
		{
			fieldname: "action",
			label: __("Then", null, "Contact Stop"),
			fieldtype: "Select",
			options: ["", { value: "Postpone", label: __("Postpone") }, { value: "Drop", label: __("Drop", null, "Contact Stop") }],
		},
		{
			fieldname: "stage",
			label: __("When", null, "Contact Stop"),
			fieldtype: "Select",
			options: ["", { value: "Creating", label: __("Creating") }, { value: "Sending", label: __("Sending") }],
		},
		{
			fieldname: "party_type",
			label: __("Party Type"),
			fieldtype: "Select",
			options: ["", { value: "Customer", label: __("Customer") }, { value: "Lead", label: __("Lead") }],
			on_change: (report) => {
				report.set_filter_value("party", "");
				report.refresh();
			},
		},
		{ fieldname: "party", label: __("Party"), fieldtype: "Dynamic Link", options: "party_type", depends_on: "party_type" },
	],

	formatter(value, row, column, data, default_formatter) {
		return default_formatter(crm_retention.escape_cell(value, column, data), row, column, data);
	},
};

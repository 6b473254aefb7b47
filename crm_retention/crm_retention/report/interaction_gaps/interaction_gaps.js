frappe.query_reports["Interaction Gaps"] = {
	filters: [
		{ fieldname: "from_date", label: __("From Date"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.get_today(), -90) },
		{ fieldname: "to_date", label: __("To Date"), fieldtype: "Date", default: frappe.datetime.get_today() },
		{
			fieldname: "group_by",
			label: __("Group By"),
			fieldtype: "Select",
			default: "Party and Department",
			options: [
				{ value: "Party and Department", label: __("Party and Department") },
				{ value: "Party", label: __("Party") },
				{ value: "Department", label: __("Department") },
			],
		},
		{ fieldname: "kind", label: __("Kind"), fieldtype: "Link", options: "Interaction Kind" },
		{ fieldname: "department", label: __("Department"), fieldtype: "Link", options: "Department" },
		{ fieldname: "user", label: __("By"), fieldtype: "Link", options: "User" },
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
		{ fieldname: "below", label: __("Completeness Below (%)"), fieldtype: "Percent" },
	],

	formatter(value, row, column, data, default_formatter) {
		const shown = default_formatter(crm_retention.escape_cell(value, column, data), row, column, data);
		if (column.fieldname !== "completeness" || !data) return shown;
		const colour = data.completeness >= 90 ? "green" : data.completeness >= 60 ? "orange" : "red";
		return `<span class="indicator-pill ${colour}">${format_number(data.completeness, null, 0)}%</span>`;
	},
};

frappe.query_reports["Touchpoint Load"] = {
	filters: [
		{ fieldname: "from_date", label: __("From Date"), fieldtype: "Date", default: frappe.datetime.get_today() },
		{ fieldname: "weeks", label: __("Weeks"), fieldtype: "Int", default: 4 },
		{ fieldname: "user", label: __("Responsible", null, "Touchpoint"), fieldtype: "Link", options: "User" },
		{ fieldname: "touchpoint_type", label: __("Touchpoint Type"), fieldtype: "Link", options: "Touchpoint Type" },
		{ fieldname: "channel", label: __("Channel"), fieldtype: "Link", options: "Contact Channel" },
		{ fieldname: "department", label: __("Department"), fieldtype: "Link", options: "Department" },
		{ fieldname: "tier", label: __("Tier"), fieldtype: "Link", options: "Customer Tier" },
		{ fieldname: "only_over", label: __("Only Beyond Capacity"), fieldtype: "Check" },
	],

	formatter(value, row, column, data, default_formatter) {
		const no_limit = ["capacity", "capacity_hours", "used"].includes(column.fieldname) && data && data[column.fieldname] === null;
		if (no_limit) return `<span class="text-muted">–</span>`;
		const shown = default_formatter(crm_retention.escape_cell(value, column, data), row, column, data);
		if (column.fieldname !== "used" || !data) return shown;
		const colour = data.used > 100 ? "red" : data.used > 80 ? "orange" : "green";
		return `<span class="indicator-pill ${colour}">${format_number(data.used, null, 0)}%</span>`;
	},
};

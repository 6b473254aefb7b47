// what every page of the desk knows of the app
frappe.provide("crm_retention");

// A cell of a report as Frappe's formatter may take it: text is HTML to that, but for links, which it escapes itself.
crm_retention.escape_cell = (value, column, data) => {
	const target = column.fieldtype === "Link" ? column.options : column.fieldtype === "Dynamic Link" && data?.[column.options];
	const is_link = target && frappe.model.can_read(target);
	return typeof value === "string" && !is_link ? frappe.utils.escape_html(value) : value;
};

// A chart that shows its values at once: frappe-charts draws zeros for 0.7 s, and fails where it is resized while it enters.
crm_retention.draw_chart = (parent, options) => {
	const chart = new frappe.Chart(parent, { disableEntryAnimation: 1, ...options });
	chart.update(chart.realData, true);
	return chart;
};

// Frappe 16 opens what a sidebar links by address in a new tab; views of the desk belong into this one
document.addEventListener(
	"click",
	(event) => {
		const link = event.target.closest('.sidebar-items[data-title="Retention"] a[target="_blank"][href^="/desk/"]');
		if (link && !event.ctrlKey && !event.metaKey) link.removeAttribute("target");
	},
	true
);

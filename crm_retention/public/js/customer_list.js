// ERPNext has settings of its own for this list: add to them, take nothing away.
frappe.listview_settings["Customer"] = frappe.listview_settings["Customer"] || {};

(function (settings) {
	settings.add_fields = [...(settings.add_fields || []), "retention_tier", "retention_stage"];
	settings.formatters = Object.assign(settings.formatters || {}, {
		retention_tier(value) {
			return value ? `<span class="indicator-pill blue ellipsis no-indicator-dot">${frappe.utils.escape_html(__(value))}</span>` : "";
		},
	});
})(frappe.listview_settings["Customer"]);

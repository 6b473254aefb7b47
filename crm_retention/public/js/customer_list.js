// ERPNext has settings of its own for this list: add to them, take nothing away.
frappe.listview_settings["Customer"] = frappe.listview_settings["Customer"] || {};

(function (settings) {
	const before = settings.get_indicator;
	settings.add_fields = [...(settings.add_fields || []), "disabled", "retention_tier", "retention_stage"];
	// The tier says more than "Enabled", on every width of the screen.
	settings.get_indicator = function (doc) {
		if (!doc.disabled && doc.retention_tier) {
			const escape = frappe.utils.escape_html; // the list takes both for HTML
			return [escape(__(doc.retention_tier, null, "Customer Tier")), "blue", escape(`retention_tier,=,${doc.retention_tier}`)];
		}
		if (before) return before(doc);
		return doc.disabled ? [__("Disabled"), "gray", "disabled,=,1"] : [__("Enabled"), "blue", "disabled,=,0"];
	};
})(frappe.listview_settings["Customer"]);

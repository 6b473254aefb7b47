frappe.ui.form.on("Customer Scorecard", {
	setup(frm) {
		frappe.xcall("crm_retention.crm_retention.doctype.customer_scorecard.customer_scorecard.get_criterion_options").then((options) => {
			frm.signal_options = options;
			frm.fields_dict.criteria.grid.update_docfield_property("signal", "options", options);
			frm.trigger("show_labels");
			frm.trigger("set_band_options");
			frm.trigger("show_weights");
		});
	},

	// People read the labels of signals, not their names.
	show_labels(frm) {
		const labels = Object.fromEntries(frm.signal_options.map((option) => [option.value, option.label]));
		["Customer Scorecard Criterion", "Customer Scorecard Band"].forEach((doctype) => {
			frappe.meta.get_docfield(doctype, "signal").formatter = (value) => frappe.utils.escape_html(labels[value] || value || "");
		});
		frm.refresh_fields(["criteria", "bands"]);
	},

	refresh(frm) {
		frm.trigger("set_band_options");
		frm.trigger("show_weights");
	},

	// Only criteria with bands can have bands.
	set_band_options(frm) {
		const banded = (frm.doc.criteria || []).filter((row) => row.method === "Bands").map((row) => row.signal);
		const options = (frm.signal_options || []).filter((option) => banded.includes(option.value));
		frm.fields_dict.bands.grid.update_docfield_property("signal", "options", options);
	},

	show_weights(frm) {
		const rows = (frm.doc.criteria || []).filter((row) => flt(row.weight) > 0);
		const total = rows.reduce((sum, row) => sum + flt(row.weight), 0);
		const label = (name) => (frm.signal_options || []).find((option) => option.value === name)?.label || name;
		const parts = rows.map((row) => {
			const share = (flt(row.weight) / total) * 100;
			return `<div class="d-flex align-items-center py-1"><div style="width: 45%" class="ellipsis">${frappe.utils.escape_html(label(row.signal))}</div>
				<div class="progress flex-grow-1" style="height: 8px"><div class="progress-bar" style="width: ${share}%"></div></div>
				<div class="text-muted text-right" style="width: 56px">${format_number(share, null, 1)}%</div></div>`;
		});
		frm.get_field("weights_html").$wrapper.html(parts.length ? `<div class="small mb-3">${parts.join("")}</div>` : "");
	},
});

frappe.ui.form.on("Customer Scorecard Criterion", {
	weight: (frm) => frm.trigger("show_weights"),
	signal(frm) {
		frm.trigger("show_weights");
		frm.trigger("set_band_options");
	},
	method(frm) {
		frm.trigger("set_band_options");
		frm.refresh_fields();
	},
	criteria_remove: (frm) => frm.trigger("show_weights"),
});

// Conditions as rows of text with the desk's own filter widget behind them.
frappe.provide("crm_retention.conditions");

crm_retention.conditions.OPERATORS = {
	"=": __("is"),
	"!=": __("is not"),
	"<": __("is less than"),
	"<=": __("is at most"),
	">": __("is more than"),
	">=": __("is at least"),
	in: __("is one of"),
	"not in": __("is none of"),
	like: __("is like"),
	"not like": __("is not like"),
	between: __("is between"),
	"descendants of": __("is below"),
	"descendants of (inclusive)": __("is, or is below,"),
};

crm_retention.conditions.read = function (frm, field) {
	try {
		return JSON.parse(frm.doc[field] || "[]") || [];
	} catch {
		return [];
	}
};

// options: field (JSON field), html (HTML field), doctype, title, empty
crm_retention.conditions.render = function (frm, options) {
	frappe.model.with_doctype(options.doctype, () => {
		const wrapper = frm.get_field(options.html).$wrapper.empty();
		const rows = crm_retention.conditions.read(frm, options.field);
		const box = $(`<div class="retention-conditions form-group">
			<label class="control-label">${options.title}</label>
			<div class="rows"></div>
		</div>`).appendTo(wrapper);
		const list = box.find(".rows");
		rows.forEach((row) => list.append(crm_retention.conditions.get_row(row, options.doctype)));
		if (!rows.length) list.append(`<div class="text-muted small pb-2">${options.empty}</div>`);
		if (frm.doc.docstatus === 0 && !frm.is_read_only?.() && frm.has_perm("write")) {
			$(`<button class="btn btn-xs btn-default mt-1">${
				rows.length ? __("Edit Conditions") : __("Add Conditions")
			}</button>`)
				.appendTo(box)
				.on("click", () => crm_retention.conditions.edit(frm, options));
		}
	});
};

crm_retention.conditions.get_row = function ([of, field, operator, value], doctype) {
	const escape = frappe.utils.escape_html;
	const df = of === doctype && frappe.meta.get_docfield(doctype, field);
	const label = df ? __(df.label, null, doctype) : frappe.model.std_fields.find((f) => f.fieldname === field)?.label || field;
	const op = String(operator).toLowerCase();
	let verb = crm_retention.conditions.OPERATORS[op] || operator;
	let shown = Array.isArray(value) ? value.join(` ${__("and")} `) : String(value ?? "");
	if (op === "is") {
		verb = value === "not set" ? __("is not set") : __("is set");
		shown = "";
	} else if (df?.fieldtype === "Check") {
		shown = cint(value) ? __("Yes") : __("No");
	}
	return `<div class="d-flex flex-wrap align-items-baseline py-1 border-bottom">
		<span class="mr-2">${escape(label)}</span>
		<span class="text-muted mr-2">${escape(verb)}</span>
		<span class="bold">${escape(shown)}</span>
	</div>`;
};

crm_retention.conditions.edit = function (frm, options) {
	const dialog = new frappe.ui.Dialog({
		title: options.title,
		size: "large",
		fields: [{ fieldtype: "HTML", fieldname: "filter_area" }],
		primary_action_label: __("Set"),
		primary_action: () => {
			const rows = group
				.get_filters()
				.map((row) => row.slice(0, 4))
				.filter((row) => row[3] !== undefined && row[3] !== null && row[3] !== "");
			frm.set_value(options.field, JSON.stringify(rows));
			dialog.hide();
			crm_retention.conditions.render(frm, options);
		},
	});
	const group = new frappe.ui.FilterGroup({
		parent: dialog.get_field("filter_area").$wrapper,
		doctype: options.doctype,
		on_change: () => {},
	});
	group.update_filter_button = () => {}; // this group has no button of a list
	dialog.show();
	const rows = crm_retention.conditions.read(frm, options.field);
	const known = rows.filter((row) => row[0] === options.doctype);
	if (known.length) group.add_filters_to_filter_group(known);
	else {
		group.toggle_empty_filters(false);
		group.add_filter(options.doctype, "name"); // a row to begin with
	}
};

crm_retention.conditions.render_groups = function (frm) {
	crm_retention.conditions.render(frm, {
		field: "party_conditions_json",
		html: "party_conditions_html",
		doctype: "Customer",
		title: __("The Customer"),
		empty: __("No condition: every customer fits."),
	});
	crm_retention.conditions.render(frm, {
		field: "signal_conditions_json",
		html: "signal_conditions_html",
		doctype: "Retention Profile",
		title: __("Its Signals"),
		empty: __("No condition: any signals fit."),
	});
};

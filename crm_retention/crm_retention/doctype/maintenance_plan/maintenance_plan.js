frappe.ui.form.on("Maintenance Plan", {
	setup(frm) {
		frm.set_query("touchpoint_type", "steps", () => ({ filters: { enabled: 1 } }));
		frm.set_query("channel", "steps", () => ({ filters: { enabled: 1 } }));
		frm.set_query("occasion", "steps", () => ({ filters: { enabled: 1 } }));
		frm.set_query("user", "steps", () => ({ filters: { enabled: 1, user_type: "System User" } }));
	},

	refresh(frm) {
		crm_retention.conditions.render_groups(frm);
		crm_retention.plan_view.add_buttons(frm);
		crm_retention.plan_view.show_steps(frm);
		crm_retention.plan_view.show_difference(frm);
		crm_retention.plan_view.offer_forecast(frm);
	},

	steps_remove: (frm) => crm_retention.plan_view.show_steps(frm),
});

const show_steps = (frm) => crm_retention.plan_view.show_steps(frm);

frappe.ui.form.on("Maintenance Plan Step", {
	// A type brings its usual channel, time and cost along.
	touchpoint_type(frm, doctype, name) {
		const row = locals[doctype][name];
		show_steps(frm);
		if (!row.touchpoint_type) return;
		const fields = ["channel", "department", "minutes", "cost"];
		frappe.db.get_value("Touchpoint Type", row.touchpoint_type, fields).then(({ message }) => {
			fields.forEach((field) => {
				if (!row[field] && message?.[field]) frappe.model.set_value(doctype, name, field, message[field]);
			});
			if (!row.step_name) frappe.model.set_value(doctype, name, "step_name", row.touchpoint_type);
		});
	},
	timing: show_steps,
	every: show_steps,
	unit: show_steps,
	rhythm: show_steps,
	occasion(frm, doctype, name) {
		const row = locals[doctype][name];
		show_steps(frm);
		if (!row.occasion || row.offset_days) return;
		frappe.db.get_value("Care Occasion", row.occasion, "lead_days").then(({ message }) => {
			if (message?.lead_days) frappe.model.set_value(doctype, name, "offset_days", -message.lead_days);
		});
	},
	event: show_steps,
	event_value: show_steps,
	offset_days: show_steps,
	channel: show_steps,
	owner_rule: show_steps,
	role: show_steps,
	user: show_steps,
	steps_add: show_steps,
	steps_remove: show_steps,
	steps_move: show_steps,
});

frappe.ui.form.on("Interaction Log", {
	setup(frm) {
		frm.set_query("party_type", () => ({ filters: { name: ["in", ["Customer", "Lead"]] } }));
		frm.set_query("kind", () => ({ filters: { enabled: 1 } }));
	},

	refresh(frm) {
		if (frm.is_new()) {
			if (!frm.doc.user) frm.set_value("user", frappe.session.user);
			return;
		}
		frm.disable_form();
		frm.disable_save();
		frappe.db.get_value("Interaction Log", { supersedes: frm.doc.name }, "name").then((r) => {
			const later = r.message?.name;
			if (later) {
				const link = `<a href="${frappe.utils.get_form_link("Interaction Log", later)}">${frappe.utils.escape_html(later)}</a>`;
				frm.set_intro(__("This row counts no more: {0} takes its place.", [link]), "orange");
			} else if (frappe.model.can_create("Interaction Log")) {
				frm.add_custom_button(__("Correct", null, "Interaction Log"), () => frm.events.correct(frm));
				frm.add_custom_button(__("Take Back"), () => frm.events.take_back(frm));
			}
		});
	},

	correct(frm) {
		const names = ["kind", "occurred_on", "channel", "direction", "outcome", "minutes", "subject", "note"];
		const fields = names.map((name) => {
			const { fieldname, fieldtype, label, options } = frm.fields_dict[name].df;
			return { fieldname, fieldtype, label: __(label, null, "Interaction Log"), options, default: frm.doc[name] };
		});
		const dialog = new frappe.ui.Dialog({
			title: __("Correct", null, "Interaction Log"),
			fields,
			primary_action_label: __("Log Correction"),
			primary_action(values) {
				const changed = names.filter((name) => (values[name] ?? "") !== (frm.doc[name] ?? ""));
				if (!changed.length) return dialog.hide();
				frm.events.send(frm, Object.fromEntries(changed.map((name) => [name, values[name] ?? null])), dialog);
			},
		});
		dialog.show();
	},

	take_back(frm) {
		frappe.confirm(__("Did this not happen? The row stays on record and counts no more."), () =>
			frm.events.send(frm, { kind: "Cancelled" })
		);
	},

	send(frm, values, dialog) {
		const args = { name: frm.doc.name, values };
		frappe.call({ method: "crm_retention.api.interactions.correct", args }).then((r) => {
			dialog?.hide();
			frappe.set_route("Form", "Interaction Log", r.message.name);
		});
	},
});

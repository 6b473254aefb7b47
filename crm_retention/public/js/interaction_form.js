// Customer and Lead: what was said is logged where one is.
["Customer", "Lead"].forEach((doctype) =>
	frappe.ui.form.on(doctype, {
		refresh(frm) {
			if (frm.is_new() || !frappe.model.can_create("Interaction Log")) return;
			frm.add_custom_button(__("Log Interaction"), () =>
				crm_retention.log_interaction({ party_type: doctype, party: frm.doc.name }, () => frm.reload_doc())
			);
		},
	})
);

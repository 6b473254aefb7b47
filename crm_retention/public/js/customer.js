// The Retention tab of customers and leads. Both forms load this file, and it speaks once.
frappe.provide("crm_retention");

(function () {
	if (crm_retention.has_tab) return;
	crm_retention.has_tab = true;

	const tab = {
		refresh(frm) {
			if (frm.is_new() || !frm.get_field("retention_html")) return;
			frm.toggle_display(["retention_tier", "retention_stage"], false); // the view below says it with reasons
			frm.get_field("retention_html").$wrapper.empty();
			frm.retention_shown = null;
			frm.trigger("show_retention");
			frm.trigger("show_retention_indicators");
		},

		on_tab_change: (frm) => frm.trigger("show_retention"),

		// Explaining a customer takes queries: only for whoever opens the tab.
		show_retention(frm) {
			const open = frm.get_active_tab()?.df.fieldname === "retention_tab";
			if (!open || frm.is_new() || frm.retention_shown === frm.doc.name) return;
			frm.retention_shown = frm.doc.name;
			const wrapper = frm.get_field("retention_html").$wrapper.empty();
			const [care, timeline, profile] = [0, 1, 2].map(() => $("<div></div>").appendTo(wrapper));
			const { doctype, name } = frm.doc;
			const show_timeline = () => crm_retention.timeline_view.load(timeline, doctype, name);
			crm_retention.customer_view.load(care, doctype, name, show_timeline);
			show_timeline();
			crm_retention.profile_view.load(profile, doctype, name);
		},

		show_retention_indicators(frm) {
			if (!frappe.model.can_read("Retention Profile")) return;
			const party = frm.doc.name;
			const fields = ["tier", "stage", "health", "override_tier"];
			frappe.db.get_value("Retention Profile", { party_type: frm.doctype, party }, fields).then((r) => {
				const profile = r.message;
				if (!profile || !(profile.tier || profile.stage) || frm.doc.name !== party) return;
				const indicators = crm_retention.profile_view.get_indicators(profile);
				indicators.forEach(([label, colour]) => frm.dashboard.add_indicator(label, colour));
				const pills = indicators.map(([label, colour]) => `<span class="indicator-pill ${colour} mr-2">${label}</span>`);
				frm.dashboard.set_headline(`<span class="retention-headline">${pills.join("")}</span>`);
			});
		},
	};
	["Customer", "Lead"].forEach((doctype) => frappe.ui.form.on(doctype, tab));
})();

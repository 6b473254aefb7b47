frappe.ui.form.on("Retention Settings", {
	refresh(frm) {
		frm.trigger("add_buttons");
		frm.trigger("show_last_run");
		frm.trigger("show_signals");
	},

	async before_save(frm) {
		const periods = { log_keep_days: ["Interaction Log", "occurred_on"], history_keep_days: ["Tier Change", "on_date"] };
		let rows = 0;
		for (const [field, [doctype, day]] of Object.entries(periods)) {
			const days = cint(frm.doc[field]);
			const before = cint(await frappe.db.get_single_value("Retention Settings", field));
			if (days <= 0 || (before > 0 && days >= before)) continue;
			const first = frappe.datetime.add_days(frappe.datetime.get_today(), -days);
			rows += await frappe.db.count(doctype, { filters: [[day, "<", first]] });
		}
		if (!rows) return;
		const question = __("{0} rows are older than what you want to keep. They will be deleted for ever, with the next clearing of logs. Go on?", [rows]);
		const agreed = await new Promise((resolve) => frappe.confirm(question, () => resolve(true), () => resolve(false)));
		if (agreed) frm.doc.agreed_rows = rows;
		else frappe.validated = false;
	},

	add_buttons(frm) {
		if (!frm.has_perm("write")) return;
		const view = crm_retention.run_view;
		const unless_dirty = (action) => () => {
			if (frm.is_dirty()) frappe.msgprint(__("Save the settings first."));
			else action();
		};
		frm.add_custom_button(
			__("Preview"),
			unless_dirty(() =>
				view.start("crm_retention.api.cycle.preview", __("Preview"), (run) => {
					if (run.status === "Failed") frappe.set_route("Form", "Retention Run", run.name);
					else view.show_preview(run.name);
				})
			)
		);
		frm.add_custom_button(
			__("Run Now"),
			unless_dirty(() =>
				view.start("crm_retention.api.cycle.run_now", __("Scoring All Customers"), (run) => {
					if (run.status === "Failed") frappe.set_route("Form", "Retention Run", run.name);
					else {
						const text = __("{0} parties, {1} tier changes, {2} stage changes.", [run.parties, run.tier_changes, run.stage_changes]);
						frappe.show_alert({ message: text, indicator: run.status === "Partial" ? "orange" : "green" }, 10);
					}
					frm.reload_doc();
				})
			)
		).addClass("btn-primary");
	},

	show_last_run(frm) {
		const wrapper = frm.get_field("last_run_html").$wrapper.empty();
		const fields = ["name", "kind", "status", "as_of", "started_at", "parties", "tier_changes", "stage_changes"];
		frappe.db.get_list("Retention Run", { fields, order_by: "creation desc", limit: 5 }).then((runs) => {
			if (!runs.length) {
				wrapper.html(`<div class="text-muted">${__("There was no run yet. Run Now scores all customers at once; Preview shows what would change without changing anything.")}</div>`);
				return;
			}
			const colour = { Completed: "green", Failed: "red", Partial: "orange", Running: "blue", Queued: "gray" };
			const rows = runs.map(
				(run) => `<tr><td class="text-nowrap"><a href="${frappe.utils.get_form_link("Retention Run", run.name)}">${frappe.datetime.str_to_user(run.as_of)}</a></td>
				<td>${__(run.kind, null, "Retention Run")}</td><td><span class="indicator-pill ${colour[run.status]}">${__(run.status, null, "Retention Run")}</span></td>
				<td class="text-right">${run.parties || 0}</td><td class="text-right">${run.tier_changes || 0}</td><td class="text-right">${run.stage_changes || 0}</td></tr>`
			);
			wrapper.html(`<div style="overflow-x: auto"><table class="table table-sm"><thead><tr><th>${__("As Of", null, "Retention Run")}</th><th>${__("Kind", null, "Retention Run")}</th><th>${__("Status", null, "Retention Run")}</th>
				<th class="text-right">${__("Parties", null, "Retention Run")}</th><th class="text-right">${__("Tier Changes")}</th><th class="text-right">${__("Stage Changes")}</th></tr></thead>
				<tbody>${rows.join("")}</tbody></table></div>`);
		});
	},

	show_signals(frm) {
		const escape = frappe.utils.escape_html;
		frappe.xcall("crm_retention.crm_retention.doctype.retention_settings.retention_settings.get_signal_catalogue").then((signals) => {
			const rows = signals.map((row) => {
				const name = row.custom
					? `<a href="${frappe.utils.get_form_link("Retention Signal", row.custom)}">${escape(row.label)}</a>`
					: escape(row.label);
				return `<tr><td>${name}<div class="text-muted small">${escape(row.name)}</div></td><td>${escape(row.definition)}</td>
					<td class="hidden-xs">${escape(row.unit)}</td><td class="hidden-xs">${escape(row.source)}</td></tr>`;
			});
			frm.get_field("signals_html").$wrapper.html(`<p class="text-muted">${__("What is known about every customer. Further signals are made without code from any document that names a customer.")}
				<a href="${frappe.router.make_url(["retention-signal"])}">${__("Own Signals")}</a></p>
				<div style="overflow-x: auto"><table class="table table-sm"><thead><tr><th>${__("Signal")}</th><th>${__("Meaning")}</th><th class="hidden-xs">${__("Unit")}</th>
				<th class="hidden-xs">${__("Source", null, "Retention Signal")}</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`);
		});
	},
});

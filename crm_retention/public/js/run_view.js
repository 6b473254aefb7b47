// Progress of a run and the result of a preview, on Retention Settings and Retention Run.
frappe.provide("crm_retention.run_view");

(function (view) {
	const POLL = 2000;
	const FIELDS = ["status", "progress", "current_step", "tier_changes", "stage_changes", "parties"];
	const DONE = ["Completed", "Partial", "Failed"];
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	view.is_done = (status) => DONE.includes(status);

	// Start a run with the method, show its progress, and call on_done(run) with the document at the end.
	view.start = function (method, title, on_done) {
		return frappe.call({ method, freeze: true, freeze_message: __("Starting...") }).then((r) => {
			if (r.message?.run || r.message?.name) view.follow(r.message.run || r.message.name, title, on_done);
		});
	};

	view.follow = function (run, title, on_done) {
		const dialog = new frappe.ui.Dialog({ title, fields: [{ fieldtype: "HTML", fieldname: "progress" }] });
		const bar = view.make_bar(dialog.get_field("progress").$wrapper);
		const stop = view.watch(run, bar, (doc) => {
			dialog.hide();
			on_done && on_done(doc);
		});
		dialog.set_secondary_action_label(__("Leave Running"));
		dialog.set_secondary_action(() => dialog.hide());
		dialog.onhide = stop;
		dialog.show();
	};

	view.make_bar = function (wrapper) {
		wrapper.html(`<div class="retention-progress py-2">
			<div class="progress" style="height: 10px"><div class="progress-bar" role="progressbar" style="width: 2%"></div></div>
			<div class="text-muted small mt-2 step">${__("Waiting for a worker...")}</div></div>`);
		return {
			set: (share, step) => {
				wrapper.find(".progress-bar").css("width", `${Math.max(2, Math.round(share))}%`);
				if (step) wrapper.find(".step").text(step);
			},
		};
	};

	// Both ways: events where the socket works, the document itself where it does not.
	view.watch = function (run, bar, on_done) {
		let over = false;
		const finish = () => {
			over = true;
			clearInterval(timer);
			frappe.realtime.off("retention_run_progress", on_event);
		};
		const on_event = (event) => {
			if (event.run === run && !over) bar.set(event.progress, __(event.step, null, "Retention Run"));
		};
		const poll = () =>
			frappe.db.get_value("Retention Run", run, FIELDS).then((r) => {
				const doc = r.message;
				if (over || !doc) return;
				if (doc.status !== "Queued") bar.set(flt(doc.progress), __(doc.current_step || doc.status, null, "Retention Run"));
				if (view.is_done(doc.status)) {
					finish();
					on_done({ name: run, ...doc });
				}
			});
		const timer = setInterval(poll, POLL);
		frappe.realtime.on("retention_run_progress", on_event);
		poll();
		return finish;
	};

	view.show_preview = function (run) {
		const dialog = new frappe.ui.Dialog({
			title: __("Who Would Move"),
			size: "large",
			fields: [{ fieldtype: "HTML", fieldname: "preview" }],
			primary_action_label: __("Open the Run"),
			primary_action: () => {
				dialog.hide();
				frappe.set_route("Form", "Retention Run", run);
			},
		});
		dialog.show();
		view.render_preview(dialog.get_field("preview").$wrapper, run);
	};

	view.render_preview = function (wrapper, run) {
		return frappe
			.xcall("crm_retention.crm_retention.doctype.retention_run.retention_run.get_preview", { run })
			.then((result) => wrapper.html(get_matrix(result.matrix || [], result.tiers || []) + get_moves(result.moves || [], result.more || 0)));
	};

	function get_matrix(matrix, order) {
		if (!matrix.length) return `<div class="text-muted">${__("There is nobody to move.")}</div>`;
		const none = __("None");
		const name = (tier) => (tier ? __(tier, null, "Customer Tier") : none);
		const named = (key) => [...new Set(matrix.map((cell) => cell[key] || ""))];
		// by rank, the highest first; those that are no more, and none, at the end
		const place = (tier) => (order.includes(tier) ? order.indexOf(tier) : order.length + !tier);
		const sorted = (names) => names.sort((a, b) => place(a) - place(b));
		const columns = sorted(named("to"));
		const rows = sorted(named("from"));
		const count = (from, to) => matrix.find((cell) => (cell.from || "") === from && (cell.to || "") === to)?.count || 0;
		const cell = (from, to) => {
			const number = count(from, to);
			const stays = from === to;
			return `<td class="text-right ${stays ? "text-muted" : number ? "bold" : "text-muted"}" ${stays ? 'style="background: var(--control-bg)"' : ""}>${number || "·"}</td>`;
		};
		return `<p class="text-muted small">${__("From the tier in the row to the tier in the column. Shaded: those who stay.")}</p>
			<div style="overflow-x: auto"><table class="table table-bordered table-sm retention-matrix">
			<thead><tr><th>${__("From", null, "Tier Change")} \\ ${__("To", null, "Tier Change")}</th>${columns.map((to) => `<th class="text-right">${escape(name(to))}</th>`).join("")}</tr></thead>
			<tbody>${rows.map((from) => `<tr><th>${escape(name(from))}</th>${columns.map((to) => cell(from, to)).join("")}</tr>`).join("")}</tbody>
			</table></div>`;
	}

	function get_moves(moves, left_out) {
		if (!moves.length) return "";
		const shown = moves.slice(0, 200);
		const route = (move) => frappe.utils.get_form_link(move.party_type, move.party);
		const name = (tier) => (tier ? __(tier, null, "Customer Tier") : "–");
		const rows = shown.map(
			(move) => `<tr><td><a href="${route(move)}">${escape(move.party_name || move.party)}</a></td>
			<td>${escape(name(move.from))} → <b>${escape(name(move.to))}</b></td>
			<td class="text-right">${move.score === null || move.score === undefined ? "–" : format_number(move.score, null, 1)}</td></tr>`
		);
		const rest = moves.length - shown.length + left_out;
		const more = rest ? `<p class="text-muted small">${__("and {0} more", [rest])}</p>` : "";
		return `<table class="table table-sm"><thead><tr><th>${__("Name")}</th><th>${__("Move", null, "Tier Change")}</th><th class="text-right">${__("Score", null, "Retention Profile")}</th></tr></thead>
			<tbody>${rows.join("")}</tbody></table>${more}`;
	}
})(crm_retention.run_view);

// What people do with touchpoints: the same dialogs on My Day, in the form and in lists.
frappe.provide("crm_retention.touchpoint");

Object.assign(crm_retention.touchpoint, {
	OUTCOMES: ["Reached", "Not Reached", "Interested", "Declined", "Problem Raised", "Resolved", "Ordered"],

	call(method, args, done) {
		return frappe.call({
			method: `crm_retention.api.touchpoints.${method}`,
			args,
			freeze: true,
			callback: (r) => done && done(r.message),
		});
	},

	// These dialogs open on several pages; what they look like comes with them.
	add_style() {
		if (document.getElementById("touchpoint-style")) return;
		$(`<style id="touchpoint-style">
		.touchpoint-outcomes { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; margin-bottom: 12px;}
		.touchpoint-outcomes .btn, .touchpoint-stepper .btn { min-height: 48px; white-space: normal;}
		.touchpoint-stepper { display: grid; grid-template-columns: 56px 1fr 56px; align-items: center; gap: 8px; margin-bottom: 12px; text-align: center;}
		.touchpoint-dialog .modal-footer .standard-actions { width: 100%; text-align: right; }
		.touchpoint-dialog .modal-footer .btn-modal-primary { min-height: 48px; min-width: 50%; }
		.touchpoint-stepper output { font-size: 18px; font-weight: 600;}
		</style>`).appendTo(document.head);
	},

	// One identity for all tries of the same dialog: a second tap or a retry is no second completion.
	request_id() {
		return `desk-${frappe.utils.get_random(20)}`;
	},

	complete(card, done) {
		this.add_style();
		const request_id = this.request_id();
		const dialog = new frappe.ui.Dialog({
			title: frappe.utils.escape_html(card.title) || __("Done", null, "My Day"),
			fields: [
				{ fieldname: "outcomes", fieldtype: "HTML" },
				{ fieldname: "note", fieldtype: "Small Text", label: __("Note", null, "Touchpoint") },
				{ fieldname: "stepper", fieldtype: "HTML" },
				{ fieldname: "next_step", fieldtype: "Data", label: __("Next Step") },
				{
					fieldname: "next_date",
					fieldtype: "Date",
					label: __("Next Step On"),
					depends_on: "next_step",
					default: frappe.datetime.add_days(frappe.datetime.get_today(), 7),
				},
			],
			primary_action_label: __("Done", null, "My Day"),
			primary_action: (values) => {
				if (!outcome) {
					frappe.show_alert({ message: __("Tap what came of it."), indicator: "orange" });
					return;
				}
				const next = values.next_step ? { next_step: values.next_step, next_date: values.next_date } : {};
				const args = { name: card.name, outcome, note: values.note, minutes, request_id, ...next };
				this.call("complete", args, (result) => {
					dialog.hide();
					frappe.show_alert({ message: __("Done: {0}", [frappe.utils.escape_html(result.title)]), indicator: "green" });
					done && done(result);
				});
			},
		});
		let outcome = "";
		let minutes = cint(card.minutes) || 0;
		const outcomes = this.outcome_buttons((chosen) => (outcome = chosen));
		dialog.$wrapper.addClass("touchpoint-dialog");
		dialog.fields_dict.outcomes.$wrapper.append(outcomes);
		dialog.fields_dict.stepper.$wrapper.append(this.stepper(minutes, (value) => (minutes = value)));
		dialog.show();
	},

	outcome_buttons(choose) {
		const box = $(`<div class="touchpoint-outcomes" role="radiogroup"></div>`).attr("aria-label", __("Outcome"));
		for (const outcome of this.OUTCOMES) {
			$(`<button type="button" class="btn btn-default" role="radio" aria-checked="false"></button>`)
				.text(__(outcome, null, "Touchpoint"))
				.on("click", function () {
					box.find("button").removeClass("btn-primary").addClass("btn-default").attr("aria-checked", "false");
					$(this).addClass("btn-primary").removeClass("btn-default").attr("aria-checked", "true");
					choose(outcome);
				})
				.appendTo(box);
		}
		return box;
	},

	stepper(start, change) {
		let value = start;
		const box = $(`<div><label class="control-label">${__("Minutes")}</label><div class="touchpoint-stepper">
			<button type="button" class="btn btn-default" data-step="-5">−</button><output></output>
			<button type="button" class="btn btn-default" data-step="5">+</button></div></div>`);
		box.find("[data-step='-5']").attr("aria-label", __("Less"));
		box.find("[data-step='5']").attr("aria-label", __("More"));
		box.find("output").text(value);
		box.on("click", "button", function () {
			value = Math.max(0, value + cint($(this).data("step")));
			box.find("output").text(value);
			change(value);
		});
		return box;
	},

	skip(card, done) {
		this.ask(__("Skip: {0}", [card.title]), [this.reason_field()], __("Skip"), (values) =>
			this.call("skip", { name: card.name, request_id: values.request_id, reason: values.reason }, done)
		);
	},

	later(card, done) {
		const fields = [this.day_field(), this.reason_field()];
		this.ask(__("Later: {0}", [card.title]), fields, __("Move", null, "Touchpoint"), (values) =>
			this.call("reschedule", { name: card.name, ...values }, done)
		);
	},

	ask(title, fields, label, action) {
		const request_id = this.request_id();
		const dialog = new frappe.ui.Dialog({
			title,
			fields,
			primary_action_label: label,
			primary_action: (values) => {
				const going = action({ ...values, request_id });
				if (going && going.then) going.then((r) => r && !r.exc && dialog.hide());
				else dialog.hide();
			},
		});
		dialog.show();
		return dialog;
	},

	reason_field() {
		return { fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 };
	},

	day_field() {
		const tomorrow = frappe.datetime.add_days(frappe.datetime.get_today(), 1);
		return { fieldname: "due_date", fieldtype: "Date", label: __("New Day"), reqd: 1, default: tomorrow };
	},

	// What a selection's action did, and why the rest was refused, row by row.
	report(result) {
		const done = __("{0} done", [result.done.length]);
		if (!result.failed.length) {
			frappe.show_alert({ message: done, indicator: "green" });
			return;
		}
		const rows = result.failed.map(
			(row) =>
				`<li><a href="${frappe.utils.get_form_link("Touchpoint", row.name)}">${frappe.utils.escape_html(row.title)}</a>: ` +
				`${frappe.utils.escape_html(row.error)}</li>`
		);
		frappe.msgprint({
			title: __("{0} Refused", [result.failed.length]),
			message: `<p>${done}</p><ul>${rows.join("")}</ul>`,
			indicator: "orange",
		});
	},
});

// Log an interaction in seconds: four fields that a thumb reaches, the rest folded away.
frappe.provide("crm_retention");

(function () {
	const OUTCOMES = ["Reached", "Not Reached", "Interested", "Declined", "Problem Raised", "Resolved", "Ordered"];
	const DOCTYPE = "Interaction Log";

	// options: party_type, party, touchpoint (is completed by it), kind; done(result) is called after it is saved.
	crm_retention.log_interaction = function (options = {}, done = () => {}) {
		return get_kinds().then((kinds) => show(options, kinds, done));
	};

	// What people do themselves; kinds that documents stand for are captured.
	function get_kinds() {
		const fields = ["name", "is_contact", "channel"];
		return frappe.db
			.get_list("Interaction Kind", { filters: { enabled: 1 }, fields, order_by: "creation asc", limit: 0 })
			.then((rows) => rows.filter((row) => (row.is_contact || row.name === "Note") && row.channel !== "Document"));
	}

	function show(options, kinds, done) {
		add_style();
		const chosen = { kind: options.kind || kinds[0]?.name, outcome: "" };
		const request_id = frappe.utils.get_random(20); // the same for every try of this dialog
		const dialog = new frappe.ui.Dialog({
			title: __("Log Interaction"),
			fields: get_fields(options),
			primary_action_label: __("Save"),
			primary_action: (values) => save(dialog, { ...values, ...chosen, request_id }, options, done),
		});
		dialog.$wrapper.addClass("retention-quick");
		dialog.show();
		const kind_chips = kinds.map((row) => [row.name, __(row.name, null, "Interaction Kind")]);
		if (!options.touchpoint) add_chips(dialog, "kind_html", __("Kind"), kind_chips, chosen, "kind");
		const outcome_chips = OUTCOMES.map((name) => [name, __(name, null, DOCTYPE)]);
		add_chips(dialog, "outcome_html", __("Outcome"), outcome_chips, chosen, "outcome");
		return dialog;
	}

	function get_fields(options) {
		const known = Boolean(options.party);
		const today = frappe.datetime.get_today();
		return [
			{ fieldname: "party_type", fieldtype: "Select", label: __("Party Type"), options: ["Customer", "Lead"], default: options.party_type || "Customer", hidden: known },
			{ fieldname: "party", fieldtype: "Dynamic Link", label: __("Party"), options: "party_type", reqd: 1, default: options.party, read_only: known },
			{ fieldname: "kind_html", fieldtype: "HTML" },
			{ fieldname: "note", fieldtype: "Small Text", label: __("Note", null, DOCTYPE) },
			{ fieldname: "outcome_html", fieldtype: "HTML" },
			{ fieldname: "more", fieldtype: "Section Break", label: __("More"), collapsible: 1 },
			{ fieldname: "promise", fieldtype: "Data", label: __("Promised") },
			{ fieldname: "promise_date", fieldtype: "Date", label: __("Promised For"), default: frappe.datetime.add_days(today, 7), depends_on: "promise" },
			{ fieldname: "minutes", fieldtype: "Int", label: __("Minutes"), description: __("Empty: as long as usual") },
			{ fieldname: "direction", fieldtype: "Select", label: __("Direction"), default: "Out", hidden: Boolean(options.touchpoint), options: [{ value: "Out", label: __("Out", null, "Interaction Log") }, { value: "In", label: __("In", null, "Interaction Log") }] },
			{ fieldname: "occurred_on", fieldtype: "Datetime", label: __("When"), hidden: Boolean(options.touchpoint), description: __("Empty: now") },
			{ fieldname: "attachment", fieldtype: "Attach", label: __("Photo or Voice"), hidden: Boolean(options.touchpoint) },
			{ fieldname: "here", fieldtype: "Check", label: __("Add where I am"), hidden: Boolean(options.touchpoint) || !navigator.geolocation },
		];
	}

	function add_chips(dialog, field, label, choices, chosen, key) {
		const wrapper = dialog.get_field(field).$wrapper.empty();
		$(`<label class="control-label">${label}</label>`).appendTo(wrapper);
		const row = $(`<div class="rq-chips" role="radiogroup" aria-label="${label}"></div>`).appendTo(wrapper);
		const mark = () =>
			row.children().each((_i, chip) => {
				const on = chip.dataset.value === chosen[key];
				$(chip).toggleClass("rq-on", on).attr("aria-checked", String(on));
			});
		choices.forEach(([value, text]) => {
			$(`<button type="button" class="btn btn-default" role="radio"></button>`)
				.attr("data-value", value)
				.text(text)
				.appendTo(row)
				.on("click", () => {
					chosen[key] = chosen[key] === value && key === "outcome" ? "" : value;
					mark();
				});
		});
		mark();
	}

	// Only whoever ticks the box is asked by the browser; without an answer the interaction is logged without a place.
	function get_place(wanted) {
		if (!wanted || !navigator.geolocation) return Promise.resolve({});
		return new Promise((resolve) => {
			navigator.geolocation.getCurrentPosition(
				({ coords }) => resolve({ latitude: coords.latitude, longitude: coords.longitude }),
				() => {
					frappe.show_alert({ message: __("Your place is not known: logged without it."), indicator: "orange" });
					resolve({});
				},
				{ timeout: 8000, maximumAge: 60000 }
			);
		});
	}

	function save(dialog, values, options, done) {
		if (options.touchpoint && !values.outcome) return frappe.show_alert({ message: __("Choose an outcome."), indicator: "orange" });
		dialog.disable_primary_action();
		return get_place(values.here)
			.then((place) => frappe.call(get_call({ ...values, ...place }, options)))
			.then((r) => {
				dialog.hide();
				const completed = r.message.completed?.length;
				frappe.show_alert({ message: completed ? __("Logged; the open touchpoint is done.") : __("Logged"), indicator: "green" });
				done(r.message);
			})
			.catch(() => {}) // Frappe has said what is wrong; the dialog stays for another try
			.finally(() => dialog.enable_primary_action());
	}

	function get_call(values, options) {
		if (options.touchpoint) {
			const { outcome, note, minutes, request_id, promise, promise_date } = values;
			const next = promise ? { next_step: promise, next_date: promise_date } : {};
			const args = { name: options.touchpoint, outcome, note, minutes: minutes || undefined, request_id, ...next };
			return { method: "crm_retention.api.touchpoints.complete", args };
		}
		const { here, more, ...args } = values;
		if (!args.promise) delete args.promise_date;
		if (!args.minutes) delete args.minutes;
		return { method: "crm_retention.api.interactions.log_interaction", args };
	}

	function add_style() {
		if (document.getElementById("retention-quick-style")) return;
		$(`<style id="retention-quick-style">
			.retention-quick .rq-chips { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 12px; }
			.retention-quick .rq-chips .btn { min-height: 40px; padding: 4px 14px; border-radius: 20px; }
			.retention-quick textarea { height: 84px !important; }
			.retention-quick .rq-chips .rq-on { background: var(--gray-900, #171717); color: var(--white, #fff); }
			[data-theme="dark"] .retention-quick .rq-chips .rq-on { background: #fff; color: #171717; }
			@media (max-width: 767px) {
				.retention-quick .modal-dialog { position: fixed; inset: auto 0 0 0; margin: 0; max-width: none; }
				.retention-quick .modal-content { max-height: 92vh; border-radius: 16px 16px 0 0; }
				.retention-quick .modal-body { overflow-y: auto; }
				.retention-quick .modal-footer { display: block; }
				.retention-quick .modal-footer .standard-actions, .retention-quick .modal-footer .btn-modal-primary { width: 100%; }
				.retention-quick .modal-footer .btn { min-height: 48px; }
				.retention-quick .rq-chips .btn { min-height: 44px; }
			}
		</style>`).appendTo(document.head);
	}
})();

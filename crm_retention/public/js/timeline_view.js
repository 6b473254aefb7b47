// All that happened with a customer or lead, across departments, newest first, a page at a time.
frappe.provide("crm_retention.timeline_view");

(function (timeline) {
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));
	const link = (...args) => crm_retention.customer_view.link(...args);
	const pill = (...args) => crm_retention.customer_view.pill(...args);
	const PAGE = 20;
	const COLOURS = { "Interaction Log": "blue", "Tier Change": "purple", Touchpoint: "gray", "Plan Enrollment": "green" };

	timeline.load = function (wrapper, party_type, party) {
		crm_retention.customer_view.add_style();
		add_style();
		wrapper.empty();
		const root = $(`<section class="rc-card retention-timeline"><h5>${__("Timeline")}</h5>
			<details class="rt-filters"><summary>${__("Filters")}</summary><div class="rt-fields"></div></details>
			<div class="rt-rows" role="list"></div></section>`).appendTo(wrapper);
		const more = $(`<button type="button" class="btn btn-default btn-sm rt-more hidden">${__("Show Older")}</button>`).appendTo(root);
		const state = { party_type, party, filters: {}, before: null, asked: 0, root, more };
		more.on("click", () => get_rows(state));
		root.find(".rt-filters").one("toggle", () => add_filters(state));
		return get_rows(state);
	};

	function get_rows(state, from_start = false) {
		const asked = ++state.asked; // an answer to filters that were changed meanwhile is dropped
		const { party_type, party, filters, more } = state;
		const before = from_start ? null : state.before;
		more.prop("disabled", true);
		const args = { party_type, party, filters: JSON.stringify(filters), limit: PAGE, ...(before ? { before } : {}) };
		return frappe
			.call({ method: "crm_retention.api.timeline.get_timeline", args, silent: true })
			.then((r) => asked === state.asked && show(state, r.message, from_start))
			.catch(() => asked === state.asked && say(state, __("This could not be loaded.")))
			.always(() => more.prop("disabled", false));
	}

	function show(state, page, from_start) {
		const box = state.root.find(".rt-rows");
		if (from_start) box.empty();
		page.rows.forEach((row) => box.append(get_row(row)));
		state.before = page.before;
		state.more.toggleClass("hidden", !page.before);
		if (!box.children().length) {
			say(state, Object.keys(state.filters).length ? __("Nothing matches these filters.") : __("Nothing is on record yet."));
		}
	}

	function say(state, text) {
		state.root.find(".rt-rows").html(`<div class="text-muted">${text}</div>`);
		state.more.addClass("hidden");
	}

	function get_row(row) {
		const said = { logged: get_logged, changed: get_changed, ended: get_ended, entered: get_plan, left: get_plan }[row.event](row);
		const element = $(`<div class="rt-row" role="listitem">
			<span class="indicator ${said.colour || COLOURS[row.of]}"></span>
			<div class="rt-what"><div class="rt-title">${said.title}</div>
			<div class="rc-note">${[frappe.datetime.str_to_user(row.occurred_on), ...said.facts].filter(Boolean).join(" · ")}</div></div></div>`);
		if (said.text) {
			$(`<div class="rt-note"></div>`)
				.text(said.text)
				.appendTo(element.find(".rt-what"))
				.on("click", function () {
					$(this).toggleClass("rt-whole");
				});
		}
		return element;
	}

	// A name that Frappe drew says nothing to people.
	function get_document(doctype, name) {
		const label = __(doctype);
		return /^[0-9a-z]{10}$/.test(name) ? link(doctype, name, label) : `${escape(label)} ${link(doctype, name)}`;
	}

	const is_alike = (one, other) => String(one).trim().toLowerCase() === String(other).trim().toLowerCase();

	function get_logged(row) {
		const kind = __(row.kind, null, "Interaction Kind");
		const channel = row.channel && row.channel !== row.kind ? escape(__(row.channel, null, "Contact Channel")) : "";
		const subject = row.hidden ? __("of a document that you may not see") : [kind, row.reference_name].some((said) => is_alike(said, row.subject)) ? "" : row.subject;
		const outcome = row.outcome ? pill(__(row.outcome, null, "Interaction Log"), "blue") : "";
		const sentiment = { Positive: "green", Negative: "red" }[row.sentiment];
		const mood = sentiment ? pill(__(row.sentiment, null, "Interaction Log"), sentiment) : "";
		const document = row.reference_name && row.reference_doctype !== "Touchpoint" ? get_document(row.reference_doctype, row.reference_name) : "";
		const facts = [
			channel,
			crm_retention.customer_view.direction(row.direction),
			escape(row.department),
			escape(row.user_name),
			row.minutes ? __("{0} min", [row.minutes]) : "",
			document,
			row.touchpoint ? link("Touchpoint", row.touchpoint, __("planned")) : "",
			row.corrects ? link("Interaction Log", row.corrects, __("corrects an earlier entry")) : "",
			/^(https?:\/\/|\/(private\/)?files\/)/.test(row.attachment) ? `<a href="${escape(encodeURI(row.attachment))}" target="_blank" rel="noopener">${__("attachment")}</a>` : "",
		];
		const text = row.note && !is_alike(row.note, row.subject) ? row.note : "";
		const title = `${link("Interaction Log", row.name, kind)}${subject ? `: ${escape(subject)}` : ""} ${outcome} ${mood}`;
		return { title, facts, text: strip(text), colour: sentiment };
	}

	// What was captured from an email is HTML; here it is read as text.
	function strip(text) {
		if (!text || !/<[a-z][^>]*>/i.test(text)) return text || "";
		return new DOMParser().parseFromString(text, "text/html").body.textContent.trim();
	}

	function get_changed(row) {
		const profile = crm_retention.profile_view;
		const name = (value) => escape((row.kind === "Stage" ? profile.stage : profile.tier)(value) || "–");
		const label = row.kind === "Stage" ? __("Stage") : __("Tier");
		return { title: `${label}: ${name(row.from_value)} → <b>${name(row.to_value)}</b>`, facts: [escape(profile.get_reason(row.reason))] };
	}

	function get_ended(row) {
		const type = row.is_promise && row.why ? row.why : __(row.touchpoint_type, null, "Touchpoint Type");
		const state = pill(__(row.status, null, "Touchpoint"), { Done: "green", Missed: "red" }[row.status] || "gray");
		const due = row.due_date && !row.only_day ? __("due {0}", [frappe.datetime.str_to_user(row.due_date)]) : "";
		const facts = [
			row.channel ? escape(__(row.channel, null, "Contact Channel")) : "",
			escape(row.department),
			escape(row.user_name),
			due,
			row.rule ? escape(__(row.rule, null, "Contact Rule")) : "",
		];
		return { title: `${link("Touchpoint", row.name, type)} ${state}`, facts, text: row.reason ? __(row.reason) : row.note };
	}

	function get_plan(row) {
		const name = row.title ? __(row.title, null, "Maintenance Plan") : "";
		const plan = row.plan ? link("Maintenance Plan", row.plan, name || row.plan) : escape(name || __("a plan"));
		const arm = row.arm === "Holdout" ? pill(__("Holdout", null, "Plan Enrollment"), "gray") : "";
		const title = row.event === "entered" ? __("Came into the plan {0}", [plan]) : __("Left the plan {0}", [plan]);
		const version = row.version_number ? __("Version {0}", [row.version_number]) : "";
		return { title: `${title} ${arm}`, facts: [version, row.why ? escape(crm_retention.profile_view.get_standing(row.why)) : ""], colour: row.event === "left" ? "gray" : null };
	}

	function add_filters(state) {
		const fields = state.root.find(".rt-fields");
		const set = (name, value) => {
			if (value) state.filters[name] = value;
			else delete state.filters[name];
			get_rows(state, true);
		};
		const select = (name, label, choices) => {
			const control = $(`<select class="form-control input-xs"></select>`).append($("<option>").val("").text(__("All")));
			choices.forEach(([value, text]) => control.append($("<option>").val(value).text(text)));
			add(label, control.on("change", () => set(name, control.val())));
			return control;
		};
		const add = (label, control) => $(`<label><span>${label}</span></label>`).append(control).appendTo(fields);
		const date = (name, label) => {
			const control = $(`<input type="date" class="form-control input-xs">`);
			add(label, control.on("change", () => set(name, control.val())));
		};
		select("of", __("What"), [
			["Interaction Log", __("Interactions")],
			["Tier Change", __("Tiers and stages")],
			["Touchpoint", __("Touchpoints that ended")],
			["Plan Enrollment", __("Plans")],
		]);
		add_choices(select("kind", __("Kind"), []), "Interaction Kind");
		add_choices(select("channel", __("Channel"), []), "Contact Channel");
		add_choices(select("department", __("Department"), []), "Department");
		const directions = ["In", "Out", "Internal"].map((value) => [value, crm_retention.customer_view.direction(value)]);
		select("direction", __("Direction"), directions);
		date("from_date", __("From Date"));
		date("to_date", __("To Date"));
		const box = $(`<input type="checkbox">`).on("change", () => set("only_contacts", box.prop("checked") ? 1 : 0));
		$(`<label class="rt-check"></label>`).append(box, document.createTextNode(__("Only contacts"))).appendTo(fields);
	}

	function add_choices(control, doctype) {
		if (!frappe.model.can_read(doctype)) return;
		const options = { fields: ["name"], order_by: "name asc", limit: 0 };
		frappe.db.get_list(doctype, options).then((rows) =>
			rows.forEach((row) => control.append($("<option>").val(row.name).text(__(row.name, null, doctype))))
		);
	}

	function add_style() {
		if (document.getElementById("retention-timeline-style")) return;
		$(`<style id="retention-timeline-style">
			.retention-timeline .rt-row { display: flex; align-items: flex-start; gap: 8px; padding: 8px 0; border-top: 1px solid var(--border-color); }
			.retention-timeline .rt-row > .indicator { flex: none; margin-top: 3px; }
			.retention-timeline .rt-what { min-width: 0; flex: 1; overflow-wrap: anywhere; }
			.retention-timeline .rt-note { color: var(--text-muted); white-space: pre-line; margin-top: 2px; cursor: pointer;
				display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
			.retention-timeline .rt-note.rt-whole { display: block; }
			.retention-timeline .rt-filters { margin-bottom: 8px; }
			.retention-timeline summary { cursor: pointer; color: var(--text-muted); }
			.retention-timeline .rt-fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px 12px; margin-top: 8px; align-items: end; }
			.retention-timeline .rt-fields label { margin: 0; }
			.retention-timeline .rt-fields label > span { display: block; color: var(--text-muted); font-size: var(--text-sm, 12px); }
			.retention-timeline .rt-check { display: flex; gap: 6px; align-items: center; min-height: 28px; }
			.retention-timeline .rt-more { margin-top: 8px; }
			@media (max-width: 767px) {
				.retention-timeline .rt-fields { grid-template-columns: 1fr; }
				.retention-timeline .rt-fields .form-control { min-height: 40px; font-size: 16px; }
				.retention-timeline .rt-more { width: 100%; min-height: 44px; }
			}
		</style>`).appendTo(document.head);
	}
})(crm_retention.timeline_view);

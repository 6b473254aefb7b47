// What is known and to be done of a customer or lead, at a glance: on the Retention tab of both forms.
frappe.provide("crm_retention.customer_view");

(function (view) {
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));
	const day = (text) => (text ? frappe.datetime.str_to_user(String(text).slice(0, 10)) : "");
	const number = (value) => format_number(value, null, Number.isInteger(value) ? 0 : 1);
	view.escape = escape;

	view.link = (doctype, name, text) =>
		name ? `<a href="${frappe.utils.get_form_link(doctype, name)}">${escape(text || name)}</a>` : escape(text);

	view.pill = (text, colour) => `<span class="indicator-pill no-indicator-dot ${colour}">${escape(text)}</span>`;

	view.note = (parts) => {
		const said = parts.filter(Boolean);
		return said.length ? `<div class="rc-note">${said.join(" · ")}</div>` : "";
	};

	// changed() is called after something was done here: what else the form shows may have changed with it.
	view.load = function (wrapper, party_type, party, changed = () => {}) {
		view.add_style();
		if (!wrapper.children().length) wrapper.html(`<div class="text-muted small">${__("Loading...")}</div>`);
		const again = () => view.load(wrapper, party_type, party, changed).then(changed);
		return frappe
			.call({ method: "crm_retention.api.timeline.get_view", args: { party_type, party }, silent: true })
			.then((r) => render(wrapper, r.message, again))
			.catch(() => wrapper.html(`<div class="text-muted small">${__("This could not be loaded.")}</div>`));
	};

	function render(wrapper, data, again) {
		wrapper.empty();
		const root = $(`<div class="retention-care"></div>`).appendTo(wrapper);
		const open = data.touchpoints.filter((row) => row.status === "Open");
		const promises = open.filter((row) => row.is_promise);
		const others = open.filter((row) => !row.is_promise);
		root.append(get_contact(data));
		if (data.rhythm) root.append(get_rhythm(data.rhythm));
		if (promises.length) root.append(get_tasks(__("Promised"), promises, data, again));
		root.append(get_tasks(__("To Do"), others, data, again));
		root.append(get_plans(data));
		if (data.occasions.length) root.append(card(__("Occasions Ahead"), data.occasions.map(get_occasion)));
		if (data.cases.length) root.append(card(__("Cases"), data.cases.map(get_case)));
		const waiting = data.touchpoints.filter((row) => row.status === "Waiting");
		if (waiting.length || data.stops.length) root.append(get_held(waiting, data.stops));
		if (data.preferences.length) root.append(card(__("Wishes About Contact"), data.preferences.map(get_preference)));
	}

	const LONG = 5; // rows of a card that show before the rest is asked for

	function card(title, rows, count = rows.length) {
		const box = $(`<section class="rc-card"><h5>${escape(title)}${count > 1 ? ` <span class="rc-note">${count}</span>` : ""}</h5></section>`);
		rows.forEach((row, index) => box.append($(row).addClass("rc-row").toggleClass("hidden", index >= LONG)));
		if (rows.length > LONG) {
			$(`<button type="button" class="btn btn-xs btn-default mt-2">${__("Show {0} more", [rows.length - LONG])}</button>`)
				.appendTo(box)
				.on("click", function () {
					box.find(".rc-row").removeClass("hidden");
					$(this).remove();
				});
		}
		return box;
	}

	function get_contact(data) {
		const last = data.last_contact;
		const next = data.next_contact;
		const rows = [];
		if (last) {
			const kind = __(last.kind, null, "Interaction Kind");
			const channel = last.channel && last.channel !== last.kind ? escape(__(last.channel, null, "Contact Channel")) : "";
			const said = [view.direction(last.direction), channel, escape(last.user_name), last.outcome ? escape(__(last.outcome, null, "Interaction Log")) : ""];
			rows.push(`<div><div class="rc-label">${__("Last Contact")}</div><b>${frappe.datetime.str_to_user(last.occurred_on)}</b>
				${view.link("Interaction Log", last.name, kind)}${view.note(said)}</div>`);
		} else rows.push(`<div><div class="rc-label">${__("Last Contact")}</div><span class="text-muted">${__("None is on record.")}</span></div>`);
		if (next) {
			rows.push(`<div><div class="rc-label">${__("Next Contact")}</div><b>${when(next, data.as_of)}</b>
				${view.link("Touchpoint", next.name, __(next.touchpoint_type, null, "Touchpoint Type"))}${view.note([escape(next.assigned_to_name)])}</div>`);
		} else rows.push(`<div><div class="rc-label">${__("Next Contact")}</div><span class="text-muted">${__("Nothing is planned.")}</span></div>`);
		return card(__("Contact", null, "Retention Profile"), rows, 0);
	}

	view.direction = (direction) =>
		({ In: __("from the customer"), Out: __("from us"), Internal: __("internal") })[direction] || "";

	function when(task, as_of) {
		if (task.starts_at) return frappe.datetime.str_to_user(task.starts_at);
		const late = frappe.datetime.get_day_diff(as_of, task.due_date);
		const text = day(task.due_date);
		if (late > 0) return `${text} <span class="text-danger">${late === 1 ? __("1 day late") : __("{0} days late", [late])}</span>`;
		return late === 0 ? __("Today") : text;
	}

	function get_tasks(title, tasks, data, again) {
		if (!tasks.length) return card(title, [`<div class="text-muted">${__("Nothing is to be done.")}</div>`]);
		return card(title, tasks.map((task) => get_task(task, data, again)));
	}

	function get_task(task, data, again) {
		const name = task.is_promise && task.why ? task.why : __(task.touchpoint_type, null, "Touchpoint Type");
		const why = task.is_promise ? "" : escape(task.why);
		const channel = task.channel ? escape(__(task.channel, null, "Contact Channel")) : "";
		const row = $(`<div><div>${view.link("Touchpoint", task.name, name)}</div>
			${view.note([when(task, data.as_of), channel, escape(task.assigned_to_name || __("nobody's")), why])}</div>`);
		if (!task.may_act) return row;
		const buttons = $(`<div class="rc-actions"></div>`).appendTo(row);
		const actions = [["complete", __("Done", null, "My Day")], ["skip", __("Skip")], ["later", __("Later")]];
		actions.forEach(([action, label]) =>
			$(`<button type="button" class="btn btn-sm">${label}</button>`)
				.attr("aria-label", `${label}: ${name}`)
				.addClass(action === "complete" ? "btn-primary" : "btn-default")
				.appendTo(buttons)
				.on("click", () => crm_retention.touchpoint[action](task, again))
		);
		return row;
	}

	function get_plans(data) {
		const rows = data.plans.map((row) => {
			const title = view.link("Maintenance Plan", row.plan, row.title ? __(row.title, null, "Maintenance Plan") : row.plan);
			const arm = row.arm === "Holdout" ? view.pill(__("Holdout", null, "Plan Enrollment"), "gray") : "";
			const paused = row.status === "Paused" ? view.pill(__("Paused", null, "Maintenance Plan"), "orange") : "";
			const moves = row.next_plan ? __("moves to {0} at its next step", [view.link("Maintenance Plan", row.next_plan)]) : "";
			const said = [__("Version {0}", [row.version_number]), row.arm === "Treated" ? __("Treated", null, "Plan Enrollment") : "", __("since {0}", [day(row.from_date)]), row.why ? escape(crm_retention.profile_view.get_standing(row.why)) : "", moves];
			return `<div><div>${title} ${arm} ${paused}</div>${view.note(said)}</div>`;
		});
		return card(__("Plans"), rows.length ? rows : [`<div class="text-muted">${__("In no plan.")}</div>`]);
	}

	function get_rhythm(rhythm) {
		const ago = rhythm.days_since === 1 ? __("1 day ago") : __("{0} days ago", [rhythm.days_since]);
		const last = rhythm.days_since ? __("Last purchase {0}, {1}.", [day(rhythm.last_purchase), ago]) : __("Last purchase today.");
		if (!rhythm.mean_interval_days) {
			return card(__("Buying Rhythm"), [`<div>${last} ${__("A rhythm shows from the second purchase on.")}</div>`]);
		}
		const usual = __("Usually buys every {0} days.", [number(rhythm.mean_interval_days)]);
		const late = rhythm.days_overdue;
		const expected = late
			? __("The next purchase was expected on {0}: {1} days overdue.", [day(rhythm.expected_on), late])
			: __("The next purchase is expected around {0}.", [day(rhythm.expected_on)]);
		const colour = rhythm.ratio > 2 ? "red" : rhythm.ratio > 1 ? "orange" : "green";
		const share = Math.min(rhythm.ratio / 2, 1) * 100; // the mark in the middle is the usual interval
		const bar = `<div class="rc-bar" role="img" aria-label="${escape(expected)}"><i style="width:${share}%; background: var(--${colour}-500, ${colour})"></i><u></u></div>`;
		return card(__("Buying Rhythm"), [`<div>${usual} ${last}${bar}<div class="${late ? "text-danger" : ""}">${expected}</div></div>`]);
	}

	function get_occasion(row) {
		const about = row.document ? view.link(row.document.doctype, row.document.name) : "";
		const steps = row.steps.filter((step) => step !== row.occasion).map((step) => escape(__(step, null, "Maintenance Plan Step"))).join(", ");
		const ahead = row.in_days === 0 ? __("today") : row.in_days === 1 ? __("tomorrow") : __("in {0} days", [row.in_days]);
		return `<div><b>${day(row.day)}</b> ${escape(__(row.occasion, null, "Care Occasion"))}${view.note([ahead, about, steps])}</div>`;
	}

	function get_case(row) {
		const state = view.pill(__(row.status, null, row.doctype), row.is_open ? "orange" : "gray");
		const said = [__(row.doctype), row.kind ? escape(__(row.kind)) : "", row.priority ? escape(__(row.priority)) : "", day(row.opened)];
		return `<div><div>${view.link(row.doctype, row.name, row.title || row.name)} ${state}</div>${view.note(said)}</div>`;
	}

	function get_held(waiting, stops) {
		const type = (row) => view.link("Touchpoint", row.touchpoint || row.name, __(row.touchpoint_type, null, "Touchpoint Type"));
		const rule = (row) => (row.rule ? escape(__(row.rule, null, "Contact Rule")) : "");
		const rows = waiting.map((row) => `<div><div>${type(row)} ${view.pill(__("Waiting", null, "Touchpoint"), "orange")}</div>${view.note([rule(row), day(row.due_date)])}</div>`);
		stops.forEach((row) => {
			const action = row.action === "Drop" ? __("dropped") : __("postponed");
			const channel = row.channel ? escape(__(row.channel, null, "Contact Channel")) : "";
			const because = row.because ? `<div class="rc-note">${escape(__(row.because))}</div>` : "";
			const what = row.touchpoint_type ? type(row) : rule(row);
			rows.push(`<div><div>${what} <span class="rc-note">${action}</span></div>${view.note([rule(row), channel, day(row.on_date)])}${because}</div>`);
		});
		return card(__("Held Back by Contact Rules"), rows);
	}

	function get_preference(row) {
		const answer = row.answer === "No" ? view.pill(__("No"), "red") : view.pill(__("Yes"), "green");
		const nature = row.nature ? __(row.nature, null, "Contact Preference") : __("everything");
		const channel = row.channel ? __(row.channel, null, "Contact Channel") : __("every channel");
		const said = [row.unsubscribed ? __("unsubscribed") : "", row.since ? __("since {0}", [day(row.since)]) : "", escape(row.source)];
		return `<div><div>${answer} ${escape(channel)}: ${escape(nature)}</div>${view.note(said)}</div>`;
	}

	view.add_style = function () {
		if (document.getElementById("retention-care-style")) return;
		$(`<style id="retention-care-style">
			.retention-care { columns: 3 270px; column-gap: 12px; margin-bottom: 4px; }
			.retention-care .rc-card { break-inside: avoid; }
			.rc-card { border: 1px solid var(--border-color); border-radius: var(--border-radius-md, 8px); padding: 12px 14px; margin-bottom: 12px; }
			.rc-card h5 { margin: 0 0 8px; font-size: var(--text-md, 14px); font-weight: 600; }
			.rc-card a { text-decoration: underline; text-underline-offset: 2px; }
			.rc-row { overflow-wrap: anywhere; }
			.rc-row + .rc-row { border-top: 1px solid var(--border-color); padding-top: 8px; margin-top: 8px; }
			.rc-label, .rc-note { color: var(--text-muted); font-size: var(--text-sm, 12px); font-weight: normal; }
			.rc-actions { display: flex; gap: 8px; margin-top: 6px; }
			.rc-bar { position: relative; background: var(--control-bg, #f3f3f3); border-radius: 4px; height: 8px; margin: 8px 0 6px; }
			.rc-bar i { display: block; height: 8px; border-radius: 4px; }
			.rc-bar u { position: absolute; left: 50%; top: -3px; height: 14px; border-left: 2px solid var(--text-color); }
			@media (max-width: 767px) { .rc-actions .btn { flex: 1; min-height: 44px; } }
		</style>`).appendTo(document.head);
	};
})(crm_retention.customer_view);

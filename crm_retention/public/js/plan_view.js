// What the form of a Maintenance Plan shows beside its fields: steps as sentences, the difference, the load.
frappe.provide("crm_retention.plan_view");

Object.assign(crm_retention.plan_view, {
	add_buttons(frm) {
		if (frm.is_new()) return;
		const running = ["Active", "Paused"].includes(frm.doc.status);
		if (frm.doc.docstatus === 1 && frappe.model.can_create("Maintenance Plan") && running) {
			frm.add_custom_button(__("New Version"), () =>
				frappe.xcall("crm_retention.api.plans.make_new_version", { plan: frm.doc.name }).then((draft) => frappe.set_route("Form", "Maintenance Plan", draft.name))
			);
		}
		if (frm.doc.docstatus !== 1 || !frm.perm[0]?.submit) return;
		const ask = (method, title, text) => () =>
			frappe.prompt(
				[
					{ fieldtype: "HTML", fieldname: "text", options: `<p class="text-muted">${text}</p>` },
					{ fieldtype: "Date", fieldname: "on", label: __("Date"), default: frappe.datetime.get_today(), reqd: 1 },
				],
				({ on }) => frappe.xcall(method, { plan: frm.doc.name, on }).then(() => frm.reload_doc()),
				title
			);
		if (frm.doc.status === "Active") {
			frm.add_custom_button(
				__("Pause"),
				ask("crm_retention.api.plans.pause", __("Pause"), __("The plan makes no touchpoints until it is resumed; its clock stands still."))
			);
		} else if (frm.doc.status === "Paused") {
			frm.add_custom_button(
				__("Resume"),
				ask("crm_retention.api.plans.resume", __("Resume"), __("Clocks and open touchpoints move by the days that the plan was paused."))
			).addClass("btn-primary");
		}
	},

	show_steps: frappe.utils.debounce((frm) => {
		const steps = (frm.doc.steps || []).filter((step) => step.touchpoint_type);
		const wrapper = frm.get_field("steps_html")?.$wrapper;
		if (!wrapper) return;
		if (!steps.length) return wrapper.empty();
		frappe.xcall("crm_retention.api.plans.describe_steps", { steps }).then((lines) => {
			const escape = frappe.utils.escape_html;
			const rows = lines.map(
				(line, index) => `<li class="py-1"><span class="bold">${escape(__(steps[index].step_name || "", null, "Maintenance Plan Step"))}</span>
				<div class="text-muted">${escape(line)}</div></li>`
			);
			wrapper.html(`<ol class="pl-4 mb-4">${rows.join("")}</ol>`);
		});
	}, 300),

	show_difference(frm) {
		const wrapper = frm.get_field("difference_html").$wrapper.empty();
		if (frm.is_new() || !frm.doc.previous_version) return;
		frappe.xcall("crm_retention.api.plans.get_difference", { plan: frm.doc.name }).then((found) => wrapper.html(this.get_difference(found)));
	},

	get_difference(found) {
		const escape = frappe.utils.escape_html;
		const steps = (title, colour, rows) =>
			rows.map(
				(row) => `<tr><td><span class="indicator-pill ${colour}">${title}</span></td>
				<td><b>${escape(__(row.step, null, "Maintenance Plan Step"))}</b><div class="text-muted">${escape(row.text)}</div></td></tr>`
			);
		const change = (where) => (row) => `<tr><td><span class="indicator-pill orange">${__("Changed")}</span></td>
			<td><b>${escape(where(row))}</b><div><span class="text-muted"><s>${escape(row.before || __("empty"))}</s></span> &rarr; ${escape(row.after || __("empty"))}</div></td></tr>`;
		const lines = [
			...steps(__("Added", null, "Maintenance Plan"), "green", found.added || []),
			...steps(__("Removed"), "red", found.removed || []),
			...(found.changed || []).map(change((row) => `${__(row.step, null, "Maintenance Plan Step")}: ${row.label}`)),
			...(found.targets || []).map(change((row) => `${__("Targets", null, "Maintenance Plan")}: ${row.label}`)),
			...(found.settings || []).map(change((row) => row.label)),
		];
		const title = __("What Changes Against {0}", [`<a href="${frappe.utils.get_form_link("Maintenance Plan", found.previous)}">${escape(found.previous)}</a>`]);
		const body = lines.length
			? `<div style="overflow-x: auto"><table class="table table-sm"><tbody>${lines.join("")}</tbody></table></div>`
			: `<div class="text-muted">${__("Nothing is different yet.")}</div>`;
		return `<div class="retention-difference mb-4"><label class="control-label">${title}</label>${body}</div>`;
	},

	offer_forecast(frm) {
		const wrapper = frm.get_field("forecast_html").$wrapper.empty();
		if (!frm.has_perm("write")) return;
		const box = $(`<div class="retention-forecast mb-4"><button class="btn btn-default btn-sm mb-3">${__("Show Load of the Next 13 Weeks")}</button><div class="result"></div></div>`).appendTo(wrapper);
		const button = box.find("button").on("click", () => {
			button.prop("disabled", true);
			frappe
				.xcall("crm_retention.api.plans.get_forecast", { doc: frm.doc })
				.then((found) => this.show_forecast(box.find(".result"), found))
				.finally(() => button.prop("disabled", false));
		});
		if (frm.doc.docstatus !== 0 || frm.is_new() || !(frm.doc.steps || []).length) return;
		// as soon as its tab is looked at: a chart needs a width, and the numbers cost a query
		const seen = new IntersectionObserver((entries) => {
			if (!entries.some((entry) => entry.isIntersecting)) return;
			seen.disconnect();
			button.trigger("click");
		});
		seen.observe(box[0]);
	},

	show_forecast(wrapper, found) {
		wrapper.html(
			`${this.get_summary(found)}<div class="chart"></div>${this.get_people(found)}${this.get_not_counted(found)}`
		);
		if (!found.people.length) return;
		const labels = found.weeks.map((week) => frappe.datetime.str_to_user(week).slice(0, 5));
		crm_retention.draw_chart(wrapper.find(".chart")[0], {
			type: "bar",
			height: 200,
			colors: ["#2E7DC0", "#B8C4CE"],
			barOptions: { stacked: 1 },
			axisOptions: { shortenYAxisNumbers: 1, xAxisMode: "tick" },
			data: {
				labels,
				datasets: [
					{ name: __("This Plan"), values: found.total },
					{ name: __("Other Plans"), values: found.other },
				],
				...(found.capacity ? { yMarkers: [{ label: __("Capacity", null, "Retention Settings"), value: found.capacity, options: { labelPos: "left" } }] } : {}),
			},
		});
	},

	get_summary(found) {
		const budget = found.budget;
		const hours = __("{0} hours a year and customer", [format_number(budget.hours, null, 1)]);
		const allowed = budget.hours_allowed ? ` (${__("budget {0}", [format_number(budget.hours_allowed, null, 1)])})` : "";
		const money = __("{0} a year and customer", [format_currency(budget.money)]);
		const limit = budget.money_allowed ? ` (${__("budget {0}", [format_currency(budget.money_allowed)])})` : "";
		const pill = (text, bad) => `<span class="indicator-pill ${bad ? "red" : "gray"} no-indicator-dot mr-2 mb-2">${text}</span>`;
		return `<div class="d-flex flex-wrap">
			${pill(__("{0} customers", [format_number(found.parties, null, 0)]))}
			${pill(hours + allowed, budget.hours_allowed && budget.hours > budget.hours_allowed)}
			${pill(money + limit, budget.money_allowed && budget.money > budget.money_allowed)}</div>`;
	},

	// Hours and touchpoints of each person and week, all plans together; weeks beyond the capacity are marked.
	get_people(found) {
		if (!found.people.length) return `<div class="text-muted">${__("No customer fits the targets today, or nothing is asked of people.")}</div>`;
		const escape = frappe.utils.escape_html;
		const head = found.weeks.map((week) => `<th class="text-right text-nowrap">${frappe.datetime.str_to_user(week).slice(0, 5)}</th>`);
		const rows = found.people.map((person) => {
			const cells = person.hours.map((hours, week) => {
				const over = person.over.includes(week);
				const many = format_number(person.touchpoints[week], null, 1);
				return `<td class="text-right${over ? " text-danger bold" : ""}" ${over ? `style="background: var(--bg-red)" title="${__("Over capacity")}"` : ""}>
					${format_number(hours, null, 1)}${over ? " !" : ""}<div class="small text-muted">${many}</div></td>`;
			});
			const parts = [];
			if (person.capacity_hours !== null) parts.push(__("{0} hours a week", [format_number(person.capacity_hours, null, 1)]));
			if (person.capacity_touchpoints !== null) parts.push(__("{0} touchpoints a week", [format_number(person.capacity_touchpoints, null, 0)]));
			return `<tr><td style="position: sticky; left: 0; background: var(--card-bg, var(--fg-color)); min-width: 130px"><div>${escape(person.name)}</div>
				<div class="small text-muted">${person.user ? parts.join(", ") : __("nobody is responsible")}</div></td>${cells.join("")}</tr>`;
		});
		return `<p class="small text-muted mb-1">${__("Hours a week, touchpoints below, all plans together. Red: over capacity.")}</p>
			<div style="overflow-x: auto"><table class="table table-sm small"><thead><tr>
			<th style="position: sticky; left: 0; background: var(--card-bg, var(--fg-color))">${__("Person")}</th>${head.join("")}</tr></thead>
			<tbody>${rows.join("")}</tbody></table></div>`;
	},

	get_not_counted(found) {
		if (!found.not_counted.length) return "";
		const lines = found.not_counted.map((line) => `<li>${frappe.utils.escape_html(line)}</li>`);
		return `<div class="small text-muted"><div>${__("Not counted:")}</div><ul class="pl-4">${lines.join("")}</ul></div>`;
	},
});

// A party's tier, score and history with their reasons, on the Customer form and on the Retention Profile.
frappe.provide("crm_retention.profile_view");

(function (view) {
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	const REASONS = {
		initial: __("first seen"),
		promoted: __("promoted"),
		demoted: __("demoted"),
		unchanged: __("unchanged"),
		changed: "",
		"held by margin": __("held: the score is within the margin"),
		"held by stay": __("held: the minimum stay is not over"),
		"held while rules are broken": __("held: the rules of the tier cannot be used at present"),
		override: __("set by hand"),
		none: __("no tier fits"),
	};

	// The same word may name a tier and a stage: other languages tell them apart.
	view.tier = (name) => (name ? __(name, null, "Customer Tier") : "");
	view.stage = (name) => (name ? __(name, null, "Lifecycle Stage") : "");

	// Of an enrollment: the tier and the stage that let the customer in.
	view.get_standing = function (why) {
		const [tier, stage] = why.split(" / ");
		return stage === undefined ? __(why) : [view.tier(tier), view.stage(stage)].filter(Boolean).join(" / ");
	};

	view.get_reason = (reason) => REASONS[reason] ?? reason ?? "";

	view.number = function (value, unit) {
		if (value === null || value === undefined || value === "") return `<span class="text-muted">${__("unknown")}</span>`;
		if (typeof value !== "number") {
			return /^\d{4}-\d\d-\d\d$/.test(value) ? frappe.datetime.str_to_user(value) : escape(value);
		}
		if (unit === "base currency") return format_currency(value, null, Math.abs(value) >= 1000 ? 0 : 2);
		if (unit === "share") return `${format_number(value * 100, null, 1)}%`;
		return format_number(value, null, Number.isInteger(value) ? 0 : Math.abs(value) < 1 ? 3 : 1);
	};

	// A value to reach, rounded so that what is shown is enough.
	view.enough = function (item) {
		const large = Math.abs(item.to) >= 1000;
		const digits = item.unit === "share" ? 3 : item.unit === "base currency" ? (large ? 0 : 2) : large ? 0 : 1;
		const scaled = item.to * 10 ** digits;
		const rounded = item.to > item.from ? Math.ceil(scaled - 1e-6) : Math.floor(scaled + 1e-6);
		return view.number(rounded / 10 ** digits, item.unit);
	};

	view.health_colour = (health) => (health === null || health === undefined ? "gray" : health >= 60 ? "green" : health >= 35 ? "orange" : "red");

	// [label, colour] of tier, stage and health.
	view.get_indicators = function (profile) {
		const indicators = [];
		if (profile.tier) {
			const hand = profile.override_tier ? ` (${__("set by hand")})` : "";
			indicators.push([escape(__("Tier: {0}", [view.tier(profile.tier)]) + hand), "blue"]);
		}
		if (profile.stage) indicators.push([escape(__("Stage: {0}", [view.stage(profile.stage)])), "purple"]);
		if (profile.health !== null && profile.health !== undefined) {
			const health = format_number(profile.health, null, 0);
			indicators.push([__("Health: {0}", [health]), view.health_colour(profile.health)]);
		}
		return indicators;
	};

	view.load = function (wrapper, party_type, party) {
		wrapper.html(`<div class="text-muted small">${__("Loading...")}</div>`);
		return frappe
			.call({
				method: "crm_retention.api.profile.explain",
				args: { party_type, party },
				error_handlers: { DoesNotExistError: () => {} },
				silent: true,
			})
			.then((r) => view.render(wrapper, r.message))
			.catch(() => view.render(wrapper, null));
	};

	view.render = function (wrapper, data) {
		wrapper.empty();
		if (!data || !data.as_of) {
			wrapper.html(`<div class="text-muted">${__("Nothing is known yet: the profile appears with the next nightly run.")}</div>`);
			return;
		}
		view.add_style();
		const root = $(`<div class="retention-view"></div>`).appendTo(wrapper);
		root.append(get_summary(data));
		root.append(get_next_tier(data));
		(data.scorecards || []).forEach((card) => root.append(get_scorecard(card, data)));
		const chart = $(`<div class="rv-card"><h5>${__("History")}</h5><div class="rv-chart"></div><div class="rv-changes"></div></div>`);
		root.append(chart);
		draw_history(chart, data.history || [], data);
		root.append(get_rules(data));
		root.append(get_signals(data));
	};

	function get_summary(data) {
		const tier = data.tier || {};
		const stage = data.stage || {};
		const hand = data.override || {};
		const override =
			hand.tier || hand.stage ? `<div class="rv-note">${__("Set by hand: {0}", [escape(hand.reason)])}</div>` : "";
		const changed = data.rules_changed
			? `<div class="rv-note">${__("The rules have changed since; the next run applies them.")}</div>`
			: "";
		const candidate =
			tier.candidate && tier.candidate !== tier.current
				? `<div class="rv-note">${__("By the rules alone: {0}", [escape(view.tier(tier.candidate))])}</div>`
				: "";
		const since = (row) => (row.since ? __("since {0}", [frappe.datetime.str_to_user(row.since)]) : "");
		const fact = (label, value, note) =>
			`<div class="rv-fact"><div class="rv-label">${label}</div><div class="rv-value">${value}</div><div class="rv-note">${note}</div></div>`;
		const scores = (data.scorecards || [])
			.map((card) =>
				fact(
					card.purpose === "health" ? __("Health", null, "Retention Profile") : __("Score", null, "Retention Profile"),
					card.score === null || card.score === undefined ? "–" : format_number(card.score, null, 1),
					escape(__(card.name))
				)
			)
			.join("");
		const notes = [since(tier), tier.reason === "unchanged" ? "" : view.get_reason(tier.reason)].filter(Boolean).join(", ");
		return `<div class="rv-facts">
			${fact(__("Tier"), escape(view.tier(tier.current) || "–"), escape(notes) + override + candidate)}
			${fact(__("Lifecycle Stage"), escape(view.stage(stage.current) || "–"), escape(since(stage)))}
			${scores}
			${fact(__("As Of"), data.as_of ? frappe.datetime.str_to_user(data.as_of) : "–", __("Rules {0}", [escape(data.rule_version)]) + changed)}
		</div>`;
	}

	function get_next_tier(data) {
		const next = data.next_tier;
		if (!next) return `<div class="rv-card"><h5>${__("Why not higher?")}</h5>${__("This is the highest tier.")}</div>`;
		const lines = [];
		if (next.score_gap > 0) {
			lines.push(__("The score lacks {0} points.", [format_number(next.score_gap, null, 1)]));
		}
		(next.conditions || []).forEach((item) => lines.push(__("Missing: {0}", [get_condition(item, data)])));
		const needed = (next.needed || []).map(
			(item) => `<li>${escape(__(item.label))}: ${view.number(item.from, item.unit)} → <b>${view.enough(item)}</b></li>`
		);
		const ways = needed.length ? `<div class="rv-label mt-2">${__("Any one of these would be enough")}</div><ul>${needed.join("")}</ul>` : "";
		if (!lines.length && !needed.length) {
			lines.push(__("The rules of {0} are met; see the reason above.", [escape(view.tier(next.name))]));
		}
		const name = "<b>" + escape(view.tier(next.name)) + "</b>";
		return `<div class="rv-card"><h5>${__("Why not higher?")}</h5>
			<div>${__("Next tier: {0}", [name])}</div>
			<ul class="mb-0">${lines.map((line) => `<li>${line}</li>`).join("")}</ul>${ways}</div>`;
	}

	function get_scorecard(card, data) {
		const units = Object.fromEntries((data.signals || []).map((signal) => [signal.name, signal.unit]));
		const rows = (card.criteria || []).map((item) => {
			const points = item.points === null || item.points === undefined ? null : item.points;
			const treated = { skip: __("left out"), worst: __("counts as 0"), neutral: __("counts as 50") }[item.missing];
			return `<tr>
				<td>${escape(__(item.label))}</td>
				<td class="text-right">${view.number(item.value, units[item.signal])}${treated ? `<div class="rv-note">${treated}</div>` : ""}</td>
				<td class="rv-bar-cell"><div class="rv-bar"><i style="width:${points || 0}%"></i></div></td>
				<td class="text-right">${points === null ? "–" : format_number(points, null, 0)}</td>
				<td class="text-right rv-share">${format_number(item.share * 100, null, 0)}%</td>
				<td class="text-right"><b>${item.contribution === null || item.contribution === undefined ? "–" : format_number(item.contribution, null, 1)}</b></td>
			</tr>`;
		});
		const title = card.purpose === "health" ? __("What makes up the health") : __("What makes up the score");
		const total = card.score === null || card.score === undefined ? "–" : format_number(card.score, null, 1);
		return `<div class="rv-card"><h5>${title}</h5><div class="rv-scroll"><table class="table table-sm">
			<thead><tr><th>${__("Signal")}</th><th class="text-right">${__("Value", null, "Retention Profile")}</th><th class="rv-bar-cell"></th>
			<th class="text-right">${__("Points", null, "Customer Scorecard Band")}</th><th class="text-right rv-share">${__("Weight", null, "Customer Scorecard Criterion")}</th><th class="text-right">${__("Part", null, "Retention Profile")}</th></tr></thead>
			<tbody>${rows.join("")}</tbody>
			<tfoot><tr><td>${escape(__(card.name))}</td><td></td><td class="rv-bar-cell"></td><td></td><td class="rv-share"></td><td class="text-right"><b>${total}</b></td></tr></tfoot>
		</table></div></div>`;
	}

	function get_condition(item, data) {
		const field = item.field.replace(/^party\./, "");
		const signal = (data.signals || []).find((row) => row.name === item.field);
		const doctype = item.field.startsWith("party.") ? data.party_type || "Customer" : "Retention Profile";
		const label = signal?.label || frappe.meta.get_label(doctype, field) || field;
		const value = Array.isArray(item.value) ? item.value.map((part) => __(part)).join(", ") : item.value;
		const op = { "=": "=", "!=": "≠", "<=": "≤", ">=": "≥" }[item.op] || __(item.op);
		return `${escape(__(label))} ${escape(op)} ${value === null || value === undefined ? "" : view.number(value, signal?.unit)}`;
	}

	function get_rules(data) {
		const mark = (ok) => `<span class="indicator ${ok ? "green" : "red"}"></span>`;
		const block = (name) => (row) => {
			const score = row.min_score
				? `<div>${mark(row.score_ok)} ${__("Score of at least {0}", [format_number(row.min_score, null, 1)])}</div>`
				: "";
			const conditions = (row.conditions || [])
				.map((item) => `<div>${mark(item.ok)} ${get_condition(item, data)} <span class="rv-note">(${view.number(item.actual)})</span></div>`)
				.join("");
			return `<div class="rv-rule"><div>${mark(row.ok)} <b>${escape(name(row.name))}</b></div><div class="rv-inner">${score}${conditions}</div></div>`;
		};
		const tiers = [...(data.tiers || [])].reverse().map(block(view.tier)).join("");
		const stages = (data.stages || []).map(block(view.stage)).join("");
		return `<details class="rv-card"><summary>${__("All rules, with pass or fail")}</summary>
			<div class="row"><div class="col-md-6"><div class="rv-label">${__("Tiers")}</div>${tiers}</div>
			<div class="col-md-6"><div class="rv-label">${__("Stages, the first that passes counts")}</div>${stages}</div></div></details>`;
	}

	function get_signals(data) {
		const rows = (data.signals || [])
			.map((row) => `<tr><td>${escape(__(row.label))}</td><td class="text-right">${view.number(row.value, row.unit)}</td><td class="rv-note">${escape(__(row.unit, null, "Retention Signal"))}</td></tr>`)
			.join("");
		return `<details class="rv-card"><summary>${__("All signals")}</summary><table class="table table-sm">${rows}</table></details>`;
	}

	function draw_history(card, history, data) {
		const rows = [...history].sort((a, b) => (a.on < b.on ? -1 : 1));
		const now = (data.scorecards || []).find((card) => card.purpose === "value")?.score;
		const points = [...rows, { on: data.as_of, score: now }].filter((row) => row.score !== null && row.score !== undefined);
		// tier and stage that change on one day have one score
		const scored = Object.values(Object.fromEntries(points.map((row) => [row.on, row])));
		if (scored.length > 1) {
			const chart = crm_retention.draw_chart(card.find(".rv-chart")[0], {
				type: "line",
				height: 180,
				colors: ["#2E7DC0"],
				data: {
					labels: scored.map((row) => frappe.datetime.str_to_user(row.on)),
					datasets: [{ name: __("Score", null, "Retention Profile"), values: scored.map((row) => flt(row.score, 1)) }],
				},
				axisOptions: { xIsSeries: 1, xAxisMode: "tick" },
				lineOptions: { hideDots: 0, regionFill: 1 },
			});
			card.find(".rv-chart").data("chart", chart);
		}
		const name = (row, value) => escape((row.kind === "Stage" ? view.stage : view.tier)(value) || "–");
		const lines = rows.reverse().map(
			(row) => `<div class="py-1 border-bottom"><span class="rv-note mr-2">${frappe.datetime.str_to_user(row.on)}</span>
			${row.kind === "Stage" ? __("Stage") : __("Tier")}: ${name(row, row.from)} → <b>${name(row, row.to)}</b>
			<span class="rv-note">${escape(view.get_reason(row.reason))}</span></div>`
		);
		card.find(".rv-changes").html(lines.join("") || `<div class="text-muted small">${__("No change so far.")}</div>`);
	}

	view.add_style = function () {
		if (document.getElementById("retention-view-style")) return;
		$(`<style id="retention-view-style">
			.retention-view .rv-facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin-bottom: 12px; }
			.retention-view .rv-fact, .retention-view .rv-card { border: 1px solid var(--border-color); border-radius: var(--border-radius-md, 8px); padding: 12px 14px; }
			.retention-view .rv-card { margin-bottom: 12px; }
			.retention-view .rv-card h5 { margin: 0 0 8px; font-size: var(--text-md, 14px); font-weight: 600; }
			.retention-view .rv-label { color: var(--text-muted); font-size: var(--text-sm, 12px); }
			.retention-view .rv-value { font-size: 18px; font-weight: 600; }
			.retention-view .rv-note { color: var(--text-muted); font-size: var(--text-xs, 11px); }
			.retention-view .rv-bar { background: var(--control-bg, #f3f3f3); border-radius: 4px; height: 6px; min-width: 60px; margin-top: 6px; }
			.retention-view .rv-bar i { display: block; height: 6px; border-radius: 4px; background: var(--blue-500, #2E7DC0); }
			.retention-view .rv-bar-cell { width: 25%; }
			.retention-view .rv-scroll { overflow-x: auto; }
			.retention-view table { margin: 0; }
			.retention-view thead th { border-top: 0; }
			.retention-view .rv-rule { padding: 4px 0; }
			.retention-view .rv-inner { padding-left: 16px; }
			.retention-view summary { cursor: pointer; font-weight: 600; }
			.retention-view details > .row, .retention-view details > table { margin-top: 10px; }
			.retention-view ul { padding-left: 18px; }
			@media (max-width: 576px) { .retention-view .rv-bar-cell, .retention-view .rv-share { display: none; } }
		</style>`).appendTo(document.head);
	};
})(crm_retention.profile_view);

frappe.pages["my-day"].on_page_load = function (wrapper) {
	const page = frappe.ui.make_app_page({ parent: wrapper, title: __("My Day"), single_column: true });
	wrapper.my_day = new MyDay(page);
};

frappe.pages["my-day"].on_page_show = function (wrapper) {
	wrapper.my_day && wrapper.my_day.load();
};

class MyDay {
	constructor(page) {
		this.page = page;
		this.when = "";
		this.by_route = localStorage.getItem("my_day_by_route") === "1";
		this.user = "";
		this.body = $(`<div class="my-day">
			<div class="my-day-chips" role="tablist"></div>
			<div class="my-day-bar"><span class="my-day-sum"></span>
				<button class="btn btn-default btn-sm my-day-order"></button></div>
			<div class="my-day-list"></div></div>`).appendTo(page.main);
		this.listen();
		this.make_menu();
		this.load();
	}

	esc(text) {
		return frappe.utils.escape_html(String(text ?? ""));
	}

	listen() {
		this.body.on("click", ".my-day-chip", (e) => {
			const when = $(e.currentTarget).data("when");
			this.when = this.when === when ? "" : when;
			this.show();
		});
		this.body.on("click", ".my-day-order", () => {
			this.by_route = !this.by_route;
			localStorage.setItem("my_day_by_route", this.by_route ? "1" : "0");
			this.show();
		});
		const actions = crm_retention.touchpoint;
		this.body.on("click", "[data-act]", (e) => {
			const card = this.day.cards.find((row) => row.name === $(e.currentTarget).closest(".my-day-card").data("name"));
			actions[$(e.currentTarget).data("act")](card, () => this.load());
		});
	}

	make_menu() {
		this.page.add_menu_item(__("Refresh"), () => this.load());
		this.page.add_menu_item(__("All Touchpoints"), () => frappe.set_route("List", "Touchpoint", "List"));
		this.page.add_menu_item(__("Calendar"), () => frappe.set_route("List", "Touchpoint", "Calendar"));
		this.page.set_primary_action(__("Log Interaction"), () => this.log_interaction(), "add");
		this.page.btn_primary.toggle(Boolean(crm_retention.log_interaction));
		if (frappe.user.has_role(["Retention Manager", "System Manager"])) {
			this.page.add_menu_item(__("Day of Another Person"), () => this.choose_person());
			this.page.add_menu_item(__("Hand Over Customers"), () => this.hand_over());
		}
	}

	log_interaction() {
		crm_retention.log_interaction({}, () => this.load());
	}

	load() {
		const args = this.user ? { user: this.user } : {};
		return frappe.call("crm_retention.api.my_day.my_day", args).then((r) => {
			this.day = r.message;
			this.show();
		});
	}

	show() {
		const mine = !this.user;
		this.page.set_title(mine ? __("My Day") : this.day.full_name || __("Nobody's"));
		if (mine) this.page.clear_indicator();
		else this.page.set_indicator(__("Day of another person"), "orange");
		this.show_chips();
		const hours = format_number(this.day.minutes_today / 60, null, 1);
		this.body.find(".my-day-sum").text(__("{0} hours due", [hours]));
		this.body.find(".my-day-order").text(this.by_route ? __("By Tier") : __("By Route"));
		const cards = this.day.cards.filter((card) => this.is_shown(card));
		const list = this.body.find(".my-day-list").empty();
		if (!cards.length) {
			list.append(`<div class="my-day-empty">${__("Nothing to do here.")}</div>`);
		}
		for (const [title, rows] of this.get_groups(cards)) {
			list.append($(`<div class="my-day-group"></div>`).text(title));
			list.append(`<div class="my-day-cards">${rows.map((card) => this.card(card)).join("")}</div>`);
		}
		if (this.day.more) list.append(`<div class="my-day-empty">${__("There is more; see All Touchpoints.")}</div>`);
	}

	is_shown(card) {
		if (!this.when) return true;
		return this.when === "promises" ? card.is_promise : card.when === this.when;
	}

	show_chips() {
		const chips = [
			["overdue", __("Overdue")],
			["today", __("Today")],
			["week", __("This Week")],
			["promises", __("Promises")],
		];
		const html = chips.map(([when, label]) => {
			const count = this.day.counts[when];
			const late = when === "overdue" && count ? "late" : "";
			const active = this.when === when;
			return `<button class="my-day-chip ${late} ${active ? "active" : ""}" data-when="${when}" role="tab"
				aria-selected="${active}"><b>${count}</b>${label}</button>`;
		});
		this.body.find(".my-day-chips").html(html.join(""));
	}

	// By tier: the day, then the tier, the higher first. By route: where it is, by city and postal code.
	get_groups(cards) {
		const groups = new Map();
		const days = {
			overdue: __("Overdue"),
			today: __("Today"),
			week: __("This Week"),
			later: __("Promised for Later"),
		};
		const sorted = [...cards];
		if (this.by_route) {
			const place = (card) => [card.city ? 0 : 1, card.city, card.pincode, card.party_name].join("\u0000");
			sorted.sort((a, b) => place(a).localeCompare(place(b)));
		} else {
			const order = Object.keys(days);
			const rank = (card) => order.indexOf(card.when);
			sorted.sort((a, b) => rank(a) - rank(b) || b.tier_rank - a.tier_rank);
		}
		for (const card of sorted) {
			const by_tier = card.tier ? `${days[card.when]} · ${__(card.tier, null, "Customer Tier")}` : days[card.when];
			const by_place = [card.pincode, card.city].filter(Boolean).join(" ") || __("No Address");
			const title = this.by_route ? by_place : by_tier;
			if (!groups.has(title)) groups.set(title, []);
			groups.get(title).push(card);
		}
		return groups;
	}

	card(card) {
		const href = frappe.utils.get_form_link(card.party_type, card.party);
		const form = frappe.utils.get_form_link("Touchpoint", card.name);
		const colour = /^#[0-9a-f]{3,8}$/i.test(card.tier_colour) ? `style="--my-day-tier: ${card.tier_colour}"` : "";
		const channel = card.channel ? ` · ${this.esc(__(card.channel, null, "Contact Channel"))}` : "";
		const promise = card.is_promise ? `<span class="indicator-pill orange">${__("Promise")}</span> ` : "";
		const why = card.why ? `<div class="my-day-why">${this.esc(card.why)}</div>` : "";
		const problem = card.message_error ? `<div class="my-day-problem">${this.esc(card.message_error)}</div>` : "";
		return `<article class="my-day-card" data-name="${this.esc(card.name)}" ${colour}>
			<div class="my-day-head"><a class="my-day-party" href="${href}">${this.esc(card.party_name || card.party)}</a>
				<span class="my-day-due ${card.late_days ? "late" : ""}">${this.due(card)}</span></div>
			<div class="my-day-what">${promise}<a href="${form}">${this.esc(__(card.touchpoint_type, null, "Touchpoint Type"))}</a>${channel}</div>
			${why}${problem}${this.reach(card)}
			<div class="my-day-acts">
				<button class="btn btn-primary" data-act="complete">${__("Done", null, "My Day")}</button>
				<button class="btn btn-default" data-act="skip">${__("Skip")}</button>
				<button class="btn btn-default" data-act="later">${__("Later")}</button></div></article>`;
	}

	due(card) {
		if (card.late_days) {
			return card.late_days === 1 ? __("1 day late") : __("{0} days late", [card.late_days]);
		}
		if (card.starts_at) return this.esc(frappe.datetime.str_to_user(card.starts_at).replace(/:\d\d$/, ""));
		return card.when === "today" ? __("Today") : this.esc(frappe.datetime.str_to_user(card.due_date));
	}

	reach(card) {
		const links = [];
		if (card.phone) {
			const number = card.phone.replace(/[^\d+*#,;]/g, "");
			links.push(`<a href="tel:${this.esc(number)}">${frappe.utils.icon("call", "sm")} ${this.esc(card.phone)}</a>`);
		}
		if (card.address) {
			const where = this.is_phone() ? `geo:0,0?q=${encodeURIComponent(card.address)}` : card.map_url;
			const target = this.is_phone() ? "" : 'target="_blank" rel="noopener"';
			links.push(
				`<a href="${this.esc(where)}" ${target}>${frappe.utils.icon("map", "sm")} ${this.esc(card.address)}</a>`
			);
		}
		return links.length ? `<div class="my-day-reach">${links.join("")}</div>` : "";
	}

	// Android hands geo: links to whatever map is installed; others open the web map.
	is_phone() {
		return /Android/i.test(navigator.userAgent);
	}

	choose_person() {
		frappe.call("crm_retention.api.my_day.people").then((r) => {
			const rows = r.message.map((row) => ({
				value: row.user || "Nobody",
				label: `${row.full_name || row.user || __("Nobody")}: ${__("{0} open, {1} overdue", [row.open, row.overdue])}`,
			}));
			if (!rows.length) {
				frappe.show_alert(__("Nobody has open touchpoints."));
				return;
			}
			const person = { fieldname: "user", fieldtype: "Select", label: __("Person"), reqd: 1 };
			const fields = [{ ...person, options: rows, default: rows[0].value }];
			crm_retention.touchpoint.ask(__("Day of Another Person"), fields, __("Show"), (values) => {
				this.user = values.user === frappe.session.user ? "" : values.user;
				this.load();
			});
		});
	}

	hand_over() {
		const user = (fieldname, label) => ({ fieldname, fieldtype: "Link", options: "User", label, reqd: 1 });
		const fields = [
			user("from_user", __("From")),
			user("to_user", __("To")),
			{
				fieldname: "tell_customer",
				fieldtype: "Check",
				label: __("Tell the customers by email"),
			},
			{
				fieldname: "email_template",
				fieldtype: "Link",
				options: "Email Template",
				label: __("Email Template"),
				depends_on: "tell_customer",
				mandatory_depends_on: "tell_customer",
			},
		];
		crm_retention.touchpoint.ask(__("Hand Over Customers"), fields, __("Hand Over"), (values) =>
			frappe.call({
				method: "crm_retention.api.handover.hand_over",
				args: values,
				freeze: true,
				callback: (r) => {
					if (!r.message) return;
					const text = r.message.queued
						? __("{0} customers are being handed over.", [r.message.parties])
						: __("{0} customers and {1} touchpoints handed over.", [r.message.parties, r.message.touchpoints]);
					const left_out = r.message.left_out ? " " + __("{0} left out: you may not change them.", [r.message.left_out]) : "";
					frappe.msgprint({ title: __("Hand Over Customers"), message: text + left_out, indicator: "green" });
					this.load();
				},
			})
		);
	}
}

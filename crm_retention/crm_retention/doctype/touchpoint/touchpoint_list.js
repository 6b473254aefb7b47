frappe.listview_settings["Touchpoint"] = {
	add_fields: ["status", "due_date", "is_promise", "message_status", "tier"],
	filters: [["status", "=", "Open"]],
	hide_name_column: true,

	get_indicator(doc) {
		const colours = { Open: "blue", Waiting: "yellow", Done: "green", Skipped: "gray", Missed: "red" };
		if (doc.status === "Open" && doc.message_status === "Failed") {
			return [__("Message Failed"), "red", "status,=,Open|message_status,=,Failed"];
		}
		if (doc.status === "Open" && doc.due_date < frappe.datetime.get_today()) {
			return [__("Overdue"), "red", `status,=,Open|due_date,<,${frappe.datetime.get_today()}`];
		}
		return [__(doc.status, null, "Touchpoint"), colours[doc.status] || "gray", `status,=,${doc.status}`];
	},

	onload(list) {
		this.add_actions(list);
		list.page.add_inner_button(__("My Day"), () => frappe.set_route("my-day"));
	},

	add_actions(list) {
		const tp = crm_retention.touchpoint;
		const outcome = {
			fieldname: "outcome",
			fieldtype: "Select",
			label: __("Outcome"),
			reqd: 1,
			options: tp.OUTCOMES.map((value) => ({ value, label: __(value, null, "Touchpoint") })),
		};
		const note = { fieldname: "note", fieldtype: "Small Text", label: __("Note", null, "Touchpoint") };
		const user = { fieldname: "user", fieldtype: "Link", options: "User", label: __("Responsible", null, "Touchpoint"), reqd: 1 };
		const each = [
			[__("Done", null, "My Day"), "complete_each", [outcome, note]],
			[__("Skip"), "skip_each", [tp.reason_field()]],
			[__("Later"), "reschedule_each", [tp.day_field(), tp.reason_field()]],
			[__("Reassign"), "reassign", [user]],
			[__("Cancel"), "cancel_each", [tp.reason_field()]],
		];
		for (const [label, method, fields] of each) {
			list.page.add_actions_menu_item(label, () => this.act(list, label, method, fields), false);
		}
	},

	act(list, label, method, fields) {
		const names = list.get_checked_items(true);
		crm_retention.touchpoint.ask(__("{0}: {1} touchpoints", [label, names.length]), fields, label, (values) => {
			const args = { ...values, names };
			delete args.request_id;
			return crm_retention.touchpoint.call(method, args, (result) => {
				crm_retention.touchpoint.report(result);
				list.clear_checked_items();
				list.refresh();
			});
		});
	},
};


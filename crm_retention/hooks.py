app_name = "crm_retention"
app_title = "CRM Retention"
app_publisher = "CRM Retention developers"
app_email = "dev@crm-retention.invalid"
app_description = "Customer tiers, lifecycle stages and care that is planned, done, and measured"
app_license = "GPL-3.0-or-later"

# with the owner: Frappe 16 asks GitHub who owns a bare name, even where the app is on the bench already
required_apps = ["frappe/erpnext"]
export_python_type_annotations = True
# newer versions of Frappe then refuse a whitelisted method without types; older ones do not know it
require_type_annotated_api_methods = True

after_install = "crm_retention.setup.install.after_install"
after_migrate = "crm_retention.setup.install.after_migrate"
before_uninstall = "crm_retention.setup.uninstall.before_uninstall"

app_include_js = ["/assets/crm_retention/js/desk.js"]
doctype_js = {
	"Customer": [
		"public/js/profile_view.js",
		"public/js/touchpoint_actions.js",
		"public/js/customer_view.js",
		"public/js/timeline_view.js",
		"public/js/customer.js",
		"public/js/interaction_quick.js",
		"public/js/interaction_form.js",
	],
	"Contact Rule": "public/js/conditions.js",
	"Customer Tier": "public/js/conditions.js",
	"Interaction Log": "public/js/interaction_quick.js",
	"Interaction Source": "public/js/conditions.js",
	"Lead": [
		"public/js/profile_view.js",
		"public/js/touchpoint_actions.js",
		"public/js/customer_view.js",
		"public/js/timeline_view.js",
		"public/js/customer.js",
		"public/js/interaction_quick.js",
		"public/js/interaction_form.js",
	],
	"Lifecycle Stage": "public/js/conditions.js",
	"Maintenance Plan": ["public/js/conditions.js", "public/js/plan_view.js"],
	"Retention Profile": "public/js/profile_view.js",
	"Retention Run": "public/js/run_view.js",
	"Retention Settings": "public/js/run_view.js",
	"Retention Signal": "public/js/conditions.js",
	"Touchpoint": "public/js/touchpoint_actions.js",
}
doctype_list_js = {
	"Customer": "public/js/customer_list.js",
	"Touchpoint": "public/js/touchpoint_actions.js",
}
page_js = {"my-day": ["public/js/touchpoint_actions.js", "public/js/interaction_quick.js"]}

# history may name what is deleted later: a draft, a contact, a task
ignore_links_on_delete = ["Interaction Log"]

doc_events = {
	"*": {
		"before_rename": "crm_retention.history.before_rename",
		"after_rename": "crm_retention.capture.renames.after_rename",
	},
	("Customer", "Lead"): {
		"before_rename": "crm_retention.parties.before_party_rename",
		"after_rename": "crm_retention.parties.after_party_rename",
		"on_trash": "crm_retention.departures.on_party_trash",
	},
	"Customer": {
		"validate": [
			"crm_retention.parties.keep_computed_fields",
			"crm_retention.parties.validate_customer_name",
		]
	},
	(
		"Contact Preference",
		"Contact Stop",
		"Interaction Log",
		"Plan Enrollment",
		"Retention Profile",
		"Tier Change",
		"Touchpoint",
	): {
		"before_insert": "crm_retention.records.before_insert",
		"before_validate": "crm_retention.records.before_validate",
		"validate": "crm_retention.records.validate",
		"before_rename": "crm_retention.records.before_rename",
	},
	("Contact Channel", "Interaction Kind"): {"on_trash": "crm_retention.history.on_trash"},
	"DocShare": {"validate": "crm_retention.records.validate_share"},
	"Document Follow": {"on_update": "crm_retention.following.on_update"},
	"Personal Data Deletion Request": {"on_update": "crm_retention.privacy.on_request_update"},
	"File": {"validate": "crm_retention.private_files.validate"},
	"Email Template": {"validate": "crm_retention.care.text_checks.validate_letter"},
}

# what link fields offer: Frappe's own search shows every record to whoever sends a flag with it
standard_queries = {
	"Contact Preference": "crm_retention.api.choices.search_records",
	"Contact Stop": "crm_retention.api.choices.search_records",
	"Interaction Log": "crm_retention.api.choices.search_records",
	"Plan Enrollment": "crm_retention.api.choices.search_records",
	"Retention Profile": "crm_retention.api.choices.search_records",
	"Tier Change": "crm_retention.api.choices.search_records",
	"Touchpoint": "crm_retention.api.choices.search_records",
}

permission_query_conditions = {
	"Contact Preference": "crm_retention.permissions.contact_preference_query",
	"Contact Stop": "crm_retention.permissions.contact_stop_query",
	"Interaction Log": "crm_retention.permissions.interaction_log_query",
	"Plan Enrollment": "crm_retention.permissions.plan_enrollment_query",
	"Retention Profile": "crm_retention.permissions.retention_profile_query",
	"Tier Change": "crm_retention.permissions.tier_change_query",
	"Touchpoint": "crm_retention.permissions.touchpoint_query",
}
has_permission = {
	"Contact Preference": "crm_retention.permissions.has_party_permission",
	"Contact Stop": "crm_retention.permissions.has_party_permission",
	"File": "crm_retention.private_files.note_what_was_sent",
	"Interaction Log": "crm_retention.permissions.has_party_permission",
	"Plan Enrollment": "crm_retention.permissions.has_party_permission",
	"Retention Profile": "crm_retention.permissions.has_party_permission",
	"Tier Change": "crm_retention.permissions.has_party_permission",
	"Touchpoint": "crm_retention.permissions.has_party_permission",
}

scheduler_events = {
	"cron": {
		"*/5 * * * *": ["crm_retention.care.messages.enqueue_due"],
		"*/10 * * * *": ["crm_retention.capture.sweep.enqueue_sweep"],
		"30 6 * * *": ["crm_retention.care.digests.enqueue_daily"],
		"0 7 * * 1": ["crm_retention.care.digests.enqueue_weekly"],
	},
	"daily": [
		"crm_retention.capture.clearing.enqueue_clearing",
		"crm_retention.following.drop_unreadable",
	],
	"hourly": ["crm_retention.jobs.nightly.enqueue_if_due"],
}
default_log_clearing_doctypes = {
	"Retention Run": 90,
}

# what a person wrote who asks to be forgotten; what is about a person is privacy.py's
user_data_fields = [
	{"doctype": "Interaction Log"},
	{"doctype": "Touchpoint"},
	{"doctype": "Contact Preference"},
]

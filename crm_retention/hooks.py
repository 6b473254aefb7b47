app_name = "crm_retention"
app_title = "CRM Retention"
app_publisher = "CRM Retention developers"
app_email = "dev@crm-retention.invalid"
app_description = "Customer tiers, lifecycle stages and care that is planned, done, and measured"
app_license = "GPL-3.0-or-later"

required_apps = ["erpnext"]

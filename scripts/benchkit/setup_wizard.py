"""Complete ERPNext's setup wizard on a site that has no company yet: setup_wizard.py SITE.

Runs in the bench's environment, in its sites folder.
"""

import sys
from datetime import date

import frappe

COMPANY = "Example Trading"


def main(site: str) -> None:
	frappe.init(site=site, sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	if frappe.db.count("Company"):
		return
	print(f"Completing the setup wizard of {site}: company {COMPANY}", flush=True)
	from frappe.desk.page.setup_wizard.setup_wizard import setup_complete

	year = date.today().year
	setup_complete(
		{
			"language": "English",
			"country": "United States",
			"timezone": "UTC",
			"currency": "USD",
			"full_name": "Site Owner",
			"email": "owner@example.com",
			"password": "Owner-of-the-site-1",
			"company_name": COMPANY,
			"company_abbr": "ET",
			"domain": "Distribution",
			"chart_of_accounts": "Standard",
			"bank_account": "Example Bank",
			"fy_start_date": f"{year}-01-01",
			"fy_end_date": f"{year}-12-31",
			"setup_demo": 0,
			"enable_telemetry": 0,
		}
	)
	frappe.db.commit()
	if not frappe.db.exists("Company", COMPANY):
		raise SystemExit("ERPNext's setup wizard ended without a company; see the site's Error Log")
	frappe.destroy()


if __name__ == "__main__":
	main(sys.argv[1])

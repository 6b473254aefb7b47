# Copyright (c) 2026, CRM Retention developers and Contributors
# See license.txt

# import frappe
from frappe.tests.utils import FrappeTestCase


class TestRetentionRun(FrappeTestCase):
	pass

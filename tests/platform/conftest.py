from tests.support.frappe_site import leave_site_as_it_was, site, undo

__all__ = ["leave_site_as_it_was", "site", "undo"]

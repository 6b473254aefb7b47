from collections.abc import Iterator

import frappe
import pytest

from tests.support.frappe_site import Site, leave_site_as_it_was, site, undo

__all__ = ["leave_site_as_it_was", "site", "undo"]


@pytest.fixture(scope="session", autouse=True)
def plans_stand_still(site: Site) -> Iterator[None]:
	"""Runs plan nothing unless a test wants them to: planning takes longer than the rest of a small run."""
	set_plans_enabled(0)
	site.save_baseline()
	yield
	set_plans_enabled(1)


def set_plans_enabled(value: int) -> None:
	frappe.db.set_single_value("Retention Settings", "plans_enabled", value)
	frappe.db.commit()

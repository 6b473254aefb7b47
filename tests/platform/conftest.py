from collections.abc import Iterator

import frappe
import pytest

from tests.support.frappe_site import Site, leave_site_as_it_was, site, undo

__all__ = ["leave_site_as_it_was", "site", "undo"]


# What a run does before and after the cycle takes longer than a small cycle itself.
BESIDE_THE_CYCLE = ("plans_enabled", "capture_enabled")


@pytest.fixture(scope="session", autouse=True)
def runs_do_the_cycle_alone(site: Site) -> Iterator[None]:
	"""Runs capture and plan nothing unless a test switches it on."""
	switch(0)
	site.save_baseline()
	yield
	switch(1)


def switch(value: int) -> None:
	for field in BESIDE_THE_CYCLE:
		frappe.db.set_single_value("Retention Settings", field, value)
	frappe.db.commit()

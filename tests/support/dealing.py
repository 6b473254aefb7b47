"""A pytest plugin: run the modules that this process is dealt, while others run the rest on sites of their own.

``-p tests.support.dealing``, with the folder of the deal in CRM_RETENTION_DEAL.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
	from benchkit.deal import Deal

counts: Counter = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
	if session.testsfailed or session.config.option.collectonly:
		return None  # pytest's own loop says what is wrong, or runs nothing
	from benchkit.deal import Deal  # on the path only since pytest read its configuration

	deal = Deal(Path(os.environ["CRM_RETENTION_DEAL"]))
	modules: dict[str, list[pytest.Item]] = {}
	for item in session.items:
		modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
	try:
		run_dealt(session, deal, modules)
	except (session.Failed, session.Interrupted, KeyboardInterrupt):
		deal.stop()
		raise
	return True


def run_dealt(session: pytest.Session, deal: Deal, modules: dict[str, list[pytest.Item]]) -> None:
	from benchkit.deal import Done

	sizes = {name: len(items) for name, items in modules.items()}
	module = deal.take(sizes)
	while module:
		began, following = time.monotonic(), None
		counts.clear()
		try:
			for item, after in pairwise(modules[module]):
				run_test(session, item, after)
			following = deal.take(
				sizes
			)  # what a session's fixtures hold lives on if pytest knows what comes next
			run_test(session, modules[module][-1], modules[following][0] if following else None)
		finally:
			deal.finish(module, Done(round(time.monotonic() - began, 2), counts.copy()))
		module = following


def run_test(session: pytest.Session, item: pytest.Item, after: pytest.Item | None) -> None:
	"""As pytest's own loop does."""
	item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
	if session.shouldfail:
		raise session.Failed(session.shouldfail)
	if session.shouldstop:
		raise session.Interrupted(session.shouldstop)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
	"""Counted as pytest's own closing line counts."""
	if report.when != "call":
		if report.failed:
			counts["error"] += 1
		elif report.skipped:
			counts["skipped"] += 1
	elif hasattr(report, "wasxfail"):
		counts["xpassed" if report.passed else "xfailed"] += 1
	else:
		counts[report.outcome] += 1

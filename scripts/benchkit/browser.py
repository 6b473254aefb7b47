"""The browser of the e2e suite."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
	"""`CHROMIUM`, else what is installed under a usual name."""
	return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)

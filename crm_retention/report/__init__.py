"""The report of a run: one HTML file with everything in it, no network, no script."""

from .page import build_report

__all__ = ["build_report"]

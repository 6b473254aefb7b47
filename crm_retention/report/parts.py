"""Small pieces of HTML that every section uses."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..setup.defaults import ABOUT

PALETTE = ("#2E7DC0", "#C0942E", "#6BA368", "#9C6ADE", "#D9822B", "#4C9AA8", "#C0392B", "#8FA3AD", "#17A589")


def section(title: str, lead: str, content: str, kind: str = "") -> str:
	"""A card of the page; ``lead`` is HTML of a sentence or two under the title."""
	return f'<section class="{kind}"><h2>{escape(title)}</h2><p class="lead">{lead}</p>{content}</section>'


def pair(left: str, right: str) -> str:
	"""Two cards side by side where there is room; one alone takes the whole width."""
	return f'<div class="pair">{left}{right}</div>' if left and right else left + right


def colours_of(table: str, names: Sequence[str]) -> dict[str, str]:
	"""A colour for each tier or stage: its own from the defaults, else one of the palette."""
	about = ABOUT.get(table, {})
	return {
		name: about.get(name, {}).get("colour") or PALETTE[index % len(PALETTE)]
		for index, name in enumerate(names)
	}

"""SQL that is put together from names and values."""

from __future__ import annotations

from pathlib import Path

# What programs write where there is no value, besides nothing at all.
BLANKS = ("", "null", "\\n", "nan", "nat", "n/a", "none")


def literal(value: str | Path) -> str:
	"""A text as a SQL literal."""
	return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
	"""A name as a SQL identifier."""
	return '"' + name.replace('"', '""') + '"'


def blank(text: str) -> str:
	"""True where a text stands for no value."""
	return f"coalesce(lower(trim({text})), '') IN ({', '.join(map(literal, BLANKS))})"

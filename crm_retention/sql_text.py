"""SQL text that means the same wherever a framework puts it: run with parameters, where %% is a percent sign, or without.

Frappe 15 runs the condition of a permission_query_conditions hook without parameters. Frappe 16 runs it with them in
lists and without them in counts, so that no way to write a percent sign is right in both.
"""

from __future__ import annotations

import re

import frappe

# identifiers are passed over; only MariaDB knows backslashes and text in double quotes
MARIADB_TEXT = re.compile(r"""`[^`]*`|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*["]""", re.DOTALL)
PLAIN_TEXT = re.compile(r"""`[^`]*`|"[^"]*"|'(?:[^']|'')*'""")
# what a backslash makes of the letter behind it; it stays before % and _, and is dropped before others
ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}


def without_percent_signs(sql: str) -> str:
	"""The same SQL, with text that holds percent signs written by their codes."""
	if "%" not in sql:
		return sql
	kind = frappe.db.db_type
	if kind == "mariadb":
		return MARIADB_TEXT.sub(lambda found: by_codes(found[0]), sql)
	percent = "chr(37)" if kind == "postgres" else "char(37)"
	return PLAIN_TEXT.sub(lambda found: by_parts(found[0], percent), sql)


def by_codes(text: str) -> str:
	"""A piece of text of MariaDB in its quotes, as one of hexadecimal codes: one whole has the collation of a text."""
	quote, body = text[0], text[1:-1]
	if "%" not in body or quote == "`":
		return text
	tokens = re.findall(rf"\\.|{quote}{quote}|.", body, re.DOTALL)
	value = "".join(get_character(token) for token in tokens)
	return f"_utf8mb4 x'{value.encode().hex()}'"


def get_character(token: str) -> str:
	"""What a character, an escaped one or a doubled quote stands for."""
	if len(token) == 2:
		return ESCAPES.get(token[1], token[1])
	return token


def by_parts(text: str, percent: str) -> str:
	"""A piece of text in its quotes, put together around the codes of its percent signs."""
	if "%" not in text or text[0] != "'":
		return text
	return "(" + text.replace("%", f"' || {percent} || '") + ")"

"""The layout of a text file: what separates its fields, whether its first line names them, and how many."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError

SAMPLE_BYTES = 1 << 18
SAMPLE_ROWS = 200
SPACES = "whitespace"
DELIMITERS = (",", ";", "\t", "|", SPACES)
NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": SPACES, " ": SPACES}
LOOKS_LIKE_DATA = re.compile(r"[-+(]?[\d.,'\s]*\d[\d.,'\s]*\)?|\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?.*")


@dataclass(frozen=True)
class Layout:
	"""``columns`` are the names in the first line, or "1", "2", ... where it has none; ``skip_lines`` stand
	before it.
	"""

	delimiter: str
	header: bool
	columns: tuple[str, ...]
	skip_lines: int = 0


def detect_layout(
	path: Path,
	place: str,
	wanted: Collection[str],
	delimiter: str | None = None,
	header: bool | None = None,
	skip_lines: int = 0,
) -> Layout:
	"""The layout of a UTF-8 file, called ``place`` in messages.

	``wanted`` are the column names looked for: a first line that has one of them is a header whatever else
	stands in it. Without any, a first line with a number or a date in it is data. Raises InputError on a file
	without a line.
	"""
	lines = _sample(path, skip_lines)
	if not lines:
		raise InputError(f"{place}: the file is empty")
	chosen = NAMES.get(delimiter, delimiter) if delimiter else _best_delimiter(lines)
	if chosen != SPACES and len(chosen) != 1:
		raise InputError(f"the delimiter {delimiter!r} is not one character")
	first = [field.strip() for field in fields_of(lines[:1], chosen)[0]]
	if header is None:
		header = _names_columns(first, wanted)
	columns = first if header else [str(position) for position in range(1, len(first) + 1)]
	return Layout(chosen, header, tuple(columns), skip_lines)


def _sample(path: Path, skip_lines: int) -> list[str]:
	"""The first lines that are not blank. The last is left out when the sample may have cut it."""
	with path.open("rb") as file:
		head = file.read(SAMPLE_BYTES)
	lines = head.decode("utf-8", "replace").splitlines()[skip_lines:]
	if len(head) == SAMPLE_BYTES and len(lines) > 1:
		lines.pop()
	return [line for line in lines if line.strip()][:SAMPLE_ROWS]


def fields_of(lines: list[str], delimiter: str) -> list[list[str]]:
	"""The fields of each record in ``lines``."""
	if delimiter == SPACES:
		return [line.split() for line in lines]
	return [row for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row]


def _best_delimiter(lines: list[str]) -> str:
	"""The separator with which most lines have the same number of fields, the more fields the better."""

	def fitness(delimiter: str) -> tuple[bool, float, int]:
		counts = Counter(len(row) for row in fields_of(lines, delimiter))
		width, rows = counts.most_common(1)[0]
		share = rows / sum(counts.values())
		return width > 1 and share >= 0.5, round(share, 1), width

	marks = [mark for mark in DELIMITERS if mark != SPACES]
	best = max(marks, key=fitness)
	if not fitness(best)[0] and fitness(SPACES)[0]:
		return SPACES
	return best


def _names_columns(first: list[str], wanted: Collection[str]) -> bool:
	known = {name.casefold() for name in wanted if not name.isdigit()}
	if any(field.casefold() in known for field in first):
		return True
	return not any(LOOKS_LIKE_DATA.fullmatch(field) for field in first)

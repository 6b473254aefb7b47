"""The rows of a file as a DuckDB table of texts, and where each row stands in the file."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from .layout import SPACES, Layout
from .sql import identifier, literal
from .text import line_at

EXPECTED = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


@dataclass(frozen=True)
class Malformed:
	"""A row that could not be split into its fields: where, and what is wrong with it."""

	line: int
	message: str


@dataclass
class Staged:
	"""A table with a column ``c0``, ``c1``, ... for each position that is needed, in the order of the file.

	``types`` are DuckDB's type names by position. ``valid`` is SQL that is true for rows with the right number
	of fields, and null for rows without any. ``malformed`` has the first few of ``malformed_count`` rows that the table does not hold.
	"""

	connection: duckdb.DuckDBPyConnection
	table: str
	path: Path
	layout: Layout | None
	types: dict[int, str]
	valid: str = "true"
	malformed: list[Malformed] = field(default_factory=list)
	malformed_count: int = 0
	_malformed_lines: frozenset[int] = frozenset()

	def places(self, records: Mapping[int, tuple[int, str]]) -> dict[int, tuple[int, str]]:
		"""Where rows stand, as a number to sort by and as "line 12" (or "row 12" of a Parquet file).

		``records`` has, by number of the row in the table from 0, a position and the text there, by which a line is
		checked before it is named.
		"""
		if self.layout is None:
			return {record: (record + 1, f"row {record + 1}") for record in records}
		if self.layout.delimiter == SPACES:
			first = 1 + self.layout.skip_lines + self.layout.header
			return {record: (first + record, f"line {first + record}") for record in records}
		return _csv_places(self.path, self.layout, self._malformed_lines, records)

	def drop(self) -> None:
		"""Free the table's memory."""
		self.connection.execute(f"DROP TABLE {self.table}")


def stage_text(
	connection: duckdb.DuckDBPyConnection,
	path: Path,
	layout: Layout,
	positions: Collection[int],
	table: str,
	keep: int,
) -> Staged:
	"""Read a UTF-8 file; ``keep`` is how many malformed rows to describe."""
	types = dict.fromkeys(sorted(positions), "VARCHAR")
	if layout.delimiter == SPACES:
		return _stage_spaced(connection, path, layout, types, table)
	rejects, scans = f"{table}_rejects", f"{table}_scans"
	columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(layout.columns)))
	wanted = ", ".join(f"c{position}" for position in types)
	connection.execute(
		f"CREATE TEMP TABLE {table} AS SELECT {wanted} FROM read_csv({literal(path)}, auto_detect=false, "
		f"delim={literal(layout.delimiter)}, quote='\"', escape='\"', header={str(layout.header).lower()}, "
		f"skip={layout.skip_lines}, columns={{{columns}}}, store_rejects=true, rejects_limit=0, "
		f"rejects_table={literal(rejects)}, rejects_scan={literal(scans)})"
	)
	staged = Staged(connection, table, path, layout, types)
	_read_rejects(staged, rejects, keep)
	connection.execute(f"DROP TABLE {rejects}")
	connection.execute(f"DROP TABLE {scans}")
	return staged


def _stage_spaced(
	connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, types: dict[int, str], table: str
) -> Staged:
	"""Lines of fields with any number of blanks between them; a row of the table is a line of the file, and
	``width`` is null for a blank one.
	"""
	fields = ", ".join(f"fields[{position + 1}] AS c{position}" for position in types)
	line = r"nullif(regexp_replace(line, '^\s+|\s+$', '', 'g'), '')"
	connection.execute(
		f"CREATE TEMP TABLE {table} AS SELECT {fields}, len(fields) AS width FROM "
		f"(SELECT string_split_regex({line}, '\\s+') AS fields "
		f"FROM read_csv({literal(path)}, auto_detect=false, header=false, delim=chr(1), quote='', escape='', "
		f"skip={layout.skip_lines + layout.header}, columns={{'line': 'VARCHAR'}}))"
	)
	return Staged(connection, table, path, layout, types, valid=f"width = {len(layout.columns)}")


def stage_parquet(
	connection: duckdb.DuckDBPyConnection, path: Path, names: Mapping[int, str], table: str
) -> Staged:
	"""Read a Parquet file; ``names`` are the columns that are needed by position."""
	wanted = ", ".join(f"{identifier(name)} AS c{position}" for position, name in names.items())
	connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {wanted} FROM read_parquet({literal(path)})")
	rows = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
	return Staged(connection, table, path, None, {int(name[1:]): kind for name, kind in rows})


def _read_rejects(staged: Staged, rejects: str, keep: int) -> None:
	"""One row of ``rejects`` may hold several faults of one line; the first says enough."""
	connection = staged.connection
	found = connection.execute(
		f"SELECT line_byte_position, first(error_type ORDER BY byte_position), "
		f"first(error_message ORDER BY byte_position) FROM {rejects} GROUP BY line_byte_position ORDER BY 1"
	).fetchall()
	staged.malformed_count = len(found)
	if not found:
		return
	described = found[:keep]
	staged.malformed = [
		Malformed(line_at(staged.path, offset), _explain(kind, message))
		for offset, kind, message in described
	]
	staged._malformed_lines = _lines_of(staged.path, [offset for offset, _, _ in found])


def _lines_of(path: Path, offsets: list[int]) -> frozenset[int]:
	"""Numbers of the lines that begin at the given byte offsets, ascending, in one pass over the file."""
	lines, line, position = [], 1, 0
	with path.open("rb") as file:
		for offset in offsets:
			while position < offset:
				chunk = file.read(min(1 << 20, offset - position))
				if not chunk:
					break
				line += chunk.count(b"\n")
				position += len(chunk)
			lines.append(line)
	return frozenset(lines)


def _explain(kind: str, message: str) -> str:
	counts = EXPECTED.search(message)
	if counts:
		return f"{counts[2]} fields instead of {counts[1]}"
	if kind == "UNQUOTED VALUE":
		return "a quotation mark is not closed, or text follows the closing one"
	return message.splitlines()[0]


def _csv_places(
	path: Path, layout: Layout, malformed: frozenset[int], records: Mapping[int, tuple[int, str]]
) -> dict[int, tuple[int, str]]:
	"""Walk the file once, as far as the last row asked for. Quoted fields may span lines, so a record's number
	is not a line's.
	"""
	places: dict[int, tuple[int, str]] = {}
	csv.field_size_limit(1 << 30)
	with path.open(encoding="utf-8", newline="") as file:
		for _ in range(layout.skip_lines):
			file.readline()
		reader = csv.reader(file, delimiter=layout.delimiter)
		walk = _well_formed(reader, malformed, layout.skip_lines) if malformed else filter(None, reader)
		if layout.header:
			next(walk, None)
		done = 0
		for record in sorted(records):
			row = next(itertools.islice(walk, record - done, None), None)
			done = record + 1
			position, text = records[record]
			if row is None or len(row) <= position or row[position] != text:
				places[record] = record + 1, f"near row {record + 1}"
				continue
			inside = sum(value.count("\n") for value in row)
			line = reader.line_num + layout.skip_lines - inside
			places[record] = line, f"line {line}"
	return places


def _well_formed(reader: Any, malformed: frozenset[int], skip_lines: int) -> Iterator[list[str]]:
	"""The rows of a ``csv.reader`` that do not begin at one of the lines ``malformed``."""
	before = skip_lines
	for row in reader:
		first, before = before + 1, reader.line_num + skip_lines
		if row and first not in malformed:
			yield row

"""A file as one of the engine's relations in DuckDB: typed columns, bad rows reported or counted.

Every rule on a value is SQL over the whole column; Python looks at single rows only to say where the bad ones
stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from .columns import looked_for, match
from .errors import InputError
from .fields import Field, make_field
from .layout import Layout, detect_layout
from .options import ReadOptions
from .sources import Staged, stage_parquet, stage_text
from .sql import identifier, literal
from .text import as_utf8

SHOWN = 10
DECIMAL_COMMA = re.compile(r"\s*-?\d+(\.\d{3})*,\d{1,2}\s*")
PARQUET = (".parquet", ".pq")
UNIQUE = ("parties", "state")
NOTHING: Mapping[str, str | None] = {}
# How the lines of one document become one purchase: its first day, its last due day, paid when all of it is.
SUMMED = {
	"amount": "sum({0})",
	"discount": "sum({0})",
	"margin": "sum({0})",
	"outstanding": "sum({0})",
	"day": "min({0})",
	"due_day": "max({0})",
	"paid_day": "CASE WHEN count({0}) = count(*) THEN max({0}) END",
}


@dataclass
class Loaded:
	"""What became of a file: rows in the relation, rows left out as bad, and how it was read.

	``faults`` describes the first few bad rows, a line each; ``columns`` maps the relation's to the file's.
	"""

	relation: str
	path: Path
	rows: int = 0
	skipped: int = 0
	faults: list[str] = field(default_factory=list)
	encoding: str = ""
	delimiter: str = ""
	date_format: str = ""
	columns: dict[str, str] = field(default_factory=dict)


def load(
	connection: duckdb.DuckDBPyConnection,
	relation: str,
	path: Path,
	options: ReadOptions,
	folder: Path,
	extra: Mapping[str, str | None] = NOTHING,
) -> Loaded:
	"""Create the table ``relation`` from a CSV or Parquet file, or a folder of Parquet files.

	``extra`` are further columns to keep if they are there, with their types (None: by their values); ``folder``
	takes temporary files. Raises InputError for a file that cannot be read, for missing columns, and for bad rows
	unless ``options.skip_bad_rows``.
	"""
	if not path.exists():
		raise InputError(f"{path}: there is no such file")
	loaded = Loaded(relation, path)
	try:
		if path.is_dir() or path.suffix.lower() in PARQUET:
			staged, positions = _stage_parquet(connection, loaded, options, extra)
		else:
			staged, positions = _stage_text(connection, loaded, options, folder, extra)
		fields = [
			make_field(
				staged, relation, name, at, f"{path.name}, column {loaded.columns[name]!r}", options, extra
			)
			for name, at in positions.items()
		]
		loaded.date_format = next((item.note for item in fields if item.note), "")
		_convert(staged, loaded, fields, options)
		staged.drop()
		_finish(connection, loaded, options)
	except duckdb.Error as error:
		raise InputError(f"{path.name}: {str(error).splitlines()[0]}") from error
	return loaded


def _stage_parquet(
	connection: duckdb.DuckDBPyConnection,
	loaded: Loaded,
	options: ReadOptions,
	extra: Mapping[str, str | None],
) -> tuple[Staged, dict[str, int]]:
	path = loaded.path
	source = path / "**" / "*.parquet" if path.is_dir() else path
	described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(source)})").fetchall()
	found = [str(row[0]) for row in described]
	positions = match(loaded.relation, found, options.columns, extra, path.name)
	loaded.columns = {name: found[at] for name, at in positions.items()}
	names = {at: found[at] for at in positions.values()}
	return stage_parquet(connection, source, names, f"_raw_{loaded.relation}"), positions


def _stage_text(
	connection: duckdb.DuckDBPyConnection,
	loaded: Loaded,
	options: ReadOptions,
	folder: Path,
	extra: Mapping[str, str | None],
) -> tuple[Staged, dict[str, int]]:
	path, relation = loaded.path, loaded.relation
	readable, loaded.encoding = as_utf8(path, options.encoding, folder)
	wanted = looked_for(relation, options.columns)
	layout = detect_layout(readable, path.name, wanted, options.delimiter, options.header, options.skip_lines)
	positions = match(relation, layout.columns, options.columns, extra, path.name)
	_refuse_ambiguous(layout, positions, options, path)
	loaded.delimiter = layout.delimiter
	loaded.columns = {name: layout.columns[at] for name, at in positions.items()}
	return stage_text(
		connection, readable, layout, set(positions.values()), f"_raw_{relation}", SHOWN
	), positions


def _refuse_ambiguous(layout: Layout, positions: dict[str, int], options: ReadOptions, path: Path) -> None:
	names = [name.casefold() for name in layout.columns]
	by_name = {name: at for name, at in positions.items() if not options.columns.get(name, name).isdigit()}
	twice = sorted({layout.columns[at] for at in by_name.values() if names.count(names[at]) > 1})
	if twice:
		listed = ", ".join(twice)
		raise InputError(
			f"{path.name}: more than one column has the name {listed}; name it by its number, from 1"
		)


def _convert(staged: Staged, loaded: Loaded, fields: list[Field], options: ReadOptions) -> None:
	"""Make the relation's table of the rows without a fault, and report the others."""
	connection = staged.connection
	values = ", ".join(f'{item.value} AS "v_{item.name}"' for item in fields)
	joins = " ".join(item.join for item in fields)
	rows = f"SELECT {staged.table}.rowid AS record, {staged.table}.*, {values} FROM {staged.table} {joins}"
	kept = ", ".join(f"{identifier('v_' + item.name)} AS {identifier(item.name)}" for item in fields)
	sound = " AND ".join([staged.valid, *(f"NOT ({item.wrong})" for item in fields)])
	order = "ORDER BY record" if loaded.relation in UNIQUE else ""
	connection.execute(f"CREATE TABLE {loaded.relation} AS SELECT {kept} FROM ({rows}) WHERE {sound} {order}")
	loaded.rows = _count(connection, loaded.relation)
	bad = _count(connection, f"{staged.table} WHERE ({staged.valid}) IS NOT NULL") - loaded.rows
	loaded.skipped = bad + staged.malformed_count
	if not loaded.skipped:
		return
	loaded.faults = _describe(staged, loaded, fields, rows)
	if not options.skip_bad_rows:
		rest = loaded.skipped - len(loaded.faults)
		more = [f"{loaded.path.name}: and {rest:,} more bad rows"] if rest else []
		raise InputError(*loaded.faults, *more)


def _describe(staged: Staged, loaded: Loaded, fields: list[Field], rows: str) -> list[str]:
	"""The first bad rows in the order of the file, a line each."""
	cases = " ".join(f"WHEN {item.wrong} THEN {index}" for index, item in enumerate(fields))
	texts = ", ".join(item.text for item in fields)
	fault = f"CASE WHEN NOT ({staged.valid}) THEN -1 {cases} END"
	found = staged.connection.execute(
		f"SELECT record, fault, texts FROM (SELECT record, {fault} AS fault, [{texts}] AS texts FROM ({rows}) "
		f"WHERE ({staged.valid}) IS NOT NULL) WHERE fault IS NOT NULL ORDER BY record LIMIT {SHOWN}"
	).fetchall()
	checks = {record: (fields[fault].position, texts[fault] or "") for record, fault, texts in found}
	places = staged.places(checks)
	described = [(item.line, f"line {item.line}: {item.message}") for item in staged.malformed]
	for record, fault, texts in found:
		order, place = places[record]
		described.append((order, f"{place}{_reason(fields, fault, texts, loaded)}"))
	return [f"{loaded.path.name}, {text}" for _, text in sorted(described)[:SHOWN]]


def _reason(fields: list[Field], fault: int, texts: list[str | None], loaded: Loaded) -> str:
	if fault < 0:
		return ": the number of fields differs from that of the first line"
	item, text = fields[fault], texts[fault]
	column = loaded.columns[item.name]
	if not (text or "").strip() or not item.reason:
		return f", {column}: is empty"
	comma = item.reason == "is not a number" and DECIMAL_COMMA.fullmatch(text or "")
	hint = "; for a decimal comma give --decimal-comma" if comma else ""
	return f", {column}: {text!r} {item.reason}{hint}"


def _finish(connection: duckdb.DuckDBPyConnection, loaded: Loaded, options: ReadOptions) -> None:
	"""What concerns several rows: keys that must be unique, and documents of several lines."""
	relation, columns = loaded.relation, loaded.columns
	if relation in UNIQUE:
		_drop_repeated(connection, loaded, options)
	if relation == "purchases" and "document" in columns:
		_sum_documents(connection, loaded)


def _drop_repeated(connection: duckdb.DuckDBPyConnection, loaded: Loaded, options: ReadOptions) -> None:
	"""Of rows with the same party the first stays. Raises InputError unless bad rows may be skipped."""
	relation = loaded.relation
	repeated = f"SELECT party, count(*) AS n FROM {relation} GROUP BY party HAVING count(*) > 1"
	found = connection.execute(f"SELECT * FROM ({repeated}) ORDER BY party LIMIT {SHOWN}").fetchall()
	if not found:
		return
	faults = [f"{loaded.path.name}: {party!r} is there {n} times; a party has one row" for party, n in found]
	if not options.skip_bad_rows:
		raise InputError(*faults)
	connection.execute(
		f"DELETE FROM {relation} WHERE rowid NOT IN (SELECT min(rowid) FROM {relation} GROUP BY party)"
	)
	left = _count(connection, relation)
	loaded.skipped += loaded.rows - left
	loaded.rows = left
	loaded.faults = [*loaded.faults, *faults][:SHOWN]


def _sum_documents(connection: duckdb.DuckDBPyConnection, loaded: Loaded) -> None:
	"""Lines of one party and document become one purchase; rows without a document stay as they are."""
	others = [name for name in loaded.columns if name not in ("party", "document")]
	values = ", ".join(
		f"{SUMMED.get(name, 'any_value({0})').format(identifier(name))} AS {identifier(name)}"
		for name in others
	)
	plain = ", ".join(identifier(name) for name in others)
	connection.execute(
		f"CREATE TABLE _documents AS SELECT party, document, {values} FROM purchases WHERE document IS NOT NULL "
		f"GROUP BY party, document UNION ALL SELECT party, document, {plain} FROM purchases WHERE document IS NULL"
	)
	connection.execute("DROP TABLE purchases")
	connection.execute("ALTER TABLE _documents RENAME TO purchases")
	loaded.rows = _count(connection, "purchases")


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
	found = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
	return int(found[0]) if found else 0

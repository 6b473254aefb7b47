"""A site's database as it was at one moment, put back table by table: only what changed is loaded again.

ERPNext has some seven hundred tables, and a test changes a few of them. Comparing all takes a fraction of the time
that loading them does. Where only rows changed they are replaced in one transaction, which takes a fraction again
of making the table anew.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .database import Admin

SECTION = re.compile(rb"^--\n-- Table structure for table `(.+?)`\n--\n", re.MULTILINE)
ROWS = re.compile(rb"^--\n-- Dumping data for table `.+?`\n--\n", re.MULTILINE)
# what a dump puts around its INSERTs, which would end the transaction; a newline in a value is written as \n
AROUND_ROWS = re.compile(
	rb"^(?:LOCK TABLES .*|UNLOCK TABLES|/\*!\d+ ALTER TABLE .*|set autocommit=0|commit);\n", re.M | re.I
)
# rows, columns and indexes of every table, as text that differs when they do
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
COLUMNS = """SELECT table_name, MD5(GROUP_CONCAT(column_name, column_type, IFNULL(column_default, '') ORDER BY ordinal_position))
	FROM information_schema.columns WHERE table_schema = DATABASE() GROUP BY table_name"""
INDEXES = """SELECT table_name, MD5(GROUP_CONCAT(index_name, column_name, non_unique ORDER BY index_name, seq_in_index))
	FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name"""
Fingerprint = tuple[str, str, str]


@dataclass
class Baseline:
	"""``folder`` may hold an earlier baseline of the same database, of any process: only what changed since is saved."""

	admin: Admin
	database: str
	folder: Path
	before: dict[str, Fingerprint] = field(default_factory=dict)

	def save(self) -> None:
		known = self.folder / "fingerprints.json"
		before = (
			{name: tuple(row) for name, row in json.loads(known.read_text()).items()}
			if known.exists()
			else {}
		)
		self.before = self.fingerprints()
		changed = [name for name, fingerprint in self.before.items() if before.get(name) != fingerprint]
		if changed:
			self.dump(changed if before else ())
		known.write_text(json.dumps(self.before))

	def dump(self, tables: Iterable[str]) -> None:
		"""Write a file for each of the tables (of all, if none is named), and one with the session's settings."""
		whole = self.folder / "dump.sql"
		self.admin.dump(self.database, whole, *tables)
		header, sections = split_dump(whole.read_bytes())
		(self.folder / "header").write_bytes(header)
		for name, section in sections.items():
			self.file_of(name).write_bytes(section)
		whole.unlink()

	def file_of(self, table: str) -> Path:
		return self.folder / f"{table.replace('/', '%')}.sql"

	def restore(self) -> None:
		now = self.fingerprints()
		changed = [name for name, fingerprint in self.before.items() if now.get(name) != fingerprint]
		rebuilt = [name for name in changed if now.get(name, ("", "", ""))[1:] != self.before[name][1:]]
		drops = b"".join(f"DROP TABLE `{name}`;\n".encode() for name in now if name not in self.before)
		structures = b"".join(self.file_of(name).read_bytes() for name in rebuilt)
		rows = b"".join(self.rows_of(name) for name in changed if name not in rebuilt)
		self.run(
			(self.folder / "header").read_bytes()
			+ drops
			+ structures
			+ b"START TRANSACTION;\n"
			+ rows
			+ b"COMMIT;\n"
		)

	def rows_of(self, table: str) -> bytes:
		_, rows = ROWS.split(self.file_of(table).read_bytes(), maxsplit=1)
		return f"DELETE FROM `{table}`;\n".encode() + AROUND_ROWS.sub(b"", rows)

	def fingerprints(self) -> dict[str, Fingerprint]:
		names = self.query(TABLES)
		checksums = self.query("CHECKSUM TABLE " + ", ".join(f"`{name}`" for (name,) in names))
		rows = {name.partition(".")[2]: checksum for name, checksum in checksums}
		columns, indexes = dict(self.query(COLUMNS)), dict(self.query(INDEXES))
		return {name: (rows[name], columns[name], indexes.get(name, "")) for (name,) in names}

	def query(self, statement: str) -> list[list[str]]:
		output = self.run(f"SET SESSION group_concat_max_len = 1048576; {statement}".encode())
		return [line.split("\t") for line in output.decode().splitlines()]

	def run(self, statements: bytes) -> bytes:
		command = self.admin.client("--batch", "--skip-column-names", self.database)
		environment = self.admin.environment
		return subprocess.run(
			command, input=statements, env=environment, stdout=subprocess.PIPE, check=True
		).stdout


def split_dump(dump: bytes) -> tuple[bytes, dict[str, bytes]]:
	"""What a dump begins with (session settings), and its part for each table: structure, then rows."""
	header, *parts = SECTION.split(dump)
	return header, {name.decode(): part for name, part in zip(parts[::2], parts[1::2], strict=True)}

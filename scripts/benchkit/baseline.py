"""A site's database as it was at one moment, put back table by table: only what changed is loaded again.

ERPNext has some seven hundred tables, and a test changes a few of them. Comparing all takes a fraction of the time
that loading them does.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .database import Admin

SECTION = re.compile(rb"^--\n-- Table structure for table `(.+?)`\n--\n", re.MULTILINE)
# rows, columns and indexes of every table, as text that differs when they do
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
COLUMNS = """SELECT table_name, MD5(GROUP_CONCAT(column_name, column_type, IFNULL(column_default, '') ORDER BY ordinal_position))
	FROM information_schema.columns WHERE table_schema = DATABASE() GROUP BY table_name"""
INDEXES = """SELECT table_name, MD5(GROUP_CONCAT(index_name, column_name, non_unique ORDER BY index_name, seq_in_index))
	FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name"""


@dataclass
class Baseline:
	admin: Admin
	database: str
	file: Path
	before: dict[str, tuple[str, ...]] = field(default_factory=dict)

	def save(self) -> None:
		self.admin.dump(self.database, self.file)
		self.before = self.fingerprints()

	def restore(self) -> None:
		now = self.fingerprints()
		changed = [name for name, fingerprint in self.before.items() if now.get(name) != fingerprint]
		added = [name for name in now if name not in self.before]
		drops = "".join(f"DROP TABLE `{name}`;\n" for name in added).encode()
		header, sections = split_dump(self.file.read_bytes())
		self.run(header + drops + b"".join(sections[name] for name in changed))

	def fingerprints(self) -> dict[str, tuple[str, ...]]:
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

"""The characters of a text file: which encoding it has, and a UTF-8 copy where it needs one.

DuckDB reads UTF-8. Any other encoding is copied to UTF-8 once, in bounded memory, line for line, so that the
number of a line stays the number that an editor shows.
"""

from __future__ import annotations

import codecs
import gzip
import re
from pathlib import Path
from typing import BinaryIO, cast

from .errors import InputError

CHUNK = 1 << 20
BOMS = (
	(codecs.BOM_UTF8, "utf-8-sig"),
	(codecs.BOM_UTF32_LE, "utf-32"),
	(codecs.BOM_UTF32_BE, "utf-32"),
	(codecs.BOM_UTF16_LE, "utf-16"),
	(codecs.BOM_UTF16_BE, "utf-16"),
)
PLAIN = ("utf-8", "ascii")
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
UTF8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def open_bytes(path: Path) -> BinaryIO:
	"""The file's bytes; ``.gz`` is unpacked on the way."""
	if path.suffix.lower() == ".gz":
		return cast(BinaryIO, gzip.open(path, "rb"))
	return path.open("rb")


def detect_encoding(path: Path) -> str:
	"""The encoding as Python's codecs name it: by its byte order mark, as valid UTF-8, as UTF-16 without a
	mark, as GB18030 where bytes above 127 come in pairs as Chinese does, else as Windows Latin.
	"""
	with open_bytes(path) as file:
		head = file.read(CHUNK)
	for mark, name in BOMS:
		if head.startswith(mark):
			return name
	zeros = head[0::2].count(0), head[1::2].count(0)
	if sum(zeros) > len(head) / 4:
		return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
	wrong = _first_fault(path, "utf-8")
	return "utf-8" if wrong is None else _encoding_near(path, wrong)


def _first_fault(path: Path, encoding: str) -> int | None:
	"""Offset of the chunk in which the file stops being ``encoding``, or None if all of it is."""
	decoder = codecs.getincrementaldecoder(encoding)()
	offset = 0
	with open_bytes(path) as file:
		while chunk := file.read(CHUNK):
			try:
				decoder.decode(chunk)
			except UnicodeDecodeError:
				return offset
			offset += len(chunk)
	try:
		decoder.decode(b"", final=True)
	except UnicodeDecodeError:
		return max(offset - CHUNK, 0)
	return None


def _encoding_near(path: Path, offset: int) -> str:
	"""Text that is not UTF-8 throughout: UTF-8 with a broken place, Chinese, or Latin.

	Chinese text has its bytes above 127 in pairs; an accented Latin letter mostly stands alone.
	"""
	with open_bytes(path) as file:
		file.seek(offset)
		sample = file.read(CHUNK)
	runs = [len(run) for run in HIGH_RUN.findall(sample)]
	if sum(map(len, UTF8_CHARACTER.findall(sample))) > 0.8 * sum(runs):
		return "utf-8"
	paired = sum(length for length in runs if length % 2 == 0)
	if paired > 0.8 * sum(runs) and _first_fault(path, "gb18030") is None:
		return "gb18030"
	return "cp1252" if _first_fault(path, "cp1252") is None else "latin-1"


def as_utf8(path: Path, encoding: str | None, folder: Path) -> tuple[Path, str]:
	"""The file itself or a UTF-8 copy of it in ``folder``, and the encoding that it had.

	Raises InputError when the encoding is unknown or the file is not in it, naming the line.
	"""
	name = (encoding or detect_encoding(path)).lower()
	try:
		codecs.lookup(name)
	except LookupError:
		raise InputError(f"{path.name}: the encoding {encoding!r} is not known") from None
	plain = codecs.lookup(name).name in PLAIN and path.suffix.lower() != ".gz"
	if plain and _first_fault(path, "utf-8") is None:
		return path, name
	copy = folder / f"{path.name}.{len(list(folder.iterdir()))}.utf8"
	_copy(path, name, copy)
	return copy, name


def _copy(path: Path, encoding: str, copy: Path) -> None:
	"""Write ``path`` as UTF-8. Newlines stay as they are."""
	decoder = codecs.getincrementaldecoder(encoding)()
	line = 1
	with open_bytes(path) as source, copy.open("wb") as target:
		while True:
			chunk = source.read(CHUNK)
			try:
				text = decoder.decode(chunk, final=not chunk)
			except UnicodeDecodeError as error:
				line += error.object[: error.start].count(b"\n")
				message = f"{path.name}, line {line}: not {encoding} text; give the right one with --encoding"
				raise InputError(message) from None
			target.write(text.encode("utf-8", "surrogatepass"))
			line += text.count("\n")
			if not chunk:
				return


def line_at(path: Path, offset: int) -> int:
	"""Number of the line, from 1, in which the byte at ``offset`` stands."""
	line, left = 1, offset
	with path.open("rb") as file:
		while left > 0 and (chunk := file.read(min(CHUNK, left))):
			line += chunk.count(b"\n")
			left -= len(chunk)
	return line

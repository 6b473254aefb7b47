"""A folder of results that is only ever seen whole.

Results are written into a hidden folder beside the old ones. Renaming that folder is the one moment in which the
new results become the results; moving its files into place comes after, and whoever opens the folder next ends a
move that was interrupted. A run that fails or is killed before leaves the old results as they were.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError

WRITING = ".writing"
READY = ".ready"


@contextmanager
def results_folder(out: Path) -> Iterator[Path]:
	"""The folder to write into; its files come into place in ``out`` when the block ends without an error.

	Raises InputError when ``out`` cannot be used or another run is writing to it.
	"""
	if out.exists() and not out.is_dir():
		raise InputError(f"{out}: is a file; --out names a folder")
	created = not out.exists()
	try:
		out.mkdir(parents=True, exist_ok=True)
	except OSError as error:
		raise InputError(f"{out}: {error.strerror}") from error
	with _only_one(out):
		finish(out)
		writing = out / WRITING
		shutil.rmtree(writing, ignore_errors=True)
		try:
			writing.mkdir()
			yield writing
			writing.rename(out / READY)
		except BaseException:
			shutil.rmtree(writing, ignore_errors=True)
			if created:
				with contextlib.suppress(OSError):
					out.rmdir()
			raise
		finish(out)


def finish(out: Path) -> None:
	"""Move results that are ready into place: does nothing where there are none."""
	ready = out / READY
	if not ready.is_dir():
		return
	for file in sorted(ready.iterdir()):
		os.replace(file, out / file.name)
	ready.rmdir()


@contextmanager
def _only_one(out: Path) -> Iterator[None]:
	"""One run at a time a folder; the system lifts the lock of a run that was killed."""
	try:
		import fcntl
	except ImportError:  # Windows, where a folder cannot be locked
		yield
		return
	handle = os.open(out, os.O_RDONLY)
	try:
		try:
			fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except OSError:
			raise InputError(f"{out}: another run is writing to this folder") from None
		yield
	finally:
		os.close(handle)

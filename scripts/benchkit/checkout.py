"""The files of this checkout as they are now: what git tracks and what it would, nothing that it ignores."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEVER_COPIED = shutil.ignore_patterns(
	".git", ".venv", "__pycache__", "node_modules", ".*_cache", ".hypothesis", "dist"
)


def pack_checkout() -> bytes:
	"""A tar archive, for a bench whose owner may not be able to read this checkout, or not even see it."""
	packed = io.BytesIO()
	with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
		for file in files_of_checkout():
			archive.add(file, file.relative_to(ROOT), recursive=False)
	return packed.getvalue()


def files_of_checkout() -> Iterator[Path]:
	names = listed_by_git()
	if names is None:  # an unpacked archive has no git directory
		for folder, folders, files in os.walk(ROOT):
			ignored = NEVER_COPIED(folder, [*folders, *files])
			folders[:] = set(folders) - ignored
			yield from (Path(folder, name) for name in set(files) - ignored)
		return
	for file in (ROOT / name for name in names):
		if file.is_file():  # neither deleted but not yet committed, nor a submodule
			yield file


def listed_by_git() -> list[str] | None:
	# the checkout may belong to another user than the one who runs this
	command = [
		"git",
		"-c",
		f"safe.directory={ROOT}",
		"ls-files",
		"-z",
		"--cached",
		"--others",
		"--exclude-standard",
	]
	result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
	if result.returncode:
		return None
	return [name for name in result.stdout.split("\0") if name]

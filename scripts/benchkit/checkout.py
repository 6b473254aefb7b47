"""The files of this checkout as they are now: what git tracks and what it would, nothing that it ignores."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEVER_COPIED = shutil.ignore_patterns(
	".git", ".venv", "__pycache__", "node_modules", ".*_cache", ".hypothesis", "dist"
)


def copy_checkout(target: Path) -> None:
	names = listed_by_git()
	if names is None:  # an unpacked archive has no git directory
		shutil.copytree(ROOT, target, symlinks=True, ignore=NEVER_COPIED)
		return
	for name in names:
		source, copy = ROOT / name, target / name
		if not source.exists() or source.is_dir():  # deleted but not yet committed, or a submodule
			continue
		copy.parent.mkdir(parents=True, exist_ok=True)
		shutil.copy2(source, copy)


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

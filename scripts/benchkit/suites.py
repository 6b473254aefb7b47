"""The test suites, and which part of one the arguments of `make test` ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FOLDERS = {"engine": "tests/engine", "site": "tests/site", "e2e": "tests/e2e"}
ON_BENCH = ("site", "e2e")


def is_path(argument: str) -> bool:
	return argument.startswith("tests/")


def is_asked_for(suite: str, arguments: Sequence[str]) -> bool:
	"""Whoever names files means these, and no other suite's."""
	paths = [argument for argument in arguments if is_path(argument)]
	return not paths or any(path.startswith(FOLDERS[suite]) for path in paths)


def arguments_of(suite: str, arguments: Sequence[str]) -> list[str]:
	"""Pytest's arguments: the suite's folder, or what is named of it, and all that is no path."""
	paths = [argument for argument in arguments if is_path(argument) and argument.startswith(FOLDERS[suite])]
	return [*(paths or [FOLDERS[suite]]), *(argument for argument in arguments if not is_path(argument))]


def is_selection(arguments: Sequence[str]) -> bool:
	"""Whether a part of a suite is asked for, which is not worth several sites."""
	return any(is_path(argument) or argument[:2] in ("-k", "-m") for argument in arguments)


def modules_of(checkout: Path, suite: str) -> list[str]:
	files = (checkout / FOLDERS[suite]).rglob("test_*.py")
	return sorted(str(file.relative_to(checkout)) for file in files)

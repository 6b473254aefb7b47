"""The engine has no clock, no files, no network and no framework: what it may import is listed here."""

import ast
import sys
from pathlib import Path

import pytest

import crm_retention.engine.cycle

ENGINE = Path(crm_retention.engine.cycle.__file__).parent
ALLOWED = {
	"__future__",
	"collections",
	"contextlib",
	"dataclasses",
	"datetime",
	"decimal",
	"functools",
	"hashlib",
	"ibis",
	"json",
	"math",
	"numpy",
	"operator",
	"re",
	"scipy",
	"typing",
}
CLOCKS = {"now", "today", "utcnow", "fromtimestamp"}
FILES = {"open", "exec", "eval", "compile", "input", "print", "breakpoint", "__import__"}
MODULES = sorted(ENGINE.glob("*.py"))


def imported(tree):
	"""Top-level names of what a module imports from outside the engine."""
	for node in ast.walk(tree):
		if isinstance(node, ast.Import):
			yield from (alias.name.split(".")[0] for alias in node.names)
		elif isinstance(node, ast.ImportFrom):
			assert node.level <= 1, "the engine imports nothing from above it"
			if node.level == 0:
				yield node.module.split(".")[0]


def test_there_are_modules_to_look_at():
	assert {"cycle.py", "lifetime.py", "signals.py"} <= {path.name for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_what_is_allowed(path):
	assert set(imported(ast.parse(path.read_text()))) <= ALLOWED


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_asks_no_clock_and_opens_nothing(path):
	tree = ast.parse(path.read_text())
	attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
	assert attributes & CLOCKS == set()
	called = {
		node.func.id
		for node in ast.walk(tree)
		if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
	}
	assert called & FILES == set()


def test_what_is_allowed_touches_no_outside_world_by_itself():
	assert (
		ALLOWED & {"time", "os", "io", "pathlib", "random", "socket", "subprocess", "sqlite3", "frappe"}
		== set()
	)
	assert ALLOWED - {"ibis", "numpy", "scipy"} <= set(sys.stdlib_module_names)

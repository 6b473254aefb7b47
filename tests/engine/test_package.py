"""The package: what importing it pulls in, and what a build of it carries."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

try:
	import tomllib
except ModuleNotFoundError:  # Python 3.10
	import tomli as tomllib

import crm_retention

ROOT = Path(crm_retention.__file__).resolve().parents[1]

# Frappe is not to be had outside a bench; the others are heavy, and core Ibis does without them.
FORBIDDEN = ("frappe", "erpnext", "pandas", "pyarrow")
IMPORT_WITHOUT = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({forbidden!r}))  # None: importing it raises
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
	importlib.import_module(module.name)
"""


def run_python(code: str) -> subprocess.CompletedProcess:
	return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_importing_the_package_imports_nothing_else():
	code = "import sys; before = set(sys.modules); import crm_retention; print(*set(sys.modules) - before)"
	assert run_python(code).stdout.split() == ["crm_retention"]


@pytest.mark.parametrize("package", ["crm_retention.engine"])
def test_engine_imports_where_frappe_and_dataframes_are_missing(package):
	result = run_python(IMPORT_WITHOUT.format(forbidden=FORBIDDEN, package=package))
	assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> list[str]:
	"""Names of the files in a wheel of this checkout, built by the declared backend."""
	folder = tmp_path_factory.mktemp("wheel")
	code = f"import flit_core.buildapi as flit; print(flit.build_wheel({str(folder)!r}))"
	result = run_python(code)
	assert result.returncode == 0, result.stderr
	with zipfile.ZipFile(folder / result.stdout.strip()) as archive:
		return archive.namelist()


def test_wheel_carries_every_file_of_the_package(wheel):
	not_code = {".json", ".js", ".html", ".css", ".po", ".pot", ".csv", ".txt", ".toml", ".svg", ".py"}
	generated = {"__pycache__", "dist", "node_modules"}
	files = [p.relative_to(ROOT) for p in (ROOT / "crm_retention").rglob("*") if p.suffix in not_code]
	expected = {p.as_posix() for p in files if not generated & set(p.parts)}
	assert {"crm_retention/hooks.py", "crm_retention/modules.txt", "crm_retention/patches.txt"} <= expected
	assert expected - set(wheel) == set()


def test_wheel_carries_nothing_but_the_package(wheel):
	tops = {name.split("/")[0] for name in wheel}
	assert tops == {"crm_retention", f"crm_retention-{crm_retention.__version__}.dist-info"}


def test_distribution_is_named_like_the_module():
	"""`bench get-app` takes the app's name from the distribution; with a hyphen the bench would not find the app."""
	with (ROOT / "pyproject.toml").open("rb") as file:
		assert tomllib.load(file)["project"]["name"] == crm_retention.__name__


def test_setup_py_reads_the_same_declaration():
	pytest.importorskip("setuptools")
	result = subprocess.run(
		[sys.executable, "setup.py", "--quiet", "--name", "--version"],
		cwd=ROOT,
		capture_output=True,
		text=True,
	)
	assert result.stdout.split() == [crm_retention.__name__, crm_retention.__version__], result.stderr

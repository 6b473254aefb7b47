"""What the app and its tests need in a bench's environment."""

from __future__ import annotations

import subprocess
import tempfile

from .workbench import APP, Workbench


def install_requirements(workbench: Workbench) -> None:
	"""Add what is missing; never change a version that is there."""
	python = workbench.bench / "env/bin/python"
	checkout = workbench.path / "apps" / APP
	missing = subprocess.run(
		[python, checkout / "scripts/missing_requirements.py", checkout / "pyproject.toml", "--tests"],
		check=True, capture_output=True, text=True,
	).stdout.splitlines()  # fmt: skip
	if not missing:
		return
	print(f"Adding to the bench's environment: {', '.join(missing)}", flush=True)
	frozen = subprocess.run(
		[python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
	)
	with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
		constraints.write(frozen.stdout)
		constraints.flush()
		install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
		subprocess.run([*install, "-c", constraints.name, *missing], check=True)

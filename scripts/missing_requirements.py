"""Print what a bench's environment lacks for this app: missing_requirements.py PYPROJECT [--tests].

Runs in that environment.
"""

import sys
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

try:
	import tomllib
except ModuleNotFoundError:  # Python 3.10
	import tomli as tomllib


def is_met(requirement: Requirement) -> bool:
	try:
		return requirement.specifier.contains(version(requirement.name), prereleases=True)
	except PackageNotFoundError:
		return False


with open(sys.argv[1], "rb") as file:
	pyproject = tomllib.load(file)
wanted = pyproject["project"]["dependencies"]
if "--tests" in sys.argv:
	wanted += [name + specifier for name, specifier in pyproject["tool"]["bench"]["dev-dependencies"].items()]
for requirement in map(Requirement, wanted):
	if (requirement.marker is None or requirement.marker.evaluate()) and not is_met(requirement):
		print(requirement)

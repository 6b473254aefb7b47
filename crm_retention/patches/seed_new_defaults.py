"""Sites from before maintenance plans get their defaults; what an admin deleted stays deleted."""

from crm_retention.setup import seeds


def execute() -> None:
	seeds.seed()

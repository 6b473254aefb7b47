"""The two ways in which input can be wrong: the configuration and the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
	"""One thing wrong, and where: a table (such as ``tiers``), a row in it (name or number), a field."""

	table: str
	row: str
	field: str
	message: str

	def __str__(self) -> str:
		place = ", ".join(part for part in (self.table, self.row, self.field) if part)
		return f"{place}: {self.message}" if place else self.message


class EngineError(Exception):
	"""Base of what the engine raises on wrong input; ``problems`` lists every fault found."""

	def __init__(self, problems: list[Problem]) -> None:
		self.problems = problems
		super().__init__("\n".join(str(problem) for problem in problems))


class ConfigError(EngineError):
	"""The configuration cannot mean anything: weights of zero, overlapping bands, unknown fields."""


class DataError(EngineError):
	"""The input relations lack what the engine needs: a missing column, an empty key."""

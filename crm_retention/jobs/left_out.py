"""Who stops the run: where the whole fails, the parts that make it fail are found and left out.

What is known to go wrong is found when the configuration is read. This is the second line, for what nobody foresaw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import frappe

from crm_retention.engine.errors import EngineError, Problem
from crm_retention.jobs.limits import TooLong
from crm_retention.site.memory import DoesNotFit
from crm_retention.usable import say

R = TypeVar("R")
LOST = (2006, 2013, 2014, 2055)  # the database is gone: no part of the configuration is to blame


class Part(NamedTuple):
	"""One thing that can be left out: the table that it stands in, and its name."""

	table: str
	name: str


def with_what_works(
	parts: Sequence[Part], attempt: Callable[[Sequence[Part]], R], rejoin: Callable[[], None]
) -> tuple[R, list[Problem]]:
	"""``attempt`` with all parts, or with as many as it works with; and a problem for each that is left out.

	A part that fails, alone or beside the others, is found by halving: that takes a few attempts for each. ``rejoin`` is
	called before each attempt but the first. Raises the first error where it is not the fault of the parts.
	"""
	try:
		return attempt(parts), []
	except Exception as error:
		if is_fatal(error):
			raise
		frappe.log_error(title="Retention Run: a part of the configuration is left out")
		return Search(attempt, rejoin, error).run(parts)


class Search:
	"""The largest set of parts, in their order, with which the attempt works."""

	def __init__(
		self, attempt: Callable[[Sequence[Part]], Any], rejoin: Callable[[], None], first: Exception
	) -> None:
		self.attempt = attempt
		self.rejoin = rejoin
		self.first = first
		self.kept: list[Part] = []
		self.problems: list[Problem] = []
		self.result: Any = None

	def run(self, parts: Sequence[Part]) -> tuple[Any, list[Problem]]:
		if self.fails([]):
			raise self.first
		self.add(list(parts))
		if self.problems and (
			error := self.fails(self.kept)
		):  # the last attempt may have been one that failed
			raise error
		return self.result, self.problems

	def add(self, group: list[Part]) -> None:
		"""Keep what of the group works beside what is kept already."""
		error = self.fails([*self.kept, *group])
		if error is None:
			self.kept += group
		elif len(group) == 1:
			self.problems.append(Problem(*group[0], "", say(error)))
		else:
			middle = len(group) // 2
			self.add(group[:middle])
			self.add(group[middle:])

	def fails(self, parts: Sequence[Part]) -> Exception | None:
		self.rejoin()
		try:
			self.result = self.attempt(parts)
		except Exception as error:
			if is_fatal(error):
				raise
			return error
		return None


def is_fatal(error: Exception) -> bool:
	"""Whether the error is of the run as a whole: wrong data, no time left, no database."""
	lost = bool(error.args) and error.args[0] in LOST
	return lost or isinstance(error, (EngineError, TooLong, DoesNotFit, frappe.QueryDeadlockError))

"""What value of a signal would earn a party how many points, among the profiles as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from crm_retention.backends.site_relations import stored_profiles
from crm_retention.engine.conditions import column_name
from crm_retention.engine.scorecard import value_reaching
from crm_retention.site.memory import SiteBackend, engine_of_request
from crm_retention.site.read import own_connection, read


@contextmanager
def reaching() -> Iterator[Callable[[str, float, str], float | None]]:
	"""A ``Reach`` of ``engine.explain``; a signal is read when it is first asked for."""
	with ExitStack() as stack:
		engine: list[SiteBackend] = []

		def reach(signal: str, points: float, direction: str) -> float | None:
			if not engine:
				engine.append(stack.enter_context(engine_of_request()))
			return nearest_value(engine[0], signal, points, direction)

		yield reach


def nearest_value(backend: SiteBackend, signal: str, points: float, direction: str) -> float | None:
	"""The nearest value of a signal that earns so many percentile points; None where there is none."""
	name = f"{column_name(signal)} of all"
	if name not in backend.relations():
		profiles = stored_profiles(["tier_reason", column_name(signal)])
		if column_name(signal) not in profiles.columns:
			return None
		present = profiles.filter(profiles.tier_reason.isnull() | (profiles.tier_reason != "left"))
		read(backend, own_connection(), {name: present.select(column_name(signal))})
	found = backend.fetch(value_reaching(backend.relations()[name], signal, points, direction))
	value = found["value"][0]
	return None if value is None or value != value else float(value)

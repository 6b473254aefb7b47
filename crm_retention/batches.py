"""Many rows of the site's database, in batches that fit into memory whatever there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ROWS_PER_BATCH = 1_000


def read_in_batches(query: Any, key: Any, size: int = ROWS_PER_BATCH) -> Iterator[Any]:
	"""The rows of a query by its unique column ``key``, which it selects as ``name``; what is read may be changed meanwhile."""
	after = ""
	while rows := query.where(key > after).orderby(key).limit(size).run(as_dict=True):
		yield from rows
		after = rows[-1].name

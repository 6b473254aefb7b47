"""Tables side by side. Columns are always named: a ``SELECT * EXCLUDE`` is not written alike by all versions of Ibis."""

from __future__ import annotations

import ibis.expr.types as ir


def beside(table: ir.Table, more: ir.Table, key: str = "nr") -> ir.Table:
	"""``table`` with the columns of ``more`` that it does not have; ``more`` has at most one row for each ``key``."""
	added = [name for name in more.columns if name not in table.columns]
	joined = table.left_join(more.select(key, *added), key)
	return joined.select(*table.columns, *added)


def without(table: ir.Table, *names: str) -> ir.Table:
	"""``table`` less these columns."""
	return table.select(*(name for name in table.columns if name not in names))

"""Which column of a file is which column of a relation."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from ..engine.relations import RELATIONS
from .errors import InputError
from .options import ALIASES

# What the column of another system is often called: named in messages, never assumed.
USUAL = {
	"party": ("customer", "customer_id", "client", "account", "客户", "客户编号", "会员"),
	"day": ("posting_date", "order_date", "transaction_date", "invoice_date", "日期", "订单日期"),
	"amount": ("total", "net_total", "grand_total", "value", "sales", "金额", "总额"),
}
SHORT = {"party": "--party-col", "day": "--date-col", "amount": "--amount-col"}


def looked_for(relation: str, mapping: Mapping[str, str]) -> list[str]:
	"""Names that a header of this relation's file may have."""
	declared = [column.name for column in RELATIONS.get(relation, ())]
	aliases = [alias for alias, name in ALIASES.items() if name in declared]
	return [*declared, *aliases, *mapping.values()]


def match(
	relation: str, found: Sequence[str], mapping: Mapping[str, str], extra: Iterable[str], place: str
) -> dict[str, int]:
	"""Column of the relation -> position in the file from 0.

	Columns named in ``mapping`` and required ones must be there; those of ``extra`` come if they are. Of parties,
	and of a table that the engine does not declare, all further columns come under their own names. Raises
	InputError with every missing column.
	"""
	positions: dict[str, int] = {}
	missing: list[tuple[str, str | None]] = []
	required = {column.name for column in RELATIONS.get(relation, ()) if column.required}
	names = [column.name for column in RELATIONS.get(relation, ())]
	for name in dict.fromkeys([*names, *mapping, *extra]):
		source = mapping.get(name)
		position = find(source, found) if source else _own_name(name, found)
		if position is not None:
			positions[name] = position
		elif source or name in required:
			missing.append((name, source))
	if missing:
		listed = ", ".join(found)
		free = [column for at, column in enumerate(found) if at not in positions.values()]
		messages = [_missing(relation, name, source, free, place) for name, source in missing]
		raise InputError(*messages, f"{place}: columns found: {listed}")
	if relation == "parties" or relation not in RELATIONS:
		positions |= _further(found, positions)
	return positions


def _further(found: Sequence[str], positions: Mapping[str, int]) -> dict[str, int]:
	"""Columns under their own names that are not taken; of names that differ in case only, the first."""
	known = {name.casefold() for name in positions}
	further: dict[str, int] = {}
	for at, name in enumerate(found):
		if name and at not in positions.values() and name.casefold() not in known:
			known.add(name.casefold())
			further[name] = at
	return further


def find(name: str, found: Sequence[str]) -> int | None:
	"""Position of a column by its name, by its name in another case, or by its number from 1."""
	if name in found:
		return list(found).index(name)
	folded = [column.casefold() for column in found]
	if name.strip().casefold() in folded:
		return folded.index(name.strip().casefold())
	if name.isdigit() and 1 <= int(name) <= len(found):
		return int(name) - 1
	return None


def _own_name(name: str, found: Sequence[str]) -> int | None:
	for candidate in (name, *(alias for alias, target in ALIASES.items() if target == name)):
		position = None if candidate.isdigit() else find(candidate, found)
		if position is not None:
			return position
	return None


def _missing(relation: str, name: str, source: str | None, found: Sequence[str], place: str) -> str:
	shown = source or ("date" if name == "day" else name)
	nearest = nearest_name(shown, () if source else USUAL.get(name, ()), found)
	option = f"--column {relation}.{shown if not source else name}"
	if relation == "purchases" and name in SHORT:
		option = SHORT[name]
	separator = " " if option in SHORT.values() else "="
	if nearest:
		return f"{place}: there is no column {shown!r}; did you mean {option}{separator}{nearest!r}?"
	return f"{place}: there is no column {shown!r}; name it with {option}{separator}NAME"


def nearest_name(name: str, usual: Sequence[str], found: Sequence[str]) -> str | None:
	"""The column found that is most likely meant, or None."""
	folded = {column.casefold().replace(" ", "_"): column for column in reversed(found)}
	for candidate in usual:
		if candidate in folded:
			return folded[candidate]
	for candidate in (name, *usual):
		close = difflib.get_close_matches(candidate.casefold(), folded, n=1, cutoff=0.6)
		if close:
			return folded[close[0]]
	return next((column for key, column in folded.items() if name.casefold() in key), None)

"""Amounts as people write them, read in SQL: currency signs, thousands, a decimal comma, brackets for minus."""

from __future__ import annotations

from .sql import literal

SIGN = r"(?:[-+−]?\s*[¥￥$€£]?|[¥￥$€£]\s*[-+−])\s*"
GROUP_MARKS = {False: r"[,\s\x{00A0}'’]", True: r"[.\s\x{00A0}'’]"}


def parsed(column: str, decimal_comma: bool) -> str:
	"""SQL for the number in a text column, float64; null where it is none. Infinity passes: check it after.

	1,234.50 has commas between thousands; with ``decimal_comma`` it is 1.234,50. (12.00) and 12.00- are -12.00.
	"""
	point = "," if decimal_comma else "."
	mark = GROUP_MARKS[decimal_comma]
	digits = rf"(\d{{1,3}}({mark}\d{{3}})+|\d+)?([{point}]\d*)?"
	shape = literal(rf"\s*\(?{SIGN}{digits}\s*[¥￥$€£元]?-?\)?\s*")
	bare = f"replace(regexp_replace({column}, '[^0-9{point}]', '', 'g'), '{point}', '.')"
	sign = f"CASE WHEN regexp_matches({column}, '[-−(]') THEN -1 ELSE 1 END"
	careful = f"CASE WHEN regexp_full_match({column}, {shape}) THEN {sign} * TRY_CAST({bare} AS DOUBLE) END"
	plain = column
	if decimal_comma:
		plain = f"CASE WHEN NOT contains({column}, '.') THEN replace({column}, ',', '.') END"
	return f"coalesce(TRY_CAST({plain} AS DOUBLE), {careful})"

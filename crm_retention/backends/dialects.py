"""Ibis's compilers, with the places put right where DuckDB and Spark would give different rows for one expression.

Two things differ between them and must not: how a half is rounded (up here) and how a pattern is read (% and _ alone are
special).
"""

# ruff: noqa: ARG002  (the signatures are those of Ibis)

from __future__ import annotations

from typing import Any

import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler

WHOLE = "4503599627370496e0"  # 2**52: from here on a double has no decimals
NUL = "\0"


def compiler_of(dialect: str) -> SQLGlotCompiler:
	"""The compiler of a dialect: duckdb or pyspark. Raises ValueError for another."""
	makers = {"duckdb": _duckdb, "pyspark": _pyspark}
	if dialect not in makers:
		raise ValueError(f"no compiler for {dialect}")
	return makers[dialect]()


def _duckdb() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

	class PlainDuckDBCompiler(DuckDBCompiler):
		__slots__ = ()

		def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
			return self.cast(self.f.floor(_scaled(op, arg)) / _scale(op), op.dtype)

		def visit_Literal(self, op: Any, *, value: Any, dtype: Any) -> Any:
			if not isinstance(value, str) or NUL not in value:
				return super().visit_Literal(op, value=value, dtype=dtype)
			parts = [part for text in value.split(NUL) for part in (self.f.chr(0), sge.convert(text))]
			return self.f.concat(*parts[1:])  # a statement ends with the first NUL in it

	return PlainDuckDBCompiler()


def _pyspark() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.pyspark import PySparkCompiler

	class PlainPySparkCompiler(PySparkCompiler):
		"""Asks no option of Ibis, which knows them only once its own Spark connection is imported."""

		__slots__ = ()

		def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
			if dtype.is_floating():
				return None
			return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

		def visit_Field(self, op: Any, *, rel: Any, name: str) -> Any:
			return SQLGlotCompiler.visit_Field(self, op, rel=rel, name=name)

		def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
			up = sge.Paren(this=_scaled(op, arg))
			floor = self.cast(self.f.floor(up), op.dtype)  # a BIGINT in Spark
			whole = self.if_(self.f.abs(up) < sge.Literal.number(WHOLE), floor, up)
			return self.cast(whole / _scale(op), op.dtype)

		def visit_StringSQLLike(self, op: Any, *, arg: Any, pattern: Any, escape: Any) -> Any:
			return arg.like(_backslashes_doubled(pattern))

	return PlainPySparkCompiler()


def _scale(op: Any) -> Any:
	return sge.Literal.number(f"1e{op.digits.value if op.digits is not None else 0}")


def _scaled(op: Any, arg: Any) -> Any:
	"""What is rounded to digits by taking its floor: a half goes up, by the same few operations everywhere."""
	return sge.Paren(this=arg) * _scale(op) + sge.Literal.number("5e-1")


def _text(pattern: Any) -> str:
	if not (isinstance(pattern, sge.Literal) and pattern.is_string):
		raise NotImplementedError("a pattern has to be a literal")
	return str(pattern.this)


def _backslashes_doubled(pattern: Any) -> Any:
	return sge.convert(_text(pattern).replace("\\", "\\\\"))

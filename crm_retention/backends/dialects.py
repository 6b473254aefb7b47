"""Ibis's compilers, with the places put right where databases would give different rows for one expression.

Three things differ between databases and must not: how a half is rounded (away from zero here, as DuckDB does),
how texts compare (by their exact characters) and how a pattern is read (% and _ alone are special).
"""

# ruff: noqa: ARG002  (the signatures are those of Ibis)

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler

EXACT = "utf8mb4_nopad_bin"
COMPARISONS = ("Equals", "NotEquals", "Less", "LessEqual", "Greater", "GreaterEqual")


def compiler_of(dialect: str) -> SQLGlotCompiler:
	"""The compiler of a dialect: duckdb, mariadb, sqlite, postgres or pyspark. Raises ValueError for another."""
	makers = {
		"duckdb": _duckdb,
		"mariadb": _mariadb,
		"sqlite": _sqlite,
		"postgres": _postgres,
		"pyspark": _pyspark,
	}
	if dialect not in makers:
		raise ValueError(f"no compiler for {dialect}")
	return makers[dialect]()


def _duckdb() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

	return DuckDBCompiler()


def _mariadb() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.mysql import MySQLCompiler

	class MariaDBCompiler(MySQLCompiler):
		"""Keys join as the database compares them, on their index; with a literal, texts compare exactly."""

		__slots__ = ()

		def visit_DateDelta(
			self, op: Any, *, left: Any, right: Any, part: Any = None, unit: Any = None
		) -> Any:
			return self.f.anon.DATEDIFF(left, right)

		def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
			# MariaDB rounds doubles to even and decimals away from zero
			exact = sge.Cast(this=arg, to=sge.DataType.build("DECIMAL(38, 12)", dialect="mysql"))
			return self.cast(self.f.round(exact, digits if digits is not None else 0), op.dtype)

		def visit_Literal(self, op: Any, *, value: Any, dtype: Any) -> Any:
			if value is None and (
				dtype.is_string() or dtype.is_floating() or dtype.is_integer() or dtype.is_date()
			):
				return self.cast(sge.Null(), dtype)  # or a work table's column would be binary(0)
			return super().visit_Literal(op, value=value, dtype=dtype)

		def visit_InValues(self, op: Any, *, value: Any, options: Any) -> Any:
			if op.value.dtype.is_string():
				options = tuple(_exactly(option) for option in options)
			return super().visit_InValues(op, value=value, options=options)

		def visit_IdenticalTo(self, op: Any, *, left: Any, right: Any) -> Any:
			if op.left.dtype.is_string():
				right = _exactly(right)
			return super().visit_IdenticalTo(op, left=left, right=right)

		def visit_StringSQLLike(self, op: Any, *, arg: Any, pattern: Any, escape: Any) -> Any:
			return arg.like(_exactly(_backslashes_doubled(pattern)))

	def comparison(name: str) -> Any:
		plain = getattr(SQLGlotCompiler, f"visit_{name}")

		def visit(self: Any, op: Any, *, left: Any, right: Any) -> Any:
			if op.left.dtype.is_string() and isinstance(op.right, ops.Literal):
				right = _exactly(right)
			elif op.left.dtype.is_string() and isinstance(op.left, ops.Literal):
				left = _exactly(left)
			return plain(self, op, left=left, right=right)

		return visit

	for name in COMPARISONS:
		setattr(MariaDBCompiler, f"visit_{name}", comparison(name))
	return MariaDBCompiler()


def _sqlite() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.sqlite import SQLiteCompiler

	class PlainSQLiteCompiler(SQLiteCompiler):
		"""Only what SQLite itself knows, so that no Python function has to be registered on the connection."""

		__slots__ = ()

		def visit_DateDelta(
			self, op: Any, *, left: Any, right: Any, part: Any = None, unit: Any = None
		) -> Any:
			days = sge.Sub(this=self.f.anon.julianday(left), expression=self.f.anon.julianday(right))
			return self.cast(sge.Paren(this=days), ibis.dtype("int64"))

		def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
			scale = _scale(op)
			return self.cast(self.f.round(sge.Paren(this=arg) * scale) / scale, op.dtype)

		def visit_StringSQLLike(self, op: Any, *, arg: Any, pattern: Any, escape: Any) -> Any:
			# LIKE ignores case in SQLite, GLOB does not
			special = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
			text = "".join(special.get(character, character) for character in _text(pattern))
			return sge.Glob(this=arg, expression=sge.convert(text))

	return PlainSQLiteCompiler()


def _postgres() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.postgres import PostgresCompiler

	class PlainPostgresCompiler(PostgresCompiler):
		__slots__ = ()

		def visit_DateDelta(
			self, op: Any, *, left: Any, right: Any, part: Any = None, unit: Any = None
		) -> Any:
			return sge.Paren(this=sge.Sub(this=left, expression=right))

		def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
			return self.cast(_half_away(self, op, arg), op.dtype)

		def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
			if op.arg.dtype.is_boolean() and to.is_numeric():
				arg = self.cast(arg, ibis.dtype("int32"))
			return super().visit_Cast(op, arg=arg, to=to)

		def visit_StringSQLLike(self, op: Any, *, arg: Any, pattern: Any, escape: Any) -> Any:
			return arg.like(_backslashes_doubled(pattern))

	def comparison(name: str) -> Any:
		plain = getattr(SQLGlotCompiler, f"visit_{name}")

		def visit(self: Any, op: Any, *, left: Any, right: Any) -> Any:
			if op.left.dtype.is_string():
				right = sge.Collate(this=right, expression=sge.to_identifier("C", quoted=True))
			return plain(self, op, left=left, right=right)

		return visit

	for name in COMPARISONS[2:]:
		setattr(PlainPostgresCompiler, f"visit_{name}", comparison(name))
	return PlainPostgresCompiler()


def _pyspark() -> SQLGlotCompiler:
	from ibis.backends.sql.compilers.pyspark import PySparkCompiler

	class PlainPySparkCompiler(PySparkCompiler):
		__slots__ = ()

		def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
			scale = _scale(op)
			return self.cast(self.f.round(sge.Paren(this=arg) * scale) / scale, op.dtype)

		def visit_StringSQLLike(self, op: Any, *, arg: Any, pattern: Any, escape: Any) -> Any:
			return arg.like(_backslashes_doubled(pattern))

	return PlainPySparkCompiler()


def _scale(op: Any) -> Any:
	digits = op.digits.value if op.digits is not None else 0
	return sge.Literal.number(f"{10.0**digits:.1f}")


def _half_away(compiler: Any, op: Any, arg: Any) -> Any:
	"""Rounding with a half going away from zero, on doubles, by the operations that every database has."""
	scale, half = _scale(op), sge.Literal.number("0.5")
	whole = compiler.f.floor(compiler.f.abs(arg) * scale + half)
	return compiler.f.sign(arg) * whole / scale


def _exactly(value: Any) -> Any:
	return sge.Collate(this=value, expression=sge.Var(this=EXACT))


def _text(pattern: Any) -> str:
	if not (isinstance(pattern, sge.Literal) and pattern.is_string):
		raise NotImplementedError("a pattern has to be a literal")
	return str(pattern.this)


def _backslashes_doubled(pattern: Any) -> Any:
	return sge.convert(_text(pattern).replace("\\", "\\\\"))

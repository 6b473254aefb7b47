"""Ibis's compilers, with the places put right where databases would give different rows for one expression.

Three things differ between databases and must not: how a half is rounded (up here), how texts compare (by their
exact characters) and how a pattern is read (% and _ alone are special).
"""

# ruff: noqa: ARG002  (the signatures are those of Ibis)

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler

WHOLE = "4503599627370496e0"  # 2**52: from here on a double has no decimals
EXACT = "utf8mb4_nopad_bin"
NUL = "\0"
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
			return self.cast(self.f.floor(_scaled(op, arg)) / _scale(op), op.dtype)

		def visit_Literal(self, op: Any, *, value: Any, dtype: Any) -> Any:
			if value is None and (
				dtype.is_string() or dtype.is_floating() or dtype.is_integer() or dtype.is_date()
			):
				return self.cast(sge.Null(), dtype)  # or a work table's column would be binary(0)
			return super().visit_Literal(op, value=value, dtype=dtype)

		def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
			if dtype.is_date():
				return sge.Var(
					this=f"DATE'{value.isoformat()}'"
				)  # DATE('...') is worked out again for every row
			return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

		def visit_Mean(self, op: Any, *, arg: Any, where: Any) -> Any:
			return super().visit_Mean(
				op, arg=self.cast(arg, op.dtype), where=where
			)  # or four digits for integers

		def visit_Max(self, op: Any, *, arg: Any, where: Any) -> Any:
			return super().visit_Max(op, arg=_exactly(arg) if op.arg.dtype.is_string() else arg, where=where)

		def visit_Min(self, op: Any, *, arg: Any, where: Any) -> Any:
			return super().visit_Min(op, arg=_exactly(arg) if op.arg.dtype.is_string() else arg, where=where)

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
			# FLOOR is there only where SQLite was built with it; CAST cuts towards zero
			up = sge.Paren(this=_scaled(op, arg))
			cut = self.cast(up, ibis.dtype("int64"))
			floor = cut - sge.Paren(this=sge.LT(this=up, expression=cut))
			whole = self.if_(self.f.abs(up) < sge.Literal.number(WHOLE), floor, up)
			return self.cast(whole / _scale(op), op.dtype)

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
			return self.cast(self.f.floor(_scaled(op, arg)) / _scale(op), op.dtype)

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


def _exactly(value: Any) -> Any:
	return sge.Collate(this=value, expression=sge.Var(this=EXACT))


def _text(pattern: Any) -> str:
	if not (isinstance(pattern, sge.Literal) and pattern.is_string):
		raise NotImplementedError("a pattern has to be a literal")
	return str(pattern.this)


def _backslashes_doubled(pattern: Any) -> Any:
	return sge.convert(_text(pattern).replace("\\", "\\\\"))

"""Texts with variables in them, such as an SMS or a letter: a small language in which nothing can be run.

A text knows variables, their fields, ``if`` and a few filters, and no more: no loops, calls, arithmetic, includes. So
it is done in a time and a length that its own length bounds, and reaches nothing but the plain values that it is given.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from frappe import _
from frappe.utils import fmt_money, formatdate
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

Plain = str | int | float | datetime.date | datetime.time
Values = Mapping[str, Plain | Mapping[str, Plain]]
# variables by name, with the names of their fields; None for one that is a value itself
Known = Mapping[str, frozenset[str] | None]

SMS, SUBJECT, LETTER = "SMS", "Subject", "Letter"
LONGEST = {SMS: 2_000, SUBJECT: 500, LETTER: 200_000}  # characters, of the text and of what becomes of it
LONGEST_RESULT = 5
MOST_PARTS = 5_000
ALLOWED = (
	nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List,
	nodes.Tuple, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat,
	nodes.Filter, nodes.Test, nodes.Keyword,
)  # fmt: skip
PLAIN_FILTERS = ("capitalize", "e", "escape", "lower", "title", "trim", "upper")
MOST_DIGITS = 6
PLAIN_TESTS = ("defined", "undefined", "none", "in", "==", "!=", "<", "<=", ">", ">=")


class TextError(Exception):
	"""A text that is not what texts may be, or cannot be filled in; says what is wrong, in words for people."""


class Environment(ImmutableSandboxedEnvironment):
	"""Jinja without anything that a text could call, load or leave behind; a name that is not there is an error."""

	def __init__(self, html: bool) -> None:
		super().__init__(undefined=StrictUndefined, autoescape=html, loader=None)
		self.globals.clear()
		own = {"default": default, "d": default, "date": as_date, "number": as_number, "round": rounded}
		self.filters = {name: FILTERS[name] for name in PLAIN_FILTERS} | own
		self.tests = {name: TESTS[name] for name in PLAIN_TESTS}

	def getattr(self, obj: Any, attribute: str) -> Any:
		"""A field of a variable, and nothing that Python knows of its value."""
		if isinstance(obj, Mapping) and attribute in obj:
			return obj[attribute]
		return self.undefined(obj=obj, name=attribute)

	def getitem(self, obj: Any, argument: Any) -> Any:
		return self.getattr(obj, argument)

	def call(self, *_args: Any, **_kwargs: Any) -> Any:
		raise SecurityError


def default(value: Any, other: Any = "", _also_empty: bool = True) -> Any:
	"""Filter: ``other`` where there is nothing; an empty field is nothing."""
	return other if isinstance(value, StrictUndefined) or value in ("", None) else value


def as_date(value: Any, form: str | None = None) -> str:
	"""Filter: a day as the site writes days, or in a form such as ``dd.mm.yyyy``. Raises TypeError for no day."""
	if value == "":
		return ""
	if not isinstance(value, datetime.date):
		raise TypeError
	return formatdate(value, form)


def rounded(value: Any, digits: int = 0) -> float:
	"""Filter: a number with so many digits after the point, at most ``MOST_DIGITS``."""
	return round(float(value or 0), min(max(int(digits), 0), MOST_DIGITS))


def as_number(value: Any, digits: int = 0) -> str:
	"""Filter: a number as the site writes numbers, with so many digits after the point."""
	return fmt_money(rounded(value, digits), precision=min(max(int(digits), 0), MOST_DIGITS))


@functools.cache
def environment(html: bool) -> Environment:
	return Environment(html)


def get_faults(text: str | None, known: Known, kind: str) -> Iterator[str]:
	"""Everything that is wrong with a text, each named: variables that are not ``known``, and what texts cannot do."""
	try:
		tree = parse(text or "", kind)
	except TextError as error:
		yield str(error)
		return
	for name in dict.fromkeys(_get_unknown(tree, known)):
		yield _("there is no variable {0}").format(_quote(name))
	for name in dict.fromkeys(_get_foreign(tree)):
		message = _("{0} is not possible in a text, which knows variables, if and a few filters")
		yield message.format(_quote(name))


def _quote(words: str) -> str:
	"""Words of a text in a message: short, and nothing that would be HTML."""
	return re.sub(r"[<>&\"`]", "?", words)[:80]


def parse(text: str, kind: str) -> nodes.Template:
	"""The text as a tree. Raises TextError for one that is too long or cannot be read."""
	if len(text) > LONGEST[kind]:
		raise TextError(_("must not be longer than {0} characters").format(LONGEST[kind]))
	try:
		tree = environment(kind == LETTER).parse(text)
	except TemplateSyntaxError as error:
		problem = _("has a syntax error in line {0}: {1}").format(error.lineno, _quote(error.message or ""))
	except Exception:  # nested too deeply, or a number of thousands of digits
		problem = _("cannot be read")
	else:
		if sum(1 for _node in _walk(tree)) <= MOST_PARTS:
			return tree
		problem = _("has too many parts")
	raise TextError(problem)


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
	"""Every part of a text, in its order."""
	waiting = [tree]
	while waiting:
		node = waiting.pop()
		yield node
		waiting.extend(reversed(list(node.iter_child_nodes())))


def _get_unknown(tree: nodes.Template, known: Known) -> Iterator[str]:
	"""Variables and their fields, as they are written, that are not known."""
	seen: set[int] = set()
	for node in _walk(tree):
		if id(node) in seen or not isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
			continue
		root, path = _get_path(node, seen)
		fields = known.get(root, frozenset())
		if root not in known:
			yield root
		elif (fields is None and path) or (fields is not None and (len(path) != 1 or path[0] not in fields)):
			yield ".".join([root, *path])


def _get_path(node: nodes.Node, seen: set[int]) -> tuple[str, list[str]]:
	"""The variable and the fields of ``variable.field`` or ``variable["field"]``; adds to ``seen`` what it passes."""
	path: list[str] = []
	while isinstance(node, (nodes.Getattr, nodes.Getitem)):
		seen.add(id(node))
		if isinstance(node, nodes.Getattr):
			path.insert(0, node.attr)
		else:
			path.insert(0, str(node.arg.value) if isinstance(node.arg, nodes.Const) else "[]")
		node = node.node
	seen.add(id(node))
	return (node.name if isinstance(node, nodes.Name) else "…"), path


def _get_foreign(tree: nodes.Template) -> Iterator[str]:
	"""Parts of a text that belong to Jinja, and not to texts."""
	allowed = environment(False)
	for node in _walk(tree):
		if not isinstance(node, ALLOWED):
			yield type(node).__name__
		elif isinstance(node, nodes.Filter) and node.name not in allowed.filters:
			yield f"|{node.name}"
		elif isinstance(node, nodes.Test) and node.name not in allowed.tests:
			yield f"is {node.name}"


def render(text: str | None, values: Values, kind: str) -> str:
	"""The text with the values filled in. What is in a value is never read as a text; in a letter it is no HTML either.

	Raises TextError, naming what is wrong, rather than to leave anything out.
	"""
	shape = {name: frozenset(value) if isinstance(value, Mapping) else None for name, value in values.items()}
	faults = list(get_faults(text, shape, kind))
	if faults:
		raise TextError("; ".join(faults))
	most, pieces, length, problem = LONGEST_RESULT * LONGEST[kind], [], 0, ""
	try:
		for piece in _compile(text or "", kind).generate(values):
			pieces.append(piece)
			length += len(piece)
			if length > most:  # a few words may name a field that holds a book
				problem = _("becomes longer than {0} characters").format(most)
				break
	except Exception as error:  # an order between a day and a number, a day that is none
		problem = _("cannot be filled in ({0})").format(type(error).__name__)
	if problem:
		raise TextError(problem)
	result = "".join(pieces)
	return " ".join(result.split()) if kind == SUBJECT else result.strip()


@functools.lru_cache(maxsize=64)
def _compile(text: str, kind: str) -> Template:
	return environment(kind == LETTER).from_string(text)


def as_plain(value: Any) -> Plain:
	"""A value of a document as a plain one: nothing is the empty text."""
	if value is None:
		return ""
	if isinstance(value, (str, bool, int, float, datetime.date, datetime.time)):
		return value
	return str(value)

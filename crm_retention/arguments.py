"""What the arguments of whitelisted methods may be.

An annotation such as ``Name`` or ``Day | None`` says it where the method is written; ``api.endpoint`` reads what a client
sent by it. What cannot be read is refused with the argument's name: nothing hostile gets as far as a query. Clients send
forms, so numbers, days and lists may come as text, and empty text is nothing.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone

from crm_retention.bounds import to_day
from crm_retention.engine.dates import FIRST_DAY, LAST_DAY

MOST_BYTES = 60_000  # of UTF-8; the column of a long text holds 65,535
NAME_LENGTH = 140
MOST_JSON = 512 * 1024
MOST_DEPTH = 20
MOST_NUMBER = 1e15
MOST_NAMES = 500
NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
# request_ids that the app gives to what it makes itself
OWN_REQUESTS = ("next|", "promise|", "hand_over|")
YES, NO = (True, 1, "1", "true"), (False, 0, "0", "false")


class Kind(ABC):
	"""What an argument may be."""

	def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
		"""Frappe checks types with pydantic, and could tell nobody which value is wrong: here it lets all pass."""
		from pydantic_core import core_schema

		return core_schema.any_schema()

	@abstractmethod
	def read(self, name: str, value: Any) -> Any:
		"""The value as the method gets it. Raises ValidationError that names the argument."""


@dataclass(frozen=True)
class Text(Kind):
	"""Text of so many characters, and of so many bytes that a column holds it."""

	most: int = NAME_LENGTH

	def read(self, name: str, value: Any) -> str:
		"""The text itself."""
		if not isinstance(value, str):
			frappe.throw(_("{0}: text is expected.").format(name))
		check_characters(name, value)
		if len(value) > self.most or len(value.encode()) > max(MOST_BYTES, self.most):
			frappe.throw(_("{0}: at most {1} characters.").format(name, self.most))
		return value


@dataclass(frozen=True)
class NameOf(Text):
	"""The name of a document."""

	def read(self, name: str, value: Any) -> str:
		"""The name without the spaces around it, never empty."""
		text = super().read(name, value).strip()
		if not text:
			throw_missing(name)
		return text


@dataclass(frozen=True)
class Choice(Kind):
	"""One of a few words."""

	of: tuple[str, ...]

	def read(self, name: str, value: Any) -> str:
		"""The word."""
		text = Text().read(name, value)
		if text not in self.of:
			frappe.throw(_("{0}: one of {1} is expected.").format(name, ", ".join(filter(None, self.of))))
		return text


@dataclass(frozen=True)
class RequestIdentity(Text):
	"""What a client made up for one intent, and sends again with each retry."""

	def read(self, name: str, value: Any) -> str:
		"""The text; what begins like the app's own is none of a client's."""
		text = super().read(name, value)
		if text.startswith(OWN_REQUESTS):
			frappe.throw(_("{0}: {1} is taken.").format(name, frappe.utils.escape_html(text)))
		return text


@dataclass(frozen=True)
class DayKind(Kind):
	"""A day of the calendar."""

	def read(self, name: str, value: Any) -> str:
		"""YYYY-MM-DD. A time that comes with it is dropped."""
		return read_day(name, value).isoformat()


@dataclass(frozen=True)
class MomentKind(Kind):
	"""A day with or without a time."""

	def read(self, name: str, value: Any) -> str:
		"""YYYY-MM-DD hh:mm:ss in the site's time zone, which is meant where none is said."""
		day = read_day(name, value)
		try:
			moment = value if isinstance(value, datetime.date) else read_moment(value)
		except ValueError:
			frappe.throw(_("{0}: a time is expected, as YYYY-MM-DD hh:mm:ss.").format(name))
		if not isinstance(moment, datetime.datetime):
			moment = datetime.datetime.combine(day, datetime.time())
		if moment.tzinfo:
			moment = moment.astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None)
		return str(moment)


@dataclass(frozen=True)
class Number(Kind):
	"""A number between two bounds, both included."""

	least: float = -MOST_NUMBER
	most: float = MOST_NUMBER
	whole: bool = False

	def read(self, name: str, value: Any) -> float | int:
		"""An int where it is ``whole``, which drops what stands behind the point."""
		given = value.strip() if isinstance(value, str) else value
		if isinstance(given, str) and NUMBER.fullmatch(given):
			given = float(given) if "." in given or "e" in given.lower() else int(given)
		is_number = isinstance(given, int | float) and not isinstance(given, bool)
		if not is_number or not self.least <= given <= self.most:  # NaN is not between
			message = _("{0}: a number from {1} to {2} is expected.")
			frappe.throw(message.format(name, f"{self.least:.15g}", f"{self.most:.15g}"))
		return int(given) if self.whole else given


@dataclass(frozen=True)
class YesOrNo(Kind):
	"""A box that is checked or not."""

	def read(self, name: str, value: Any) -> bool:
		"""1, true and their texts are yes."""
		if isinstance(value, bool | int | str):
			if value in YES:
				return True
			if value in NO:
				return False
		frappe.throw(_("{0}: 1 or 0 is expected.").format(name))


@dataclass(frozen=True)
class Json(Kind):
	"""A list or a dictionary, itself or as JSON."""

	of: type | tuple[type, ...] = dict

	def read(self, name: str, value: Any) -> Any:
		"""What was sent, not too deep, with numbers and text that can be stored."""
		if isinstance(value, str):
			value = parse_json(name, value)
		if not isinstance(value, self.of):
			kind = _("a list") if self.of is list else _("a dictionary")
			frappe.throw(_("{0}: {1} is expected, as JSON.").format(name, kind))
		check_plain(name, value)
		return value


@dataclass(frozen=True)
class ListOfNames(Json):
	"""Names of documents."""

	of: type = list

	def read(self, name: str, value: Any) -> list[str]:
		"""The names in their order, each once."""
		names = super().read(name, value)
		if len(names) > MOST_NAMES:
			frappe.throw(_("{0}: at most {1} at once.").format(name, MOST_NAMES))
		return list(dict.fromkeys(NameOf().read(name, given) for given in names))


Name = Annotated[str, NameOf()]
Word = Annotated[str, Text()]
Prose = Annotated[str, Text(MOST_BYTES)]
RequestId = Annotated[str, RequestIdentity()]
Day = Annotated[str, DayKind()]
Moment = Annotated[str, MomentKind()]
Minutes = Annotated[int, Number(0, 100_000, whole=True)]
Flag = Annotated[bool, YesOrNo()]
Names = Annotated[list[str], ListOfNames()]
Rows = Annotated[list[Any], Json(list)]
Values = Annotated[dict[str, Any], Json(dict)]
Conditions = Annotated[dict[str, Any] | list[Any], Json((dict, list))]


def throw_missing(name: str) -> None:
	"""Refuse a call without an argument that it needs."""
	frappe.throw(_("{0} is missing.").format(name), frappe.MandatoryError)


def check_characters(name: str, text: str) -> None:
	"""Raises ValidationError for text that no database stores: NUL, and halves of characters."""
	if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
		frappe.throw(_("{0} has characters that cannot be stored.").format(name))


def read_filters(filters: dict[str, Any] | None, days: Iterable[str], words: Iterable[str]) -> frappe._dict:
	"""Filters of a report, in which ``days`` are dates and ``words`` text, whoever asks. Raises ValidationError naming one."""
	given = frappe._dict(filters or {})
	for name in days:
		given[name] = read_day(name, given[name]) if given.get(name) else None
	for name in words:
		given[name] = Text().read(name, given[name]) if given.get(name) else None
	return given


def read_day(name: str, value: Any) -> datetime.date:
	"""A day that the calendar has, from 1900 to 2200."""
	day = to_day(value)
	if day is None or not FIRST_DAY <= day <= LAST_DAY:
		message = _("{0}: a day from {1} to {2} is expected, as YYYY-MM-DD.")
		frappe.throw(message.format(name, FIRST_DAY, LAST_DAY))
	return day


def read_moment(text: str) -> datetime.datetime:
	"""The moment of ISO text; Z is UTC, and a fraction may have any number of digits. Raises ValueError."""
	text = re.sub(r"[zZ]$", "+00:00", text.strip())
	text = re.sub(r"\.(\d+)", lambda digits: "." + digits.group(1)[:6].ljust(6, "0"), text)
	day, *time = re.split(r"[T ]", text, maxsplit=1)
	year, month, date = day.split("-")
	return datetime.datetime.fromisoformat("T".join([f"{year}-{month:0>2}-{date:0>2}", *time]))


def parse_json(name: str, text: str) -> Any:
	"""What JSON says. NaN and Infinity are no JSON."""
	if len(text) > MOST_JSON:
		frappe.throw(_("{0}: at most {1} characters.").format(name, MOST_JSON))
	try:
		return json.loads(text)
	except (ValueError, RecursionError):
		pass  # outside, so that the refusal carries no trace of the parser
	frappe.throw(_("{0}: this is no JSON.").format(name))


def check_plain(name: str, value: Any) -> None:
	"""Raises ValidationError for what is nested too deep, too long, or holds what cannot be stored."""
	length, level = 0, [value]
	for _depth in range(MOST_DEPTH):
		inner: list[Any] = []
		for item in level:
			length += check_item(name, item)
			if isinstance(item, dict):
				inner += [*item.keys(), *item.values()]
			elif isinstance(item, list | tuple):
				inner += item
		if length + len(inner) > MOST_JSON:
			frappe.throw(_("{0}: at most {1} characters.").format(name, MOST_JSON))
		level = inner
		if not level:
			return
	frappe.throw(_("{0}: nested more than {1} deep.").format(name, MOST_DEPTH))


def check_item(name: str, item: Any) -> int:
	"""The length of text, 1 for anything else that can be stored."""
	if isinstance(item, str):
		check_characters(name, item)
		return len(item)
	if isinstance(item, int | float) and not (abs(item) <= MOST_NUMBER and math.isfinite(item)):
		frappe.throw(_("{0}: {1} is no number that can be stored.").format(name, str(item)[:20]))
	return 1

"""What is wrong with a file or an option, in words for the person who gave it."""

from __future__ import annotations


class InputError(Exception):
	"""Input that cannot be used; ``messages`` has one line for each thing found."""

	def __init__(self, *messages: str) -> None:
		self.messages = list(messages)
		super().__init__("\n".join(messages))

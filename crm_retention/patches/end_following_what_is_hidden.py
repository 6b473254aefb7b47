"""Whoever followed a customer, or a record of one, without being able to read it gets no more mails about it."""

from crm_retention.following import drop_unreadable


def execute() -> None:
	drop_unreadable()

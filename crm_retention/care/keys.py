"""Unique keys by which the database itself keeps a touchpoint from being there twice.

The party comes last, so that a renamed party changes the end of a key and nothing else.
"""

from __future__ import annotations


def occurrence_key(plan_family: str, step_key: str, occurrence: str, party: str) -> str:
	"""One touchpoint for each occurrence (ISO day) of a step and party; ``party`` is the name of its profile."""
	return f"{plan_family}|{step_key}|{occurrence}|{party}"


def open_key(plan_family: str, step_key: str, party: str) -> str:
	"""One touchpoint of a step and party that is still to be done (Open or Waiting); others have no such key."""
	return f"{plan_family}|{step_key}|{party}"


def enrollment_key(plan_family: str, party: str) -> str:
	"""One running enrollment of a party in a plan's family; ended ones have no such key."""
	return f"{plan_family}|{party}"


def preference_key(channel: str, nature: str, party: str) -> str:
	"""One answer of a party for a channel and nature; either may be empty, which means all of them."""
	return f"{channel}|{nature}|{party}"

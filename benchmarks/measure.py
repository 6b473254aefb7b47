"""Seconds of a piece of work, peak memory of this process, and figures as lines."""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any


def seconds(work: Callable[[], Any]) -> float:
	"""Wall time of one call; rubbish of earlier work is collected before, not during."""
	gc.collect()
	begun = time.perf_counter()
	work()
	return time.perf_counter() - begun


def in_turns(sides: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
	"""Wall times of each side, measured in turns, so that a busy machine slows all of them alike."""
	times: dict[str, list[float]] = {name: [] for name in sides}
	for _ in range(rounds):
		for name, work in sides.items():
			times[name].append(seconds(work))
	return times


def peak_gib() -> float:
	"""The most memory that this process has held, GiB."""
	peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
	return peak / (1024**3 if sys.platform == "darwin" else 1024**2)


def show_times(times: dict[str, list[float]]) -> dict[str, float]:
	"""Print median and range of each side; returns the medians."""
	width = max(map(len, times))
	for name, values in times.items():
		spread = f"   ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
		print(f"  {name:<{width}} {statistics.median(values):9.2f} s{spread}", flush=True)
	return {name: statistics.median(values) for name, values in times.items()}


def show_budget(
	what: str, value: float, budget: float, unit: str = "x", least: bool = False, judged: bool = True
) -> None:
	"""Print a figure with its budget, at most so much or at least; smaller sizes than the budget's are not judged."""
	kept = value >= budget if least else value <= budget
	bound = "at least" if least else "at most"
	verdict = ("kept" if kept else "MISSED") if judged else "not for this size"
	print(f"  {what}: {value:.2f}{unit} ({bound} {budget:g}{unit}: {verdict})", flush=True)


def heading(text: str) -> None:
	"""Print a title above the figures of one benchmark."""
	print(f"\n{text}", flush=True)


def show_steps(steps: Iterable[tuple[str, float]]) -> None:
	"""Print what the steps of a cycle took, in one line."""
	print("  " + ", ".join(f"{name} {value:.2f} s" for name, value in steps), flush=True)

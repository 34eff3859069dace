"""Bars over time, as numbers that a template draws: an SVG for the eye, a table for the ear.

Knows nothing of what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HEIGHT = 100.0
GAP = 0.18  # of a bar's place


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in a picture of `Plot.width` by 100; `kind` is its colour's name."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its labels, and the rows of its table: a label and one number a series."""

    name: str
    series: tuple[tuple[str, str], ...]
    width: int
    bars: list[Bar]
    top: int
    total: int
    labels: tuple[str, str]
    rows: list[tuple[str, list[int]]]

    @property
    def summary(self) -> str:
        """What the picture shows, in a sentence."""
        if not self.total:
            return f"{self.name}: none in this time."
        label, numbers = max(self.rows, key=lambda row: sum(row[1]))
        return f"{self.name}: {self.total:,} in this time, most of them {label}: {sum(numbers):,}."


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in equal places: `count` of `step`, the last of which is now."""

    name: str
    count: int
    step: timedelta

    def places(self, now: datetime, time_zone: str) -> list[datetime]:
        """Where each place begins, on the wall clock of the time zone."""
        last = self.place(now, time_zone)
        return [last - self.step * back for back in reversed(range(self.count))]

    def place(self, moment: datetime, time_zone: str) -> datetime:
        """The beginning of the place that a moment falls into."""
        there = moment.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
        there = there.replace(minute=0, second=0, microsecond=0)
        return there.replace(hour=0) if self.step >= timedelta(days=1) else there

    def write(self, place: datetime) -> str:
        """`Sun 17 May, 14:00`, or the day alone where places are days."""
        day = f"{place:%a} {place.day} {place:%b}"
        return day if self.step >= timedelta(days=1) else f"{day}, {place:%H:%M}"


def plot(
    name: str,
    series: tuple[tuple[str, str], ...],
    places: Sequence[datetime],
    counts: Mapping[datetime, Mapping[str, int]],
    write: Callable[[datetime], str],
) -> Plot:
    """Bars of one or more series on top of each other; `series` are pairs of kind and label."""
    top = max((sum(counts.get(at, {}).get(k, 0) for k, _ in series) for at in places), default=0)
    bars: list[Bar] = []
    rows: list[tuple[str, list[int]]] = []
    for number, at in enumerate(places):
        numbers = [counts.get(at, {}).get(kind, 0) for kind, _ in series]
        if not any(numbers):
            continue
        rows.append((write(at), numbers))
        base = HEIGHT
        for (kind, label), amount in zip(series, numbers, strict=True):
            height = HEIGHT * amount / top
            base -= height
            title = f"{write(at)}: {amount:,} {label}"
            if amount:
                bars.append(Bar(number + GAP / 2, base, 1 - GAP, height, kind, title))
    return Plot(
        name,
        series,
        len(places),
        bars,
        top,
        sum(sum(numbers) for _, numbers in rows),
        (write(places[0]), write(places[-1])),
        rows,
    )

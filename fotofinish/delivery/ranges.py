"""The Range header (RFC 9110, section 14): which bytes of a file were asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNIT = re.compile(r"\s*bytes\s*=(.*)", re.IGNORECASE | re.DOTALL)
SPEC = re.compile(r"[ \t]*([0-9]{0,40})-([0-9]{0,40})[ \t]*")
MOST = 16


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.stop - self.start


class RangeNotSatisfiable(ValueError):
    """No byte asked for exists, or the header is malformed or excessive: 416."""


def spans(header: str | None, size: int) -> list[Span] | None:
    """The spans asked for, in the order asked for; None for the whole file.

    A unit other than bytes is ignored, as the RFC has it. So are ranges that overlap to more than
    the file itself, which nobody needs and which would multiply what we send.
    """
    unit = UNIT.fullmatch(header) if header is not None else None
    if unit is None:
        return None
    specs = unit[1].split(",")
    if len(specs) > MOST:
        raise RangeNotSatisfiable
    found = [span for spec in specs if (span := _span(spec, size))]
    if not found:
        raise RangeNotSatisfiable
    return found if sum(span.length for span in found) <= size else None


def _span(spec: str, size: int) -> Span | None:
    """One span, cut to the file; None when it lies outside."""
    parts = SPEC.fullmatch(spec)
    if parts is None or not any(parts.groups()):
        raise RangeNotSatisfiable
    first, last = parts.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            raise RangeNotSatisfiable
    return Span(start, stop) if start < stop else None

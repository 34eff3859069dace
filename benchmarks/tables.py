"""How benchmarks print: one table a subject, ours beside the peer, with the ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `peer` None where there is nothing to compare with."""

    name: str
    ours: float
    peer: float | None = None


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print a subject's figures, with ours divided by the peer's."""
    print(f"\n{title}")
    print(f"{'':<44}{'ours':>12}{'peer':>12}{'ratio':>9}")
    for row in rows:
        peer = "" if row.peer is None else f"{row.peer:,.4g}"
        ratio = f"{row.ours / row.peer:.2f}" if row.peer else ""
        print(f"{row.name:<44}{f'{row.ours:,.4g}':>12}{peer:>12}{ratio:>9}")

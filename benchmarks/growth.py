"""`original-photos`, 60 links a call, in events of 10,000, 1 million and 10 million photos.

All are in one database, and are asked in turn, in several rounds, of which the medians count: a
shared machine changes more in ten minutes than the sizes do. The latency is that of a single
connection: nothing waits for anything but its own answer. 4,000 requests for bibs by chance are
sent over and over. Takes ten minutes, nearly all for making the photos.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.load import Load, measure
from benchmarks.private import private_settings
from benchmarks.race_data import make_big_race
from benchmarks.serving import KEYS, UNASKED_BUCKET, originals_requests, run_ours, serving
from fotofinish.database.connection import open_database

SIZES = (10_000, 1_000_000, 10_000_000)
ROUNDS = 5


def main(sizes: Sequence[int] = SIZES, seconds: float = 3.0) -> dict[str, float]:
    """Latencies (ms) at each size, and how many times that of the smallest."""
    loads: dict[int, list[Load]] = {photos: [] for photos in sizes}
    with tempfile.TemporaryDirectory(prefix="ff-", ignore_cleanup_errors=True) as name:
        settings = private_settings(Path(name), **UNASKED_BUCKET)
        with open_database(settings) as database:
            races = {photos: make_big_race(database, photos) for photos in sizes}
            requests = {size: originals_requests(race, race.bibs) for size, race in races.items()}
            with serving(run_ours, settings, database, KEYS) as port:
                for _ in range(ROUNDS):
                    for photos in sizes:
                        load = measure(port, requests[photos], connections=1, seconds=seconds)
                        loads[photos].append(load)
    return _report(loads)


def _report(loads: Mapping[int, Sequence[Load]]) -> dict[str, float]:
    table = Table(title="original-photos, 60 links, one connection", title_justify="left")
    for heading in ("photos", "p50 ms", "p99 ms", "times the smallest"):
        table.add_column(heading, justify="right")
    p50 = {photos: median(load.p50 for load in rounds) for photos, rounds in loads.items()}
    figures: dict[str, float] = {}
    for photos, rounds in loads.items():
        p99, ratio = median(load.p99 for load in rounds), p50[photos] / p50[min(p50)]
        table.add_row(f"{photos:,}", f"{p50[photos]:.2f}", f"{p99:.2f}", f"{ratio:.2f}")
        figures |= {
            f"original-photos, {photos} photos: p50 ms": p50[photos],
            f"original-photos, {photos} photos: p99 ms": p99,
            f"original-photos, {photos} photos: times the smallest": ratio,
        }
    Console().print(table)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    main(given.photos, given.seconds)

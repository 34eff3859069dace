"""`original-photos`, 60 links a call, in events of 10,000, 1 million and 10 million photos.

One after another, in one database; the peer of each is the smallest. The latency is that of a
single connection: nothing waits for anything but its own answer. 4,000 requests for bibs by chance
are sent over and over. Takes ten minutes, nearly all for the photos.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.load import Load, measure
from benchmarks.race_data import make_big_race, private_settings
from benchmarks.serving import ENDPOINT, KEYS, originals_requests, run_ours, serving
from fotofinish.database.connection import open_database

SIZES = (10_000, 1_000_000, 10_000_000)


def main(sizes: Sequence[int] = SIZES, seconds: float = 8.0) -> dict[str, float]:
    """Latencies (ms) at each size, and how many times that of the smallest."""
    loads = {}
    with tempfile.TemporaryDirectory(prefix="ff-", ignore_cleanup_errors=True) as name:
        settings = private_settings(
            Path(name),
            storage_url=f"s3://photos?endpoint={ENDPOINT}&region=us-east-1",
            check_originals=False,
        )
        with open_database(settings) as database:
            for photos in sizes:
                race = make_big_race(database, photos)
                requests = originals_requests(race, race.bibs)
                with serving(run_ours, settings, database, KEYS) as port:
                    loads[photos] = measure(port, requests, connections=1, seconds=seconds)
    return _report(loads)


def _report(loads: Mapping[int, Load]) -> dict[str, float]:
    table = Table(title="original-photos, 60 links, one connection", title_justify="left")
    for heading in ("photos", "p50 ms", "p99 ms", "times the smallest"):
        table.add_column(heading, justify="right")
    smallest = loads[min(loads)].p50
    figures: dict[str, float] = {}
    for photos, load in loads.items():
        ratio = load.p50 / smallest
        table.add_row(f"{photos:,}", f"{load.p50:.2f}", f"{load.p99:.2f}", f"{ratio:.2f}")
        figures |= {
            f"original-photos, {photos} photos: p50 ms": load.p50,
            f"original-photos, {photos} photos: p99 ms": load.p99,
            f"original-photos, {photos} photos: times the smallest": ratio,
        }
    Console().print(table)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    main(given.photos, given.seconds)

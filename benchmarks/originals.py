"""`original-photos`, 60 links a call, over real HTTP: ours against the obvious stack.

One server process each, the same PostgreSQL with a million photos, the same load from a process of
its own. Against the peer nothing is checked in the store, since the peer checks nothing; what the
check costs is a table of its own. Cores are shared by client, server and database.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import obvious_stack
from benchmarks.load import Load, measure
from benchmarks.private import private_settings
from benchmarks.race_data import BigRace, filenames, make_big_race
from benchmarks.serving import (
    ENDPOINT,
    KEYS,
    UNASKED_BUCKET,
    originals_requests,
    run_ours,
    serve,
    serving,
)
from fotofinish.database.connection import Database, open_database
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store
from tests.s3_server import running_s3_server

CONNECTIONS = 8
BIBS_WITH_FILES = 100
BIBS_ON_S3 = 10


def main(photos: int = 1_000_000, seconds: float = 8.0) -> dict[str, float]:
    """Requests a second and latencies (ms) of each way, and the ratio to the obvious stack."""
    with tempfile.TemporaryDirectory(prefix="ff-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with open_database(private_settings(folder)) as database:
            race = make_big_race(database, photos)
            loads = {
                "obvious stack": _obvious(database, race, seconds),
                "ours": _ours_on_s3(database, race, folder, seconds),
                "ours, local, files checked": _ours_on_files(database, race, folder, seconds),
                "ours, S3, objects checked": _ours_with_heads(database, race, folder, seconds),
            }
    return _report(loads, photos)


def _obvious(database: Database, race: BigRace, seconds: float) -> Load:
    with serving(_run_obvious, database.dsn) as port:
        return _measure(port, race, race.bibs, seconds)


def _ours_on_s3(database: Database, race: BigRace, folder: Path, seconds: float) -> Load:
    settings = private_settings(folder, **UNASKED_BUCKET)
    with serving(run_ours, settings, database, KEYS) as port:
        return _measure(port, race, race.bibs, seconds)


def _ours_on_files(database: Database, race: BigRace, folder: Path, seconds: float) -> Load:
    settings = private_settings(folder)
    bibs = _store_originals(settings, database, race, BIBS_WITH_FILES)
    with serving(run_ours, settings, database, {}) as port:
        return _measure(port, race, bibs, seconds)


def _ours_with_heads(database: Database, race: BigRace, folder: Path, seconds: float) -> Load:
    s3 = folder / "s3"
    s3.mkdir()
    with running_s3_server(s3) as bucket:
        os.environ.update(bucket.environment)
        settings = private_settings(folder, storage_url=bucket.storage_url)
        bibs = _store_originals(settings, database, race, BIBS_ON_S3)
        with serving(run_ours, settings, database, dict(bucket.environment)) as port:
            return _measure(port, race, bibs, seconds)


def _measure(port: int, race: BigRace, bibs: int, seconds: float) -> Load:
    requests = originals_requests(race, bibs)
    return measure(port, requests, connections=CONNECTIONS, seconds=seconds)


def _store_originals(settings: Settings, database: Database, race: BigRace, most: int) -> int:
    """Small originals for the first bibs; says for how many."""
    store = open_store(settings)
    bibs = min(most, race.bibs)
    for bib in range(1, bibs + 1):
        for filename in filenames(database, race, bib):
            key = f"imgs/{race.event_id}/large/{filename}"
            store.put(key, b"photo", content_type="image/jpeg", filename=filename)
    return bibs


def _run_obvious(dsn: str, port: int) -> None:
    host, user, name = (part.partition("=")[2] for part in dsn.split())
    url = f"postgresql+psycopg://{user}@/{name}?host={host}"
    serve(obvious_stack.create_app(url, ENDPOINT, "photos", KEYS), port)


def _report(loads: Mapping[str, Load], photos: int) -> dict[str, float]:
    table = Table(title=f"original-photos, 60 links, {photos:,} photos", title_justify="left")
    table.add_column("way")
    for heading in ("requests/s", "p50 ms", "p99 ms", "times the obvious stack"):
        table.add_column(heading, justify="right")
    peer = loads["obvious stack"].per_second
    figures: dict[str, float] = {}
    for way, load in loads.items():
        ratio = load.per_second / peer
        table.add_row(
            way, f"{load.per_second:,.0f}", f"{load.p50:.1f}", f"{load.p99:.1f}", f"{ratio:.1f}"
        )
        figures |= {
            f"{way}: per second": load.per_second,
            f"{way}: p50 ms": load.p50,
            f"{way}: p99 ms": load.p99,
            f"{way}: ratio": ratio,
        }
    Console().print(table)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    main(given.photos, given.seconds)

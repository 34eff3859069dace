"""`/images` and `/timeline/images` on 200,000 photos: the first page against the last one.

The peer is the plain way to page, in the same database: `count(*)`, and `offset` over the same
index, which read more the further a page is.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import httpx
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.clock import median_ms
from benchmarks.private import private_settings
from benchmarks.race_data import BigRace, make_big_race
from fotofinish.app import create_app
from fotofinish.database.connection import open_database
from tests.running import free_port, running

PAGE_SIZE = 32
PLAIN = """
select count(*) over () as total, id, width, height from photo
where event_id = %s and state = 'ready' and not hidden
order by coalesce(captured_at, 'infinity'), id
"""


def main(photos: int = 200_000, calls: int = 60) -> dict[str, float]:
    """Median milliseconds of each page, and how much the last one takes more than the first."""
    with tempfile.TemporaryDirectory(prefix="ff-", ignore_cleanup_errors=True) as name:
        settings = private_settings(Path(name))
        with open_database(settings) as database:
            race = make_big_race(database, photos)
            port = free_port()
            with running(create_app(settings, database), port):
                ours = _ours(port, race, photos, calls)
            plain = _plain(database.dsn, race, photos, calls)
    return _report(ours, plain, photos)


def _ours(port: int, race: BigRace, photos: int, calls: int) -> dict[str, float]:
    base = f"http://127.0.0.1:{port}/api/v1/ext/{race.org_id}/event/{race.event_id}"
    last = -(-photos // PAGE_SIZE)
    times = {}
    with httpx.Client(headers={"X-API-Key": race.key}) as client:
        days = client.get(f"{base}/timeline/days").json()["data"]["days"]
        assert sum(day["total"] for day in days) == photos
        for name, path, extra in (
            ("images", "/images", {}),
            ("timeline", "/timeline/images", {"from": 0, "to": 4_000_000_000}),
        ):
            for place, page in (("first", 1), ("middle", last // 2), ("last", last)):

                def call(path: str = path, page: int = page, extra: dict[str, int] = extra) -> None:
                    answer = client.get(
                        f"{base}{path}", params={"page": page, "page_size": PAGE_SIZE, **extra}
                    )
                    data = answer.json()["data"]
                    assert data["images"]
                    assert data["pagination"]["total"] == photos

                times[f"{name}, {place} page"] = median_ms(call, calls)
    return times


def _plain(dsn: str, race: BigRace, photos: int, calls: int) -> dict[str, float]:
    times = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for place, offset in (
            ("first", 0),
            ("middle", photos // 2),
            ("last", photos - PAGE_SIZE),
        ):

            def call(offset: int = offset) -> None:
                rows = connection.execute(
                    PLAIN + "offset %s limit %s", [race.event_id, offset, PAGE_SIZE]
                ).fetchall()
                assert rows

            times[f"images, {place} page"] = median_ms(call, max(5, calls // 6))
    return times


def _report(ours: dict[str, float], plain: dict[str, float], photos: int) -> dict[str, float]:
    table = Table(title=f"A page of {PAGE_SIZE} of {photos:,} photos, ms", title_justify="left")
    table.add_column("page")
    for heading in ("ours, whole call", "count and offset, SQL alone", "times the first page"):
        table.add_column(heading, justify="right")
    figures: dict[str, float] = {}
    for name, milliseconds in ours.items():
        ratio = milliseconds / ours[f"{name.partition(',')[0]}, first page"]
        peer = f"{plain[name]:.1f}" if name in plain else ""
        table.add_row(name, f"{milliseconds:.1f}", peer, f"{ratio:.2f}")
        figures |= {f"pages: {name}: ms": milliseconds, f"pages: {name}: of first": ratio}
    Console().print(table)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=200_000)
    parser.add_argument("--calls", type=int, default=60)
    given = parser.parse_args()
    main(given.photos, given.calls)

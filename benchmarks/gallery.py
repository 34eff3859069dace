"""The gallery on a slow phone: 1.6 Mbit/s, 150 ms, a processor four times slower (by CDP).

Goals: search box usable within 1.5 s of the first visit, first previews within 2.5 s of the search,
cumulative layout shift below 0.02. Photos are the demo's, drawn.
"""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.private import private_settings
from benchmarks.tables import Row, print_table
from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection, open_database
from fotofinish.demo.generator import generate
from fotofinish.events.events import Event, create_event
from fotofinish.organisations.organisations import create_organisation
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import sniff
from fotofinish.photos.keys import image_id
from fotofinish.photos.previews import render_previews, store_previews
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store
from tests.browsers import launch
from tests.running import free_port, running

ROUNDS = 5
PHOTOS = 40
START = datetime(2026, 5, 9, 7, 0, tzinfo=UTC)
NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SHIFT = """window.shift = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shift += entry.value
}).observe({ type: 'layout-shift', buffered: true })"""
FIRST_LOADED = """() => [...document.querySelectorAll('.grid img')].slice(0, 4)
    .every((image) => image.complete && image.naturalWidth > 0)"""


async def _make_event(database: Database) -> Event:
    async with open_connection(database) as connection:
        club = await create_organisation(connection, "Bench")
        return await create_event(connection, club.id, "Slow Phone Run", starts_at=START)


def _fill(settings: Settings, database: Database, event: Event, folder: Path) -> None:
    """Photos of one bib, with their previews."""
    store = open_store(settings)
    drawn = [photo.path.read_bytes() for photo in generate(folder / "photos", count=8).photos]
    shown = [decode(d, sniff(d[:4096]), max_pixels=10**8, target_long_side=1600) for d in drawn]
    previews = [render_previews(pixels) for pixels in shown]
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        for number in range(PHOTOS):
            kind = number % len(drawn)
            digest = hashlib.sha256(number.to_bytes(4, "big")).digest()
            photo_id, taken = image_id(event.id, digest), START + timedelta(seconds=number)
            store_previews(store, event.id, photo_id, previews[kind])
            connection.execute(
                """insert into photo (id, event_id, sha256, size, content_type, extension, name,
                                      width, height, captured_at, state, drawn)
                   values (%s, %s, %s, 1, 'image/jpeg', 'jpg', 'a.jpg', %s, %s, %s, 'ready', 1)""",
                [photo_id, event.id, digest, shown[kind].width, shown[kind].height, taken],
            )
            connection.execute(
                """insert into bib_tag (photo_id, bib, event_id, confidence, captured_at, extension)
                   values (%s, '101', %s, 0.9, %s, 'jpg')""",
                [photo_id, event.id, taken],
            )


def _slow_phone(browser: Browser) -> Page:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=3, is_mobile=True,
        has_touch=True, locale="en",
    )  # fmt: skip
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(SHIFT)
    return page


def _visit(browser: Browser, address: str) -> tuple[float, float, float]:
    """Seconds until one can type, seconds from the search to four previews, and the shift."""
    page = _slow_phone(browser)
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.get_by_label("Your bib number").fill("101")
    usable = time.perf_counter() - began
    page.wait_for_load_state("load")
    shift = page.evaluate("window.shift")
    began = time.perf_counter()
    page.get_by_role("button", name="Search", exact=True).tap()
    page.wait_for_url("**/find?*", wait_until="commit")
    page.locator(".grid li").first.wait_for()
    while not page.evaluate(FIRST_LOADED):
        time.sleep(0.02)
    shown = time.perf_counter() - began
    page.wait_for_load_state("load")
    shift = max(shift, page.evaluate("window.shift"))
    page.context.close()
    return usable, shown, shift


def main() -> dict[str, float]:
    """Print the figures; medians of several first visits, each with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="ff-bench-") as name:
        folder, port = Path(name), free_port()
        settings = private_settings(folder, public_url=f"http://127.0.0.1:{port}")
        with open_database(settings) as database, running(create_app(settings, database), port):
            event = asyncio.run(_make_event(database))
            _fill(settings, database, event, folder)
            with sync_playwright() as playwright:
                browser = launch(playwright.chromium)
                address = f"{settings.public_url}/e/{event.slug}"
                visits = [_visit(browser, address) for _ in range(ROUNDS)]
                browser.close()
    figures = {
        "gallery: search box usable, s": statistics.median(visit[0] for visit in visits),
        "gallery: search to first previews, s": statistics.median(visit[1] for visit in visits),
        "gallery: layout shift, worst": max(visit[2] for visit in visits),
    }
    goals = (1.5, 2.5, 0.02)
    rows = [Row(n, value, goal) for (n, value), goal in zip(figures.items(), goals, strict=True)]
    print_table("The gallery on a slow phone (peer: the goal)", rows)
    return figures


if __name__ == "__main__":
    main()

"""A running server with an event full of drawn photos, and phones to look at its gallery with."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection
from fotofinish.demo.generator import DemoSet, generate
from fotofinish.events.events import Event, create_event
from fotofinish.faces.templates import as_halfvec
from fotofinish.organisations.organisations import create_organisation
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import sniff
from fotofinish.photos.keys import image_id, original_key
from fotofinish.photos.previews import Previews, render_previews, store_previews
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store
from fotofinish.vision.faces import FaceFinder
from tests.browsers import launch
from tests.loops import run
from tests.running import free_port, running

START = datetime(2026, 5, 9, 7, 0, tzinfo=UTC)  # nine o'clock in Berlin
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Drawn:
    """A drawn photo: its bytes and its previews."""

    data: bytes
    width: int
    height: int
    previews: Previews


@dataclass
class Gallery:
    """An event of a test's own on a running server."""

    url: str
    settings: Settings
    database: Database
    event: Event
    drawn: list[Drawn] = field(repr=False)
    clock: Iterator[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        return f"{self.url}/e/{self.event.slug}"

    def execute(self, statement: Any, *values: Any) -> list[Any]:
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def choose(self, **choices: Any) -> None:
        """What the organiser decides."""
        wanted = {"access": "public", "downloads": "originals", "indexed": False, **choices}
        self.execute(
            """insert into event_gallery (event_id, access, downloads, indexed, brand_name,
                                          brand_colour)
               values (%s, %s, %s, %s, '', '')""",
            self.event.id, wanted["access"], wanted["downloads"], wanted["indexed"],
        )  # fmt: skip

    def add(
        self, *bibs: str, face: np.ndarray[Any, Any] | None = None, crc: bool = False
    ) -> uuid.UUID:
        """A photo that is ready, with original and previews in the store."""
        number = next(self.clock)
        drawn = self.drawn[number % len(self.drawn)]
        data = drawn.data + number.to_bytes(4, "big")  # behind the JPEG: other bytes, same picture
        sha256 = hashlib.sha256(data).digest()
        photo_id = image_id(self.event.id, sha256)
        store = open_store(self.settings)
        key = original_key(self.event.id, photo_id, "jpg")
        store.put(key, data, content_type="image/jpeg", filename=f"{photo_id}.jpg")
        store_previews(store, self.event.id, photo_id, drawn.previews)
        taken = START + timedelta(minutes=2 * number)
        self.execute(
            """insert into photo (id, event_id, sha256, size, content_type, extension, name, width,
                                  height, captured_at, state, drawn)
               values (%s, %s, %s, %s, 'image/jpeg', 'jpg', 'a.jpg', %s, %s, %s, 'ready', 1)""",
            photo_id, self.event.id, sha256, len(data), drawn.width, drawn.height, taken,
        )  # fmt: skip
        for bib in bibs:
            self.execute(
                """insert into bib_tag (photo_id, bib, event_id, confidence, captured_at, extension)
                   values (%s, %s, %s, 0.9, %s, 'jpg')""",
                photo_id, bib, self.event.id, taken,
            )  # fmt: skip
        if face is not None:
            self.execute(
                """insert into face (photo_id, event_id, box, score, quality, model, embedding)
                   values (%s, %s, '{0,0,9,9}', 0.9, 0.9, 'sface', %s::halfvec)""",
                photo_id, self.event.id, as_halfvec(face),
            )  # fmt: skip
        return photo_id

    def fill(self, bib: str, number: int) -> None:
        """Many photos of a bib at once, all of one moment, without files."""
        self.execute(
            """with added as (
                 insert into photo (id, event_id, sha256, size, content_type, extension, name,
                                    width, height, captured_at, state, drawn)
                 select gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), 1,
                        'image/jpeg', 'jpg', 'a.jpg', 1800, 1200, %s, 'ready', 1
                 from generate_series(1, %s) returning *)
               insert into bib_tag (photo_id, bib, event_id, confidence, captured_at, extension)
               select id, %s, event_id, 0.9, captured_at, 'jpg' from added""",
            self.event.id, START + timedelta(minutes=2 * next(self.clock)), number, bib,
        )  # fmt: skip

    def original(self, photo_id: uuid.UUID) -> bytes:
        return open_store(self.settings).get(original_key(self.event.id, photo_id, "jpg"))

    def client(self) -> httpx.Client:
        # patient: guesses are held back on purpose, and machines of tests are busy
        return httpx.Client(
            base_url=self.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=30
        )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    """A few generated photos and the selfie that goes with them."""
    return generate(tmp_path_factory.mktemp("drawn") / "photos", count=4)


@pytest.fixture(scope="session")
def drawn(demo: DemoSet) -> list[Drawn]:
    found = []
    for photo in demo.photos:
        data = photo.path.read_bytes()
        pixels = decode(data, sniff(data[:4096]), max_pixels=10**8, target_long_side=1600)
        found.append(Drawn(data, pixels.width, pixels.height, render_previews(pixels)))
    return found


@pytest.fixture(scope="session")
def template(demo: DemoSet) -> np.ndarray[Any, Any]:
    """The selfie's face in numbers."""
    import cv2

    pixels = np.asarray(cv2.imread(str(demo.selfie)), dtype=np.uint8)
    (face, *_) = FaceFinder().find(pixels)
    assert face.embedding is not None
    return face.embedding


@pytest.fixture(scope="module")
def site(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Settings]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(data_dir=tmp_path_factory.mktemp("site"), public_url=url)
    with running(create_app(settings, database), port, warm=True):  # browsers wait for selfies
        yield url, settings


async def _event(database: Database) -> Event:
    async with open_connection(database) as connection:
        club = await create_organisation(connection, "Harbour Races")
        return await create_event(
            connection, club.id, "Harbour <b>Run</b>", starts_at=START, time_zone="Europe/Berlin"
        )


@pytest.fixture
def gallery(site: tuple[str, Settings], database: Database, drawn: list[Drawn]) -> Gallery:
    return Gallery(*site, database, run(_event(database)), drawn)


@pytest.fixture(scope="package")
def browser(demo: DemoSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows the selfie."""
    film = tmp_path_factory.mktemp("film") / "selfie.mjpeg"
    film.write_bytes(demo.selfie.read_bytes() * 3)
    with sync_playwright() as playwright:
        started = launch(
            playwright.chromium,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport=PHONE, locale="en-GB", permissions=["clipboard-read", "clipboard-write", "camera"]
    )
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A phone; what its pages complain about fails the test."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    assert troubles == []

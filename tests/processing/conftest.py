"""A workshop as a worker process has it, on a real database and a real folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import cv2
import psycopg
import pytest

from fotofinish.arrays import Pixels
from fotofinish.database.connection import Database, open_connection, open_pool
from fotofinish.demo.portrait import load_portrait
from fotofinish.events.events import create_event
from fotofinish.organisations.organisations import create_organisation
from fotofinish.photos.deleting import clear_gone, delete_photos
from fotofinish.photos.intake import Incoming, take_in
from fotofinish.photos.preview_links import Picture, preview_links
from fotofinish.photos.processing import Workshop
from fotofinish.photos.redrawing import redraw_some
from fotofinish.queue import make_queue
from fotofinish.recognition import PhotoReading, Recogniser
from fotofinish.settings import load_settings
from fotofinish.storage.links import open_linker
from fotofinish.storage.stores import open_store
from tests.loops import run

T = TypeVar("T")


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """The models, loaded once for all tests."""
    return Recogniser()


@pytest.fixture(scope="session")
def portrait() -> Pixels:
    """Eileen Collins, NASA (public domain), as scikit-image ships her."""
    return load_portrait()


class _Interrupted(Recogniser):
    """The loaded models; something else happens before they are asked."""

    def __init__(self, loaded: Recogniser, meanwhile: Callable[[], None]) -> None:
        self.__dict__.update(loaded.__dict__)
        self._meanwhile = meanwhile

    def read(self, *args: Any, **more: Any) -> PhotoReading:
        self._meanwhile()
        return super().read(*args, **more)


@dataclass(frozen=True, slots=True)
class Bench:
    """An event of its own, with everything to take photos in and to process them."""

    database: Database
    recogniser: Recogniser
    folder: Path
    event_id: int

    def query(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Rows, read behind the back of the code under test."""
        with psycopg.connect(self.database.dsn) as connection:
            return connection.execute(sql, values).fetchall()

    def write(self, name: str, pixels: Pixels) -> Path:
        """A JPEG in the folder to import from."""
        path = self.folder / name
        assert cv2.imwrite(str(path), pixels)
        return path

    def import_and_process(self, *paths: Path) -> list[UUID]:
        """Take files in and process what is new, as `import` and a worker would; their ids."""
        fresh = self.take_in(*paths)
        self.process(*fresh)
        return fresh

    def take_in(self, *paths: Path) -> list[UUID]:
        """Take files in, as `import` would; the ids of what is new."""

        async def act() -> list[UUID]:
            settings = load_settings(data_dir=self.folder)
            store = open_store(settings)
            queue = make_queue(self.database.dsn)
            async with open_pool(self.database, size=1) as pool, queue.open_async():
                async with pool.connection() as connection:
                    before = {row[0] for row in await self._ids(connection)}
                files = [Incoming(path) for path in paths]
                await take_in(pool, store, queue, self.event_id, files, max_bytes=10_000_000)
                async with pool.connection() as connection:
                    return [row[0] for row in await self._ids(connection) if row[0] not in before]

        return run(act())

    def process(
        self, *photo_ids: UUID, meanwhile: Callable[[], None] = lambda: None
    ) -> list[int | None]:
        """Process photos (again); `meanwhile` is done when the first pixels were read."""
        return run(self._process(photo_ids, meanwhile))

    def preview_link(self, photo_id: UUID) -> str:
        """The link to its preview that pages and the API show."""
        ((drawn,),) = self.query("select drawn from photo where id = %s", photo_id)
        settings = load_settings(data_dir=self.folder)
        linker = open_linker(settings, open_store(settings))
        (link,) = preview_links(linker, self.event_id, "medium", [Picture(photo_id, int(drawn))])
        return link

    def make_previews_old(self, *photo_ids: UUID) -> None:
        """As if a version had processed them that made two JPEGs of each."""
        stored = self.folder / "storage" / "imgs" / str(self.event_id)
        for photo_id in photo_ids:
            (stored / "dense" / f"{photo_id}.webp").unlink()
            for size in ("medium", "small"):
                preview = stored / size / f"{photo_id}.webp"
                preview.rename(preview.with_suffix(".jpg"))
            self.query("update photo set drawn = 0 where id = %s returning 1", photo_id)

    def delete(self, *photo_ids: UUID) -> None:
        """Delete photos; their bytes are still there."""
        queue = make_queue(self.database.dsn)
        self.run(lambda c: delete_photos(c, queue, self.event_id, photo_ids))

    def clear(self) -> None:
        """What the job does that deletes the bytes."""
        store = open_store(load_settings(data_dir=self.folder))
        self.run(lambda c: clear_gone(c, store))

    def redraw(self) -> bool:
        """One batch of the job that draws previews again; whether any are left."""

        async def act() -> bool:
            async with open_pool(self.database, size=2) as pool:
                store = open_store(load_settings(data_dir=self.folder))
                return await redraw_some(pool, store, self.event_id, max_pixels=100_000_000)

        return run(act())

    def run(self, call: Callable[[psycopg.AsyncConnection], Awaitable[T]]) -> T:
        """One database action of the code under test."""

        async def act() -> T:
            async with open_connection(self.database) as connection:
                return await call(connection)

        return run(act())

    async def _ids(self, connection: psycopg.AsyncConnection) -> list[tuple[UUID]]:
        cursor = await connection.execute(
            "select id from photo where event_id = %s order by name", [self.event_id]
        )
        return await cursor.fetchall()

    async def _process(
        self, photo_ids: Sequence[UUID], meanwhile: Callable[[], None] = lambda: None
    ) -> list[int | None]:
        recogniser = _Interrupted(self.recogniser, meanwhile)
        async with open_pool(self.database, size=2) as pool:
            store = open_store(load_settings(data_dir=self.folder))
            workshop = Workshop(pool, store, recogniser, max_pixels=100_000_000)
            return [await workshop.process(photo_id) for photo_id in photo_ids]


@pytest.fixture
def bench(database: Database, recogniser: Recogniser, tmp_path: Path) -> Bench:
    """A fresh organisation and event."""

    async def make() -> int:
        async with open_connection(database) as connection:
            organisation = await create_organisation(connection, "Processing")
            return (await create_event(connection, organisation.id, "A race")).id

    return Bench(database, recogniser, tmp_path, run(make()))

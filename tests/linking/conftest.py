"""An event whose photos are put in as a worker would, from faces that are made up."""

from __future__ import annotations

import asyncio
import hashlib
import math
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import psycopg
import pytest

from fotofinish.bibs.plausibility import BibReading
from fotofinish.bibs.tags import replace_tags
from fotofinish.database.connection import Database, open_connection
from fotofinish.events.events import create_event
from fotofinish.faces.selfies import store_search
from fotofinish.faces.templates import as_halfvec, replace_faces
from fotofinish.linking.links import link_due_photos
from fotofinish.organisations.organisations import create_organisation
from fotofinish.vision.faces import FaceReading
from tests.loops import run

T = TypeVar("T")
# who is on a photo, from left to right: a person (None: no face) and a bib (None: hidden)
Cast = Sequence[tuple[int | None, str | None]]
Step = Callable[[psycopg.AsyncConnection], Awaitable[object]]


@dataclass
class Race:
    """An event whose photos are put in as a worker would, from faces that are made up."""

    database: Database
    event_id: int

    def run(self, call: Callable[[psycopg.AsyncConnection], Awaitable[T]]) -> T:
        async def act() -> T:
            async with open_connection(self.database) as connection:
                return await call(connection)

        return run(act())

    def execute(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def add(
        self, *cast: tuple[int | None, str | None], photo: uuid.UUID | None = None
    ) -> uuid.UUID:
        """A processed photo; `photo` processes one again."""
        photo_id = photo or uuid.uuid4()
        if photo is None:
            self.execute(
                """insert into photo (id, event_id, sha256, size, content_type, extension, name,
                                      width, height, state)
                   values (%s, %s, %s, 1, 'image/jpeg', 'jpg', 'a.jpg', 3000, 900, 'ready')""",
                photo_id, self.event_id, hashlib.sha256(photo_id.bytes).digest(),
            )  # fmt: skip
        faces, tags = [], []
        for place, (person, bib) in enumerate(cast):
            x = 100.0 + 600 * place
            if person is not None:
                box = (x, 100.0, 100.0, 130.0)
                points = np.zeros((5, 2), dtype=np.float32)
                faces.append(FaceReading(box, 0.9, points, 0.9, face_of(person)))
            if bib is not None:
                tags.append(BibReading(bib, 0.99, (x - 20, 430.0, 140.0, 60.0)))

        async def write(connection: psycopg.AsyncConnection) -> None:
            async with connection.transaction():
                await replace_tags(connection, self.event_id, photo_id, tags)
                await replace_faces(connection, self.event_id, photo_id, faces, model="made-up")

        self.run(write)
        return photo_id

    def by_hand(self, correct: Callable[..., Awaitable[int]], photo: uuid.UUID, bib: str) -> None:
        """What somebody says in the dashboard."""
        self.run(lambda c: correct(c, self.event_id, [photo], bib))

    def make_alike(self, photo: uuid.UUID, cosine: float, *, axis: int) -> None:
        """Give the photo's face this cosine to those of cosine 1, and less to other axes' faces."""
        vector = np.zeros(128, dtype=np.float32)
        vector[0] = cosine
        vector[axis] = math.sqrt(1 - cosine**2)
        self.execute(
            "update face set embedding = %s::halfvec where photo_id = %s",
            as_halfvec(vector), photo,
        )  # fmt: skip

    def link(self) -> None:
        """What the worker's job does, until nothing is due."""

        async def act(connection: psycopg.AsyncConnection) -> None:
            while await link_due_photos(connection):
                pass

        self.run(act)

    def link_during(self, happen: Step) -> None:
        """Link while this has happened in a transaction that has not ended yet; waits for none."""

        async def act(connection: psycopg.AsyncConnection) -> None:
            async with open_connection(self.database) as linker, connection.transaction():
                await linker.execute("set lock_timeout = '3s'")
                await happen(connection)
                await link_due_photos(linker)

        self.run(act)

    def at_once(self, first: Step, other: Step, last: Step | None = None) -> None:
        """`first` and `last` in one transaction; `other` comes between, and waits or gets done."""

        async def act(connection: psycopg.AsyncConnection) -> None:
            async with open_connection(self.database) as second:
                async with connection.transaction():
                    await first(connection)
                    coming = asyncio.ensure_future(other(second))
                    while not (await asyncio.wait([coming], timeout=0.01))[0]:
                        if await self._waits(connection, second):
                            break
                    if last is not None:
                        await last(connection)
                await coming

        self.run(act)

    async def _waits(
        self, connection: psycopg.AsyncConnection, second: psycopg.AsyncConnection
    ) -> bool:
        cursor = await connection.execute(
            "select pg_blocking_pids(%s) <> array[]::integer[]", [second.info.backend_pid]
        )
        row = await cursor.fetchone()
        return bool(row and row[0])

    def links(self) -> set[tuple[object, ...]]:
        self.link()
        return set(
            self.execute(
                "select photo_id, bib from bib_tag where event_id = %s and source = 'linked'",
                self.event_id,
            )
        )

    def search(
        self,
        person: int,
        search: uuid.UUID | None = None,
        *,
        embedding: str | None = None,
        threshold: float = 0.42,
    ) -> uuid.UUID:
        """A stored search with a selfie of this person; `embedding` gives its face."""
        search = search or uuid.uuid4()
        self.run(self.searching(person, search, embedding=embedding, threshold=threshold))
        return search

    def searching(
        self,
        person: int,
        search: uuid.UUID,
        *,
        embedding: str | None = None,
        threshold: float = 0.42,
    ) -> Step:
        embedding = embedding or as_halfvec(face_of(person))
        return lambda c: store_search(
            c, self.event_id, search, embedding=embedding,
            model="made-up", threshold=threshold, keep_days=1,
        )  # fmt: skip

    def matches(self, search: uuid.UUID) -> set[object]:
        rows = self.execute("select photo_id from selfie_match where selfie_id = %s", search)
        return {row[0] for row in rows}


_DICE = np.random.default_rng(11)
_PEOPLE = _DICE.standard_normal((8, 128))


def face_of(person: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A template: different ones of a person have a cosine of 0.65, of two about nothing."""
    vector = _PEOPLE[person] + 0.7 * _DICE.standard_normal(128)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture
def race(database: Database) -> Race:
    race = make_race(database)
    race.link()  # what is due of the events of other tests
    return race


def make_race(database: Database) -> Race:
    async def make() -> int:
        async with open_connection(database) as connection:
            organisation = await create_organisation(connection, "Linking")
            return (await create_event(connection, organisation.id, "A race")).id

    return Race(database, run(make()))

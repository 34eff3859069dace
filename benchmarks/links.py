"""Links of faces and bibs: how many are wrong, what they add, and what a photo costs.

An event made of the labelled faces (`../shared/data/faces`): each person has a bib; on some photos
the bib is hidden, on some the face, some bibs are misread as another runner's, people stand side by
side, and strangers without bibs (lfw_singles) are about. Faces are found by our finder, everything
else goes through the database as in production. Half of the faces are made small and blurred.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from psycopg import AsyncConnection

from benchmarks.faces import FACES, PEOPLE_FOLDERS, photos_of
from benchmarks.private import private_settings
from benchmarks.tables import Row, print_table
from fotofinish.arrays import Pixels, as_pixels
from fotofinish.bibs.plausibility import BibReading
from fotofinish.bibs.tags import replace_tags
from fotofinish.database.connection import open_connection, open_database
from fotofinish.events.events import create_event
from fotofinish.faces.selfies import store_search
from fotofinish.faces.templates import as_halfvec, replace_faces
from fotofinish.linking.comparing import WORN, faces_alike, templates_by_model
from fotofinish.linking.deciding import RIVAL
from fotofinish.linking.links import link_due_photos
from fotofinish.organisations.organisations import create_organisation
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder, FaceReading

HIDDEN_BIBS, HIDDEN_FACES, MISREAD, PAIRS, POOR = 0.3, 0.15, 0.04, 0.25, 0.5
CROWD_PHOTOS = 10  # of each person
COMPARED = 500
PLACES = ((300.0, 200.0), (900.0, 210.0))


@dataclass(frozen=True, slots=True)
class Runner:
    """Somebody on a photo: a bib (None: a stranger) and a face; each may be hidden."""

    bib: str | None
    face: FaceReading
    shows_face: bool
    read: str | None


@dataclass(slots=True)
class Found:
    """Links and true pairs of photo and bib, or of selfie and photo."""

    true: Set[tuple[object, object]]
    before: Set[tuple[object, object]]
    after: Set[tuple[object, object]]

    def figures(self, name: str) -> dict[str, float]:
        links = self.after - self.before
        wrong = len(links - self.true)
        return {
            f"{name}: links": float(len(links)),
            f"{name}: wrong links, %": 100 * wrong / max(len(links), 1),
            f"{name}: recall without links": len(self.before & self.true) / len(self.true),
            f"{name}: recall with links": len(self.after & self.true) / len(self.true),
        }


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print one table; returns the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, help="only so many people of each folder")
    parser.add_argument(
        "--crowd",
        type=int,
        default=2000,
        metavar="PEOPLE",
        help="measure time in an event of so many people with ten photos each; 0 leaves it out",
    )
    given = parser.parse_args(arguments)
    if not FACES.is_dir():
        print("links: the real photos (../shared/data/faces) are not on this machine; skipped")
        return {}
    rows = asyncio.run(_measure(given.people, crowd=given.crowd))
    print_table("Links of faces and bibs (peer: pgvector in the database)", rows)
    return {f"links: {row.name}": row.ours for row in rows}


async def _measure(people: int | None, *, crowd: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        settings = private_settings(Path(folder))
        with open_database(settings) as database:
            async with open_connection(database) as connection:
                organisation = await create_organisation(connection, "Benchmark")
                event = await create_event(connection, organisation.id, "Labelled faces")
                figures = await _accuracy(connection, event.id, people)
                rows = [Row(name, value) for name, value in figures.items()]
                if crowd:
                    event = await create_event(connection, organisation.id, "Crowd")
                    figures = await _cost(connection, event.id, crowd)
                    rows += [Row(name, value) for name, value in figures.items()]
                    rows.append(await _compared(connection, event.id))
    return rows


async def _accuracy(
    connection: AsyncConnection, event_id: int, people: int | None
) -> dict[str, float]:
    dice = random.Random(7)
    known = _faces(FaceFinder(), dice, people)
    bibs = {person: str(1000 + 7 * index) for index, person in enumerate(known)}
    selfies, runners = [], []
    for person, faces in known.items():
        stranger = person.startswith("lfw_singles/")
        if not stranger and len(faces) > 1:
            selfies.append((bibs[person], faces[0]))
            faces = faces[1:]
        runners += [_runner(dice, None if stranger else bibs[person], f, bibs) for f in faces]
    dice.shuffle(runners)
    true, of_person = set(), defaultdict(set)
    while runners:
        cast = [runners.pop() for _ in range(2 if dice.random() < PAIRS else 1) if runners]
        photo_id = await _add_photo(connection, event_id, cast)
        for runner in cast:
            if runner.bib is not None:
                true.add((photo_id, runner.bib))
                of_person[runner.bib].add(photo_id)
    searches: dict[uuid.UUID, str] = {}
    for bib, face in selfies:
        search = uuid.uuid4()
        searches[search] = bib
        await _search(connection, event_id, search, face)
    while await link_due_photos(connection):
        pass
    tags = Found(true, *await _pairs(connection, "bib_tag", "photo_id, bib", "source = 'linked'"))
    mine = {(search, photo) for search, bib in searches.items() for photo in of_person[bib]}
    matches = Found(
        mine, *await _pairs(connection, "selfie_match", "selfie_id, photo_id", "linked")
    )
    return tags.figures("bibs") | matches.figures("selfies")


def _faces(
    finder: FaceFinder, dice: random.Random, people: int | None
) -> dict[str, list[FaceReading]]:
    """Each person's faces, those that are good enough for a template."""
    known: defaultdict[str, list[FaceReading]] = defaultdict(list)
    for name in (*PEOPLE_FOLDERS, "lfw_singles"):
        for person, path in photos_of(FACES / name, people):
            pixels = as_pixels(cv2.imread(str(path)))
            found = finder.find(_poor(pixels, dice) if dice.random() < POOR else pixels)
            if found and found[0].embedding is not None:
                known[person].append(found[0])
    return known


def _poor(pixels: Pixels, dice: random.Random) -> Pixels:
    """As somebody further away looks: 40 to 60 % of the size, blurred, a strong JPEG."""
    factor = dice.uniform(0.4, 0.6)
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), 0.7)
    _, jpeg = cv2.imencode(".jpg", blurred, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return as_pixels(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


def _runner(
    dice: random.Random, bib: str | None, face: FaceReading, bibs: dict[str, str]
) -> Runner:
    read = None if dice.random() < HIDDEN_BIBS else bib
    if read is not None and dice.random() < MISREAD:
        read = dice.choice(list(bibs.values()))
    # somebody of whom neither shows is not on the photo at all
    shows_face = read is None or dice.random() >= HIDDEN_FACES
    return Runner(bib, face, shows_face, read)


async def _add_photo(
    connection: AsyncConnection, event_id: int, cast: Sequence[Runner]
) -> uuid.UUID:
    photo_id = uuid.uuid4()
    faces, tags = [], []
    for runner, (x, y) in zip(cast, PLACES, strict=False):
        if runner.shows_face:
            faces.append(replace(runner.face, box=(x, y, 100.0, 130.0)))
        if runner.read is not None:
            tags.append(BibReading(runner.read, 0.99, (x - 20, y + 300, 140.0, 60.0)))
    async with connection.transaction():
        await connection.execute(
            """insert into photo (id, event_id, sha256, size, content_type, extension, name,
                                  width, height, state)
               values (%s, %s, %s, 1, 'image/jpeg', 'jpg', 'a.jpg', 1500, 1000, 'ready')""",
            [photo_id, event_id, photo_id.bytes],
        )
        await replace_tags(connection, event_id, photo_id, tags)
        await replace_faces(connection, event_id, photo_id, faces, model="sface")
    return photo_id


async def _search(
    connection: AsyncConnection, event_id: int, search: uuid.UUID, face: FaceReading
) -> None:
    assert face.embedding is not None
    await store_search(
        connection,
        event_id,
        search,
        embedding=as_halfvec(face.embedding),
        model="sface",
        threshold=DEFAULT_MATCH_THRESHOLD,
        keep_days=1,
    )


async def _pairs(
    connection: AsyncConnection, table: str, columns: str, linked: str
) -> tuple[set[tuple[object, object]], set[tuple[object, object]]]:
    """The pairs without the links, and with them."""
    cursor = await connection.execute(f"select {columns}, {linked} from {table}")  # noqa: S608
    rows = await cursor.fetchall()
    return {(a, b) for a, b, link in rows if not link}, {(a, b) for a, b, _ in rows}


async def _cost(connection: AsyncConnection, event_id: int, people: int) -> dict[str, float]:
    """Milliseconds of linking a photo: of all when they come at once, and of one more."""
    dice = np.random.default_rng(3)
    middles = dice.standard_normal((people, 128))
    spare = None
    photos = people * CROWD_PHOTOS
    start = time.perf_counter()
    for number in range(photos):
        person = number % people
        vector = middles[person] + 0.75 * dice.standard_normal(128)
        face = FaceReading(
            (0, 0, 1, 1), 0.9, np.zeros((5, 2), np.float32), 0.9,
            np.asarray(vector / np.linalg.norm(vector), dtype=np.float32),
        )  # fmt: skip
        bib = str(person) if dice.random() > HIDDEN_BIBS else None
        spare = Runner(bib, face, True, bib)
        await _add_photo(connection, event_id, [spare])
    filled = time.perf_counter()
    while await link_due_photos(connection):
        pass
    linked = time.perf_counter()
    figures = {
        f"{photos:,} faces: ms to store a photo": (filled - start) / photos * 1000,
        f"{photos:,} faces: ms to link a photo, all at once": (linked - filled) / photos * 1000,
    }
    assert spare is not None
    single = []
    for _ in range(10):
        await _add_photo(connection, event_id, [spare])
        start = time.perf_counter()
        await link_due_photos(connection)
        single.append((time.perf_counter() - start) * 1000)
    return figures | {f"{photos:,} faces: ms to link one photo more": sorted(single)[5]}


async def _compared(connection: AsyncConnection, event_id: int) -> Row:
    """Milliseconds to compare some faces with all that wear a bib; both find the same pairs."""
    values = {"event": event_id, "count": COMPARED, "least": RIVAL}
    mine = await templates_by_model(
        connection,
        """select model, photo_id, embedding from face
           where event_id = %(event)s and bib is null order by id limit %(count)s""",
        values,
    )
    start = time.perf_counter()
    alike = await faces_alike(connection, event_id, "sface", mine["sface"].vectors, WORN, RIVAL)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    cursor = await connection.execute(
        """with mine as materialized (
             select embedding from face
             where event_id = %(event)s and bib is null order by id limit %(count)s)
           select count(*) from mine join face worn on worn.event_id = %(event)s
             and worn.bib is not null and -(mine.embedding <#> worn.embedding) >= %(least)s""",
        values,
    )
    peer = time.perf_counter() - start
    row = await cursor.fetchone()
    assert row is not None
    assert abs(row[0] - len(alike.ids)) <= 0.001 * row[0]  # cosines are rounded in another order
    return Row(f"ms to compare {COMPARED} faces with all wearers", ours * 1000, peer * 1000)


if __name__ == "__main__":
    main()

"""Faces and bibs together: what is linked, what never is, and that links follow the evidence."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import psycopg
import pytest
from procrastinate import JobContext
from procrastinate.jobs import Job

from fotofinish import jobs
from fotofinish.bibs.corrections import add_bib, remove_bib
from fotofinish.bibs.coverage import correct_bib
from fotofinish.bibs.plausibility import BibReading
from fotofinish.bibs.tags import replace_tags
from fotofinish.database.connection import Database, open_connection, open_pool
from fotofinish.events.events import create_event, find_event, update_event
from fotofinish.events.gone import delete_event
from fotofinish.faces.matching import lock_for_photo, match_photo
from fotofinish.faces.selfies import delete_search, store_search
from fotofinish.faces.templates import as_halfvec, replace_faces
from fotofinish.linking import comparing, links
from fotofinish.linking.deciding import Owner
from fotofinish.linking.links import link_due_photos, links_are_due
from fotofinish.linking.selfies import owners_of_selfies
from fotofinish.organisations.organisations import create_organisation
from fotofinish.photos.changes import set_hidden, turn_photos
from fotofinish.photos.deleting import delete_photos
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


def test_a_hidden_bib_is_found_by_the_face_of_who_wears_it(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None), (1, None))
    assert race.links() == {(hidden, "12")}
    (tag,) = race.execute(
        """select confidence between 0.45 and 1, box, visible, extension from bib_tag
           where photo_id = %s""",
        hidden,
    )
    assert tag == (True, None, True, "jpg")
    assert not race.run(lambda c: links_are_due(c, race.event_id))


def test_one_photo_with_a_bib_is_no_evidence(race: Race) -> None:
    race.add((0, "12"))
    race.add((0, None))
    assert race.links() == set()


@pytest.mark.parametrize("bad", ["the evidence", "the photo"])
def test_faces_that_are_hardly_seen_are_neither_evidence_nor_linked(race: Race, bad: str) -> None:
    photos = [race.add((0, "12")) for _ in range(3)]
    hidden = race.add((0, None))
    worse = photos if bad == "the evidence" else [hidden]
    for quality, linked in ((0.39, set()), (0.41, {(hidden, "12")})):
        race.execute("update face set quality = %s where photo_id = any(%s)", quality, worse)
        race.execute(
            "insert into link_due (event_id, photo_id) select event_id, id from photo "
            "where event_id = %s", race.event_id,
        )  # fmt: skip
        assert race.links() == linked


def test_who_wears_another_bib_on_a_photo_is_not_linked_there(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    race.add((0, "99"))
    assert race.links() == set()


def test_nobody_is_linked_whose_bib_may_be_either_of_two(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    photo = race.add((0, None))
    # a bib half-way below this face: perhaps its own
    race.run(
        lambda c: replace_tags(
            c, race.event_id, photo, [BibReading("77", 0.99, (210.0, 430.0, 100.0, 60.0))]
        )
    )
    assert race.links() == set()


def test_a_bib_that_hangs_on_two_people_equally_is_nobodys(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
        race.add((0, "34"))
    race.add((0, None))
    assert race.links() == set()


def test_one_misread_bib_does_not_outvote_three(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    race.add((0, "17"))
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}


def test_the_order_in_which_photos_come_does_not_matter(database: Database) -> None:
    cast: list[Cast] = [[(0, "12")], [(0, "12"), (1, None)], [(0, None)], [(0, "12")]]
    for order in permutations(range(4)):
        race = make_race(database)
        photos = {}
        for index in order:
            photos[index] = race.add(*cast[index])
            race.link()  # after each, as when photos come one by one
        assert race.links() == {(photos[2], "12")}, order


def test_processing_again_changes_nothing(race: Race) -> None:
    photos = [race.add((0, "12")) for _ in range(3)]
    hidden = race.add((0, None))
    before = race.links()
    assert before == {(hidden, "12")}
    race.add((0, None), photo=hidden)
    race.add((0, "12"), photo=photos[0])
    assert race.links() == before


def test_a_link_becomes_a_reading_when_the_bib_is_read_after_all(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None))
    race.link()
    race.add((0, "12"), photo=hidden)
    assert race.links() == set()
    sources = race.execute("select source from bib_tag where photo_id = %s", hidden)
    assert sources == [("read",)]


def test_links_go_with_the_photos_that_they_rest_on(race: Race) -> None:
    photos = [race.add((0, "12")) for _ in range(2)]
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}
    race.execute("delete from photo where id = %s", photos[0])
    assert race.links() == set()


def test_links_follow_corrections_by_hand(race: Race) -> None:
    photos = [race.add((0, "12")) for _ in range(3)]
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}
    for photo in photos:
        race.execute("update bib_tag set bib = '13', source = 'hand' where photo_id = %s", photo)
    assert race.links() == {(hidden, "13")}
    race.execute("delete from bib_tag where photo_id = any(%s)", photos)
    assert race.links() == set()


def test_a_misread_bib_that_is_corrected_stays_with_its_wearer(race: Race) -> None:
    photos = [race.add((0, "1284"), (1, None)) for _ in range(3)]
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "1284")}
    race.execute("insert into startlist_entry (event_id, bib) values (%s, '1234')", race.event_id)
    corrected = race.run(lambda c: correct_bib(c, race.event_id, "1284", "1234"))
    assert corrected == len(photos)
    assert race.links() == {(hidden, "1234")}


def test_a_bib_by_hand_moves_to_where_it_is_read_now(race: Race) -> None:
    photos = [race.add((0, "12"), (1, None)) for _ in range(3)]
    hidden = race.add((0, None))
    for photo in photos:
        race.by_hand(add_bib, photo, "12")
    for photo in photos:  # turned by two quarters: the people have changed sides
        race.add((1, None), (0, "12"), photo=photo)
    assert race.links() == {(hidden, "12")}


def test_a_bib_by_hand_alone_counts_for_the_only_face(race: Race) -> None:
    photos = [race.add((0, None)) for _ in range(3)]
    for photo in photos[:2]:
        race.execute(
            """insert into bib_tag (photo_id, bib, event_id, confidence, source, extension)
               values (%s, '12', %s, 1, 'hand', 'jpg')""",
            photo, race.event_id,
        )  # fmt: skip
    assert race.links() == {(photos[2], "12")}


def test_a_bib_by_hand_on_a_group_leaves_who_wears_one_alone(race: Race) -> None:
    for _ in range(3):
        photo = race.add((0, "12"), (1, None))
        race.by_hand(add_bib, photo, "34")
    hidden = race.add((0, None), (1, None))
    assert race.links() == {(hidden, "12")}


def test_a_link_that_somebody_removed_stays_away(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}
    race.by_hand(remove_bib, hidden, "12")
    race.add((0, "12"))
    race.add((0, None), photo=hidden)
    assert race.links() == set()


def test_events_do_not_mix(database: Database, race: Race) -> None:
    other = make_race(database)
    for _ in range(3):
        other.add((0, "12"))
    race.add((0, None))
    assert race.links() == set()
    assert other.links() == set()


def test_an_event_can_switch_links_off_and_on(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None))
    behind = race.add((None, "12"))
    search = race.search(0)
    assert race.links() == {(hidden, "12")}
    assert behind in race.matches(search)
    race.execute("update event set link_faces = false where id = %s", race.event_id)
    assert race.links() == set()
    assert behind not in race.matches(search)
    race.add((0, None))
    assert race.links() == set()
    race.execute("update event set link_faces = true where id = %s", race.event_id)
    assert len(race.links()) == 2
    assert behind in race.matches(search)


def test_switching_links_leaves_each_photo_due_once(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    for on in (False, True, False, True):
        race.execute("update event set link_faces = %s where id = %s", on, race.event_id)
    ((due,),) = race.execute(
        "select count(*)::int from link_due where event_id = %s", race.event_id
    )
    assert due == 3


def test_a_selfie_finds_photos_that_show_the_bib_alone(race: Race) -> None:
    faces = [race.add((0, "12")) for _ in range(3)]
    behind = race.add((None, "12"))
    somebody_else = race.add((1, "12"))
    race.link()
    search = race.search(0)
    assert race.matches(search) == {*faces, behind}
    later = race.add((None, "12"))
    race.link()
    assert race.matches(search) == {*faces, behind, later}
    assert somebody_else not in race.matches(search)
    race.execute("delete from bib_tag where photo_id = any(%s)", faces)
    race.link()
    assert race.matches(search) == set(faces)


def test_a_photo_of_a_bib_by_hand_stays_with_a_selfie_when_it_is_read_again(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    behind = race.add((None, None))
    race.by_hand(add_bib, behind, "12")
    race.link()
    search = race.search(0)
    assert behind in race.matches(search)
    race.add((None, None), photo=behind)
    race.link()
    assert behind in race.matches(search)
    race.by_hand(remove_bib, behind, "12")
    race.link()
    assert behind not in race.matches(search)


def test_faces_are_compared_page_by_page(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PAGE", 2)
    monkeypatch.setattr(comparing, "ROWS", 2)
    for _ in range(3):
        race.add((0, "12"), (1, None), (2, "34"))
    hidden = race.add((3, None), (2, None), (0, None))
    assert race.links() == {(hidden, "12"), (hidden, "34")}


def test_faces_of_another_model_are_no_evidence(race: Race) -> None:
    photos = [race.add((0, "12")) for _ in range(3)]
    hidden = race.add((0, None))
    race.execute("update face set model = 'another' where photo_id = any(%s)", photos)
    assert race.links() == set()
    race.execute("update face set model = 'another' where photo_id = %s", hidden)
    race.add((0, None), photo=race.add((1, None)))
    race.execute("insert into link_due (event_id, photo_id) values (%s, %s)", race.event_id, hidden)
    assert race.links() == {(hidden, "12")}


def test_a_bib_that_is_unclear_by_now_speaks_against_nobody(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    rival, _ = race.add((0, "17")), race.add((0, "17"))
    hidden = race.add((0, None))
    race.execute("update face set embedding = (select embedding from face limit 1)")
    assert race.links() == set()
    race.by_hand(add_bib, rival, "18")
    assert race.links() == {(hidden, "12")}


def test_a_rival_that_comes_later_is_heard(race: Race) -> None:
    photos = [race.add((0, "12")), race.add((0, "12")), race.add((0, None))]
    for photo, cosine, axis in zip(photos, (0.55, 0.52, 1.0), (1, 2, 3), strict=True):
        race.make_alike(photo, cosine, axis=axis)
    assert race.links() == {(photos[2], "12")}
    rival = race.add((0, "17"))
    race.make_alike(rival, 0.43, axis=4)  # too little to be linked for, enough to doubt the other
    assert race.links() == set()


def test_a_rival_that_comes_later_is_heard_by_a_selfie(race: Race) -> None:
    photos = [race.add((0, "12")), race.add((0, "12")), race.add((0, None))]
    for photo, cosine, axis in zip(photos, (0.55, 0.505, 1.0), (1, 2, 3), strict=True):
        race.make_alike(photo, cosine, axis=axis)
    behind = race.add((None, "12"))
    race.link()
    template = race.execute("select embedding::text from face where photo_id = %s", photos[2])
    search = race.search(0, embedding=str(template[0][0]))
    assert behind in race.matches(search)
    rival = race.add((0, "17"))
    race.make_alike(rival, 0.41, axis=4)  # too little to be found, enough to doubt whose bib it is
    race.link()
    assert race.matches(search) == set(photos)
    race.by_hand(remove_bib, rival, "17")
    race.link()
    assert race.matches(search) == {*photos, behind}


def test_a_selfie_is_linked_whatever_it_found_itself(race: Race) -> None:
    search = race.search(0, threshold=0.95)
    race.add((None, "12"))
    for _ in range(3):
        race.add((0, "12"))
    race.link()
    assert race.matches(search) == race.matches(race.search(0, threshold=0.95)) != set()


@pytest.mark.parametrize("gone", ["a photo of the bib", "a photo that is due", "the selfie"])
def test_what_is_being_deleted_is_not_waited_for(race: Race, gone: str) -> None:
    faces = [race.add((0, "12")) for _ in range(3)]
    behind, search = race.add((None, "12")), race.search(0)
    race.link()
    assert behind in race.matches(search)
    race.add((0, "12"), photo=faces[0])
    queries = {
        "a photo of the bib": ("delete from photo where id = %s", behind),
        "a photo that is due": ("delete from photo where id = %s", faces[0]),
        "the selfie": ("delete from selfie where id = %s", search),
    }
    query, key = queries[gone]
    race.link_during(lambda c: c.execute(query.encode(), [key]))
    race.link()
    left = {*faces, behind} - {key}
    assert race.matches(search) == (set() if key == search else left)


@pytest.mark.parametrize("change", ["deleted", "hidden"])
def test_a_selfie_does_not_find_a_photo_that_is_just_being(race: Race, change: str) -> None:
    left, right = race.add((0, "12")), race.add((0, "12"))
    search = uuid.uuid4()

    async def take_away(connection: psycopg.AsyncConnection) -> None:
        if change == "hidden":
            await set_hidden(connection, race.event_id, [left], hidden=True)
        else:
            queue = jobs.make_queue(race.database.dsn)
            async with queue.open_async():
                await delete_photos(connection, queue, race.event_id, [left])

    race.at_once(take_away, race.searching(0, search))
    shown = "select photo_id from selfie_match where selfie_id = %s and visible"
    assert race.execute(shown, search) == [(right,)]


@pytest.mark.parametrize("gone", ["the selfie", "the event"])
def test_a_photo_that_is_written_and_what_is_deleted_do_not_wait_for_each_other(
    race: Race, gone: str
) -> None:
    photo, search = race.add((0, "12")), race.search(0)
    ((org_id,),) = race.execute("select org_id from event where id = %s", race.event_id)

    async def begin(connection: psycopg.AsyncConnection) -> None:
        await lock_for_photo(connection, race.event_id)
        await connection.execute("update photo set state = 'ready' where id = %s", [photo])
        await connection.execute("delete from selfie_match where photo_id = %s", [photo])

    async def delete(connection: psycopg.AsyncConnection) -> None:
        if gone == "the selfie":
            assert await delete_search(connection, race.event_id, search)
        else:
            await delete_event(connection, org_id, race.event_id, typed_name="A race")

    async def end(connection: psycopg.AsyncConnection) -> None:
        tags = [BibReading("13", 0.99, (80.0, 430.0, 140.0, 60.0))]
        await replace_tags(connection, race.event_id, photo, tags)
        await match_photo(connection, race.event_id, photo)

    race.at_once(begin, delete, end)
    assert race.matches(search) == set()


def test_a_link_that_is_removed_while_it_is_made_again_stays_away(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}
    race.add((0, None), photo=hidden)
    race.at_once(
        lambda c: remove_bib(c, race.event_id, [hidden], "12"), lambda c: link_due_photos(c)
    )
    assert race.links() == set()


def test_a_selfie_that_comes_while_links_are_switched_off_gets_none(race: Race) -> None:
    faces = [race.add((0, "12")) for _ in range(3)]
    race.add((None, "12"))
    race.link()
    search = uuid.uuid4()
    ((org_id,),) = race.execute("select org_id from event where id = %s", race.event_id)

    async def switch(connection: psycopg.AsyncConnection) -> None:
        event = await find_event(connection, race.event_id)
        await update_event(
            connection, org_id, race.event_id, name=event.name, starts_at=event.starts_at,
            time_zone=event.time_zone, status=event.status, event_enabled=event.event_enabled,
            bib_search=True, selfie_search=True, link_faces=False, slug=event.slug,
            match_threshold=None, retention_days=None, most_days=30,
        )  # fmt: skip

    race.at_once(switch, race.searching(0, search))
    assert race.matches(search) == set(faces)


def test_a_photo_that_is_turned_while_it_is_read_waits_for_that(race: Race) -> None:
    photo = race.add((0, "12"))
    race.by_hand(add_bib, photo, "12")

    async def begin(connection: psycopg.AsyncConnection) -> None:
        await connection.execute("update photo set state = 'ready' where id = %s", [photo])

    async def turn(connection: psycopg.AsyncConnection) -> None:
        queue = jobs.make_queue(race.database.dsn)
        async with queue.open_async():
            await turn_photos(connection, queue, race.event_id, [photo], quarters=1)

    async def end(connection: psycopg.AsyncConnection) -> None:
        tags = [BibReading("12", 0.99, (80.0, 430.0, 140.0, 60.0))]
        await replace_tags(connection, race.event_id, photo, tags)

    race.at_once(begin, turn, end)
    assert race.execute("select box from bib_tag where photo_id = %s", photo) == [(None,)]


def test_corrections_of_the_same_photos_wait_for_their_turn(race: Race) -> None:
    photos = [race.add((0, "12")) for _ in range(2)]
    ours = [lambda c, one=one: add_bib(c, race.event_id, [one], "7") for one in sorted(photos)]
    race.at_once(
        ours[0], lambda c: add_bib(c, race.event_id, sorted(photos, reverse=True), "7"), ours[1]
    )
    tags = race.execute(
        "select photo_id from bib_tag where bib = '7' and event_id = %s", race.event_id
    )
    assert {row[0] for row in tags} == set(photos)


@dataclass
class Meanwhile:
    """Something that happens once, while faces are compared."""

    act: Callable[[], object]

    async def owners_of_selfies(self, *given: Any) -> dict[uuid.UUID, Owner]:
        found = await owners_of_selfies(*given)
        act, self.act = self.act, lambda: None
        await asyncio.to_thread(act)
        return found


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something happen the next time that faces were compared and nothing is written yet."""
    return lambda act: monkeypatch.setattr(
        links, "owners_of_selfies", Meanwhile(act).owners_of_selfies
    )


Happen = Callable[[Callable[[], object]], None]


def test_linking_that_breaks_off_is_made_up_for(race: Race, meanwhile: Happen) -> None:
    photos = [race.add((0, "12")) for _ in range(2)]
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}
    # one may wear another bib by now: that is noted, and then the worker dies
    race.by_hand(add_bib, photos[0], "18")
    meanwhile(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        race.link()
    assert race.links() == set()


def test_evidence_that_comes_while_faces_are_compared_counts(race: Race, meanwhile: Happen) -> None:
    photos = [race.add((0, "12")) for _ in range(2)]
    hidden = race.add((0, None))
    meanwhile(lambda: race.execute("delete from photo where id = %s", photos[0]))
    assert race.links() == set()
    meanwhile(lambda: race.add((0, "12")))
    race.add((1, None))
    assert race.links() == {(hidden, "12")}


def test_links_switched_off_while_faces_are_compared_are_not_made(
    race: Race, meanwhile: Happen
) -> None:
    for _ in range(3):
        race.add((0, "12"))
    race.add((0, None))
    switch = "update event set link_faces = false where id = %s"
    meanwhile(lambda: race.execute(switch, race.event_id))
    assert race.links() == set()


def test_a_selfie_does_not_wait_while_faces_are_compared(race: Race, meanwhile: Happen) -> None:
    faces = [race.add((0, "12")) for _ in range(3)]
    behind = race.add((None, "12"))
    found: list[set[object]] = []
    meanwhile(lambda: found.append(race.matches(race.search(0))))
    race.link()
    assert found == [{*faces, behind}]


def test_a_selfie_under_the_id_of_a_deleted_one_gets_no_links_of_that(
    race: Race, meanwhile: Happen
) -> None:
    for _ in range(3):
        race.add((0, "12"))
    race.add((None, "12"))
    other = race.add((1, None))
    search = race.search(0)

    def search_again() -> None:
        race.run(lambda c: delete_search(c, race.event_id, search))
        race.search(1, search)

    meanwhile(search_again)
    race.link()
    assert race.matches(search) == {other}


def test_a_link_is_hidden_with_its_photo(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None))
    race.execute("update photo set hidden = true where id = %s", hidden)
    race.link()
    assert race.execute("select visible from bib_tag where photo_id = %s", hidden) == [(False,)]


def test_an_event_is_deleted_with_its_links(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    race.add((0, None))
    race.link()
    race.execute("delete from event where id = %s", race.event_id)
    assert not race.run(lambda c: links_are_due(c, race.event_id))


@dataclass
class Linker:
    """The job that links, as one worker runs it."""

    race: Race
    workshop: SimpleNamespace

    def due_after_a_run(self) -> int:
        async def link() -> None:
            async with open_pool(self.race.database, size=1) as self.workshop.pool:
                context = JobContext(
                    app=jobs.make_queue(self.race.database.dsn),
                    job=Job(id=1, queue="", lock=None, queueing_lock=None, task_name="link"),
                    start_timestamp=0.0,
                    additional_context={"workshop": self.workshop},
                    abort_reason=lambda: None,
                )
                await jobs.link_photos(context, 0)

        run(link())
        ((count,),) = self.race.execute("select count(*)::int from link_due")
        assert isinstance(count, int)
        return count


@pytest.fixture
def linker(race: Race) -> Linker:
    """With 4,500 photos due and nothing else, and no job that waits."""
    race.execute("delete from procrastinate_jobs where status = 'todo'")
    race.execute(
        """insert into link_due (event_id, photo_id)
           select %s, gen_random_uuid() from generate_series(1, 4500)""",
        race.event_id,
    )
    return Linker(race, SimpleNamespace(pool=None, linking_rests_until=0.0))


def test_linking_rests_for_photos_that_wait_as_long_as_it_ran(
    race: Race, linker: Linker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LONGEST_LINKING", 0.0)  # one batch a run
    queue = jobs.make_queue(race.database.dsn)

    async def wait(connection: psycopg.AsyncConnection) -> None:
        async with queue.open_async():
            await jobs.defer_processing(queue, connection, [uuid.uuid4()])

    before = time.monotonic()
    assert linker.due_after_a_run() == 4400
    assert linker.workshop.linking_rests_until > before
    linker.workshop.linking_rests_until = math.inf
    assert linker.due_after_a_run() == 4300  # no photo waits
    race.run(wait)
    linker.workshop.linking_rests_until = math.inf
    assert linker.due_after_a_run() == 4300
    linker.workshop.linking_rests_until = 0.0
    assert linker.due_after_a_run() == 4200


@pytest.mark.parametrize(
    ("brief", "first"),
    [(math.inf, [100, 200, 400, 800, 1600, 1600]), (0.0, [100, 50, 25, 12, 6, 3, 1, 1])],
)
def test_so_many_photos_are_linked_at_once_as_take_little_time(
    linker: Linker, monkeypatch: pytest.MonkeyPatch, brief: float, first: list[int]
) -> None:
    limits = []

    async def watched(connection: psycopg.AsyncConnection, limit: int) -> int:
        limits.append(limit)
        return await link_due_photos(connection, limit)

    monkeypatch.setattr(jobs, "link_due_photos", watched)
    monkeypatch.setattr(jobs, "BRIEF", brief)
    monkeypatch.setattr(jobs, "LONGEST_LINKING", 600.0)
    assert linker.due_after_a_run() == 0
    assert limits[: len(first)] == first

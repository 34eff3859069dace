"""Links stay true, and nobody waits long, whatever happens at the same time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from fotofinish.bibs.corrections import add_bib, remove_bib
from fotofinish.bibs.plausibility import BibReading
from fotofinish.bibs.tags import replace_tags
from fotofinish.database.connection import open_connection
from fotofinish.events.events import find_event, update_event
from fotofinish.events.gone import delete_event
from fotofinish.faces.matching import lock_for_photo, match_photo
from fotofinish.faces.selfies import delete_search
from fotofinish.linking import links
from fotofinish.linking.deciding import Owner
from fotofinish.linking.links import link_due_photos
from fotofinish.linking.selfies import owners_of_selfies
from fotofinish.photos.changes import set_hidden, turn_photos
from fotofinish.photos.deleting import delete_photos
from fotofinish.photos.failures import retry_failed
from fotofinish.photos.photos import lock_photos
from fotofinish.queue import make_queue
from tests.linking.conftest import Race


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
            queue = make_queue(race.database.dsn)
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

    async def switch(connection: psycopg.AsyncConnection) -> None:
        event = await find_event(connection, race.event_id)
        await update_event(connection, replace(event, link_faces=False), most_days=30)

    race.at_once(switch, race.searching(0, search))
    assert race.matches(search) == set(faces)


def test_a_photo_that_is_turned_while_it_is_read_waits_for_that(race: Race) -> None:
    photo = race.add((0, "12"))
    race.by_hand(add_bib, photo, "12")

    async def begin(connection: psycopg.AsyncConnection) -> None:
        await connection.execute("update photo set state = 'ready' where id = %s", [photo])

    async def turn(connection: psycopg.AsyncConnection) -> None:
        queue = make_queue(race.database.dsn)
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


@pytest.mark.parametrize(("correct", "bib"), [(add_bib, "7"), (remove_bib, "12")])
def test_a_correction_and_the_deletion_of_its_event_do_not_wait_for_each_other(
    race: Race, correct: Callable[..., Any], bib: str
) -> None:
    photo = race.add((0, "12"))
    ((org_id,),) = race.execute("select org_id from event where id = %s", race.event_id)
    race.at_once(
        lambda c: lock_photos(c, race.event_id, [photo]),
        lambda c: delete_event(c, org_id, race.event_id, typed_name="A race"),
        lambda c: correct(c, race.event_id, [photo], bib),
    )
    assert race.execute("select 1 from event where id = %s", race.event_id) == []


def test_failed_photos_are_queued_again_and_deleted_in_one_order(race: Race) -> None:
    photos = sorted((race.add((0, "12")) for _ in range(3)), reverse=True)
    for photo in photos:  # written anew they lie in this order, against that of their ids
        race.execute("update photo set state = 'failed', reason = 'x' where id = %s", photo)

    async def hold_one(holder: psycopg.AsyncConnection) -> None:
        queue = make_queue(race.database.dsn)
        async with (
            queue.open_async(),
            open_connection(race.database) as one,
            open_connection(race.database) as other,
        ):
            async with holder.transaction():
                await lock_photos(holder, race.event_id, [photos[1]])
                again = asyncio.create_task(retry_failed(one, queue, race.event_id))
                await asyncio.sleep(0.3)
                gone = asyncio.create_task(delete_photos(other, queue, race.event_id, photos))
                await asyncio.sleep(0.3)
            await asyncio.gather(again, gone)

    race.run(hold_one)
    assert race.execute("select 1 from photo where event_id = %s", race.event_id) == []


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

"""Faces and bibs together: what is linked, what never is, and that links follow the evidence."""

from __future__ import annotations

from itertools import permutations

import psycopg
import pytest

from fotofinish.bibs.corrections import add_bib, remove_bib
from fotofinish.bibs.coverage import correct_bib
from fotofinish.bibs.plausibility import BibReading
from fotofinish.bibs.tags import replace_tags
from fotofinish.database.connection import Database
from fotofinish.faces.matching import lock_for_photo, match_photo
from fotofinish.linking import comparing
from fotofinish.linking.links import links_are_due
from tests.linking.conftest import Cast, Race, make_race


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
        if order.index(3) < order.index(0):
            continue  # these two photos are alike
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


def test_links_switched_on_again_are_on_photos_that_failed_since(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    hidden = race.add((0, None))
    assert race.links() == {(hidden, "12")}
    race.execute("update photo set state = 'failed' where id = %s", hidden)
    for on in (False, True):
        race.execute("update event set link_faces = %s where id = %s", on, race.event_id)
    assert race.links() == {(hidden, "12")}


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


def test_a_linked_match_that_becomes_a_found_one_has_the_photos_time(race: Race) -> None:
    for _ in range(3):
        race.add((0, "12"))
    photo = race.add((None, "12"))
    search = race.search(0)
    race.link()
    assert photo in race.matches(search)
    race.execute("update photo set captured_at = '2026-05-17 08:00Z' where id = %s", photo)
    race.add((0, "12"), photo=photo)  # read again, and the face is found now

    async def match(connection: psycopg.AsyncConnection) -> None:
        async with connection.transaction():
            await lock_for_photo(connection, race.event_id)
            await match_photo(connection, race.event_id, photo)

    race.run(match)
    assert race.execute(
        """select linked, captured_at = '2026-05-17 08:00Z' from selfie_match
           where selfie_id = %s and photo_id = %s""",
        search, photo,
    ) == [(False, True)]  # fmt: skip
